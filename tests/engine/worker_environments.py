"""Environments for worker processes to import, as ``tests.engine.worker_environments:Misbehaving-v0`` for example."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import time
from copy import deepcopy
from multiprocessing import Process, parent_process
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

HERE = __name__


class Misbehaving(gymnasium.Env[Any, Any]):
    """Does ``what`` in its second step or its reset if its seed is odd, or in a worker while it is made or closed.

    Its episodes never end.
    """

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012 - as Gymnasium wants it

    def __init__(self, what: str = "", during: str = "step", render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._what, self._during, self._steps, self._odd = what, during, 0, False
        if during == "making" and _is_worker():
            _misbehave(what)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._odd = bool(seed and seed % 2)
        if self._during == "reset" and self._odd:
            _misbehave(self._what)
        self._steps = 0
        return self.np_random.standard_normal(2), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._steps += 1
        if self._during == "first step" and self._steps == 1:
            _misbehave(self._what)
        if self._during == "step" and self._steps >= 2:
            if self._odd:
                _misbehave(self._what)
            elif self._what == "raises":
                time.sleep(0.2)  # when it has been told, the others are still at it
        return self.np_random.standard_normal(2), 1.0, False, False, {}

    def render(self) -> Any:
        if self._during == "render":
            _misbehave(self._what)
        return np.full((2, 3, 3), self._steps, np.uint8)

    def close(self) -> None:
        if self._during == "close" and _is_worker():
            _misbehave(self._what)


def _is_worker() -> bool:
    return parent_process() is not None


def _misbehave(what: str) -> None:
    if what == "hangs":
        while True:
            time.sleep(60.0)
    if what == "is slow":
        time.sleep(0.3)
    if what == "spins":
        while True:
            pass
    if what == "holds the lock":  # of Python's interpreter, as C code may
        ctypes.PyDLL(None).sleep(60)
    if what == "starts a process":
        global started
        started = Process(target=time.sleep, args=(60.0,))
        started.start()
    if what == "exits":
        os._exit(3)
    if what == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what.startswith("touches "):
        Path(what.removeprefix("touches ")).touch()
    if what == "raises":
        raise OSError("the level file is gone")


class Spaces(gymnasium.Env[Any, Any]):
    """Random observations and rewards in spaces of any kind; episodes end at random, either way."""

    def __init__(self, kind: str = "box", render_mode: str | None = None) -> None:
        self.observation_space, self.action_space = deepcopy(_SPACES[kind])  # each draws from its own

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        assert np.shape(action) == self.action_space.shape
        reward = self.np_random.standard_normal() + 0.1 * float(np.sum(action))
        terminated, truncated = (self.np_random.random(2) < 0.1).tolist()
        return self.observation_space.sample(), reward, terminated, truncated, {}


class Drawing(gymnasium.Env[Any, Any]):
    """Draws from generators that a whole process shares, while it is imported, made, reset, stepped and rendered, in
    Gaussians that come in pairs too; from those of its class's spaces, and from its own, which it does not seed."""

    observation_space = spaces.Box(-np.inf, np.inf, (7,), np.float64)
    action_space = spaces.Discrete(2)
    imported = np.random.random()  # noqa: NPY002 - as people do

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._made = np.random.random()  # noqa: NPY002
        self._steps = 0

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        self._steps = 0
        return self._drawn(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._steps += 1
        return self._drawn(), random.gauss(0.0, 1.0), random.random() < 0.1, self._steps == 20, {}

    def render(self) -> Any:
        return np.random.randint(0, 256, (4, 4, 3), np.uint8)  # noqa: NPY002

    def _drawn(self) -> Any:
        import torch  # which takes long, and is left to those who draw from it

        return np.array(
            [
                self.imported,
                self._made,
                np.random.standard_normal(),  # noqa: NPY002
                random.random(),
                self.action_space.sample(),
                self.np_random.random(),
                float(torch.rand(1)),
            ]
        )


_SPACES: dict[str, tuple[Any, Any]] = {
    "box": (spaces.Box(-1.0, 1.0, (3,), np.float32), spaces.Box(-2.0, 2.0, (2,), np.float32)),
    "double": (spaces.Box(-1.0, 1.0, (2, 2), np.float64), spaces.Box(-2.0, 2.0, (1, 2), np.float64)),
    "bytes": (spaces.Box(0, 255, (4, 4, 3), np.uint8), spaces.MultiBinary(3)),
    "scalar": (spaces.Box(-1.0, 1.0, ()), spaces.Box(-1.0, 1.0, ())),
    "discrete": (spaces.Discrete(5, start=-2), spaces.Discrete(3, start=4)),
    "several": (spaces.Dict(a=spaces.Discrete(3), b=spaces.Box(0.0, 1.0, (2,))), spaces.MultiDiscrete([2, 3])),
}

gymnasium.register("Misbehaving-v0", entry_point=f"{HERE}:Misbehaving")
gymnasium.register("Drawing-v0", entry_point=f"{HERE}:Drawing")
gymnasium.register("Spaces-v0", entry_point=f"{HERE}:Spaces")
