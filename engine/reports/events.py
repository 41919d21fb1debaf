"""What a run tells, event by event: small typed records of numpy arrays and numbers, importable without torch.

Every event carries its ``run``. What yields one deep inside a learner leaves that to the learner, which knows it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
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
class Inspected(Event):
    """All M steps that one iteration learns from, before its update; made only when somebody asked for it.

    They stand sequence after sequence, each in the order of time; an event's ``rows`` are indices among them.
    ``observations`` and ``actions`` [M, …] are as the policy saw and drew them, before normalisation and clipping to
    bounds; ``rewards`` [M] as learning gets them, and ``log_probs`` [M] the log π(a|s) of the policy that is to be
    updated. ``advantages`` [M] are ``credit`` Ψ less ``baseline`` b, [M] each; with one b per parameter, b is 0 here.
    ``weights`` [M] are what each ∇ log π is multiplied with, normalised and times γᵗ where that is so, and ``divisor``
    what their sum is divided by. ``values`` and ``targets`` [M] are V(s) and what it is fitted to, None without one.
    ``environments`` [M] say in which environment a step was taken, ``elapsed`` [M] how many steps of its episode came
    before it, and ``terminated`` and ``truncated`` [M] where an episode ended, or was cut off.
    """

    iteration: int
    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float32]
    log_probs: NDArray[np.float32]
    credit: NDArray[np.float32]
    baseline: NDArray[np.float32]
    advantages: NDArray[np.float32]
    weights: NDArray[np.float32]
    divisor: int
    values: NDArray[np.float32] | None
    targets: NDArray[np.float32] | None
    environments: NDArray[np.int64]
    elapsed: NDArray[np.int64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AfterUpdate(Event):
    """What has become of the steps that ``Inspected`` told of, once the update is over; made only when somebody asked
    for it. ``log_probs`` [M] are log π(a|s) of the policy that it led to."""

    iteration: int
    log_probs: NDArray[np.float32]


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
class LayerChange:
    """What a step added to one tensor of parameters: the length of what it was before, and of what was added to it."""

    name: str
    shape: tuple[int, ...]
    before: float
    change: float


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """What a step added to one parameter, which stands at ``index`` in the tensor of that name."""

    layer: str
    index: tuple[int, ...]
    before: float
    change: float


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """How far an update has taken the policy by the end of one of its steps, in states of its batch.

    ``rows`` [m] are steps of the batch, all of it or as many as are looked at, evenly spread; ``log_ratios`` [m] their
    log π(a|s)/π_old(a|s), with π_old the policy before the update. ``cut_off`` [m] marks those that have no part in the
    gradient any more, None where nothing is clipped; ``clip_range`` is the ε in force. ``kl`` is the mean of
    KL(π_old‖π) over their states, or of KL(π‖π_old) where that is what the rule bounds, and ``kl_limit`` the bound,
    None where there is none.
    """

    rows: NDArray[np.int64]
    log_ratios: NDArray[np.float32]
    cut_off: NDArray[np.bool_] | None
    clip_range: float | None
    kl: float
    kl_limit: float | None


@dataclass(frozen=True, slots=True)
class DrawnSteps:
    """The old steps that a gradient step learned from, [B, …] each, as they were drawn out of a replay buffer.

    ``rewards`` are Σ_{l<h} γ^l r_{t+l} of the ``lengths`` h steps from each on, ``targets`` what its value was drawn
    towards and ``values`` what that was before. ``terminated`` marks those behind which nothing follows, ``ages`` count
    the steps taken since, and ``weights`` by how much each counted, None where all counted alike.
    """

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float32]
    targets: NDArray[np.float32]
    values: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    ages: NDArray[np.int64]
    weights: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class UpdateStep(Event):
    """One gradient step of an update, made only when somebody asked for it.

    ``step`` counts those of the update from 1, in the ``epoch`` of so many, both from 1. ``losses`` are the parts of
    the minibatch's loss by name: their sum is what was descended. ``rows`` [steps] are the minibatch's steps, as
    numbers among those of the iteration; it is empty where the gradient is not one of samples, or of old ones out of a
    replay buffer. ``log_ratios`` [steps] are log π(a|s)/π_old(a|s) before the step, and ``clipped`` [steps] marks those
    whose gradient is cut off, None where nothing is clipped. ``grad_norm`` is the gradient's length before it was
    clipped and ``parameter_change`` [P] what the step added to the policy's parameters; these are action values' where
    the policy follows from such. ``layers`` are their tensors in order, ``largest`` the parameters that moved furthest,
    furthest first. ``policy`` is how far the update has come, None where a batch's steps are not looked at, and
    ``errors`` [B] the temporal-difference errors of a minibatch of action values, None elsewhere; ``weights`` [M] what
    each ∇ log π of the batch was multiplied with where importance weights are among it, else None; ``drawn`` is that
    minibatch, where it is told.
    """

    iteration: int
    step: int
    losses: Mapping[str, float]
    rows: NDArray[np.int64]
    log_ratios: NDArray[np.float32]
    clipped: NDArray[np.bool_] | None
    grad_norm: float
    parameter_change: NDArray[np.float32]
    epoch: int = 1
    epochs: int = 1
    layers: tuple[LayerChange, ...] = ()
    largest: tuple[ComponentChange, ...] = ()
    policy: PolicyChange | None = None
    errors: NDArray[np.float32] | None = None
    weights: NDArray[np.float32] | None = None
    drawn: DrawnSteps | None = None


@dataclass(frozen=True, slots=True)
class TrustRegion(Event):
    """The step along F⁻¹ĝ that a rule is about to take or to search along, in the plane that ĝ and F⁻¹ĝ span; made
    only when somebody asked for it.

    All is told in an orthonormal basis of that plane, whose first vector points along ĝ: ``gradient`` ĝ, the
    ``natural`` gradient F⁻¹ĝ and the whole ``step`` s, [2] each, and the ``fisher`` matrix EᵀFE [2, 2], damped. The
    quadratic model of a step d's divergence is ½ dᵀFd, that of what it gains ĝᵀd. ``limit`` bounds the former, None
    where nothing does, and ``predicted`` is ½ sᵀFs.
    """

    iteration: int
    gradient: NDArray[np.float64]
    natural: NDArray[np.float64]
    step: NDArray[np.float64]
    fisher: NDArray[np.float64]
    limit: float | None
    predicted: float


@dataclass(frozen=True, slots=True)
class LineSearchTry(Event):
    """A share of the whole step that TRPO's line search has tried; made only when somebody asked for it.

    ``number`` counts from 1, ``gain`` is by how much the surrogate (with its entropy bonus) rose, ``kl`` the mean of
    KL(π_old‖π) there and ``kl_limit`` its bound δ. The first share that gains something within δ is ``accepted``.
    """

    iteration: int
    number: int
    fraction: float
    gain: float
    kl: float
    kl_limit: float
    accepted: bool


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
