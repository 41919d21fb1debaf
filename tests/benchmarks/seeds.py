"""seeds: several seeds trained together, against one alone, in processor time.

Both sides train CartPole-v1 by a shipped preset for the same number of environment steps per seed; making the
environments and networks does not count. Torch is on 1 thread and everything happens on one, so that the time its
thread was at work (``time.thread_time``) is what a run costs, whatever else the machine does. The sides alternate: in
every repeat SEEDS seeds run together once and two of them alone, one before and one after. The figure is the median
over the repeats of the time together by the mean time alone, for plain REINFORCE; the ratio for other presets is
reported beside it. Learning from a large batch, as theirs come to be, is arithmetic: 8 seeds have 8 times as much.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from statistics import fmean, median
from typing import Any

import torch

from engine.training.training import Training
from tests.benchmarks.engine_side import preset
from tests.benchmarks.figures import Measured, Number, Say

SEEDS = 8
HELD = "cartpole-reinforce"
STEPS = {HELD: 100_000, "cartpole-fast": 300_000, "cartpole": 60_000, "cartpole-a2c": 30_000}
QUICK_STEPS = 2_000


def measure(quick: bool, say: Say) -> Measured:
    torch.set_num_threads(1)
    repeats = 1 if quick else 3
    numbers: list[Number] = []
    held = {}
    for name, steps in STEPS.items():
        budget = QUICK_STEPS if quick else steps
        _alone(name, 1, 1)
        _together(name, 1)
        ratios, singles = [], []
        for repeat in range(repeats):
            before = _alone(name, budget, 2 * repeat + 1)
            group = _together(name, budget)
            after = _alone(name, budget, 2 * repeat + 2)
            singles.append(fmean((before, after)))
            ratios.append(group / singles[-1])
            say(f"{name}: {SEEDS} seeds in {group:.2f} s, one in {before:.2f} and {after:.2f} s: {ratios[-1]:.2f} ×")
        numbers += [Number(f"{name}: ratio", median(ratios), "×"), Number(f"{name}: one alone", median(singles), "s")]
        if name == HELD:
            held["cost"] = median(ratios)
    lengths = ", ".join(f"{name} {steps:,}" for name, steps in STEPS.items())
    detail = f"{SEEDS} seeds; median of {repeats} repeats; environment steps per seed: {lengths}."
    return Measured(held, tuple(numbers), detail)


def _alone(name: str, steps: int, seed: int) -> float:
    training = Training(preset(name, {"budget.environment_steps": steps, "seed": seed}))
    seconds = _exhausted(training)
    training.close()
    return seconds


def _together(name: str, steps: int) -> float:
    group = Training(preset(name, {"budget.environment_steps": steps}), seeds=range(1, SEEDS + 1))
    seconds = _exhausted(group)
    group.close()
    return seconds


def _exhausted(run: Iterable[Any]) -> float:
    """Seconds of this thread's time that iterating to the end takes."""
    started = time.thread_time()
    for _ in run:
        pass
    return time.thread_time() - started
