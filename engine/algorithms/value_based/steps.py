"""One step of several environments in states that are numbered, and the one that waits for what is done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.runtime.state import State

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Step:
    """``states``, ``actions``, ``next_states`` int64 and ``rewards``, as learning sees them, of n environments [n], and
    whether the step ``terminated`` the episode."""

    states: Indices
    actions: Indices
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    next_states: Indices

    def at(self, which: NDArray[np.bool_]) -> Step:
        """Those where ``which`` is true."""
        return Step(*(getattr(self, name)[which] for name in Step.__dataclass_fields__))


class PendingStep:
    """The latest step, of those environments whose episodes go on; nothing before the first."""

    def __init__(self) -> None:
        self._step: Step | None = None
        self._there: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def put(self, step: Step, there: NDArray[np.bool_]) -> None:
        """Keep ``step`` of the environments where ``there`` is true, [N]."""
        self._step, self._there = step, there

    def take(self) -> tuple[Step | None, NDArray[np.bool_]]:
        """What was kept last, and of which environments."""
        return self._step, self._there

    def leave(self, environments: Indices) -> None:
        """Forget it of some environments."""
        if self._step is not None:
            self._there[environments] = False

    def state(self) -> State:
        step = self._step
        kept = {name: getattr(step, name).copy() for name in Step.__dataclass_fields__} if step is not None else None
        return {"step": kept, "there": self._there.copy()}

    def load(self, state: Mapping[str, Any]) -> None:
        self._step = (
            None if state["step"] is None else Step(**{name: kept.copy() for name, kept in state["step"].items()})
        )
        self._there = state["there"].copy()
