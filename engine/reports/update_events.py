"""What an update tells of itself where somebody watches it: its batch, its steps, and how far it moved the policy.

Importable without torch, as all events are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reports.events import Event

if TYPE_CHECKING:  # the window shows before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Inspected(Event):
    """All M steps that one iteration learns from, before its update; made only when somebody asked for it.

    They stand sequence after sequence, each in the order of time; an event's ``rows`` are indices among them. Of a run
    that is made with a bug, all is as that leaves it: as it moves θ.
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
    for it. ``log_probs`` [M] are log π(a|s) of the policy that it led to, and ``log_ratios`` [M] by how much they
    differ from those that the rule holds them against, None where it holds them against none."""

    iteration: int
    log_probs: NDArray[np.float32]
    log_ratios: NDArray[np.float32] | None = None


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
    None where there is none. ``held_against`` [m] are the log-ratios as a rule has them that holds π against a policy;
    this is the same one, unless by a bug.
    """

    rows: NDArray[np.int64]
    log_ratios: NDArray[np.float32]
    cut_off: NDArray[np.bool_] | None
    clip_range: float | None
    kl: float
    kl_limit: float | None
    held_against: NDArray[np.float32] | None = None

    @property
    def rule_log_ratios(self) -> NDArray[np.float32]:
        """Those that the rule has."""
        return self.log_ratios if self.held_against is None else self.held_against


@dataclass(frozen=True, slots=True)
class DrawnSteps:
    """The steps that action values learned from at once, [B, …] each: drawn out of a replay buffer, or just taken.

    ``rewards`` are Σ_{l<h} γ^l r_{t+l} of the ``lengths`` h steps from each on, ``targets`` what its value was drawn
    towards and ``values`` what that was before. ``terminated`` marks those behind which nothing follows, ``ages`` count
    the steps taken since, and ``weights`` by how much each counted, None where all counted alike. Where several
    networks learn the values, ``networks`` [k, B] are those of each, and ``values`` their means.
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
    networks: NDArray[np.float32] | None = None


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
    ``errors`` [B] the temporal-difference errors of a minibatch of action values, [k·B] of k networks one after the
    other, None elsewhere; ``weights`` [M] what
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
