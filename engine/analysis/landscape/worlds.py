"""Small known processes whose policies have two parameters, so that their whole J(θ) can be seen as a map.

Nothing is discounted, γ = 1, and every episode ends, so that the mean of what REINFORCE estimates is ∇J itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo, discrete
from engine.mdp.exact import Dynamics, dynamics_of
from engine.mdp.finite import FiniteMDP, Outcome, bandit, from_outcomes
from engine.mdp.many_policies import expected_returns
from engine.mdp.small_worlds import ledge

GAMMA = 1.0
Pair = tuple[float, float]
Logits = Callable[[Tensor], Tensor]
"""Maps θ [..., 2] to the logits of each group of states that look alike, [..., G, A]; differentiable."""


class Steps(NamedTuple):
    """The settings with which the paths across a world are worth seeing: α of the gradients, α of the natural one, and
    how many steps are taken."""

    learning_rate: float
    natural_rate: float
    updates: int


@dataclass(frozen=True, eq=False)
class World:
    """A process and its policy.

    Attributes:
        name: what it is kept and asked for by.
        title, story: what a person reads of it; the story says what is to be seen.
        axes: what each parameter is, in words.
        region: the least and the greatest of each parameter that the map shows.
        start: θ from which the story is seen.
        steps: settings with which it is.
    """

    name: str
    title: str
    story: str
    axes: tuple[str, str]
    mdp: FiniteMDP
    logits: Logits
    region: tuple[Pair, Pair]
    start: Pair
    steps: Steps

    @cached_property
    def dynamics(self) -> Dynamics:
        return dynamics_of(self.mdp)

    @cached_property
    def info(self) -> EnvironmentInfo:
        """The process as learning sees it."""
        seen, actions = discrete(self.mdp.observations), discrete(self.mdp.actions)
        return EnvironmentInfo(self.name, self.title, self.story, seen, actions, self.mdp.horizon, finite=True)

    def probabilities(self, theta: Tensor) -> Tensor:
        """π_θ(a|s) [..., S, A] of θ float64 [..., 2]."""
        policy = self.logits(theta).softmax(-1)
        return policy if self.mdp.seen is None else policy[..., list(self.mdp.seen), :]

    def returns(self, theta: Tensor) -> Tensor:
        """J(θ) [N] of θ float64 [N, 2], exact."""
        with torch.no_grad():
            return expected_returns(self.dynamics, self.probabilities(theta), GAMMA)


def _over(*logits: Tensor) -> Tensor:
    """The logits of two actions in each group [..., G, 2], of which the second one's is 0."""
    first = torch.stack(logits, -1)
    return torch.stack((first, torch.zeros_like(first)), -1)


def _two_states() -> FiniteMDP:
    """States i and j, in each of which one may stay or change: staying pays 1 in i and 2 in j, changing pays nothing.
    Nine episodes of ten begin in i.

    Source: after the process of two states in Kakade (2001), "A natural policy gradient", there for the average reward.
    """
    stay: list[list[list[Outcome]]] = [
        [[(1.0, here, paid, False)], [(1.0, 1 - here, 0.0, False)]] for here, paid in ((0, 1.0), (1, 2.0))
    ]
    return from_outcomes("two states", stay, [0.9, 0.1], 20)


def _switched_corridor() -> FiniteMDP:
    """Three squares in a row that look alike, and a goal behind the last; every step pays −1. On the second square the
    two actions do the opposite of what they say. At best it is gone to the right with the probability 2 − √2 = 0.586.

    Source: Sutton & Barto (2018), example 13.1; here cut off after 100 steps.
    """
    to = {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 0, (2, 0): 1, (2, 1): 3}
    outcomes: list[list[list[Outcome]]] = [
        [[(1.0, min(to[s, a], 2), -1.0, to[s, a] == 3)] for a in range(2)] for s in range(3)
    ]
    return replace(from_outcomes("switched corridor", outcomes, [1.0, 0.0, 0.0], 100), seen=(0, 0, 0))


_SQUARES = 7  # of the two exits
_NEAR, _FAR = 2.0, 6.0  # what they pay


def _two_exits() -> FiniteMDP:
    """Seven squares in a row between two exits: the left one pays 2, the right one 6, and every step costs ½. Episodes
    begin on the third square and are cut off after 30 steps."""

    def to(target: int) -> Outcome:
        if target < 0:
            return (1.0, 0, _NEAR, True)
        if target >= _SQUARES:
            return (1.0, 0, _FAR, True)
        return (1.0, target, -0.5, False)

    outcomes = [[[to(square - 1)], [to(square + 1)]] for square in range(_SQUARES)]
    initial = [float(square == 2) for square in range(_SQUARES)]
    return from_outcomes("two exits", outcomes, initial, 30)


