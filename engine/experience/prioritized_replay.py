"""A replay buffer from which transitions are drawn the more often, the more there was to learn from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer
from engine.experience.replay_layout import TransitionLayout
from engine.experience.sum_tree import SumTree
from engine.runtime.state import Parts, State


class PrioritizedReplay:
    """A ``ReplayBuffer`` with a priority p_i for each transition, drawn with P(i) = p_i / Σ_k p_k.

    Priorities are those of ``maths.priorities.priorities``, raised to the exponent already. A new transition has the
    greatest that there ever was, at first 1, so that each is soon seen once.

    Source: Schaul et al. (2016), "Prioritized experience replay", proportional variant.
    """

    def __init__(self, layout: TransitionLayout, capacity: int, environments: int) -> None:
        """
        Raises:
            ValueError: as ``ReplayBuffer``.
        """
        self.parts = Parts()
        self._buffer = self.parts.add("transitions", ReplayBuffer(layout, capacity, environments))
        self._tree = self.parts.add("priorities", SumTree(self._buffer.slots))
        self._greatest = 1.0
        self._exponent: float | None = None  # of the priorities that are here; whatever is asked for first

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def capacity(self) -> int:
        return self._buffer.capacity

    def append(self, experience: Experience) -> int:
        """As ``ReplayBuffer.append``."""
        buffer = self._buffer
        rows = buffer.append(experience)
        stop = buffer.head * buffer.environments
        start = stop - rows * buffer.environments
        if start < 0:
            self._tree.fill(start + buffer.slots, buffer.slots, self._greatest)
        self._tree.fill(max(start, 0), stop, self._greatest)
        beyond = stop + (buffer.rows - buffer.capacity // buffer.environments) * buffer.environments
        self._tree.fill(stop, min(beyond, buffer.slots), 0.0)  # no transition stands there any more
        self._tree.fill(0, max(beyond - buffer.slots, 0), 0.0)
        return rows

    def cut(self, environments: NDArray[np.int64]) -> None:
        """As ``ReplayBuffer.cut``."""
        self._buffer.cut(environments)

    def weigh(self, exponent: float) -> None:
        """Make all priorities p those of this exponent ω: of what has been of another, ω′, p^(ω/ω′).

        Of ω′ = 0, by which all were 1, nothing comes back: each stays 1 until it is updated.
        """
        if self._exponent and self._exponent != exponent:
            power = exponent / self._exponent
            self._tree.raise_to(power)
            self._greatest **= power
        self._exponent = exponent

    def sample(self, count: int, n: int, gamma: float, generator: torch.Generator) -> tuple[Minibatch, Tensor]:
        """``count`` transitions over up to n steps, and P(i) of each, float32 [count].

        All priorities side by side are cut into ``count`` parts of one length, and one is drawn out of each: as often
        on average as without the parts, and with less chance in it.

        Raises:
            ValueError: there are none.
        """
        within = torch.rand(count, dtype=torch.float64, generator=generator).numpy()
        slots = self._tree.find((np.arange(count) + within) / count)
        probabilities = self._tree[slots] / self._tree.total
        return self._buffer.at(slots, n, gamma), torch.from_numpy(probabilities).to(torch.float32)

    def update(self, slots: Tensor, priorities: Tensor) -> None:
        """Give the transitions at ``slots`` [B], which a sample came with, new priorities [B]. It is to be called
        before others take their places.

        Raises:
            ValueError: a priority is negative or not finite.
        """
        places, values = slots.cpu().numpy(), priorities.detach().cpu().numpy().astype(np.float64)
        there = self._buffer.holds(places)
        if not there.all():
            places, values = places[there], values[there]
        self._tree.put(places, values)
        self._greatest = max(self._greatest, float(values.max(initial=0.0)))

    def state(self) -> State:
        return {**self.parts.state(), "greatest": self._greatest, "exponent": self._exponent}

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load({name: state[name] for name in self.parts.by_name()})
        self._greatest, self._exponent = state["greatest"], state.get("exponent")  # early states do not say
