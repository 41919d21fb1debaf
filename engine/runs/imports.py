"""What a person opens, drops or pastes: a configuration in any of its forms, or runs. Nothing of it is ever run."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine.config import RunConfig, presets
from engine.config.presets import LONGEST_TITLE, Preset
from engine.config.shared_text import found_in, from_text
from engine.config.validation import validated
from engine.runs.copying import Taken, checkpoint_files, recover_run, take_runs
from engine.runs.library import DATABASE, Library
from engine.runs.minari_places import is_minari
from engine.runs.recording_files import RecordingFound
from engine.runs.recordings import NAME as RECORDING
from engine.runtime.errors import RequestError

_SEARCHED = 1_000_000  # bytes at either end of a file, in which a configuration is looked for
_LARGEST_HEADER = 50_000_000  # bytes that stand before a checkpoint's numbers
_LONGEST_PATH = 4_000  # characters
_PRESET = re.compile(r"^\s*\[config\b", re.MULTILINE)  # what every preset says
_SQLITE = b"SQLite format 3\x00"
WHAT = (
    "a preset, a run's folder, a library, a recording, a script or a policy that was written here, or a "
    "configuration's text"
)


@dataclass(frozen=True)
class RunsFound:
    """Runs that can be taken into a library: all of the one whose ``database`` this is, or ``only`` one of them."""

    database: Path
    only: str = ""

    def take(self, target: Library) -> Taken:
        """Copy them into ``target``; runs of its own are there already.

        Raises:
            RequestError: it is no run library, or a damaged one.
            RunError: ``target`` cannot be written.
        """
        if self.database.resolve() == (target.folder / DATABASE).resolve():
            ids = (target.run(self.only).id,) if self.only else tuple(run.id for run in target.runs())
            return Taken(there=ids)
        return take_runs(self.database, target, self.only)


@dataclass(frozen=True)
class FolderFound:
    """The folder of a run that has lost its library, of which its checkpoints are left."""

    folder: Path

    def take(self, target: Library) -> Taken:
        """As ``RunsFound``."""
        return recover_run(self.folder, target)


Found = Preset | RunsFound | FolderFound | RecordingFound


def recognised(what: Path | str) -> Found:
    """What a file, a folder or a text holds; a text may name a file.

    Raises:
        RequestError: nothing that this program knows.
    """
    if isinstance(what, str):
        path = _path_in(what)
        return recognised(path) if path is not None else _in_text(what)
    try:
        return _in_folder(what) if what.is_dir() else _in_file(what)
    except OSError as error:
        raise RequestError(f"{what.name} could not be read: {error.strerror or error}.") from None


def _path_in(text: str) -> Path | None:
    """The file that a text names and that is there, as a file manager copies it; None where it names none."""
    line = text.strip().strip("\"'")
    if not line or "\n" in line or "\x00" in line or len(line) > _LONGEST_PATH:
        return None
    if line.startswith("file:"):
        line = url2pathname(urlsplit(line).path)
    path = Path(line)
    try:
        return path if path.is_absolute() and path.exists() else None
    except (OSError, ValueError):
        return None


def _in_text(text: str) -> Preset:
    preset = _configuration_in(text, "Settings from a text", "in the text")
    if preset is None:
        raise RequestError(f"There is no configuration in this text; paste {WHAT}.")
    return preset


def _configuration_in(text: str, title: str, name: str) -> Preset | None:
    """The configuration that stands anywhere in it as a short text, or that it is as a preset; None where there is
    none. ``title`` is for one without, ``name`` is what the text is called in what is wrong with it."""
    short = found_in(text)
    if short is not None:
        return _titled(title, from_text(short))
    return presets.parsed(text, name) if _PRESET.search(text) else None


def _titled(title: str, config: RunConfig) -> Preset:
    return Preset(title=title[:LONGEST_TITLE], config=config)


def _in_folder(folder: Path) -> Found:
    if (folder / DATABASE).is_file():
        return RunsFound(folder / DATABASE)
    library = folder.parent.parent / DATABASE
    if folder.parent.name == "runs" and library.is_file():
        return RunsFound(library, folder.name)
    if checkpoint_files(folder):
        return FolderFound(folder)
    if is_minari(folder):
        return RecordingFound(folder)
    raise RequestError(f"There is no run in the folder {folder.name or folder}; choose {WHAT}.")


def _in_file(path: Path) -> Found:
    """
    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file() and path.exists():
        raise OSError(errno.EINVAL, "it is no file")  # but something that may never end
    with path.open("rb") as file:
        head = file.read(_SEARCHED)
        if head.startswith(_SQLITE):
            return RunsFound(path)
        if path.suffix == ".toml":
            return presets.load(path)
        about = _about(head, file)
        if about is not None and RECORDING in about:
            return RecordingFound(path)
        config = _of_checkpoint(about) if about is not None else None
        file.seek(max(file.seek(0, 2) - _SEARCHED, len(head)))
        tail = file.read(_SEARCHED)
    title = f"Settings of {path.name}"
    if config is not None:
        return _titled(title, config)
    found = _configuration_in((head + tail).decode("utf-8", "replace"), title, path.name)
    if found is None:
        raise RequestError(f"There is no configuration in {path.name}; open {WHAT}.")
    return found


def _about(head: bytes, file: BinaryIO) -> dict[str, Any] | None:
    """What a ``file`` of tensors, which begins so, says of itself in its metadata, where all but its numbers is; None
    where it is none."""
    length = int.from_bytes(head[:8], "little")
    if not 2 <= length <= _LARGEST_HEADER or head[8:9] != b"{":
        return None
    file.seek(8)
    try:
        about = json.loads(file.read(length))["__metadata__"]
        return about if isinstance(about, dict) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _of_checkpoint(about: dict[str, Any]) -> RunConfig | None:
    """The configuration of a checkpoint that says this of itself; None where it is none."""
    try:
        return validated(json.loads(about["checkpoint"])["state"]["config"])
    except RequestError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
