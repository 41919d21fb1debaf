"""Directions in the space of a policy's parameters, along which its return is looked at.

Every direction is as long as the parameters themselves, ‖v‖ = ‖θ‖, so that a place x along it is a step of x times
their length whatever the network's size: ‖x v‖ / ‖θ‖ = |x|.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.natural_gradient import natural_direction
from engine.algorithms.policy_gradient.rule import UpdateInput, accumulate_gradient
from engine.analysis.landscape.episodes import played_here
from engine.analysis.playback import PolicySnapshot, thawed
from engine.catalogue.methods.distribution import policy_of
from engine.config import PolicyGradientConfig
from engine.config.estimators import EstimatorConfig, TimeAverageBaseline, WholeEpisodes
from engine.config.updates import GradientAscent, NaturalGradient
from engine.estimation.estimators import estimate
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import Policy
from engine.reports.events import Event
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import RolloutInteraction

Kind = Literal["gradient", "natural", "step", "newest", "random"]
NO_GRADIENT = (
    "Actions that follow from values, or have no density, have no gradient of log π; look along the last update or at "
    "random."
)
_VALUE = "value_head."


@dataclass(frozen=True)
class Direction:
    """``vector`` [P] with ‖v‖ = ‖θ‖; ``length`` is that of what it is the direction of, in the parameters' own units: a
    step along the gradient with the learning rate α comes to x = α · length / ‖θ‖. It is 0 for a random one."""

    kind: Kind
    vector: Tensor
    length: float = 0.0


def parameters_of(snapshot: PolicySnapshot) -> Tensor:
    """θ, [P]: all parameters of the policy's network, in their order."""
    return ParameterVector(thawed(snapshot).parameters()).values


def scale_of(snapshot: PolicySnapshot) -> float:
    """‖θ‖ of what actions depend on, so without the layer that predicts the value; 1 where all of it is 0."""
    parameters, acting = parameters_of(snapshot), acting_part(snapshot)
    return float((parameters * acting).norm()) or 1.0


def acting_part(snapshot: PolicySnapshot) -> Tensor:
    """1 for every parameter on which actions depend, else 0, [P]."""
    named = thawed(snapshot).named_parameters()
    return torch.cat([torch.full((p.numel(),), float(not name.startswith(_VALUE))) for name, p in named])


def along(kind: Kind, raw: Tensor, snapshot: PolicySnapshot) -> Direction:
    """The direction of ``raw`` [P].

    Raises:
        RequestError: it is 0.
    """
    raw = raw * acting_part(snapshot)
    length = float(raw.norm())
    if not length > 0.0:
        raise RequestError(_ZERO[kind])
    return Direction(kind, raw * (scale_of(snapshot) / length), length)


_ALIKE = (
    "All that the policy does in its episodes is rewarded alike, so its estimated gradient is 0 and has no direction; "
    "play more episodes, or look along the last update or at random."
)
_ZERO: dict[Kind, str] = {
    "gradient": _ALIKE,
    "natural": _ALIKE,
    "step": "The last update left the policy as it was, so it has no direction; look along another one.",
    "newest": "The newest policy that was kept is this one, so it lies in no direction; look along another one.",
    "random": "There is no parameter on which actions depend, so there is no direction.",
}


def across(second: Direction, first: Direction) -> Direction:
    """What of ``second`` is at a right angle to ``first``, as long as it was; its ``length`` is that part's.

    Raises:
        RequestError: nothing is.
    """
    rest = second.vector - first.vector * (second.vector @ first.vector / (first.vector @ first.vector))
    share = float(rest.norm() / second.vector.norm())
    if share < 1e-4:
        raise RequestError("Both directions are the same, so they span no plane; choose another second one.")
    return Direction(second.kind, rest / share, second.length * share)


# --- at random --------------------------------------------------------------------------------------------------------


def random_direction(snapshot: PolicySnapshot, seed: int) -> Direction:
    """Filter-normalised: every filter, the weights that lead to one unit, is drawn at random and made as long as the
    network's own there; biases and other vectors stay as they are.

    d_i ← d_i ‖θ_i‖ / ‖d_i‖. A network whose filters are all scaled up and whose next layer's are scaled down acts the
    same, and so it does along a direction that is made like this. All filters are then made longer alike, by as much as
    biases add to θ, so that ‖v‖ = ‖θ‖ here too.

    Source: Li et al. (2018), "Visualizing the loss landscape of neural nets", section 4; that biases are left out is as
    in its figures.
    """
    policy, generator = thawed(snapshot), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        drawn = [filter_normalized(torch.empty_like(p).normal_(generator=generator), p) for p in policy.parameters()]
    vector = torch.cat([part.flatten() for part in drawn]) * acting_part(snapshot)
    if not vector.any():  # all weights are 0, as in a table before the first update
        vector = torch.empty_like(vector).normal_(generator=generator) * acting_part(snapshot)
    return Direction("random", vector * (scale_of(snapshot) / vector.norm()))


def filter_normalized(direction: Tensor, weights: Tensor) -> Tensor:
    """``direction`` with each of its rows as long as that of ``weights``, of both [filters, …]; 0 of vectors."""
    if weights.dim() < 2:
        return torch.zeros_like(direction)
    rows, like = direction.flatten(1), weights.detach().flatten(1)
    scales = like.norm(dim=1, keepdim=True) / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    scaled: Tensor = rows * scales
    return scaled.view_as(direction)


# --- by the policy's own episodes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gradients:
    """ĝ [P], which estimates ∇J of the discounted return, and (F̂ + ξ I)⁻¹ ĝ per step, [P]."""

    gradient: Tensor
    natural: Tensor


def gradients_at(snapshot: PolicySnapshot, episodes: int, seed: int) -> Generator[Event, None, Gradients]:
    """Both, of whole episodes that the policy plays: each action is credited with the discounted reward from there on,
    less the average at the same time step. Yields signs of life.

    Raises:
        RequestError: the policy has no gradient, or its environment cannot be made.
        RunError: the environment fails, or a number is not finite.
    """
    if snapshot.epsilon is not None or thawed(snapshot).deterministic:
        raise RequestError(NO_GRADIENT)
    plays = _as_played(snapshot, episodes)
    shared = any(name.startswith(_VALUE) for name in snapshot.state)
    interaction = RolloutInteraction(plays, Seeds(seed), shared)
    try:
        policy: Policy = interaction.policy
        policy.load_state_dict(snapshot.state)
        policy.temperature = snapshot.temperature
        rollout, _ = yield from interaction.collect(Moment("", plays, 1, 0.0))
        batch = yield from estimate(rollout, plays.estimator, policy, None)
        vector = ParameterVector(policy.parameters())
        given = UpdateInput(batch, plays, 0.0)
        yield from accumulate_gradient(policy, vector, given, GradientAscent())
        gradient = -vector.gradient.clone()
        found = yield from natural_direction(policy, vector, given, NaturalGradient())
        return Gradients(gradient, found.natural_gradient)
    finally:
        interaction.close()


def _as_played(snapshot: PolicySnapshot, episodes: int) -> PolicyGradientConfig:
    """A run in which the policy plays so many episodes at a time."""
    return PolicyGradientConfig(
        environment=played_here(snapshot.config.environment),
        policy=policy_of(snapshot.config, snapshot.environment),
        collection=WholeEpisodes(episodes_per_update=episodes),
        estimator=EstimatorConfig(baseline=TimeAverageBaseline(), gamma=snapshot.config.estimator.gamma),
        update=GradientAscent(),
        device="cpu",
    )
