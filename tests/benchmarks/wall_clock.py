"""wall-clock: seconds until DQN on CartPole and SAC on Pendulum have learned, against stable-baselines3 and SBX.

All sides train at the settings of ``dqn-speed`` and ``sac-speed``, rl-zoo's, the schedule of ε with them, until the
mean return of their last training episodes, random actions included, is at a threshold: 195 over 20 episodes of
CartPole-v1, which those settings seldom take further, and −200 over 10 of Pendulum-v1. They are timed from just before
environments and networks are made, in this process with everything imported, torch on 1 thread, on the CPU. SBX
compiles anew for every model, as whoever runs it waits for; beside its time stands what is left without the steps in
which it does.

Seeds alternate between the sides, and the figures are ratios of medians over seeds, theirs / ours. A seed that is not
there within the limit counts as never.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import torch

from engine.config import RunConfig
from engine.reports.events import Collected, Updated
from engine.runtime.threads import compute_on_one_thread
from engine.training.training import Training
from tests.benchmarks import dqn_speed, sac_speed
from tests.benchmarks.against_peers import MODULES, until
from tests.benchmarks.figures import Measured, Number, Say, require

SEEDS = 5
QUICK_STEPS = 600


@dataclass(frozen=True)
class Task:
    """What is learned, at which settings of ours (seed, steps) and of a peer (seed, peer), and when it has been:
    once the last ``over`` episodes have ``mean_return``, at the latest after ``limit`` steps; SBX compiles in the first
    ``warm`` of them."""

    title: str
    ours: Callable[[int, int], RunConfig]
    theirs: Callable[[int, str], Any]
    mean_return: float
    over: int
    limit: int
    warm: int


TASKS = (
    Task("DQN on CartPole", dqn_speed.zoo, dqn_speed.zoo_dqn, 195.0, 20, 100_000, dqn_speed.WARM),
    Task("SAC on Pendulum", sac_speed.zoo, sac_speed.zoo_sac, -200.0, 10, 12_000, sac_speed.WARM),
)


@dataclass(frozen=True)
class Run:
    """Seconds to the threshold, all of them and without those of the steps in which a peer compiles; infinite where
    it was not reached."""

    seconds: float
    compiled: float
    steps: int


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    peers = tuple(name for name, module in MODULES.items() if find_spec(module))
    held, numbers = dict[str, float](), list[Number]()
    for task in TASKS:
        limit = QUICK_STEPS if quick else task.limit
        _ours(task, 0, QUICK_STEPS)
        for peer in peers:
            _theirs(task, peer, 0, QUICK_STEPS)
        runs: dict[str, list[Run]] = {side: [] for side in ("ours", *peers)}
        for seed in range(1, 2 if quick else SEEDS + 1):
            for side, found in runs.items():
                found.append(_ours(task, seed, limit) if side == "ours" else _theirs(task, side, seed, limit))
                say(f"{task.title}, seed {seed}, {side}: {found[-1].seconds:.1f} s, {found[-1].steps:,} steps")
        ours = median(run.seconds for run in runs["ours"])
        for side, found in runs.items():
            times = [run.seconds for run in found]
            numbers += [
                Number(f"{task.title}, {side}: median", median(times), "s"),
                Number(f"{task.title}, {side}: least", min(times), "s"),
                Number(f"{task.title}, {side}: most", max(times), "s"),
                Number(f"{task.title}, {side}: median", median(run.steps for run in found), "steps"),
            ]
            if side != "ours":
                held[f"{task.title}, against {side}"] = median(times) / ours
        if "SBX" in runs:
            compiled = median(run.compiled for run in runs["SBX"])
            numbers.append(Number(f"{task.title}, SBX without compiling: median", compiled, "s"))
            numbers.append(Number(f"{task.title}, against SBX without compiling", compiled / ours, "×"))
    return Measured(held, tuple(numbers), f"{1 if quick else SEEDS} seeds.")


def _ours(task: Task, seed: int, limit: int) -> Run:
    started = time.perf_counter()
    training = Training(task.ours(seed, limit))
    compute_on_one_thread()
    returns, reached = deque[float](maxlen=task.over), False
    for event in training:
        if isinstance(event, Collected):
            returns.extend(event.returns)
        elif isinstance(event, Updated):
            reached = len(returns) == task.over and sum(returns) / task.over >= task.mean_return
            if reached:
                break
    seconds = time.perf_counter() - started
    training.close()
    return Run(seconds if reached else math.inf, seconds if reached else math.inf, training.environment_steps)


def _theirs(task: Task, peer: str, seed: int, limit: int) -> Run:
    from stable_baselines3.common.callbacks import BaseCallback

    class Compiled(BaseCallback):
        """When the steps in which SBX compiles had been taken."""

        at: float | None = None

        def _on_step(self) -> bool:
            if self.at is None and self.num_timesteps >= task.warm:
                self.at = time.perf_counter()
            return True

    torch.set_flush_denormal(False)
    started = time.perf_counter()
    model, watch, compiled = task.theirs(seed, peer), until(task.mean_return, task.over), Compiled()
    model.learn(limit, callback=[watch, compiled])
    ended = time.perf_counter()
    model.get_env().close()
    if not watch.reached:
        return Run(math.inf, math.inf, model.num_timesteps)
    return Run(ended - started, ended - (compiled.at or started), model.num_timesteps)
