"""One history per run."""

from __future__ import annotations

from collections.abc import Collection

from app.models.history import History
from engine.reports.events import Event


class Histories:
    """The histories that are kept, by run; what any other run tells is dropped, however late it comes."""

    def __init__(self) -> None:
        self._kept: dict[str, History] = {}

    def begin(self, run: str) -> History:
        """Keep what ``run`` tells from now on; its history is empty."""
        self._kept[run] = History()
        return self._kept[run]

    def put(self, run: str, history: History) -> None:
        """Keep what ``run`` tells from now on beside what it has told already."""
        self._kept[run] = history

    def __getitem__(self, run: str) -> History:
        return self._kept[run]

    def __contains__(self, run: str) -> bool:
        return run in self._kept

    def forget(self, run: str) -> None:
        self._kept.pop(run, None)

    def keep(self, runs: Collection[str]) -> None:
        """Forget all but these."""
        self._kept = {run: history for run, history in self._kept.items() if run in runs}

    def add(self, event: Event) -> None:
        """Take in what a run tells, where its history is kept."""
        history = self._kept.get(event.run)
        if history is not None:
            history.add(event)
