"""What a run that learns from single steps tells of itself, apart from the code that learns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.experience.transitions import Transitions
from engine.maths.consistency import surprise
from engine.policies.distributions import EpsilonGreedy
from engine.policies.policy import Policy
from engine.training.learners.condition import is_looked_at
from engine.training.learners.self_checks import variances

_MOST = 16  # times that actions are looked at in an iteration


class _Taken(NamedTuple):
    """Actions [n], with the values [n, A] and the ε by which they are said to have been chosen."""

    actions: Tensor
    values: Tensor
    epsilon: float


class StepChecks:
    """Of the steps of an iteration, before anything is learned from them: how many ended an episode, and, in iterations
    that become rarer as the run goes on, how likely actions were by the ε-greedy policy that is said to have taken
    them."""

    def __init__(self, policy: Policy, iteration: int) -> None:
        self._policy, self._looks = policy, is_looked_at(iteration) and policy.epsilon is not None
        self._terminated: list[NDArray[np.bool_]] = []
        self._taken: list[_Taken] = []

    def took(self, transitions: Transitions) -> None:
        """These steps were taken by the policy as it is."""
        self._terminated.append(transitions.terminated)  # counted at the end, in one go
        if not self._looks or len(self._taken) == _MOST:
            return
        epsilon = self._policy.epsilon
        if epsilon is None:
            return
        seen, actions = (self._rows(each) for each in (transitions.observations, transitions.actions))
        with torch.inference_mode():
            values = self._policy.action_values(seen)
        self._taken.append(_Taken(actions, values, epsilon))

    def _rows(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array.reshape(-1, *array.shape[2:])).to(self._policy.device)

    def told(self) -> Metrics:
        """``ended_share``, and ``likelihood_gap`` where it was looked at."""
        found: Metrics = {"ended_share": float(np.concatenate(self._terminated).mean())}
        if self._taken:
            actions = torch.cat([taken.actions for taken in self._taken])
            values = torch.cat([taken.values for taken in self._taken])
            counts = torch.tensor([len(taken.actions) for taken in self._taken])
            epsilon = torch.tensor([taken.epsilon for taken in self._taken]).repeat_interleave(counts)
            said = EpsilonGreedy(values, epsilon.to(values.device))
            spread = variances(said)
            assert spread is not None
            found["likelihood_gap"] = surprise(said.log_prob(actions), said.entropy(), spread).item()
        return found
