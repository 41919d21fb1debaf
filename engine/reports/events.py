"""What a run tells, event by event: small typed records of numpy arrays and numbers, importable without torch.

Every event carries its ``run``. What yields one deep inside a learner leaves that to the learner, which knows it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:  # the window shows before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

Activity = Literal["resetting", "collecting", "estimating", "fitting the value function", "updating the policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in the run of that name."""

    run: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """A sign of life inside a long activity, so that the host can pause or stop there.

    ``environment_steps`` are the run's so far; deep inside a learner, those taken since the activity began. ``detail``
    says how far the activity is where that is known: "epoch 3 of 10".
    """

    doing: Activity
    environment_steps: int = 0
    detail: str = ""


_T = TypeVar("_T")
Heartbeats = Generator[Heartbeat, None, _T]
"""Work that returns a ``_T`` and gives signs of life until then."""

_E = TypeVar("_E", bound=Event)


def detailed(work: Generator[_E, None, _T], detail: str) -> Generator[_E, None, _T]:
    """``work``, whose heartbeats say how far the activity is."""
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            result: _T = stop.value
            return result
        yield replace(event, detail=detail) if isinstance(event, Heartbeat) else event


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter changed while training; it holds from ``iteration`` on, which began at ``environment_steps``."""

    path: str
    old: Any
    new: Any
    iteration: int
    environment_steps: int
    episodes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EpisodeEnded(Event):
    """One of the episodes that an iteration collects is over; made only when somebody asked for it.

    ``environment`` is where it was played. ``rewards`` [steps] are raw, those of this collection: an episode may have
    begun in an earlier one. ``total`` is its undiscounted return and ``length`` its steps, all of them;
    ``environment_steps`` are as a heartbeat's.
    """

    environment: int
    rewards: NDArray[np.float32]
    total: float
    length: int
    environment_steps: int = 0


@dataclass(frozen=True, slots=True)
class Collected(Event):
    """The episodes that one iteration finished, in the order in which they ended; there may be none.

    ``returns`` are undiscounted sums of raw rewards, ``lengths`` are in steps, and ``ends`` holds the run's environment
    steps at each episode's end; all have shape [episodes of this iteration].
    """

    iteration: int
    environment_steps: int
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    ends: NDArray[np.int64]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimated(Event):
    """The advantages of one iteration, one per collected step, shape [steps]: as estimated, and as an update that
    normalises them takes them, whether this one does or not. Where action values are learned, both times the errors of
    all steps that were learned from, old ones as often as they were drawn."""

    iteration: int
    advantages: NDArray[np.float32]
    normalized: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """What is known of a finite process after one step of planning in it.

    ``values`` are V, [S] or, where they depend on the time step, [H, S]; ``action_values`` are Q, with actions as one
    more axis, and ``policy`` is π(a|s), shaped as they are, or [S, A] where it is the same at every step. By the exact
    gradient all are of the policy that the step began with; else V are the values that planning has come to, and the
    policy is greedy in Q, zeros and ones. ``backed_up`` [n] are the states whose values this step computed, in order.
    ``residual`` is the largest error of Bellman's optimality equation, |max_a Q(s, a) − V(s)|, and ``turns_left`` the k
    of the V_k that this step computed, None where it did not do so for one k alone. ``settled`` says that another step
    would change nothing but by rounding.
    """

    iteration: int
    values: NDArray[np.float64]
    action_values: NDArray[np.float64]
    policy: NDArray[np.float32]
    backed_up: NDArray[np.int64]
    residual: float
    turns_left: int | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be done in a state that the learner came to: its ``number`` in the round, what is observed [...], and
    how the episode led there, from its ``seed`` by the ``actions`` [t, …] before it, in the environment's units."""

    number: int
    observation: NDArray[Any]
    seed: int
    actions: NDArray[Any]


class NoAction(StrEnum):
    """An answer to a question that names no action: that it is not known which is right, or that the episode is lost
    from here on whatever is done."""

    UNKNOWN = "unknown"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Asked(Event):
    """A person is to answer the ``questions`` that are still open, of ``count`` in this ``round``, of which 1 is the
    first in which anything is asked; nothing goes on until then, so that whoever hosts the run is to wait for
    ``Training.answer`` before he asks for the next event."""

    iteration: int
    round: int
    questions: tuple[Question, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Reweighted(Event):
    """How far one iteration's policy has moved from the one that acted, as logarithms of probability ratios.

    ``of`` says what each stands for: π(a|s)/π_old(a|s) of one of the steps, or its product over one of the episodes,
    the importance weight; −∞ where the policy now rules it out. Shape [steps or episodes]. ``clip_range`` is the ε that
    was in force, ``truncation`` the largest weight that counted in full, each None where the update knows none, and
    ``effective_sample_size`` that of the weights.
    """

    iteration: int
    log_ratios: NDArray[np.float32]
    of: Literal["step", "episode"]
    clip_range: float | None = None
    truncation: float | None = None
    effective_sample_size: float | None = None


@dataclass(frozen=True, slots=True)
class Updated(Event):
    """The end of an iteration: totals since the start of the run, and every metric of ``metrics.py`` by name, None
    where it is not defined or what it came to is no finite number.

    ``seconds`` is time spent training; pauses do not count. ``changes`` took effect as this iteration began. ``note``
    is a sentence that a person should be told now, empty where there is none.
    """

    iteration: int
    environment_steps: int = 0
    episodes: int = 0
    seconds: float = 0.0
    metrics: dict[str, float | None] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not all(value is None or isfinite(value) for value in self.metrics.values()):
            finite = {
                name: None if value is None or not isfinite(value) else value for name, value in self.metrics.items()
            }
            object.__setattr__(self, "metrics", finite)

    def report(self) -> dict[str, float | None]:
        """The line that ``--report`` writes for this iteration."""
        totals = {
            "iteration": self.iteration,
            "environment_steps": self.environment_steps,
            "episodes": self.episodes,
            "seconds": self.seconds,
        }
        return totals | self.metrics


@dataclass(frozen=True, slots=True)
class Solved(Event):
    """For the first time in its run, the mean return of the last 100 episodes reached ``threshold``, the environment's
    own; told right after the ``Updated`` of that iteration, with the totals of which it agrees.

    A run that has ended fewer than 100 episodes has not solved anything yet, whatever their mean; nor does one whose
    environment names no threshold, or was changed so that it no longer is the one that the threshold is of.
    """

    iteration: int
    environment_steps: int
    episodes: int
    seconds: float
    mean_return: float
    threshold: float

    @property
    def sentence(self) -> str:
        """What a person is told of it."""
        mean = f"{self.mean_return:.1f}" if abs(self.mean_return) < 1e7 else f"{self.mean_return:.4g}"
        return (
            f"Solved after {self.environment_steps:,} steps and {self.seconds:.1f} s: the last 100 episodes have a "
            f"mean return of {mean}, at least {self.threshold:g}."
        )


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """One of several runs has come to an end, for a ``reason`` in a sentence; the others go on."""

    reason: str
