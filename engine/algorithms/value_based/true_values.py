"""The values that a table learns, computed from known dynamics, and how far off those are that it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import process_of
from engine.maths.exploration import epsilon_greedy_probabilities
from engine.mdp.exact import Dynamics, action_values, dynamics_of, policy_iteration
from engine.runtime.state import State

_MOST_STATES = 1_000  # of which the dynamics are kept as a matrix
# What solving for q_π costs, with S states, in the time that a step takes to be learned from: measured, and generous.
_STEPS_FOR_A_SOLUTION = 1.0
_STEPS_FOR_A_STATE_CUBED = 6e-7
_SHARE = 0.02  # of the time for learning, which it may take


class TrueValues:
    """q* of the best policy, or q_π of the ε-greedy policy that follows from a table.

    They are stationary: the values of the process without its time limit. Where an episode is cut off, a table learns
    that its end is worth what would have followed; and it cannot tell how many steps are left, on which the values of
    an episode with a time limit depend.

    q_π changes with every step; it is computed again after so many that doing so takes a fiftieth of the time.
    """

    def __init__(self, environment: EnvironmentConfig, of: Literal["q*", "q_π"]) -> None:
        self._of = of
        mdp = process_of(environment)
        self._dynamics: Dynamics | None = None
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
            (without discount, where an episode may never end), or q_π is not due yet.
        """
        if self._dynamics is None or not visits.any():
            return None
        true = self._optimal(gamma) if self._of == "q*" else self._acting(values, gamma, epsilon, steps)
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
        self, values: NDArray[np.float32], gamma: float, epsilon: float, steps: int
    ) -> NDArray[np.float64] | None:
        assert self._dynamics is not None
        self._waited += steps
        cost = _STEPS_FOR_A_SOLUTION + _STEPS_FOR_A_STATE_CUBED * len(values) ** 3
        if self._waited < cost / _SHARE:
            return None
        self._waited = 0
        policy = epsilon_greedy_probabilities(torch.from_numpy(values).to(torch.float64), epsilon)
        try:
            return action_values(self._dynamics, policy, gamma).numpy()
        except ValueError:
            return None

    def state(self) -> State:
        return {"waited": self._waited}

    def load(self, state: Mapping[str, Any]) -> None:
        self._waited = state["waited"]
