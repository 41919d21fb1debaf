"""The values that a table learns, computed from known dynamics, and how far off those are that it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import process_of
from engine.maths.exploration import epsilon_greedy_probabilities
from engine.mdp.exact import Dynamics, action_values, dynamics_of, policy_iteration, state_values
from engine.runtime.state import State

_MOST_STATES = 1_000  # of which the dynamics are kept as a matrix
# What solving for q_π costs, with S states, in the time that a step takes to be learned from: measured, and generous.
_STEPS_FOR_A_SOLUTION = 1.0
_STEPS_FOR_A_STATE_CUBED = 6e-7
_SHARE = 0.02  # of the time for learning, which it may take
_LIMITS = 10  # time limits, after which an episode without one counts as hardly ever ending


class TrueValues:
    """q* of the best policy, or q_π of the ε-greedy policy that follows from a table.

    They are stationary: the values of the process without its time limit. Where an episode is cut off, a table learns
    that its end is worth what would have followed; and it cannot tell how many steps are left, on which the values of
    an episode with a time limit depend. Undiscounted, q_π of a policy that without the limit would hardly ever end is a
    number of steps that nobody ever takes; it is not told.

    q_π changes with every step; it is computed again after so many that doing so takes a fiftieth of the time.
    """

    def __init__(self, environment: EnvironmentConfig, of: Literal["q*", "q_π"]) -> None:
        self._of = of
        mdp = process_of(environment)
        self._dynamics: Dynamics | None = None
        self._limit = mdp.horizon if mdp is not None else None
        if mdp is not None and mdp.states <= _MOST_STATES:
            self._dynamics = dynamics_of(replace(mdp, horizon=None))
        self._best: tuple[float, NDArray[np.float64] | None] | None = None  # with the γ that it was computed for
        self._waited = 0  # steps since q_π was computed

    def error(
        self, values: NDArray[np.float32], visits: NDArray[np.int64], gamma: float, epsilon: float, steps: int
    ) -> float | None:
        """How far ``values`` [S, A] are off, |Q(s, a) − q(s, a)| averaged over all ``visits`` [S, A].

        Args:
            epsilon: the share of random actions of the policy that acts.
            steps: taken in each environment since this was asked last.

        Returns:
            In the reward's unit; None where the dynamics are not known, nothing has been visited, q is not defined
            (without discount, where an episode may never end, or hardly ever does), or q_π is not due yet.
        """
        if self._dynamics is None or not visits.any():
            return None
        true = self._optimal(gamma) if self._of == "q*" else self._acting(values, visits, gamma, epsilon, steps)
        return None if true is None else float(np.average(np.abs(values - true), weights=visits))

    def _optimal(self, gamma: float) -> NDArray[np.float64] | None:
        assert self._dynamics is not None
        if self._best is None or self._best[0] != gamma:
            try:
                self._best = gamma, policy_iteration(self._dynamics, gamma).action_values.numpy()
            except ValueError:
                self._best = gamma, None
        return self._best[1]

    def _acting(
        self, values: NDArray[np.float32], visits: NDArray[np.int64], gamma: float, epsilon: float, steps: int
    ) -> NDArray[np.float64] | None:
        assert self._dynamics is not None
        self._waited += steps
        cost = _STEPS_FOR_A_SOLUTION + _STEPS_FOR_A_STATE_CUBED * len(values) ** 3
        cost *= 2.0 if gamma == 1.0 else 1.0
        if self._waited < cost / _SHARE:
            return None
        self._waited = 0
        policy = epsilon_greedy_probabilities(torch.from_numpy(values).to(torch.float64), epsilon)
        try:
            if gamma == 1.0 and self._hardly_ends(policy, torch.from_numpy(visits.any(-1))):
                return None
            return action_values(self._dynamics, policy, gamma).numpy()
        except ValueError:
            return None

    def _hardly_ends(self, policy: Tensor, visited: Tensor) -> bool:
        """Whether a policy π [S, A] would on average take far longer than the time limit from somewhere it has been."""
        assert self._dynamics is not None
        if self._limit is None:
            return False
        steps = state_values(replace(self._dynamics, rewards=torch.ones_like(self._dynamics.rewards)), policy, 1.0)
        ends = (steps >= 1.0 - 1e-9) & (steps <= _LIMITS * self._limit)  # of far more nothing is left but rounding
        return not bool(ends[visited].all())

    def state(self) -> State:
        return {"waited": self._waited}

    def load(self, state: Mapping[str, Any]) -> None:
        self._waited = state["waited"]
