"""The lecture's loop on any environment, in a process of its own: play one episode, then take one step."""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Discrete
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Normal


class Loop:
    """REINFORCE (total return, no baseline, γ = 1, Adam) as one would write it down first, with one hidden layer."""

    def __init__(self, environment: str, hidden: int, learning_rate: float) -> None:
        torch.manual_seed(1)
        torch.set_num_threads(1)
        self.environment = gymnasium.make(environment)
        self.environment.reset(seed=1)
        actions: Any = self.environment.action_space
        self._discrete = isinstance(actions, Discrete)
        inputs = int(np.prod(self.environment.observation_space.shape or ()))
        outputs = int(actions.n) if self._discrete else int(np.prod(actions.shape))
        self.network = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
        self.log_std = nn.Parameter(torch.zeros(outputs))
        self._optimizer = torch.optim.Adam([*self.network.parameters(), self.log_std], lr=learning_rate)

    def _policy(self, observation: Any) -> Distribution:
        outputs: Tensor = self.network(torch.from_numpy(observation).float())
        return Categorical(torch.softmax(outputs, -1)) if self._discrete else Normal(outputs, self.log_std.exp())

    def episode(self) -> int:
        """Play and learn from one episode; its length."""
        observation, _ = self.environment.reset()
        log_probabilities: list[Tensor] = []
        rewards: list[float] = []
        over = False
        while not over:
            policy = self._policy(observation)
            action = policy.sample()
            log_probabilities.append(policy.log_prob(action).sum())
            taken = action.item() if self._discrete else action.numpy()
            observation, reward, terminated, truncated, _ = self.environment.step(taken)
            rewards.append(float(reward))
            over = terminated or truncated
        loss = -sum(rewards) * torch.stack(log_probabilities).sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return len(rewards)


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
