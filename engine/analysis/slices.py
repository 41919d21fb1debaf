"""What a policy does and what it is worth on a plane through a continuous state space, point by point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.coordinates import Coordinates, coordinates_of
from engine.analysis.learned_values import LearnedValues
from engine.analysis.playback import PolicySnapshot, as_made
from engine.environments.making.state_spaces import States
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    DiagonalGaussian,
    Distribution,
    EpsilonGreedy,
    MultiCategorical,
    TanhGaussian,
)
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

POINTS = 100  # a side
Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Cut:
    """A rectangle of a plane: along the coordinates ``axes``, (right, up), over the ``ranges`` of both, while all
    others are ``held`` [d]."""

    axes: tuple[int, int]
    ranges: tuple[tuple[float, float], tuple[float, float]]
    held: tuple[float, ...]
    points: int = POINTS  # a side

    def states(self) -> States:
        """The points, [points², d], row by row from the lowest."""
        across, up = (np.linspace(low, high, self.points) for low, high in self.ranges)
        states = np.tile(np.array(self.held, np.float64), (self.points**2, 1))
        states[:, self.axes[0]] = np.tile(across, self.points)
        states[:, self.axes[1]] = np.repeat(up, self.points)
        return states

    def nearest(self, x: float, y: float) -> int:
        """The number of the point next to (x, y), which may lie outside."""
        (left, right), (low, high) = self.ranges
        column, row = (x - left) / (right - left), (y - low) / (high - low)
        last = self.points - 1
        return min(max(round(row * last), 0), last) * self.points + min(max(round(column * last), 0), last)


@dataclass(frozen=True)
class Found:
    """What is known of n points after ``iteration`` updates; each is None where there is no such thing.

    Attributes:
        values: V(s) [n] as it was learned: by a critic, or as the greatest Q(s, a), or as ``LearnedValues``
            has it.
        action_values: Q(s, a) of discrete actions, [A, n].
        chances: π(a|s) of discrete actions, or of the choices of all parts side by side, [A, n].
        greedy: the action that greedy play takes, of one choice among several, [n].
        middle: the action that greedy play takes, of numbers, [d, n], as it takes effect in the environment.
        spread: σ of each number, [d, n], in the environment's units; of a squashed Gaussian half the width of the
            middle 68 %, which of another one is σ as well.
    """

    iteration: int
    values: Numbers | None = None
    action_values: Numbers | None = None
    chances: Numbers | None = None
    greedy: NDArray[np.int64] | None = None
    middle: Numbers | None = None
    spread: Numbers | None = None


class PolicyAtPoints:
    """A frozen policy, with what is known of states beside it, to be looked up at many points at once.

    Raises:
        RequestError: on construction, no slice can be laid through its states.
    """

    def __init__(self, snapshot: PolicySnapshot) -> None:
        found = coordinates_of(snapshot.config, snapshot.environment)
        if isinstance(found, str):
            raise RequestError(found)
        self.coordinates: Coordinates = found
        self._policy = as_made(snapshot)
        self._values = LearnedValues(snapshot, self._policy)
        self._load(snapshot)

    def use(self, snapshot: PolicySnapshot) -> bool:
        """Go on with the numbers of another one; False where it is of another kind."""
        alike = snapshot.fits(self._snapshot) and (snapshot.value is None) == (self._snapshot.value is None)
        if alike and snapshot is not self._snapshot:
            self._load(snapshot)
        return alike

    def _load(self, snapshot: PolicySnapshot) -> None:
        self._snapshot = snapshot
        self._policy.load_state_dict(snapshot.state)
        self._policy.temperature, self._policy.epsilon = snapshot.temperature, snapshot.epsilon
        self._values.load(snapshot)

    @torch.inference_mode()
    def at(self, points: States) -> Found:
        """What is known at ``points`` [n, d]; of a policy with a memory, as at an episode's first step."""
        seen = torch.from_numpy(self.coordinates.observed(points))
        policy = self._policy
        distribution = policy.step(seen, policy.start(len(seen)))[0]
        done = _of_actions(distribution, policy)
        valued = self._values.of(seen, distribution)
        if valued is None:
            return Found(iteration=self._snapshot.iteration, **done)
        each = None if valued.action_values is None else valued.action_values.T.numpy()
        return Found(iteration=self._snapshot.iteration, values=valued.values.numpy(), action_values=each, **done)


def _of_actions(distribution: Distribution, policy: Policy) -> dict[str, Any]:
    if isinstance(distribution, EpsilonGreedy | Categorical):
        chances = distribution.probabilities
        return {"chances": chances.T.numpy(), "greedy": distribution.mode().numpy()}
    if isinstance(distribution, MultiCategorical | Bernoulli):
        return {"chances": distribution.probabilities.T.numpy()}
    middle = policy.taken(distribution.mode())
    return {"middle": middle.T.numpy(), "spread": _spread(distribution, policy).T.numpy()}


def _spread(distribution: Distribution, policy: Policy) -> Tensor:
    if isinstance(distribution, DiagonalGaussian):
        return distribution.log_std.exp().expand_as(distribution.mean) * policy.action_unit
    if isinstance(distribution, TanhGaussian):
        base = distribution.base
        std = base.log_std.exp().expand_as(base.mean)
        ends = [policy.to_environment(base.mean + side * std) for side in (-1.0, 1.0)]
        return 0.5 * (ends[1] - ends[0])
    assert isinstance(distribution, Beta)
    alpha, beta = distribution.alpha, distribution.beta
    total = alpha + beta
    return (alpha * beta / (total.square() * (total + 1.0))).sqrt() * distribution.bounds.width
