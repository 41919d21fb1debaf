"""Runs of SBX, Stable-Baselines3's algorithms in JAX, on the CPU and in a process of their own.

It has PPO, not A2C, and takes Stable-Baselines3's environments and settings as they are. Its gradient step and its
policy are compiled when a model first uses them, and again for every model: the first WARM iterations, in which that
happens, do not count. XLA has as many threads as it likes, since it chooses them itself.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from sbx import PPO

from tests.benchmarks.speed.sb3 import environments, keywords, mean_return, reached
from tests.benchmarks.speed.zoo import Setting

WARM = 2  # iterations


def run(setting: dict[str, Any], seed: int, steps: int) -> dict[str, Any]:
    """As ``sb3.run``, once everything is compiled."""
    parsed = replace(Setting(**setting), sde=False)
    learner = _model(parsed, seed)
    learner.learn(WARM * parsed.iteration)
    before = learner.num_timesteps
    started = time.perf_counter()
    learner.learn(steps, reset_num_timesteps=False)
    elapsed = time.perf_counter() - started
    taken, mean = learner.num_timesteps - before, mean_return(learner)
    learner.get_env().close()
    return {"steps": taken, "seconds": elapsed, "iterations": taken // parsed.iteration, "mean_return": mean}


def until(setting: dict[str, Any], seed: int, target: float, limit: float) -> dict[str, Any]:
    """As ``sb3.until``, compiling included."""
    parsed = replace(Setting(**setting), sde=False)
    return reached(lambda: _model(parsed, seed), parsed, target, limit)


def _model(setting: Setting, seed: int) -> Any:
    return PPO("MlpPolicy", environments(setting, seed), **keywords(setting, seed))
