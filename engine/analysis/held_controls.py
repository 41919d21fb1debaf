"""The controls that a person holds down, and the action that they make; importable without torch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.controls import HALF, Controls


class HeldControls:
    """Held and let go on one thread, and asked for the action of the next step on another.

    A control that was pressed and let go between two steps counts for the next one. A stick holds a control by as much
    as it is tilted, from 0 to 1; a key holds it wholly.

    Args:
        ramp: the share of its whole way by which a component of a box moves at most towards where it is held, in one
            step; 1 is there at once.
    """

    def __init__(self, controls: Controls, ramp: float = 1.0) -> None:
        self.controls = controls
        self.ramp = ramp
        self._lock = threading.Lock()
        self._keys: dict[str, int] = {}  # held, and when each was pressed, as the number of its press
        self._tapped: dict[str, int] = {}  # pressed since the last step, likewise
        self._presses = 0
        self._tilts: Mapping[str, float] = {}
        self.begin()

    def begin(self) -> None:
        """Forget what an episode has left behind; what is held stays held."""
        with self._lock:
            self._tapped.clear()
            self._last: int | None = None  # of a discrete space
            self._chosen = np.zeros(len(self.controls.space.parts) or self.controls.space.size, np.int64)
            self._values = np.array([axis.rest for axis in self.controls.axes], np.float32)

    def press(self, name: str) -> None:
        with self._lock:
            self._presses += 1
            self._keys[name] = self._tapped[name] = self._presses
            for part, choices in enumerate(self.controls.parts):
                if name in choices and self.controls.space.kind == "multi-binary":
                    self._chosen[choices.index(name)] ^= 1
                elif name in choices:
                    self._chosen[part] = choices.index(name)

    def release(self, name: str) -> None:
        with self._lock:
            self._keys.pop(name, None)

    def tilt(self, tilts: Mapping[str, float]) -> None:
        """How far sticks, or a mouse in their place, hold which controls."""
        with self._lock:
            self._tilts = tilts

    def release_all(self) -> None:
        """What a person holds is not known any more."""
        with self._lock:
            self._keys.clear()
            self._tapped.clear()
            self._tilts = {}

    @property
    def held(self) -> frozenset[str]:
        """The names of what is held."""
        with self._lock:
            return frozenset(self._keys) | {name for name, share in self._tilts.items() if share >= HALF}

    @property
    def chosen(self) -> NDArray[np.int64]:
        """Of an action of several parts, the choice in each; of switches, which are on."""
        with self._lock:
            return self._chosen.copy()

    def action(self, *, at_once: bool = False) -> NDArray[Any] | None:
        """The action of the next step, as an ``EnvironmentBatch`` takes it in its row, which uses up what was tapped;
        None where a discrete one has not been chosen.

        Args:
            at_once: whether a component of a box is where it is held without any ramp.
        """
        with self._lock:
            pressed, self._tapped = self._tapped | self._keys, {}
            if self.controls.parts:
                return self._chosen.copy()
            if self.controls.axes:
                amounts = {**self._tilts, **dict.fromkeys(pressed, 1.0)}
                return self._continuous(amounts, 1.0 if at_once else self.ramp)
            tilted = [name for name, share in self._tilts.items() if share >= HALF]
            return self._discrete(dict.fromkeys(tilted, 0) | pressed)

    def _continuous(self, amounts: Mapping[str, float], ramp: float) -> NDArray[np.float32]:
        for index, axis in enumerate(self.controls.axes):
            up, down = amounts.get(axis.plus or "", 0.0), amounts.get(axis.minus or "", 0.0)
            wanted = axis.rest + up * (axis.high - axis.rest) - down * (axis.rest - axis.low)
            most = ramp * (axis.high - axis.low)
            self._values[index] += np.clip(wanted - float(self._values[index]), -most, most)
        return self._values.copy()

    def _discrete(self, held: Mapping[str, int]) -> NDArray[np.int64] | None:
        """``held`` says when each was pressed: of actions made of equally many, that of the last press is meant."""
        fitting = [
            (len(chord), max(held[name] for name in chord), action)
            for action, chord in enumerate(self.controls.chords)
            if chord and chord.issubset(held)
        ]
        if fitting:
            self._last = max(fitting)[2]
        elif self.controls.idle is not None:
            self._last = self.controls.idle
        elif not self.controls.goes_on:
            self._last = None
        return None if self._last is None else np.array(self._last, np.int64)
