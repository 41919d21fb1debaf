"""A two-state decision process small enough to list every episode it can have, and its exact policy gradient.

Everything exact is derived from the list of episodes by differentiating Σ P(τ; θ) R(τ) itself, without the score
function, so that it shares nothing with the estimators it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import EnvironmentInfo, Space
from engine.config import EstimatorConfig, TabularPolicy
from engine.environments.interface import Slots, Transitions
from engine.estimators import Estimate, estimate
from engine.losses import policy_gradient_loss
from engine.policies.policy import Policy, ValueFunction
from engine.rollouts import Rollout

LIMIT = 3
ENDED = -1

# OUTCOMES[state][action] lists (probability, reward, next state or ENDED).
OUTCOMES = (
    (((0.75, 1.0, 1), (0.25, 0.0, ENDED)), ((0.5, -1.0, 0), (0.5, 2.0, 1))),
    (((1.0, -1.0, ENDED),), ((0.75, 3.0, 0), (0.25, 0.5, ENDED))),
)

THETA = torch.tensor([[0.4, -0.3], [0.2, 0.9]])

INFO = EnvironmentInfo("Tiny", "Tiny", "Two states.", Space("discrete", 2), Space("discrete", 2), LIMIT)


@dataclass(frozen=True)
class Episode:
    """``chance`` is the product of the dynamics' probabilities alone; the policy's come on top."""

    states: tuple[int, ...]
    actions: tuple[int, ...]
    rewards: tuple[float, ...]
    final: int
    terminated: bool
    chance: float

    def probability(self, theta: Tensor) -> Tensor:
        policy = theta.softmax(-1)
        return self.chance * torch.stack([policy[s, a] for s, a in zip(self.states, self.actions, strict=True)]).prod()


def episodes(
    state: int = 0, states: Any = (), actions: Any = (), rewards: Any = (), chance: float = 1.0
) -> Iterator[Episode]:
    """Every episode there is, cut off after ``LIMIT`` steps."""
    for action in (0, 1):
        for probability, reward, following in OUTCOMES[state][action]:
            path = ((*states, state), (*actions, action), (*rewards, reward))
            if following == ENDED or len(path[0]) == LIMIT:
                final = max(following, 0)
                yield Episode(*path, final, following == ENDED, chance * probability)
            else:
                yield from episodes(following, *path, chance * probability)


ALL = tuple(episodes())


def exact_gradient(gamma: float, tail: Sequence[float] = (0.0, 0.0)) -> Tensor:
    """∇θ Σ_τ P(τ; θ) (Σ_t γ^t r_t + γ^T tail(s_T) where cut off), by differentiating that sum."""
    theta = THETA.double().requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    for episode in ALL:
        value = sum(gamma**t * reward for t, reward in enumerate(episode.rewards))
        if not episode.terminated:
            value += gamma ** len(episode.rewards) * tail[episode.final]
        total = total + episode.probability(theta) * value
    total.backward()
    assert theta.grad is not None
    return theta.grad


def policy() -> Policy:
    """The tabular policy whose logits are ``THETA``."""
    tabular = Policy(TabularPolicy(), INFO, torch.Generator())
    with torch.no_grad():
        tabular.network.rows.copy_(THETA)  # type: ignore[union-attr, operator]
    return tabular


def rollout_of(batch: Sequence[Episode], *, cut: bool = True) -> Rollout:
    """The rollout that collecting ``batch`` would give; with ``cut`` False the time limit counts as a termination."""
    shape = (max(len(episode.states) for episode in batch), len(batch))
    observations, actions = (torch.zeros(shape, dtype=torch.int64) for _ in range(2))
    rewards = torch.zeros(shape)
    terminated, truncated, mask = (torch.zeros(shape, dtype=torch.bool) for _ in range(3))
    for n, episode in enumerate(batch):
        length = len(episode.states)
        observations[:length, n] = torch.tensor(episode.states)
        actions[:length, n] = torch.tensor(episode.actions)
        rewards[:length, n] = torch.tensor(episode.rewards)
        terminated[length - 1, n] = episode.terminated or not cut
        truncated[length - 1, n] = cut and not episode.terminated
        mask[:length, n] = True
    final = torch.tensor([episode.final for episode in batch])
    return Rollout(observations, actions, rewards, terminated, truncated, mask, final)


class FixedValue(ValueFunction):
    """V as two given numbers, with no network."""

    def __init__(self, values: Sequence[float]) -> None:
        torch.nn.Module.__init__(self)
        self.table = torch.tensor(values)

    def forward(self, observations: Tensor) -> Tensor:
        return self.table[observations]


Tamper = Callable[[Estimate], Tensor]


def gradient_estimate(
    rollout: Rollout, config: EstimatorConfig, value: ValueFunction | None = None, tamper: Tamper | None = None
) -> Tensor:
    """ĝ as an update would follow it; ``tamper`` replaces the advantages by deliberately wrong ones."""
    batch = estimate(rollout, config, value)
    advantages = batch.advantages if tamper is None else tamper(batch)
    model = policy()
    log_probs = model(batch.observations).log_prob(batch.actions)
    loss = policy_gradient_loss(log_probs, advantages, batch.episodes)
    (gradient,) = torch.autograd.grad(loss, list(model.parameters()))
    return -gradient


def expectation(
    batch_size: int,
    config: EstimatorConfig,
    value: ValueFunction | None = None,
    tamper: Tamper | None = None,
    cut: bool = True,
) -> tuple[Tensor, Tensor]:
    """The exact mean of the estimate over all batches of 1 or 2 episodes, and the sum of its variances."""
    mean = torch.zeros(2, 2, dtype=torch.float64)
    square = torch.zeros(2, 2, dtype=torch.float64)
    batches = [(one,) for one in ALL] if batch_size == 1 else [(one, two) for one in ALL for two in ALL]
    for batch in batches:
        weight = torch.stack([episode.probability(THETA.double()) for episode in batch]).prod()
        gradient = gradient_estimate(rollout_of(batch, cut=cut), config, value, tamper).double()
        mean += weight * gradient
        square += weight * gradient.square()
    return mean, (square - mean.square()).sum()


class TinyBatch:
    """The same process as an environment batch, for the collector."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._generator = np.random.default_rng(seed)
        self._states = np.zeros(size, np.int64)
        self._elapsed = np.zeros(size, np.int64)

    def reset(self, slots: Slots) -> NDArray[Any]:
        self._states[slots] = 0
        self._elapsed[slots] = 0
        return self._states[slots]

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        rewards, ended = np.zeros(len(slots)), np.zeros(len(slots), np.bool_)
        for index, (slot, action, luck) in enumerate(
            zip(slots.tolist(), actions.tolist(), self._generator.random(len(slots)).tolist(), strict=True)
        ):
            outcomes = OUTCOMES[self._states[slot]][action]
            _, reward, following = outcomes[0] if luck < outcomes[0][0] else outcomes[-1]
            rewards[index], ended[index] = reward, following == ENDED
            self._states[slot] = max(following, 0)
        self._elapsed[slots] += 1
        return Transitions(self._states[slots], rewards, ended, ~ended & (self._elapsed[slots] >= LIMIT))

    def close(self) -> None:
        pass
