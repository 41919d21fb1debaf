"""ppo-speed: our PPO against that of stable-baselines3, in environment steps per second.

Both sides train on CartPole-v1 at rl-zoo's settings for it: 8 environments × 32 steps, the whole batch of 256 at once,
20 epochs, GAE λ 0.8, γ 0.98, learning rate and clip range falling evenly to 0, gradients clipped to 0.5, normalised
advantages, two hidden layers of 64 tanh for the policy and two for V, which takes a step with each of the policy's on
both sides. Torch is on 1 thread, both in this process, on the CPU.

Each repeat is a fresh run of STEPS environment steps, timed from its first step to its last update; making the
environments and networks does not count. The sides alternate after one short uncounted run of each, with the same seed;
the figure is the median over the repeats of ours / theirs, neighbours in time. What both learned meanwhile is reported
beside it, since a side whose episodes are short resets its environments more often.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from engine.config import RunConfig
from engine.reports.events import Updated
from engine.training.training import Training
from tests.benchmarks import cartpole_475
from tests.benchmarks.engine_side import algorithm
from tests.benchmarks.figures import Measured, Number, Say, require

STEPS = 20_480
QUICK_STEPS = 1_024
ENVIRONMENTS, LENGTH, EPOCHS = 8, 32, 20


@dataclass(frozen=True)
class Run:
    """How fast a run was, and the mean return of its last episodes."""

    speed: float
    mean_return: float


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    repeats, steps = (1, QUICK_STEPS) if quick else (7, STEPS)
    _ours(0, QUICK_STEPS)
    _theirs(0, QUICK_STEPS)
    pairs = []
    for seed in range(1, repeats + 1):
        pairs.append((_ours(seed, steps), _theirs(seed, steps)))
        ours, theirs = pairs[-1]
        say(
            f"{ours.speed:,.0f} steps/s against {theirs.speed:,.0f}; "
            f"mean return {ours.mean_return:.0f} against {theirs.mean_return:.0f}"
        )
    ratios = [ours.speed / theirs.speed for ours, theirs in pairs]
    numbers = (
        Number("ratio, median", median(ratios), "×"),
        Number("ratio, least", min(ratios), "×"),
        Number("ratio, most", max(ratios), "×"),
        Number("ours, median", median(ours.speed for ours, _ in pairs), "steps/s"),
        Number("SB3, median", median(theirs.speed for _, theirs in pairs), "steps/s"),
        Number("ours: mean return at the end, median", median(ours.mean_return for ours, _ in pairs), ""),
        Number("SB3: mean return at the end, median", median(theirs.mean_return for _, theirs in pairs), ""),
    )
    detail = f"Median of {repeats} alternations of {steps:,} steps a side."
    return Measured({"speed-up": median(ratios)}, numbers, detail)


def zoo(seed: int, steps: int) -> RunConfig:
    """rl-zoo's settings in our words."""
    return algorithm(
        "ppo",
        {
            "policy": {"kind": "mlp", "hidden_sizes": [64, 64], "activation": "tanh"},
            "collection.environments": ENVIRONMENTS,
            "collection.steps": LENGTH,
            "estimator.gamma": 0.98,
            "estimator.credit.gae_lambda": 0.8,
            "estimator.baseline": {
                "kind": "value",
                "hidden_sizes": [64, 64],
                "fit_steps": 0,
                "learning_rate": 0.001,
            },
            "update.epochs": EPOCHS,
            "update.minibatch_size": ENVIRONMENTS * LENGTH,
            "update.learning_rate": 0.001,
            "update.learning_rate_schedule": "linear",
            "update.clip_range": 0.2,
            "update.clip_range_schedule": "linear",
            "update.max_grad_norm": 0.5,
            "budget.environment_steps": steps,
            "seed": seed,
        },
    )


def _ours(seed: int, steps: int) -> Run:
    training = Training(zoo(seed, steps))
    last: Updated | None = None
    started = time.perf_counter()
    for event in training:
        if isinstance(event, Updated):
            last = event
    seconds = time.perf_counter() - started
    training.close()
    assert last is not None
    return Run(training.environment_steps / seconds, last.metrics["mean_return"] or 0.0)


def _theirs(seed: int, steps: int) -> Run:
    model = cartpole_475.zoo_ppo(seed)
    started = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - started
    model.get_env().close()
    return Run(model.num_timesteps / seconds, float(np.mean([episode["r"] for episode in model.ep_info_buffer])))
