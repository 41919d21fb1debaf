"""Where environments without batched dynamics of our own are stepped: in this process, in others, or in EnvPool."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig, Stepping
from engine.environments.batches.envpool import EnvPoolBatch
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.processes import ProcessBatch
from engine.environments.making import registry
from engine.environments.making.process_settings import ProcessSettings
from engine.runtime.cores import cores
from engine.runtime.errors import RequestError, RunError

ASKING, ASKING_EACH = 50e-6, 40e-6  # seconds that a step costs more in worker processes, and more with each of them
GAIN = 1.25  # how many times as fast as this process worker processes must be to be worth starting
ENVPOOL_GAIN = 1.5  # and EnvPool as either, for it draws other episodes
_BURST, _MOST_STEPS = 0.1, 200  # seconds, and steps, for which a cost is measured
_CANNOT_MAKE = "since worker processes cannot make them"

Choice = tuple[EnvironmentBatch, str]


def choose_batch(environment: EnvironmentConfig, seeds: Sequence[int]) -> Choice:
    """A batch of ``environment``, and in a phrase where its environments are stepped and why.

    Unless a way is wished for, environments of Gymnasium's and the catalogue's are stepped wherever that is fastest, as
    measured for a moment on environments apart. Any other is stepped in worker processes, however fast it is: one that
    hangs or crashes there is reported, while here it would take the program with it. Only what a class of this process
    is registered as stays here. From the same seeds come the same episodes in this process and in others, and others,
    equally distributed, from EnvPool.

    Raises:
        RequestError: the environment cannot be made, or not stepped as wished.
        RunError: as ``ProcessBatch`` on construction; an environment to be watched fails while it is measured.
    """
    wish, size = environment.stepping, len(seeds)
    if wish == "in-process":
        return _here(environment, seeds), f"{_in_this_process(size)}, as chosen"
    if wish == "envpool":
        return EnvPoolBatch(environment, seeds), f"{_counted(size)} in EnvPool, as chosen"
    if wish == "processes":
        if not _may_start():
            raise RequestError("This is a worker process, which cannot start others; choose another way of stepping.")
        return ProcessBatch(environment, seeds, cores()), f"{_in_workers(size, min(cores(), size))}, as chosen"
    if registry.is_known(environment.id):
        return _fastest(environment, seeds)
    if registry.only_in_workers(environment.id):
        return _watched(environment, seeds)
    return _here(environment, seeds), f"{_in_this_process(size)}, {_CANNOT_MAKE}"


def _here(environment: EnvironmentConfig, seeds: Sequence[int]) -> EnvironmentBatch:
    """Code from elsewhere is not to leave this process other than it was."""
    return GymnasiumBatch(environment, seeds, settings=None if registry.is_known(environment.id) else ProcessSettings())


def _fastest(environment: EnvironmentConfig, seeds: Sequence[int]) -> Choice:
    stepped = environment.model_dump_json(include={"id", "options", "time_limit", "patience"})  # all that a step is
    where, workers, how = _measured(stepped, len(seeds), cores())
    if where == "envpool":
        return EnvPoolBatch(environment, seeds), how
    if where == "processes":
        return ProcessBatch(environment, seeds, workers), how
    return GymnasiumBatch(environment, seeds), how


@lru_cache
def _measured(configuration: str, size: int, most: int) -> tuple[Stepping, int, str]:
    """Where a step of ``size`` environments is fastest, in how many worker processes, which are ``most`` at most, and
    the phrase that says so.

    What was found is kept, so that the same run started again does not fare otherwise.
    """
    if size == 1:
        return "in-process", 0, _in_this_process(size)
    environment = EnvironmentConfig.model_validate_json(configuration)
    try:
        each = seconds_per_step(GymnasiumBatch(environment, [0]))
    except RunError:  # which is for the run itself to meet, if it does
        return "in-process", 0, f"{_in_this_process(size)}, since a step of {environment.id} fails"
    why = f"since a step of {environment.id} takes {1e3 * each:.2g} ms"
    workers = best_workers(each, size)
    here = there = size * each
    if _may_start() and here > GAIN * predicted(each, size, workers):  # or it is not worth starting them to see
        there = _seconds_in_processes(environment, size, workers)
        if here <= GAIN * there:
            why = "since worker processes are hardly faster" if there < float("inf") else _CANNOT_MAKE
    spread = here > GAIN * there
    times_as_fast = (there if spread else here) / _seconds_in_envpool(environment, size)
    if times_as_fast > ENVPOOL_GAIN:
        how = f"{_counted(size)} in EnvPool, which is {times_as_fast:.2g} times as fast but draws other episodes"
        return "envpool", 0, how
    if spread:
        return "processes", workers, f"{_in_workers(size, workers)}, {why}"
    return "in-process", 0, f"{_in_this_process(size)}, {why}"


def _watched(environment: EnvironmentConfig, seeds: Sequence[int]) -> Choice:
    """In worker processes, as many as are fastest."""
    size, workers = len(seeds), 1
    if size > 1:
        each = seconds_per_step(ProcessBatch(environment, seeds[:1], 1)) - ASKING - ASKING_EACH
        workers = best_workers(max(each, 0.0), size)
    return ProcessBatch(environment, seeds, workers), f"{_in_workers(size, workers)}, which can fail without harm"


def predicted(each: float, size: int, workers: int) -> float:
    """Seconds for a step of ``size`` environments in worker processes when one environment takes ``each``."""
    return -(-size // workers) * each + ASKING + workers * ASKING_EACH


def best_workers(each: float, size: int) -> int:
    """The number of worker processes with which a step is fastest."""
    return min(range(1, min(cores(), size) + 1), key=lambda workers: predicted(each, size, workers))


def _seconds_in_processes(environment: EnvironmentConfig, size: int, workers: int) -> float:
    """For a step of all environments, as other work may hold the cores; infinite where workers cannot make them."""
    try:
        return seconds_per_step(ProcessBatch(environment, range(size), workers))
    except RequestError:
        return float("inf")


def _seconds_in_envpool(environment: EnvironmentConfig, size: int) -> float:
    """For a step of all environments; infinite where EnvPool does not have them."""
    try:
        return seconds_per_step(EnvPoolBatch(environment, range(size)))
    except (RequestError, RunError):
        return float("inf")


def seconds_per_step(batch: GymnasiumBatch | ProcessBatch | EnvPoolBatch) -> float:
    """What a step of ``batch`` usually takes, with random actions; the batch is used up."""
    indices = np.arange(batch.size)
    seconds: list[float] = []
    try:
        batch.reset(indices)
        end = time.perf_counter() + _BURST
        while len(seconds) < 3 or (len(seconds) < _MOST_STEPS and time.perf_counter() < end):
            actions = random_actions(batch.action_space, batch.size)
            began = time.perf_counter()
            moved = batch.step(actions, indices)
            seconds.append(time.perf_counter() - began)
            ended = moved.terminated | moved.truncated
            if ended.any():
                batch.reset(indices[ended])
    finally:
        with suppress(RunError):  # which is for the run itself to meet, if it does
            batch.close()
    return float(np.median(seconds))


def random_actions(space: Any, size: int) -> NDArray[Any]:
    """As a policy gives them."""
    sampled = np.array([space.sample() for _ in range(size)])
    if isinstance(space, spaces.Discrete):
        return sampled - int(space.start)
    if isinstance(space, spaces.MultiDiscrete):
        sampled = sampled - space.start
    return sampled.reshape(size, -1).astype(np.float32 if isinstance(space, spaces.Box) else np.int64)


def _may_start() -> bool:
    return not multiprocessing.current_process().daemon


def _in_this_process(size: int) -> str:
    return f"{_counted(size)} in this process"


def _in_workers(size: int, workers: int) -> str:
    return f"{_counted(size)} in {workers} worker process{'es' if workers > 1 else ''}"


def _counted(size: int) -> str:
    return f"{size} environment{'s' if size > 1 else ''}"
