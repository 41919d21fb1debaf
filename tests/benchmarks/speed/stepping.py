"""Environments stepped with random actions, nothing learned: Gymnasium's own vector loop, EnvPool, and ours.

Run as a process of its own for each environment. The sides take turns; a point is the median over them of environment
steps per second, resets included, with actions drawn before. EnvPool is measured with 1 thread and with as many as
there are cores; it begins an episode in a step of its own, which counts as one. Ours is what a run would take without
EnvPool: dynamics of our own in batches, or Gymnasium's environments in this process or in worker processes.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any
from unittest import mock

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Say
from tests.benchmarks.speed import zoo
from tests.benchmarks.speed.tables import Part, Section, number

SIZES, QUICK_SIZES = (1, 8, 64, 512, 4096), (1, 64)
MOST = {"LunarLander-v3": 512}  # environments; more of these take minutes to make, and EnvPool alone is given them
ROUNDS, BURST = 3, 0.3
DRAWN = 64  # batches of actions, used over and over

Actions = NDArray[Any]
Stepping = tuple[Callable[[Actions], object], Callable[[], object]]  # a step of all, and the end


def stepping(quick: bool, say: Say) -> Part:
    """All environments, from 1 to 4096 side by side."""
    sizes, rounds, burst = (QUICK_SIZES, 1, 0.05) if quick else (SIZES, ROUNDS, BURST)
    lines, data = [], []
    for environment in zoo.ENVIRONMENTS:
        found = run_child("speed.stepping", json.dumps([environment, sizes, rounds, burst]))
        data.append(found)
        for side, speeds in found["speeds"].items():
            lines.append((f"{environment}, {side}", *(number(speeds.get(str(size))) for size in sizes)))
            say(" ".join(lines[-1]))
    words = (
        "Stepping: environment steps/s with random actions, by the number of environments side by side. "
        f"EnvPool is {data[0]['envpool'] or 'not installed'}; how ours is stepped where its dynamics are not our own: "
        f"{'; '.join(dict.fromkeys(how for at in data for how in at['how'].values() if how)) or 'in this process'}."
    )
    return Part((Section("stepping alone", tuple(f"{size:,}" for size in sizes), tuple(lines)),), data, words)


def measured(environment: str, sizes: list[int], rounds: int, burst: float) -> dict[str, Any]:
    """Steps/s of each side at each size, and how ours were stepped."""
    speeds: dict[str, dict[int, float]] = {}
    how: dict[int, str] = {}
    cores = os.cpu_count() or 1
    for size in sizes:
        actions = _drawn(environment, size)
        gymnasium_too = size <= MOST.get(environment, size)
        sides: dict[str, Callable[[], Stepping]] = {}
        if gymnasium_too:
            sides["SyncVectorEnv"] = partial(_gymnasium, environment, size)
        if find_spec("envpool"):
            sides["EnvPool, 1 thread"] = partial(_envpool, environment, size, 1)
            sides[f"EnvPool, {cores} threads"] = partial(_envpool, environment, size, cores)
        if gymnasium_too:
            sides["ours"] = partial(_ours, environment, size, how)
        for side, speed in _in_turns(sides, actions, rounds, burst).items():
            speeds.setdefault(side, {})[size] = speed
    installed = version("envpool") if find_spec("envpool") else None
    return {"environment": environment, "speeds": speeds, "how": how, "envpool": installed}


def _in_turns(
    sides: dict[str, Callable[[], Stepping]], actions: list[Actions], rounds: int, burst: float
) -> dict[str, float]:
    made = {side: make() for side, make in sides.items()}
    found: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, (step, _end) in made.items():
            found[side].append(_speed(step, actions, burst))
    for _step, end in made.values():
        end()
    return {side: median(speeds) for side, speeds in found.items()}


def _speed(step: Callable[[Actions], object], actions: list[Actions], burst: float) -> float:
    step(actions[0])
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < burst:
        step(actions[count % len(actions)])
        count += 1
    return count * len(actions[0]) / elapsed


def _drawn(environment: str, size: int) -> list[Actions]:
    """Random actions for all, DRAWN times, as every side takes them."""
    random = np.random.default_rng(1)
    made = gymnasium.make(environment)
    space: Any = made.action_space
    made.close()
    if isinstance(space, gymnasium.spaces.Discrete):
        return list(random.integers(0, int(space.n), (DRAWN, size)))
    return list(random.uniform(space.low, space.high, (DRAWN, size, *space.shape)).astype(np.float32))


def _gymnasium(environment: str, size: int) -> Stepping:
    made = SyncVectorEnv([partial(gymnasium.make, environment)] * size, autoreset_mode=AutoresetMode.SAME_STEP)
    made.reset(seed=1)
    return made.step, made.close


def _envpool(environment: str, size: int, threads: int) -> Stepping:
    import envpool

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the precision of bounds
        made = envpool.make_gymnasium(environment, num_envs=size, num_threads=min(threads, size), seed=1)
    made.reset()
    return made.step, made.close


def _ours(environment: str, size: int, how: dict[int, str]) -> Stepping:
    from engine.config.environments import EnvironmentConfig
    from engine.environments.batches.make import make_batch
    from engine.environments.making.lookup import inspect

    with mock.patch.dict(sys.modules, {"envpool": None}):
        batch, how[size] = make_batch(
            EnvironmentConfig(id=environment), inspect(environment, {}).observation, list(range(size))
        )
    everyone = np.arange(size)
    batch.reset(everyone)

    def step(actions: Actions) -> None:
        moved = batch.step(actions, everyone)
        ended = moved.terminated | moved.truncated
        if ended.any():
            batch.reset(everyone[ended])

    return step, batch.close


if __name__ == "__main__":
    print(json.dumps(measured(*json.loads(sys.argv[1]))))
