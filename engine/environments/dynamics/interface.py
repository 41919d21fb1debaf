"""What the dynamics of an environment are: functions of arrays, written once for numpy and for torch.

Both libraries are spoken to by the functions of the array API standard (https://data-apis.org/array-api), of which only
those are used that torch has under the same names. Arrays are of either, hence ``Any`` for their type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch

Array = Any


@dataclass(frozen=True)
class Backend:
    """What computes: the functions ``xp`` that work on arrays, the ``device`` they are on, and how reals are held.

    ``take`` picks entries of an array's last axis by their indices; what the standard calls so is another in torch.
    """

    xp: Any
    real: Any
    device: Any
    take: Callable[[Array, Array], Array]

    def array(self, values: Any) -> Array:
        """Real numbers as an array."""
        return self.xp.asarray(values, dtype=self.real, device=self.device)

    def full(self, count: int, value: float) -> Array:
        """One real number ``count`` times, [count]."""
        return self.xp.full((count,), value, dtype=self.real, device=self.device)

    def as_real(self, array: Array) -> Array:
        """The numbers of an array as real ones."""
        return self.xp.asarray(array, dtype=self.real)

    def as_single(self, array: Array) -> Array:
        """The numbers of an array in float32, in memory of their own."""
        return self.xp.asarray(array, dtype=self.xp.float32, copy=True)


NUMPY = Backend(np, np.float64, "cpu", lambda array, indices: array.take(indices, axis=-1))


def torch_backend(device: torch.device) -> Backend:
    """Tensors on ``device``: float64 as Gymnasium computes, or float32 on Apple's GPUs, which have no other."""
    import torch  # here, as nothing that only steps numpy's arrays is to load it

    real = torch.float32 if device.type == "mps" else torch.float64
    return Backend(torch, real, device, lambda array, indices: array[..., indices])


class Dynamics(Protocol):
    """How one kind of environment begins and goes on, for n of it at once; nothing is remembered between calls.

    States have the n environments along their last axis. Randomness comes in as numbers from [0, 1): ``to_begin`` for
    each episode and ``to_step`` for each step, [numbers, n].
    """

    @property
    def backend(self) -> Backend:
        """What it computes with."""

    @property
    def to_begin(self) -> int:
        """How many random numbers begin an episode."""

    @property
    def to_step(self) -> int:
        """How many random numbers a step takes."""

    def begin(self, uniforms: Array) -> Array:
        """States [..., n] in which episodes begin, from [to_begin, n]."""

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        """The states after ``actions`` in memory of their own, raw rewards [n], and whether the episode terminates,
        bool [n].

        Actions are int64 [n] or float32 [n, components]; the latter may lie outside the bounds and are clipped.
        ``uniforms`` is [to_step, n], or None where a step takes none.
        """

    def observe(self, states: Array) -> Array:
        """What is seen of ``states``: float32 [n, components], or int64 [n]; never the states' own memory."""
