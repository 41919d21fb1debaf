"""Keeping what a person has played in the library, on whichever thread it was played."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.runs.recording_records import RecordingSource

if TYPE_CHECKING:
    from app.session.play_thread import Played
    from engine.runs.recording_records import RecordingRecord


class RecordingKeeper:
    """Opens the library in ``folder`` for each episode, since a thread cannot use what another has opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, played: Played) -> RecordingRecord:
        """Keep an episode as a recording of its own.

        Raises:
            RequestError, RunError: it cannot be kept.
        """
        from engine.experience.demonstrations import Demonstrations  # with numpy
        from engine.runs.library import Library  # with sqlite3
        from engine.runs.recordings import Recordings

        library = Library(self._folder)
        try:
            episodes = Demonstrations(played.environment, (played.demonstration,))
            return Recordings(library).add(episodes, RecordingSource("person"))
        finally:
            library.close()