def _linear(theta: Tensor) -> Tensor:
    """The logit of going right is θ₁ + θ₂ x, where x runs from −1 on the first square to 1 on the last."""
    place = torch.linspace(-1.0, 1.0, _SQUARES, dtype=theta.dtype)
    right = theta[..., :1] + theta[..., 1:] * place
    return torch.stack((torch.zeros_like(right), right), -1)


def _ledge() -> FiniteMDP:
    fall = ledge()
    return replace(fall.mdp, seen=fall.groups, horizon=2)


def _product(theta: Tensor) -> Tensor:
    """The logit of going on is θ₁ θ₂."""
    on = (theta[..., 0] * theta[..., 1]).unsqueeze(-1)
    return torch.stack((torch.zeros_like(on), on), -1)


def _three_arms(theta: Tensor) -> Tensor:
    """The logits of the first two arms; the third one's is 0."""
    return torch.stack((theta[..., 0], theta[..., 1], torch.zeros_like(theta[..., 0])), -1).unsqueeze(-2)


_WORLDS = (
    World(
        name="two-states",
        title="Two states (Kakade)",
        story="Staying pays 1 in i and 2 in j, changing pays nothing, and nine of ten episodes begin in i. From the "
        "lower right, plain ascent learns to stay in i and is stuck on a plateau: j is hardly visited, so ∇J hardly "
        "tells of it. The natural gradient does not weigh by visits, learns to stay in j as fast, and goes there.",
        axes=("θ₁: stay in i", "θ₂: stay in j"),
        mdp=_two_states(),
        logits=lambda theta: _over(theta[..., 0], theta[..., 1]),
        region=((-6.0, 7.0), (-5.0, 9.0)),
        start=(2.0, -3.0),
        steps=Steps(0.05, 0.1, 150),
    ),
    World(
        name="switched-corridor",
        title="Switched corridor",
        story="Three squares look alike, and on the second one left and right are switched: whoever always does the "
        "same never arrives. The best policy is a mixture, the ridge; along it nothing changes, since the same number "
        "added to both logits leaves the policy as it is.",
        axes=("θ₁: left", "θ₂: right"),
        mdp=_switched_corridor(),
        logits=lambda theta: theta.unsqueeze(-2),
        region=((-4.0, 4.0), (-4.0, 4.0)),
        start=(-1.5, 2.0),
        steps=Steps(0.005, 0.1, 100),
    ),
    World(
        name="three-arms",
        title="Bandit of three arms",
        story="Arms pay 1.0, 0.8 and 0 on average. From where the second arm is nearly certain, ∇J all but vanishes, "
        "as each logit's is weighed by the probability of its arm: plain ascent crawls, the natural gradient does not.",
        axes=("θ₁: best arm", "θ₂: second arm"),
        mdp=bandit((1.0, 0.8, 0.0)),
        logits=_three_arms,
        region=((-6.0, 8.0), (-6.0, 8.0)),
        start=(-1.0, 4.0),
        steps=Steps(2.0, 0.5, 150),
    ),
    World(
        name="two-exits",
        title="Two exits",
        story="The near exit at the left pays 2, the far one at the right 6, every step costs ½. The logit of right "
        "is θ₁ + θ₂ x: two hills with a valley between, of which ascent finds the one that it begins on.",
        axes=("θ₁: bias", "θ₂: slope"),
        mdp=_two_exits(),
        logits=_linear,
        region=((-5.0, 5.0), (-5.0, 5.0)),
        start=(-0.8, 0.0),
        steps=Steps(0.05, 0.05, 100),
    ),
    World(
        name="ledge",
        title="Ledge, two weights in a chain",
        story="Going on pays 1 on the first square and −3 on the second, which looks the same: best is to go on with "
        "probability 1/6. Its logit is θ₁ θ₂, as in a network of two layers: at 0 the gradient vanishes, and the best "
        "policies are two curves.",
        axes=("θ₁: first weight", "θ₂: second weight"),
        mdp=_ledge(),
        logits=_product,
        region=((-3.0, 3.0), (-3.0, 3.0)),
        start=(2.0, 0.8),
        steps=Steps(0.3, 0.3, 100),
    ),
)
WORLDS = {world.name: world for world in _WORLDS}
