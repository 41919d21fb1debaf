"""A world whose every transition can be told from all others, so that what replay gives of it can be held against what
happened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer
from engine.experience.replay_layout import ArrayLayout, TransitionLayout

LAYOUT = TransitionLayout(ArrayLayout((3,), "float32"), ArrayLayout((), "int64"))
GAMMA = 0.5


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass
class World:
    """N environments that show (environment, episode, step), take their place in time for an action, and reward with
    it too. Episodes end and are cut by chance. It remembers all that happened."""

    size: int
    seed: int
    often: float = 0.3
    steps: int = 0
    log: list[list[tuple[Any, ...]]] = field(default_factory=list)  # by time, by environment: what a transition is

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.shown = np.stack([np.arange(self.size), np.zeros(self.size), np.zeros(self.size)], 1).astype(np.float32)

    def play(self, steps: int) -> Experience:
        seen, finals, ends = [], [], []
        for _ in range(steps):
            terminated, truncated = self.random.random((2, self.size)) < self.often
            seen.append(self.shown.copy())
            after = self.shown + np.float32([0, 0, 1])
            cut = truncated & ~terminated
            finals.append(after[cut])
            ends.append((terminated, truncated))
            self.log.append([(seen[-1][n], terminated[n], cut[n], after[n]) for n in range(self.size)])
            over = terminated | truncated
            self.shown = np.where(over[:, None], self.shown * np.float32([1, 1, 0]) + np.float32([0, 1, 0]), after)
        time = np.repeat(np.arange(self.steps, self.steps + steps)[:, None], self.size, 1)
        self.steps += steps
        terminated, truncated = np.array(ends).transpose(1, 0, 2) if steps else np.zeros((2, 0, self.size), bool)
        observations = np.array(seen, np.float32).reshape(steps, self.size, 3)
        final_observations = np.concatenate([np.zeros((0, 3), np.float32), *finals])
        return Experience(observations, time, time.astype(float), terminated, truncated, final_observations, self.shown)

    def break_off(self, which: NDArray[np.int64]) -> None:
        """The episodes of some environments are over without a step that said so."""
        for n in which:
            observed, terminated, cut, after = self.log[-1][n]
            if not (terminated or cut):
                self.log[-1][n] = (observed, terminated, True, after)
                self.shown[n] = [n, self.shown[n, 1] + 1, 0]

    def transition(self, time: int, n: int, steps: int) -> tuple[NDArray[Any], float, float, NDArray[Any], int]:
        """What is to come out of the buffer for the step that environment n took at ``time``."""
        reward, length = 0.0, 0
        while True:
            observed, terminated, cut, after = self.log[time + length][n]
            reward += GAMMA**length * (time + length)
            length += 1
            if terminated or cut or length == steps or time + length == self.steps:
                break
        discount = 0.0 if terminated else GAMMA**length
        return self.log[time][n][0], reward, discount, observed if terminated else after, length


def of_one_step(experience: Experience) -> Experience:
    """Without the dimension of time."""
    names = ("observations", "actions", "rewards", "terminated", "truncated")
    return replace(experience, **{name: getattr(experience, name)[0] for name in names})


def assert_holds(batch: Minibatch, world: World, n: int) -> None:
    """Each of the transitions is one that happened."""
    for index in range(len(batch.slots)):
        environment, time = int(batch.observations[index, 0]), int(batch.actions[index])
        observed, reward, discount, following, length = world.transition(time, environment, n)
        assert batch.observations[index].tolist() == observed.tolist()
        assert batch.next_observations[index].tolist() == following.tolist()
        assert batch.rewards[index].item() == pytest.approx(reward)
        assert batch.discounts[index].item() == pytest.approx(discount)
        assert batch.lengths[index].item() == length
        assert batch.ages[index].item() == (world.steps - 1 - time) * world.size


def all_slots(buffer: ReplayBuffer) -> NDArray[np.int64]:
    """Of every transition that is there, the oldest first."""
    oldest = (buffer.head * buffer.environments - len(buffer)) % buffer.slots
    return (oldest + np.arange(len(buffer))) % buffer.slots
