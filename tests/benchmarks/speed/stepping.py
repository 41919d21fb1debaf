"""Environments stepped with random actions, nothing learned: the best there is of Gymnasium and EnvPool, and ours.

Run as a process of its own for each environment. The sides take turns; a point is the median over them of environment
steps per second, resets included, with actions drawn before in the integers that each side takes without converting.
Ours is held against the fastest of the others at the same size, whichever that is there:

- Gymnasium's environments that are batched themselves, where it has one (``vectorization_mode="vector_entry_point"``);
- its ``SyncVectorEnv`` without copies of what was observed, and up to MOST_PROCESSES its ``AsyncVectorEnv``;
- EnvPool with 1, 2, 4 … threads up to as many as there are cores, and asynchronously, half of the environments a call.

All of these begin an episode in a step of its own, in which nothing moves; it counts as a step, in their favour. Ours
puts the first observation of the next episode in the place of the last one of this, in the same step, and gives memory
of its own at every step. Ours is what a run would take without EnvPool: dynamics of our own in batches, or Gymnasium's
environments in this process or in worker processes.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple
from unittest import mock

import gymnasium
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Say
from tests.benchmarks.speed import zoo
from tests.benchmarks.speed.tables import Part, Section, number

SIZES, QUICK_SIZES = (1, 8, 64, 512, 4096), (1, 64)
MOST = {"LunarLander-v3": 512}  # environments; more of these take minutes to make, and EnvPool alone is given them
MOST_PROCESSES = 64  # of Gymnasium's AsyncVectorEnv, which takes one for each environment
HELD_FROM = 64  # environments, from which on ours is to be no slower than any
ROUNDS, BURST = 5, 0.3
DRAWN = 64  # batches of actions, used over and over
OURS = "ours"

Actions = NDArray[Any]


class Stepping(NamedTuple):
    """A step of ``size`` environments, the end, and how actions are held where they are whole numbers."""

    step: Callable[[Actions], object]
    close: Callable[[], object]
    size: int
    whole: type = np.int64


def held(environment: str) -> str:
    """What the figure of an environment is called."""
    return f"stepping {environment}, 64 … 4096, against the best other"


HELD = tuple(held(environment) for environment in ("CartPole-v1", "Acrobot-v1", "Pendulum-v1"))


def stepping(quick: bool, say: Say) -> Part:
    """All environments, from 1 to 4096 side by side."""
    sizes, rounds, burst = (QUICK_SIZES, 1, 0.05) if quick else (SIZES, ROUNDS, BURST)
    lines, data, figures = [], [], dict[str, float]()
    for environment in zoo.ENVIRONMENTS:
        found = run_child("speed.stepping", json.dumps([environment, sizes, rounds, burst]))
        data.append(found)
        for side, speeds in found["speeds"].items():
            lines.append((f"{environment}, {side}", *(number(speeds.get(str(size))) for size in sizes)))
            say(" ".join(lines[-1]))
        ratios = against_best(found["speeds"])
        lines.append((f"{environment}, ours / best other", *(number(ratios.get(str(size))) for size in sizes)))
        say(" ".join(lines[-1]))
        counted = [ratio for size, ratio in ratios.items() if int(size) >= HELD_FROM]
        if counted and held(environment) in HELD:
            figures[held(environment)] = min(counted)
    words = (
        "Stepping: environment steps/s with random actions, by the number of environments side by side. "
        f"EnvPool is {data[0]['envpool'] or 'not installed'}; how ours is stepped where its dynamics are not our own: "
        f"{'; '.join(dict.fromkeys(how for at in data for how in at['how'].values() if how)) or 'in this process'}."
    )
    section = Section("stepping alone", tuple(f"{size:,}" for size in sizes), tuple(lines))
    return Part((section,), data, words, held=figures)


def against_best(speeds: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """How many times as fast ours is as the fastest other, by size, where both were measured."""
    others = [of for side, of in speeds.items() if side != OURS]
    mine = speeds.get(OURS, {})
    best = {size: max((of[size] for of in others if size in of), default=None) for size in mine}
    return {size: mine[size] / fastest for size, fastest in best.items() if fastest is not None}


def measured(environment: str, sizes: list[int], rounds: int, burst: float) -> dict[str, Any]:
    """Steps/s of each side at each size, and how ours were stepped."""
    speeds: dict[str, dict[int, float]] = {}
    how: dict[int, str] = {}
    for size in sizes:
        sides = _sides(environment, size, how)
        for side, speed in _in_turns(sides, _drawn(environment, size), rounds, burst).items():
            speeds.setdefault(side, {})[size] = speed
    installed = version("envpool") if find_spec("envpool") else None
    return {"environment": environment, "speeds": speeds, "how": how, "envpool": installed}


def _sides(environment: str, size: int, how: dict[int, str]) -> dict[str, Callable[[], Stepping]]:
    """What makes each side; EnvPool alone where there are too many environments to make."""
    sides: dict[str, Callable[[], Stepping]] = {}
    few = size <= MOST.get(environment, size)
    if few and gymnasium.spec(environment).vector_entry_point is not None:
        sides["Gymnasium, batched"] = partial(_gymnasium, environment, size, "vector_entry_point")
    if few:
        sides["Gymnasium, SyncVectorEnv"] = partial(_gymnasium, environment, size, "sync", copy=False)
    if few and 1 < size <= MOST_PROCESSES:
        sides["Gymnasium, AsyncVectorEnv"] = partial(_gymnasium, environment, size, "async", copy=False)
    if find_spec("envpool"):
        cores = os.cpu_count() or 1
        for threads in sorted({min(2**power, cores) for power in range(cores.bit_length() + 1)}):
            if threads <= size:
                sides[f"EnvPool, {threads} thread{'s' * (threads > 1)}"] = partial(_envpool, environment, size, threads)
        if size > 1:
            sides["EnvPool, asynchronously"] = partial(_envpool_half, environment, size, min(cores, size))
    if few:
        sides[OURS] = partial(_ours, environment, size, how)
    return sides


def _in_turns(
    sides: dict[str, Callable[[], Stepping]], actions: list[Actions], rounds: int, burst: float
) -> dict[str, float]:
    made = {side: make() for side, make in sides.items()}
    found: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, stepped in made.items():
            found[side].append(_speed(stepped, actions, burst))
    for stepped in made.values():
        stepped.close()
    return {side: median(speeds) for side, speeds in found.items()}


def _speed(stepped: Stepping, actions: list[Actions], burst: float) -> float:
    step = stepped.step
    given = [drawn if drawn.dtype.kind == "f" else drawn.astype(stepped.whole) for drawn in actions]
    step(given[0])
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < burst:
        step(given[count % len(given)])
        count += 1
    return count * stepped.size / elapsed


def _drawn(environment: str, size: int) -> list[Actions]:
    """Random actions for all, DRAWN times, as every side takes them."""
    random = np.random.default_rng(1)
    made = gymnasium.make(environment)
    space: Any = made.action_space
    made.close()
    if isinstance(space, gymnasium.spaces.Discrete):
        return list(random.integers(0, int(space.n), (DRAWN, size)))
    return list(random.uniform(space.low, space.high, (DRAWN, size, *space.shape)).astype(np.float32))


def _gymnasium(environment: str, size: int, mode: str, **how: Any) -> Stepping:
    made = gymnasium.make_vec(environment, num_envs=size, vectorization_mode=mode, vector_kwargs=how)
    made.reset(seed=1)
    return Stepping(made.step, made.close, size)


def _envpool(environment: str, size: int, threads: int) -> Stepping:
    made = _made_by_envpool(environment, size, threads)
    made.reset()
    return Stepping(made.step, made.close, size, np.int32)


def _envpool_half(environment: str, size: int, threads: int) -> Stepping:
    """Half of the environments are given actions while the others move."""
    made = _made_by_envpool(environment, size, threads, batch_size=size // 2)
    made.async_reset()
    moved = made.recv()

    def step(actions: Actions) -> None:
        nonlocal moved
        made.send(actions[: size // 2], moved[-1]["env_id"])
        moved = made.recv()

    return Stepping(step, made.close, size // 2, np.int32)


def _made_by_envpool(environment: str, size: int, threads: int, **how: Any) -> Any:
    import envpool

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the precision of bounds
        return envpool.make_gymnasium(environment, num_envs=size, num_threads=threads, seed=1, **how)


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
        ended = (moved.terminated | moved.truncated).nonzero()[0]
        if len(ended):
            moved.observations[ended] = batch.reset(ended)

    return Stepping(step, batch.close, size)


if __name__ == "__main__":
    print(json.dumps(measured(*json.loads(sys.argv[1]))))
