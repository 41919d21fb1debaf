"""What every learner is to ``Training``: iterations that yield events, whatever family of methods they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.policies.policy import Policy
from engine.reports.events import Event
from engine.runtime.state import Parts, State


@dataclass(frozen=True)
class Moment:
    """Where a run stands as an iteration of it begins: all that a learner is told of its life.

    ``iteration`` counts from 1, ``progress`` is the share of the budget that was used before it, 0 … 1, and
    ``episodes`` had ended before. ``watched`` says that somebody wants to see every gradient step.
    """

    run: str
    config: RunConfig
    iteration: int
    progress: float
    watched: bool = False
    episodes: int = 0


@runtime_checkable
class AskingLearner(Protocol):
    """One that may have to wait for a person's answers."""

    @property
    def asking(self) -> bool:
        """Whether it waits now."""

    def answer(self, number: int, action: Any) -> None:
        """An answer to the question of that number: an action in the environment's units, or a ``NoAction``.

        Raises:
            RequestError: there is no such question, or no such action.
        """

    def answers(self) -> State:
        """What has been answered of what is asked now, to be put into its state by ``answered``."""


class Learner(Protocol):
    """Learns in one run, or in several at once; knows no thread, window, budget or clock.

    ``parts`` are all that changes in it, registered where they are made. ``policies`` are what the runs learn, by run;
    ``environment`` is what they are learned in, as learning sees it. ``device_reason`` and ``stepping_reason`` say in a
    sentence each where networks are computed and how environments are stepped, and ``choices`` what was chosen where
    the configuration leaves it open, by path: a run that goes on elsewhere is not to choose anew.
    """

    parts: Parts
    environment: EnvironmentInfo
    choices: dict[str, str]
    device_reason: str
    stepping_reason: str

    @property
    def policies(self) -> dict[str, Policy]: ...

    def repeats(self, run: str) -> bool:
        """Whether the iteration that is under way in a run would come to where it is now if it were begun anew from the
        state: all that it has done so far, the state holds."""

    def iterate(self, moments: Sequence[Moment]) -> Iterator[Event]:
        """Begin an iteration in the run of every moment that is not in one already, and go on until at least one
        iteration is over.

        Yields typed events, each with its run: heartbeats, then ``Collected`` and ``Estimated``, where it is watched
        ``EpisodeEnded``, ``Inspected``, an ``UpdateStep`` for every gradient step and ``AfterUpdate``, ``Reweighted``
        where there are ratios, and at last ``Updated``; or ``Failed``, where one of several runs cannot go on. What
        only the life of the run tells (totals, seconds, the mean return, changes) is left at its default, and steps
        are counted from the iteration's start.

        Raises:
            RunError: the environment raised, or the numbers are no longer finite; what was yielded before stays valid.
        """

    def close(self) -> None:
        """Free the environments."""
