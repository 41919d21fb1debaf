"""Choosing actions for a batch of environments: sampled from the policy, or now and then its most likely ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.networks.networks import Table
from engine.policies.epsilon_greedy import sampled
from engine.policies.gaussian import DiagonalGaussian, TanhGaussian
from engine.policies.persistent_noise import PersistentNoise
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from engine.runtime.state import State

NOT_FINITE = (
    "The policy's actions are no longer finite numbers; the learning rate is probably too large, so lower it and start "
    "again."
)


class Actor:
    """A policy with the randomness it acts with; each action is greedy with the probability ``greedy_share``."""

    def __init__(self, policy: Policy, generator: torch.Generator, device: torch.device) -> None:
        self._policy, self.generator, self._device = policy, generator, device
        self.greedy_share = 0.0
        self.noise: PersistentNoise | None = None  # that a Gaussian's actions are drawn with, in place of fresh one
        self._translates = policy.translates
        scale = policy.scale
        self._scale = None if scale is None else tuple(part.cpu().numpy() for part in scale)
        self._rows: NDArray[np.float32] | None = None  # those of a table, in its own memory
        if isinstance(policy.head, Table) and device.type == "cpu":
            self._rows = policy.head.rows.detach().numpy()

    def state(self) -> State:
        """Where its random numbers are; the policy, the share of greedy actions and lasting noise are not the actor's
        to keep."""
        return {"generator": self.generator.get_state()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])

    @property
    def temperature(self) -> float:
        """That of the policy."""
        return self._policy.temperature

    def start(self, size: int) -> Tensor | None:
        """What is remembered before ``size`` episodes begin, [size, hidden]; None for a policy without a memory."""
        return self._policy.start(size)

    def to_environment_there(self, actions: Tensor) -> Tensor:
        """As ``to_environment``, with tensors where the policy is."""
        return self._policy.to_environment(actions)

    def decide(self, observations: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """As ``act``, with tensors where the policy is, and without a look at the numbers."""
        distribution, state = self._policy.step(observations, state)
        if self.noise is not None and isinstance(distribution, DiagonalGaussian | TanhGaussian):
            chosen = distribution.at(self.noise.next(self.generator))
        else:
            chosen = distribution.sample(self.generator)
        if self.greedy_share == 0.0:
            return chosen, None, state
        greedy = torch.rand(len(chosen), generator=self.generator, device=self._device) < self.greedy_share
        chosen = torch.where(greedy.view(-1, *[1] * (chosen.dim() - 1)), distribution.mode(), chosen)
        return chosen, greedy, state

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """As ``Policy.to_environment``."""
        if not self._translates:
            return actions
        taken: NDArray[Any]
        if self._scale is not None:  # torch would take longer for so few numbers
            middle, half_width = self._scale
            taken = middle + half_width * actions
            return taken
        with torch.inference_mode():
            taken = self._policy.to_environment(torch.from_numpy(actions).to(self._device)).cpu().numpy()
        return taken

    def act(
        self, observations: NDArray[Any], state: Tensor | None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None, Tensor | None]:
        """Actions [n, …], which of them are greedy [n] (None where none can be), and what is remembered now.

        Raises:
            RunError: an action is not a finite number.
        """
        if self._rows is not None and self._policy.epsilon is not None:
            return sampled(self._rows[observations], self._policy.epsilon, self.generator), None, state
        with torch.inference_mode():
            chosen, greedy, state = self.decide(torch.from_numpy(observations).to(self._device), state)
            actions: NDArray[Any] = chosen.cpu().numpy()
        if actions.dtype.kind == "f" and not np.isfinite(actions).all():
            raise RunError(NOT_FINITE)
        return actions, None if greedy is None else greedy.cpu().numpy(), state
