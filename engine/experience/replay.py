"""Old transitions to learn from, drawn as a configuration asks for: what every method has that replays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config.replay import ReplayConfig
from engine.experience.batch import sent
from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer, Windows
from engine.experience.replay_layout import TransitionLayout, replay_bytes
from engine.experience.transitions import Transitions
from engine.maths.priorities import priorities, prioritized_weights
from engine.runtime.state import INEXACT, Parts, State, TensorState

LEAST_PRIORITY = 1e-2  # added to every error, in the reward's units, so that none is never looked at again
_ROWS, _BYTES = 4096, 8_000_000  # transitions that are gathered at once, at most, and the bytes of their observations


@dataclass(frozen=True)
class Replayed:
    """A minibatch on the device that learns, its observations as networks take them, and ``weights`` [B] by which each
    transition's loss counts; None where all count alike."""

    batch: Minibatch
    weights: Tensor | None


@dataclass(frozen=True)
class Horizon:
    """Over how many steps a transition goes, ``n``, and the discount ``gamma`` of rewards on the way."""

    n: int
    gamma: float


MOST_KEPT = 64_000_000  # bytes of transitions that a state holds; a run has a dozen states on disk


class Replay:
    """The latest transitions of N environments, drawn uniformly or by priority; ``parts`` is what it remembers.

    Args:
        config: of which ``capacity`` and ``sampling`` hold for good.
        layout: what observations and actions are made of.
        environments: N.
        generator: of what is drawn, on the CPU.

    Raises:
        ValueError: as ``ReplayBuffer``.
    """

    def __init__(
        self, config: ReplayConfig, layout: TransitionLayout, environments: int, generator: torch.Generator
    ) -> None:
        self.parts = Parts()
        self._at_once = max(1, min(_ROWS, _BYTES // max(1, layout.observation.bytes)))
        self._generator = self.parts.add_generator("minibatches", generator)
        self._kept = self.parts.add("buffer", _Buffer(config, layout, environments))
        self._taken = torch.zeros((), dtype=torch.int64)  # steps ever taken in
        self.parts.add("taken", TensorState({"steps": self._taken}))

    def __len__(self) -> int:
        """How many transitions there are to draw from."""
        return len(self._buffer)

    @property
    def _buffer(self) -> ReplayBuffer | PrioritizedReplay:
        return self._kept.buffer

    def acts_randomly(self, config: ReplayConfig) -> bool:
        """Whether the first steps are still being taken, before anything is learned."""
        return int(self._taken) < config.learning_starts

    def ready(self, config: ReplayConfig) -> bool:
        """Whether the first steps have been taken, and there is enough to learn from."""
        enough = max(1, min(config.learning_starts, self._buffer.capacity))
        return len(self._buffer) >= enough and not self.acts_randomly(config)

    def append(
        self, transitions: Transitions, rewards: NDArray[Any], log_probs: NDArray[np.float32] | None = None
    ) -> None:
        """Take in the latest steps, with ``rewards`` [T, N] as learning is to see them and, where these are kept,
        log μ(a|s) of what acted, ``log_probs`` [T, N].

        Raises:
            RunError: as ``ReplayBuffer.append``.
        """
        self._buffer.append(
            Experience(
                transitions.observations,
                transitions.actions,
                rewards,
                transitions.terminated,
                transitions.truncated,
                transitions.next_observations[transitions.truncated & ~transitions.terminated],
                transitions.following,
                log_probs,
            )
        )
        self._taken += transitions.steps

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        """The episodes of these environments will not go on."""
        self._buffer.cut(environments)

    def draws(
        self, config: ReplayConfig, horizon: Horizon, steps: int, progress: float, device: torch.device
    ) -> Iterator[Replayed]:
        """Minibatches for so many gradient steps, at a share of the run. Between two of them ``learned`` may be called,
        which the next then heeds."""
        if isinstance(self._buffer, PrioritizedReplay):
            self._buffer.weigh(config.priority_exponent)
            correction = config.importance_exponent + (1.0 - config.importance_exponent) * min(progress, 1.0)
            for _ in range(steps):
                batch, probabilities = self._buffer.sample(
                    config.minibatch_size, horizon.n, horizon.gamma, self._generator
                )
                weights = prioritized_weights(probabilities, len(self._buffer), correction)
                yield Replayed(_learned_from(batch, device), sent(weights, device))
            return
        at_once = max(1, self._at_once // config.minibatch_size)
        for first in range(0, steps, at_once):
            count = min(at_once, steps - first)
            drawn = self._buffer.sample(count * config.minibatch_size, horizon.n, horizon.gamma, self._generator)
            drawn = _learned_from(drawn, device)
            yield from (Replayed(part, None) for part in _parts(drawn, count))

    def windows(self, batch: Minibatch, horizon: Horizon, device: torch.device) -> Windows:
        """The steps from those of ``batch`` on, of what is drawn uniformly, before anything else is taken in."""
        assert isinstance(self._buffer, ReplayBuffer)
        found = self._buffer.windows(batch.slots.numpy(), horizon.n, horizon.gamma)
        return Windows(_learned_from(found.steps, device), sent(found.carry, device), sent(found.log_probs, device))

    def learned(self, config: ReplayConfig, batch: Minibatch, errors: Tensor) -> None:
        """What the errors [B] of a minibatch were as it was learned from."""
        if isinstance(self._buffer, PrioritizedReplay):
            self._buffer.update(batch.slots, priorities(errors, config.priority_exponent, LEAST_PRIORITY))

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load(state)


class _Buffer:
    """A replay buffer whose state holds its transitions up to ``MOST_KEPT`` bytes; what goes on from one without them
    begins with none, and waits with learning until there are enough."""

    def __init__(self, config: ReplayConfig, layout: TransitionLayout, environments: int) -> None:
        self._made_of = config, layout, environments
        self.buffer = self._empty()

    def _empty(self) -> ReplayBuffer | PrioritizedReplay:
        config, layout, environments = self._made_of
        make = PrioritizedReplay if config.sampling == "prioritized" else ReplayBuffer
        return make(layout, config.capacity, environments)

    def state(self) -> State:
        config, layout, environments = self._made_of
        size = replay_bytes(layout, max(len(self.buffer), environments), environments, config.sampling == "prioritized")
        if size > MOST_KEPT:
            return {"transitions": None, INEXACT: _LEFT.format(size / 1e6)}
        return {"transitions": self.buffer.state()}

    def load(self, state: Mapping[str, Any]) -> None:
        empty = self._empty()
        kept = state["transitions"]
        if kept is not None and not self._whole(kept):
            empty.load(kept)
        self.buffer = empty

    def _whole(self, kept: Mapping[str, Any]) -> bool:
        """Whether transitions are of an early version, which kept all frames of every observation."""
        _, layout, _ = self._made_of
        seen = kept.get("transitions", kept)["observations"].shape[1:]
        return layout.frames > 1 and tuple(seen) == layout.observation.shape


_LEFT = (
    "The {:,.0f} MB of old experience in the replay buffer are not part of the saved state: it fills anew before "
    "learning goes on."
)


def _learned_from(batch: Minibatch, device: torch.device) -> Minibatch:
    """On its device, and pixels as numbers that a network can take."""
    batch = batch.to(device)
    if batch.observations.dtype != torch.uint8:
        return batch
    return replace(batch, observations=batch.observations.float(), next_observations=batch.next_observations.float())


def _parts(batch: Minibatch, count: int) -> list[Minibatch]:
    """``batch`` in so many equal parts, in its order."""
    if count == 1:
        return [batch]
    columns = [getattr(batch, name).chunk(count) for name in Minibatch.__dataclass_fields__]
    return [Minibatch(*row) for row in zip(*columns, strict=True)]
