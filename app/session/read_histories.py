"""What runs of the library have told, as it was read last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # with numpy and sqlite3, which the window's first picture does not wait for
    from app.models.history import History
    from engine.reports.events import Event
    from engine.runs.library import Library
    from engine.runs.records import RunRecord

_MOST = 64  # that are kept in memory


class ReadHistories:
    """Keeps those that were asked for last, each for as long as its run has told nothing more."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[Any, ...], History]] = {}

    def of(self, record: RunRecord, read: Callable[[], History]) -> History:
        """The history of a run, by ``read`` where it is not the one that is kept."""
        mark = (record.reached, record.status, record.changes)
        kept = self._kept.pop(record.id, None)
        if kept is None or kept[0] != mark:
            kept = mark, read()
        self._kept[record.id] = kept  # as the latest that was asked for
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        return kept[1]

    def forget(self, run: str) -> None:
        self._kept.pop(run, None)


def history_of(library: Library, run: str) -> History:
    """All that a run has told."""
    from app.models.history import History
    from engine.runs.library import EPISODES, ITERATIONS

    return History.from_series(library.series(run, ITERATIONS), library.series(run, EPISODES), library.events(run))


def read_on(library: Library, run: str, history: History) -> set[type[Event]]:
    """Add to ``history`` what a run has told since; of what kinds of events."""
    from engine.runs.library import EPISODES, ITERATIONS

    iterations = library.series(run, ITERATIONS, history.iterations)
    episodes = library.series(run, EPISODES, len(history.episode_returns))
    return history.read_on(iterations, episodes, library.events(run))
