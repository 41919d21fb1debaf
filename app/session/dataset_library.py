"""The datasets of the run library as the window sees them, and what a person does with them as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.session.recording_library import RecordingLibrary

if TYPE_CHECKING:  # with numpy and sqlite3
    from engine.experience.demonstrations import Demonstrations
    from engine.runs.datasets import DatasetContent
    from engine.runs.recordings import Recordings

_T = TypeVar("_T")


class DatasetLibrary:
    """Does with datasets what ``recordings`` does with recordings, and puts it onto the same list of what was tried."""

    def __init__(self, recordings: RecordingLibrary) -> None:
        self.recordings = recordings

    def rename(self, name: str, to: str) -> None:
        """Call a dataset something else, which can be undone."""
        if name != to and self._rename(name, to):
            text, redo, undo = f"Rename the dataset {name}", partial(self._rename, name, to), self._rename
            self.recordings.note(text, redo, partial(undo, to, name), done=True)

    def _rename(self, name: str, to: str) -> bool:
        from engine.runs.datasets import rename

        return self.recordings.write(lambda kept: rename(kept.library, name, to))

    def delete(self, names: Sequence[str]) -> None:
        """Let these datasets be there no more, which can be undone; their recordings stay."""
        from engine.runs.datasets import members_of

        before = self.recordings.read(lambda kept: {name: members_of(kept.library, name) for name in names})
        if before and self._put(dict.fromkeys(before, ())):
            what = f"the dataset {names[0]}" if len(names) == 1 else f"{len(names)} datasets"
            redo, undo = partial(self._put, dict.fromkeys(before, ())), partial(self._put, before)
            self.recordings.note(f"Delete {what}", redo, undo, done=True)

    def _put(self, members: dict[str, tuple[str, ...]]) -> bool:
        from engine.runs.datasets import put_members

        def put(kept: Recordings) -> None:
            with kept.library.transaction():
                for name, ids in members.items():
                    put_members(kept.library, name, ids)

        return self.recordings.write(put)

    def merge(self, names: Sequence[str], to: str) -> None:
        """Put all recordings of these datasets into one, which can be undone."""
        found = {dataset.name: dataset.recordings for dataset in self.recordings.datasets}
        ids = [id for name in names for id in found.get(name, ())]
        self.recordings.merge(to, list(dict.fromkeys(ids)))

    def export(self, name: str, form: str, path: Path) -> None:
        """Write a dataset out, be it one that comes with the program."""

        def write_out(shown: Demonstrations) -> str:
            from engine.runs.recording_files import write

            return write(shown, form, path)

        self._with(name, write_out, lambda sentence: self.recordings.told.emit("info", sentence))

    def look_into(self, name: str, then: Callable[[DatasetContent], object]) -> None:
        """Have ``then`` told what is in a dataset, once that has been read."""

        def content(shown: Demonstrations) -> DatasetContent:
            from engine.runs.datasets import content_of

            return content_of(shown)

        self._with(name, content, then)

    def _with(self, name: str, do: Callable[[Demonstrations], _T], then: Callable[[_T], object]) -> None:
        def read() -> _T:
            from engine.runs.giving import dataset_named

            return do(self.recordings.there(lambda kept: dataset_named(name, kept.library)))

        self.recordings.work.ask(read, then)
