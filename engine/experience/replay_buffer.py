"""Transitions of many environments as they came, kept to be learned from again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.experience.batch import sent
from engine.experience.frames import check_pixels, followed_by, frame_of, joined
from engine.experience.replay_layout import ArrayLayout, TransitionLayout
from engine.runtime.state import State

_GOES_ON, _TERMINATED = -1, -2  # what ``_ends`` has in place of a final observation's number
_NUMBERS = (1 << 31) - 1  # final observations are counted up to here, and then again from 0
_FIRST_ROOM = 16  # final observations
_BY_STEP = ("observations", "actions", "rewards", "terminated", "truncated")


@dataclass(frozen=True)
class Experience:
    """T steps of N environments, or one step, [N, …], without the first dimension.

    ``observations`` [T, N, …] are those before each step, ``actions`` [T, N, …] the policy's own before any clipping,
    ``rewards`` [T, N]. An episode ends where ``terminated`` [T, N], else is cut off where ``truncated`` [T, N]; what is
    both is a termination. ``final_observations`` [E, …] are what was seen after each of the E cuts, step by step and
    within a step environment by environment; ``following`` [N, …] is what every environment shows after the last step,
    in its next episode where one has ended. ``log_probs`` [T, N] are log μ(a|s) of what acted, where these are kept.
    """

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[Any]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final_observations: NDArray[Any]
    following: NDArray[Any]
    log_probs: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Minibatch:
    """B transitions over up to n steps each, which no later one changes.

    ``observations`` s_t and ``actions`` a_t [B, …], ``rewards`` Σ_{l<h} γ^l r_{t+l} float32 [B], ``discounts``
    γ^h·(1 − terminated) float32 [B] and ``next_observations`` s_{t+h} [B, …], so that the target is
    ``one_step_targets(rewards, discounts, values of next_observations)`` whatever n is. ``lengths`` h int64 [B] is less
    than n where the episode ended, was cut off or has not come further yet. Behind a termination nothing is seen: there
    ``next_observations`` repeats the last one before it. ``slots`` int64 [B] are where they are kept, and ``ages``
    int64 [B] how many steps all environments together have taken since. Observations have the type they are kept in.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    discounts: Tensor
    next_observations: Tensor
    lengths: Tensor
    slots: Tensor
    ages: Tensor

    def to(self, device: torch.device) -> Minibatch:
        """What is learned from, on ``device``; ``lengths``, ``slots`` and ``ages`` stay where they are."""
        if device.type == "cpu":
            return self
        learned = ("observations", "actions", "rewards", "discounts", "next_observations")
        return replace(self, **{name: sent(getattr(self, name), device) for name in learned})


@dataclass(frozen=True)
class Windows:
    """The n steps that begin at each of B slots, time-major: ``steps`` are transitions over one step each, [n · B],
    ``carry`` [n, B] is γ up to where the episode ends or nothing newer is there, and 0 from then on, so that what
    stands behind has no part in anything; ``log_probs`` [n, B] are log μ(a|s) of what acted."""

    steps: Minibatch
    carry: Tensor
    log_probs: Tensor


