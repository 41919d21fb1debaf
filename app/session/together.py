"""Seeds that are trained together, as the thread that trains sees them: which the window follows, what stops there, and
what is said of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.catalogue.methods.stops import Stop
from engine.reports.events import Event, Failed, Solved, Updated
from engine.runtime.errors import RunError

if TYPE_CHECKING:
    from app.session.stops import Stops
    from engine.training.training import Training


NO_OTHERS: Mapping[str, int] = {}  # seeds


class Followed:
    """``run`` and ``elsewhere`` may be set by any thread; the former is the first where none of the runs that train is
    of that name.

    A run that trains by itself is always the one that is followed, and every event is its own.
    """

    def __init__(self) -> None:
        self.run = ""
        self.elsewhere = False  # whether what the window shows is trained by another process
        self._over: set[str] = set()  # the runs whose iteration has ended since the last end of all that ended at once
        self._failure = ""  # why the latest of those that failed did

    def of(self, training: Training) -> str:
        return self.run if self.run in training.runs else next(iter(training.runs))

    def watch(self, training: Training) -> None:
        """Have the run that is followed watched, and no other."""
        training.watched_run = self.of(training) if len(training.runs) > 1 else ""

    def iteration(self, training: Training) -> int:
        """That of the run which is followed."""
        return training.totals[self.of(training)].iteration

    def hear(self, event: Event) -> None:
        """Take in an event, before it is asked for its stops."""
        if isinstance(event, Updated):
            self._over.add(event.run)
        elif isinstance(event, Failed):
            self._failure = event.reason

    def stops(self, event: Event, training: Training, stops: Stops) -> tuple[Stop, ...]:
        """The stops that stand at an event. An iteration of several is over where all have been told of that ended at
        once, the one that is followed or, where that goes on no more, any other among them."""
        if len(training.runs) == 1:
            return stops.of(event)
        followed = self.of(training)
        if isinstance(event, Updated | Solved):
            ended, self._over = self._over, set()
            return ("iteration",) if followed in ended or training.totals[followed].failed else ()
        return stops.of(event) if event.run == followed else ()

    def require_one(self, training: Training) -> None:
        """
        Raises:
            RunError: all of several have failed.
        """
        if all(totals.failed for totals in training.totals.values()):
            raise RunError(self._failure)


def steps_words(steps: int, training: Training | None) -> str:
    """What has been trained: "81,920 steps", "81,920 steps of 8 seeds"."""
    seeds = len(training.runs) if training is not None else 1
    return f"{steps:,} steps" + (f" of {seeds} seeds" if seeds > 1 else "")
