"""Recordings read from files, and written to them: in the program's own format or as a dataset of Minari's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue.family import Extra
from engine.runs.copying import Taken
from engine.runs.library import Library
from engine.runs.minari_places import MINARI, is_minari
from engine.runs.recording_copies import RecordingsTaken
from engine.runs.recording_records import RecordingSource
from engine.runs.recordings import ENDING, Recordings
from engine.runs.records import Label
from engine.runtime.errors import RequestError, describe
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:  # with numpy
    from engine.experience.demonstrations import Demonstrations

LARGEST = 4 << 30  # bytes of a file that is read


@dataclass(frozen=True)
class RecordingForm:
    """A form in which a recording can be written out; ``ending`` is that of its file, empty where it is a folder."""

    name: str
    title: str
    ending: str
    write: Callable[[Demonstrations, Path], None]
    extra: Extra | None = None

    @property
    def missing(self) -> str:
        """What to do before it can be written so; empty where nothing is missing."""
        return self.extra.missing if self.extra is not None else ""


def _write_plain(demonstrations: Demonstrations, path: Path) -> None:
    from engine.experience.demonstration_file import to_bytes

    write_whole(path, to_bytes(demonstrations))


def _write_minari(demonstrations: Demonstrations, path: Path) -> None:
    from engine.runs.minari_datasets import write_minari

    write_minari(demonstrations, path)


FORMS = {
    form.name: form
    for form in (
        RecordingForm("plain", "Recording", ENDING, _write_plain),
        RecordingForm("minari", "Dataset of Minari's (folder)", "", _write_minari, MINARI),
    )
}


@dataclass(frozen=True)
class RecordingFound:
    """A file or folder of demonstrations, which can be taken into a library as a recording."""

    path: Path

    def take(self, target: Library) -> Taken:
        """Keep it in ``target``.

        Raises:
            RequestError: it cannot be read.
            RunError: ``target`` cannot be written.
        """
        found = read(self.path)
        name = "".join(sign if sign.isprintable() else "?" for sign in self.path.name)
        title = name.removesuffix(ENDING)[:60]
        kept = Recordings(target).add(found, RecordingSource("file", name=name), Label(title=title))
        return Taken(recordings=RecordingsTaken(added=(kept.id,)))


def read(path: Path) -> Demonstrations:
    """The demonstrations in a file of the program's own format, or in a folder of Minari's.

    Raises:
        RequestError: there are none, or they cannot be read.
    """
    from engine.experience.demonstration_file import from_bytes

    try:
        if path.is_dir():
            from engine.runs.minari_datasets import read_minari

            if is_minari(path):
                return read_minari(path)
            raise RequestError(f"There are no demonstrations in the folder {path.name or path}.")
        if path.exists() and not path.is_file():
            raise RequestError(f"{path.name} is no file.")  # but something that may never end
        if path.stat().st_size > LARGEST:
            raise RequestError(f"{path.name} is larger than {LARGEST >> 30} GB, which is too large for a recording.")
        return from_bytes(path.read_bytes())
    except OSError as error:
        raise RequestError(f"{path.name} could not be read: {error.strerror or describe(error)}.") from None
    except MemoryError:
        raise RequestError(f"There is not enough memory for {path.name}.") from None


def write(demonstrations: Demonstrations, form: str, path: Path) -> str:
    """Write ``demonstrations`` out, whole or not at all; a sentence of it.

    Raises:
        RequestError: there is no such form, what it takes is not installed, or the file cannot be written.
    """
    if form not in FORMS:
        raise RequestError(f"A recording cannot be written as {form or 'nothing'}; there is {', '.join(FORMS)}.")
    if FORMS[form].missing:
        raise RequestError(f"{FORMS[form].missing}.")
    try:
        FORMS[form].write(demonstrations, path)
    except OSError as error:
        raise RequestError(f"The recording could not be written to {path}: {error.strerror or error}.") from None
    count, steps = len(demonstrations.episodes), len(demonstrations)
    return f"Wrote {count:,} episode{'' if count == 1 else 's'} of {steps:,} steps to {path}."