class ReplayBuffer:
    """The latest transitions of N environments, in a ring of rows, one for each step of all of them.

    The observation after a step stands in the next row, as the one before the next step, and is kept twice only where
    an episode was cut off. A slot is row · N + environment. One row more than fits ``capacity`` holds what the
    environments show now. Nothing is copied as the ring fills; memory is taken as it is used.

    Of observations of k frames each frame is kept once, in the row in which it was the latest, and the k − 1 rows
    behind the oldest transition stay for their frames.

    Source: Lin (1992), "Self-improving reactive agents based on reinforcement learning, planning and teaching"; Mnih et
        al. (2015), "Human-level control through deep reinforcement learning".
    """

    def __init__(self, layout: TransitionLayout, capacity: int, environments: int) -> None:
        """
        Raises:
            ValueError: there is not one environment, or no room for a step of all.
        """
        if not 1 <= environments <= capacity:
            raise ValueError(
                f"a replay buffer for {capacity} transitions has no room for a step of {environments} environments."
            )
        self.environments = environments
        self._most = capacity // environments  # rows of transitions
        self.rows = self._most + layout.frames
        self.slots = self.rows * environments
        self.head = layout.frames - 1  # the row to be written next, which holds what the environments show now
        self._filled = 0  # rows of transitions
        self._observations = _zeros(self.slots, layout.frame)
        self._actions = _zeros(self.slots, layout.action)
        self._rewards = np.zeros(self.slots, np.float32)
        self._ends = np.full(self.slots, _GOES_ON, np.int32)
        self._log_probs = np.zeros(self.slots if layout.likelihoods else 0, np.float32)
        # Final observations come and go in the same order as rows do. Each has a number, and stands at its last bits.
        self._finals = _zeros(_FIRST_ROOM, layout.frame)
        self._first_final, self._kept_finals = 0, 0
        self._layout = layout

    def __len__(self) -> int:
        """How many transitions there are to draw from."""
        return self._filled * self.environments

    @property
    def capacity(self) -> int:
        """How many there can be: a whole number of steps of all environments."""
        return self._most * self.environments

    def append(self, experience: Experience) -> int:
        """Take in what came after all that is here, in place of the oldest; how many rows of it there was room for.

        The first observations are those that ``following`` was before. Where an environment shows something else, as
        its episode broke off, ``cut`` has to be called before.

        Raises:
            ValueError: a shape does not fit, or there are not as many final observations as cuts.
            RunError: pixels that are to be kept in a byte each do not fit there.
        """
        experience = self._grid(experience)
        if not self._filled and self._layout.observation.kind == "uint8":
            check_pixels(experience.following)
        if len(experience.rewards) > self._most:
            experience = _latest(experience, self._most)
        steps = len(experience.rewards)
        self._forget(self._filled + steps - self._most)
        if self._layout.frames > 1 and steps and not self._filled:
            self._begin_with(experience.observations[0])
        cuts = experience.truncated & ~experience.terminated
        ends = np.where(experience.terminated, _TERMINATED, _GOES_ON).astype(np.int32)
        ends[cuts] = self._keep_finals(frame_of(experience.final_observations, 0, self._layout))
        rows = (self.head + np.arange(steps)) % self.rows
        for kept, given in (
            (self._observations, frame_of(experience.observations, 0, self._layout)),
            (self._actions, experience.actions),
            (self._rewards, experience.rewards),
            (self._ends, ends),
            *([(self._log_probs, experience.log_probs)] if experience.log_probs is not None else []),
        ):
            ring = kept.reshape(self.rows, self.environments, *kept.shape[1:])
            if steps == 1:
                ring[self.head] = given[0]
            else:
                ring[rows] = given
        self.head = (self.head + steps) % self.rows
        self._filled += steps
        shown = self.head * self.environments
        self._observations[shown : shown + self.environments] = frame_of(experience.following, 0, self._layout)
        return steps

    def cut(self, environments: NDArray[np.int64]) -> None:
        """The episodes of these environments broke off after what they show now: something else comes next there."""
        if not self._filled:
            return
        slots = (self.head - 1) % self.rows * self.environments + environments
        slots = slots[self._ends[slots] == _GOES_ON]
        shown = self._observations[self.head * self.environments + slots % self.environments]
        self._ends[slots] = self._keep_finals(shown)

    def holds(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a transition stands at each of ``slots``."""
        found: NDArray[np.bool_] = (self.head - 1 - slots // self.environments) % self.rows < self._filled
        return found

    def draw(self, count: int, generator: torch.Generator) -> NDArray[np.int64]:
        """Slots of ``count`` transitions, each drawn from all alike, [count].

        Raises:
            ValueError: there are none.
        """
        if not self._filled:
            raise ValueError("there is no transition in the replay buffer yet.")
        drawn: NDArray[np.int64] = torch.randint(len(self), (count,), generator=generator).numpy()
        oldest = (self.head - self._filled) % self.rows * self.environments
        return (drawn + oldest) % self.slots

    def at(self, slots: NDArray[np.int64], n: int, gamma: float) -> Minibatch:
        """The transitions that begin at ``slots`` [B], over n ≥ 1 steps or as many as there are of the episode, with
        rewards discounted by γ. Row by row up to the end of the episode, a cut, or the newest row."""
        newer = (self.head - 1 - slots // self.environments) % self.rows  # rows behind each
        if n == 1:
            last, ends, rewards = slots, self._ends[slots], self._rewards[slots]
            lengths, discounts = np.ones_like(slots), np.float32(gamma) * (ends != _TERMINATED)
        else:
            ahead = np.arange(n)[:, None]
            path = (slots + ahead * self.environments) % self.slots
            path_ends = self._ends[path]
            stops = (path_ends != _GOES_ON) | (ahead >= np.minimum(newer, n - 1))
            lengths = stops.argmax(0) + 1
            factors = np.float32(gamma) ** ahead.astype(np.float32) * (ahead < lengths)
            rewards = (factors * self._rewards[path]).sum(0)
            columns = np.arange(len(slots))
            last, ends = path[lengths - 1, columns], path_ends[lengths - 1, columns]
            discounts = np.float32(gamma) ** lengths.astype(np.float32) * (ends != _TERMINATED)
        following = (last + self.environments * (ends == _GOES_ON)) % self.slots
        next_observations = self._seen(following)
        (cuts,) = (ends >= 0).nonzero()
        if len(cuts):
            finals = self._finals[self._place(ends[cuts])]
            next_observations[cuts] = followed_by(next_observations[cuts], finals, self._layout)
        return Minibatch(
            *map(
                torch.from_numpy,
                (
                    self._seen(slots),
                    self._actions.take(slots, 0),
                    rewards,
                    discounts.astype(np.float32, copy=False),
                    next_observations,
                    lengths,
                    slots,
                    newer * self.environments,
                ),
            )
        )

    def windows(self, slots: NDArray[np.int64], n: int, gamma: float) -> Windows:
        """The n steps that begin at each of ``slots`` [B], with rewards as they are."""
        ahead = np.arange(n)[:, None]
        path = (slots + ahead * self.environments) % self.slots
        newer = (self.head - 1 - slots // self.environments) % self.rows
        goes_on = ((self._ends[path] == _GOES_ON) & (ahead < np.minimum(newer, n - 1))).cumprod(0)
        steps = self.at(path.reshape(-1), 1, gamma)
        carry = torch.from_numpy(np.float32(gamma) * goes_on.astype(np.float32))
        return Windows(steps, carry, torch.from_numpy(self._log_probs[path]))

    def sample(self, count: int, n: int, gamma: float, generator: torch.Generator) -> Minibatch:
        """``count`` transitions over up to n steps, each drawn from all alike.

        Raises:
            ValueError: there are none.
        """
        return self.at(self.draw(count, generator), n, gamma)

    def state(self) -> State:
        used = self.slots if self._filled == self._most else (self.head + 1) * self.environments
        return {
            "observations": self._observations[:used].copy(),
            "actions": self._actions[:used].copy(),
            "rewards": self._rewards[:used].copy(),
            "ends": self._ends[:used].copy(),
            **({"log_probs": self._log_probs[:used].copy()} if self._layout.likelihoods else {}),
            "final_observations": self._finals.copy(),
            "first_final": self._first_final,
            "kept_finals": self._kept_finals,
            "head": self.head,
            "filled": self._filled,
            "slots": self.slots,
            "environments": self.environments,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        there = (state["slots"], state["environments"], state["observations"].shape[1:], state["actions"].shape[1:])
        wanted = (self.slots, self.environments, self._observations.shape[1:], self._actions.shape[1:])
        if there != wanted:
            raise ValueError(
                f"This state is of a replay buffer of (slots, environments, observation, action) {there}; what it is "
                f"loaded into has {wanted}."
            )
        used = len(state["rewards"])
        for name in (
            "observations",
            "actions",
            "rewards",
            "ends",
            *(["log_probs"] if self._layout.likelihoods else []),
        ):
            getattr(self, f"_{name}")[:used] = state[name]
        self.head, self._filled = state["head"], state["filled"]
        self._first_final, self._kept_finals = state["first_final"], state["kept_finals"]
        self._finals = state["final_observations"].copy()

    def _begin_with(self, observations: NDArray[Any]) -> None:
        """Put the earlier frames of ``observations`` [N, …] into the rows behind the next one to be written: nothing
        that came right before these is here."""
        for back in range(1, self._layout.frames):
            row = (self.head - back) % self.rows * self.environments
            self._observations[row : row + self.environments] = frame_of(observations, back, self._layout)
            self._ends[row : row + self.environments] = _GOES_ON

    def _seen(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        """The observations [B, …] before the steps at ``slots`` [B]; of several frames, those of the episode up to
        there, and before its first zeros, or that one again."""
        if self._layout.frames == 1:
            latest: NDArray[Any] = self._observations.take(slots, 0)
            return latest
        back = np.arange(self._layout.frames)[:, None]
        before = (slots - back[1:] * self.environments) % self.slots  # the nearest first
        reach = np.logical_and.accumulate(self._ends[before] == _GOES_ON).sum(0)  # frames of the episode
        path = (slots - np.minimum(back[::-1], reach) * self.environments) % self.slots
        frames = self._observations.take(path, 0)
        if not self._layout.repeats:
            frames[back[::-1] > reach] = 0
        return joined(frames.swapaxes(0, 1), self._layout)

    def _grid(self, given: Experience) -> Experience:
        """As [T, N, …], once all shapes are seen to fit."""
        if given.rewards.ndim == 1:
            given = replace(given, **{name: getattr(given, name)[None] for name in _by_step(given)})
        grid = (len(given.rewards), self.environments)
        seen, acted = self._layout.observation.shape, self._layout.action.shape
        cuts = int((given.truncated & ~given.terminated).sum())
        shapes = (
            ("observations", (*grid, *seen)),
            ("actions", (*grid, *acted)),
            ("rewards", grid),
            ("terminated", grid),
            ("truncated", grid),
            ("final_observations", (cuts, *seen)),
            ("following", (self.environments, *seen)),
            *([("log_probs", grid)] if self._layout.likelihoods else []),
        )
        for name, shape in shapes:
            array = getattr(given, name)
            if array is None:
                raise ValueError("log_probs are kept here, and none are given.")
            if array.shape != shape:
                raise ValueError(f"{name} {array.shape} must have the shape {shape} here.")
        return given

    def _forget(self, rows: int) -> None:
        """Drop the oldest rows, so many that others take their places."""
        if rows <= 0:
            return
        oldest = (self.head - self._filled + np.arange(rows)) % self.rows
        dropped = int((self._ends.reshape(self.rows, -1)[oldest] >= 0).sum())
        self._first_final = (self._first_final + dropped) & _NUMBERS
        self._kept_finals -= dropped
        self._filled -= rows

    def _keep_finals(self, observations: NDArray[Any]) -> NDArray[np.int64]:
        """The numbers under which these are kept from now on."""
        wanted = self._kept_finals + len(observations)
        if wanted > len(self._finals):
            numbers = self._first_final + np.arange(self._kept_finals)
            kept = self._finals[self._place(numbers)]
            room = 1 << (wanted - 1).bit_length()
            self._finals = np.zeros((room, *self._finals.shape[1:]), self._finals.dtype)
            self._finals[self._place(numbers)] = kept
        numbers = self._first_final + np.arange(self._kept_finals, wanted)
        self._finals[self._place(numbers)] = observations
        self._kept_finals = wanted
        return numbers & _NUMBERS

    def _place(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Where final observations stand: there is room for a power of two of them."""
        places: NDArray[Any] = numbers & (len(self._finals) - 1)
        return places


def _latest(experience: Experience, steps: int) -> Experience:
    """The last ``steps`` of it."""
    early = slice(len(experience.rewards) - steps)
    dropped = int((experience.truncated[early] & ~experience.terminated[early]).sum())
    late = {name: getattr(experience, name)[early.stop :] for name in _by_step(experience)}
    return replace(experience, **late, final_observations=experience.final_observations[dropped:])


def _by_step(experience: Experience) -> tuple[str, ...]:
    """What there is of every step."""
    return _BY_STEP if experience.log_probs is None else (*_BY_STEP, "log_probs")


def _zeros(count: int, layout: ArrayLayout) -> NDArray[Any]:
    return np.zeros((count, *layout.shape), layout.kind)
