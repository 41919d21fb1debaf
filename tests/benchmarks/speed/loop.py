"""One episode at a time on any environment, in a process of its own: play an episode, then take a step.

The lecture's loop written for speed: it acts without gradients and takes the log-probabilities of an episode at once.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Discrete
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Normal


class Loop:
    """REINFORCE (total return, no baseline, γ = 1, Adam) with one hidden layer."""

    def __init__(self, environment: str, hidden: int, learning_rate: float) -> None:
        torch.manual_seed(1)
        torch.set_num_threads(1)
        self.environment = gymnasium.make(environment, disable_env_checker=True)
        self.environment.reset(seed=1)
        actions: Any = self.environment.action_space
        self._discrete = isinstance(actions, Discrete)
        inputs = int(np.prod(self.environment.observation_space.shape or ()))
        outputs = int(actions.n) if self._discrete else int(np.prod(actions.shape))
        self.network = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
        self.log_std = nn.Parameter(torch.zeros(outputs))
        self._optimizer = torch.optim.Adam([*self.network.parameters(), self.log_std], lr=learning_rate)

    def episode(self) -> int:
        """Play and learn from one episode; its length."""
        observation, _ = self.environment.reset()
        observations: list[NDArray[np.float32]] = []
        actions: list[Tensor] = []
        total, over = 0.0, False
        with torch.no_grad():
            deviation = self.log_std.exp()
            while not over:
                observations.append(observation)
                outputs = self.network(torch.from_numpy(observation))
                actions.append(self._drawn(outputs, deviation))
                taken = actions[-1].item() if self._discrete else actions[-1].numpy()
                observation, reward, terminated, truncated, _ = self.environment.step(taken)
                total += float(reward)
                over = terminated or truncated
        loss = -total * self._log_probs(torch.from_numpy(np.stack(observations)), torch.stack(actions)).sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return len(actions)

    def _drawn(self, outputs: Tensor, deviation: Tensor) -> Tensor:
        if self._discrete:
            return torch.multinomial(outputs.softmax(-1), 1).squeeze(0)
        return torch.normal(outputs, deviation)

    def _log_probs(self, observations: Tensor, actions: Tensor) -> Tensor:
        outputs = self.network(observations)
        if self._discrete:
            found: Tensor = outputs.log_softmax(-1).gather(1, actions.unsqueeze(1))
            return found
        return Normal(outputs, self.log_std.exp()).log_prob(actions)


def run(environment: str, hidden: int, learning_rate: float, steps: int) -> dict[str, Any]:
    """A fresh loop over whole episodes until ``steps`` environment steps are taken, timed without being made."""
    loop = Loop(environment, hidden, learning_rate)
    taken = episodes = 0
    started = time.perf_counter()
    while taken < steps:
        taken += loop.episode()
        episodes += 1
    elapsed = time.perf_counter() - started
    loop.environment.close()
    return {"steps": taken, "seconds": elapsed, "iterations": episodes}
