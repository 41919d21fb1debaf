"""Training in turns beside the same algorithm of other libraries, in environment steps per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
import torch

from engine.config import RunConfig
from engine.reports.events import Updated
from engine.runtime.threads import compute_on_one_thread
from engine.training.training import Training
from tests.benchmarks.figures import Measured, Number, Say, require

MODULES = {"SB3": "stable_baselines3", "SBX": "sbx"}  # SBX is left out where it is not installed
FIGURES = {"SB3": "speed-up", "SBX": "speed-up against SBX"}


@dataclass(frozen=True)
class Run:
    """How fast a run was, and the mean return of its last episodes."""

    speed: float
    mean_return: float


@dataclass(frozen=True)
class Sides:
    """What trains from a seed for so many steps: ours, and that of the peer of a name; ``short`` steps are a run that
    does not count, before all others."""

    ours: Callable[[int, int], Run]
    theirs: Callable[[str, int, int], Run]
    short: int


def alternated(sides: Sides, repeats: int, steps: int, say: Say) -> Measured:
    """The medians over the repeats of ours / theirs, neighbours in time, with the same seed."""
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    peers = tuple(name for name, module in MODULES.items() if find_spec(module))
    sides.ours(0, sides.short)
    for peer in peers:
        sides.theirs(peer, 0, sides.short)
    ours, theirs = list[Run](), {peer: list[Run]() for peer in peers}
    for seed in range(1, repeats + 1):
        ours.append(sides.ours(seed, steps))
        for peer, runs in theirs.items():
            runs.append(sides.theirs(peer, seed, steps))
        others = ", ".join(f"{peer}'s {runs[-1].speed:,.0f}" for peer, runs in theirs.items())
        say(f"{ours[-1].speed:,.0f} steps/s against {others}")
    numbers = [
        Number("ours, median", median(run.speed for run in ours), "steps/s"),
        Number("ours: mean return at the end, median", median(run.mean_return for run in ours), ""),
    ]
    held = {}
    for peer, runs in theirs.items():
        ratios = [mine.speed / other.speed for mine, other in zip(ours, runs, strict=True)]
        held[FIGURES[peer]] = median(ratios)
        numbers += [
            Number(f"{peer}: ratio, median", median(ratios), "×"),
            Number(f"{peer}: ratio, least", min(ratios), "×"),
            Number(f"{peer}: ratio, most", max(ratios), "×"),
            Number(f"{peer}, median", median(run.speed for run in runs), "steps/s"),
            Number(f"{peer}: mean return at the end, median", median(run.mean_return for run in runs), ""),
        ]
    return Measured(held, tuple(numbers), f"Median of {repeats} alternations of {steps:,} steps a side.")


def trained(config: RunConfig) -> Run:
    """Ours, from its first step to its last update, computed as it is wherever it trains."""
    training = Training(config)
    compute_on_one_thread()
    last: Updated | None = None
    started = time.perf_counter()
    for event in training:
        if isinstance(event, Updated):
            last = event
    seconds = time.perf_counter() - started
    training.close()
    assert last is not None
    return Run(training.environment_steps / seconds, last.metrics["mean_return"] or 0.0)


def learned(model: Any, warm: int, steps: int) -> Run:
    """A peer's model, whose clock starts after ``warm`` steps, computed as it comes."""
    torch.set_flush_denormal(False)
    if warm:
        model.learn(warm)
    before = model.num_timesteps
    started = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    model.get_env().close()
    mean_return = float(np.mean([episode["r"] for episode in model.ep_info_buffer] or [0.0]))
    return Run((model.num_timesteps - before) / seconds, mean_return)


def until(mean_return: float, over: int) -> Any:
    """A callback of a peer that stops as soon as the last ``over`` training episodes have this mean return, and says in
    ``reached`` whether they have."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Until(BaseCallback):
        reached = False

        def _on_step(self) -> bool:
            returns = [episode["r"] for episode in self.model.ep_info_buffer][-over:]
            self.reached = len(returns) == over and np.mean(returns) >= mean_return
            return not self.reached

    return Until()
