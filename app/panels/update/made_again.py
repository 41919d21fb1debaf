"""An update that was made again, out of what was kept of a run, beside the one that the run has told of itself."""

from __future__ import annotations

from dataclasses import dataclass

from app.models.watched_update import WatchedUpdate


@dataclass(frozen=True)
class MadeAgain:
    """Of which ``run`` and ``iteration`` it is, whether it is ``exact``, the run's own, ``how`` in sentences,
    and whether its steps were learned from as ``single`` ones."""

    run: str
    iteration: int
    exact: bool
    how: str
    single: bool = False

    def is_overtaken(self, live: WatchedUpdate) -> bool:
        """Whether the run has told of a later one since."""
        return not live.is_empty and not 0 < live.iteration <= self.iteration


def lags(live: WatchedUpdate, trained: int) -> bool:
    """Whether what was told last is not of the last of so many iterations, nor of the one under way: it went unwatched,
    as most do at full speed."""
    under_way = live.iteration == 0 and not live.is_empty
    return not under_way and live.iteration < trained
