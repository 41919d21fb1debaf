"""Random numbers from [0, 1): a stream for each environment, which depends on its own seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.environments.dynamics.interface import Array, Backend
from engine.runtime.state import State, Stateful

AHEAD = 256  # numbers drawn from a generator in one go; drawing them one by one would give the same
_HALF = AHEAD // 2  # so many are there after filling up, and so many at most can be asked for

_OFFSETS = np.arange(_HALF)[:, None]


class Streams(Stateful, Protocol):
    """The random numbers of a batch of environments."""

    def draw(self, count: int) -> Array:
        """The next ``count`` numbers of every environment, [count, size]."""

    def draw_for(self, count: int, indices: Array) -> Array:
        """The next ``count`` numbers of those at ``indices``, [count, n]; the others' streams stay where they are."""

    def draw_where(self, count: int, wanted: Array) -> Array:
        """As ``draw``, but only the streams of those ``wanted``, bool [size], move on; the others' numbers are idle."""


class Generators:
    """Numbers of numpy's generators: those that Gymnasium's environments draw from the same seeds, in their order."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._ends = np.arange(1, len(seeds) + 1) * AHEAD
        self._drawn = np.zeros((len(seeds), AHEAD))
        self._flat = self._drawn.reshape(-1)
        self._next = self._ends.copy()  # where each row's next number is in ``_flat``
        self._sure = 0  # so many numbers are left in every row

    def draw(self, count: int) -> NDArray[np.float64]:
        self._spend(count)
        numbers: NDArray[np.float64] = self._flat[self._next + _OFFSETS[:count]]
        self._next += count
        return numbers

    def draw_for(self, count: int, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        self._spend(count)
        at = self._next[indices]
        self._next[indices] = at + count
        numbers: NDArray[np.float64] = self._flat[at + _OFFSETS[:count]]
        return numbers

    def draw_where(self, count: int, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        self._spend(count)
        numbers: NDArray[np.float64] = self._flat[self._next + _OFFSETS[:count]]
        self._next += count * wanted
        return numbers

    def _spend(self, count: int) -> None:
        """See to it that every row has ``count`` numbers left: if one may not, those with less than half are filled."""
        self._sure -= count
        if self._sure >= 0:
            return
        left = self._ends - self._next
        for index in np.flatnonzero(left < _HALF).tolist():
            row, kept = self._drawn[index], int(left[index])
            row[:kept] = row[AHEAD - kept :].copy()
            row[kept:] = self._generators[index].random(AHEAD - kept)
            self._next[index] = index * AHEAD
        self._sure = int((self._ends - self._next).min()) - count

    def state(self) -> State:
        words = [_words(generator.bit_generator.state["state"]) for generator in self._generators]
        used = self._next - (self._ends - AHEAD)
        return {"generators": np.array(words, np.uint64), "drawn": self._drawn.copy(), "used": used, "sure": self._sure}

    def load(self, state: Mapping[str, Any]) -> None:
        for generator, (high, low, inc_high, inc_low) in zip(
            self._generators, state["generators"].tolist(), strict=True
        ):
            pcg = {"state": high << 64 | low, "inc": inc_high << 64 | inc_low}
            generator.bit_generator.state = {**generator.bit_generator.state, "state": pcg}
        self._drawn[:] = state["drawn"]
        self._next[:] = self._ends - AHEAD + state["used"]
        self._sure = state["sure"]


def _words(state: dict[str, int]) -> tuple[int, int, int, int]:
    """A PCG64's state and increment, 128 bits each, as words of 64."""
    return (*divmod(state["state"], 1 << 64), *divmod(state["inc"], 1 << 64))


class Counters:
    """Numbers of SplitMix64: the k-th of a stream is a hash of its key and of k, and of nothing else.

    Nothing but a counter for each environment is remembered and nothing on the device is ever waited for, so they can
    be drawn inside a CUDA graph. The key is itself a hash of the seed, which sets the streams of neighbouring seeds far
    apart. Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators".
    """

    def __init__(self, seeds: Sequence[int], backend: Backend) -> None:
        xp = backend.xp
        self._backend = backend
        first = xp.asarray([_signed(seed) for seed in seeds], dtype=xp.int64, device=backend.device)
        self._keys = splitmix(first, xp.ones_like(first))
        self._drawn = xp.zeros_like(first)
        self._steps = xp.reshape(xp.arange(1, _HALF + 1, dtype=xp.int64, device=backend.device), (-1, 1))

    def draw(self, count: int) -> Array:
        numbers = self._uniform(splitmix(self._keys, self._drawn + self._steps[:count]))
        self._drawn += count
        return numbers

    def draw_for(self, count: int, indices: Array) -> Array:
        drawn = self._drawn[indices]
        numbers = self._uniform(splitmix(self._keys[indices], drawn + self._steps[:count]))
        self._drawn[indices] = drawn + count
        return numbers

    def draw_where(self, count: int, wanted: Array) -> Array:
        numbers = self._uniform(splitmix(self._keys, self._drawn + self._steps[:count]))
        self._drawn += count * wanted
        return numbers

    def _uniform(self, bits: Array) -> Array:
        """The highest 53 bits of each word as a float64 in [0, 1), or 24 as a float32."""
        digits = 24 if self._backend.real == self._backend.xp.float32 else 53
        return self._backend.as_real(_shifted(bits, 64 - digits)) * 2.0**-digits

    def state(self) -> State:
        return {"keys": as_numpy(self._keys), "drawn": as_numpy(self._drawn)}

    def load(self, state: Mapping[str, Any]) -> None:
        for kept, name in ((self._keys, "keys"), (self._drawn, "drawn")):
            kept[...] = self._backend.xp.asarray(state[name], device=self._backend.device)


def splitmix(keys: Array, steps: Array) -> Array:
    """The ``steps``-th 64 random bits of SplitMix64 from the state ``keys``, as int64, whose products wrap around."""
    bits = keys + steps * _GOLDEN
    bits = (bits ^ _shifted(bits, 30)) * _FIRST_FACTOR
    bits = (bits ^ _shifted(bits, 27)) * _SECOND_FACTOR
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Array, places: int) -> Array:
    """Shifted right, with zeros coming in: int64 alone would bring in copies of its sign."""
    return (bits >> places) & ((1 << (64 - places)) - 1)


def _signed(bits: int) -> int:
    """The int64 with the lowest 64 bits of a whole number."""
    return (bits + (1 << 63)) % (1 << 64) - (1 << 63)


_GOLDEN, _FIRST_FACTOR, _SECOND_FACTOR = (
    _signed(factor) for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def as_numpy(array: Array) -> NDArray[Any]:
    """A copy of an array wherever it is."""
    return np.array(array if isinstance(array, np.ndarray) else array.cpu().numpy())
