"""ppo-speed: our PPO against those of stable-baselines3 and SBX, in environment steps per second.

All sides train on CartPole-v1 at rl-zoo's settings for it: 8 environments × 32 steps, the whole batch of 256 at once,
20 epochs, GAE λ 0.8, γ 0.98, learning rate and clip range falling evenly to 0, gradients clipped to 0.5, normalised
advantages, two hidden layers of 64 tanh for the policy and two for V, which takes a step with each of the policy's on
all sides. Torch is on 1 thread, all in this process, on the CPU; SBX, which is JAX and left out where it is not
installed, has the threads that XLA chooses.

Each repeat is a fresh run of STEPS environment steps, timed from its first step to its last update; making the
environments and networks does not count. SBX compiles its step anew for every model, which does not count either: its
clock starts after WARM iterations. The sides alternate after one short uncounted run of each, with the same seed; the
figures are the medians over the repeats of ours / theirs, neighbours in time. What was learned meanwhile is reported
beside it, since a side whose episodes are short resets its environments more often.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
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
WARM = 2  # iterations of SBX in which it compiles
FIGURES = {"SB3": "speed-up", "SBX": "speed-up against SBX"}


@dataclass(frozen=True)
class Run:
    """How fast a run was, and the mean return of its last episodes."""

    speed: float
    mean_return: float


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    repeats, steps = (1, QUICK_STEPS) if quick else (7, STEPS)
    peers = tuple(name for name, module in cartpole_475.MODULES.items() if find_spec(module))
    _ours(0, QUICK_STEPS)
    for peer in peers:
        _theirs(peer, 0, QUICK_STEPS)
    ours, theirs = list[Run](), {peer: list[Run]() for peer in peers}
    for seed in range(1, repeats + 1):
        ours.append(_ours(seed, steps))
        for peer, runs in theirs.items():
            runs.append(_theirs(peer, seed, steps))
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
    detail = f"Median of {repeats} alternations of {steps:,} steps a side."
    return Measured(held, tuple(numbers), detail)


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


def _theirs(peer: str, seed: int, steps: int) -> Run:
    model = cartpole_475.zoo_ppo(seed, peer)
    if peer == "SBX":
        model.learn(WARM * ENVIRONMENTS * LENGTH)
    before = model.num_timesteps
    started = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    model.get_env().close()
    mean_return = float(np.mean([episode["r"] for episode in model.ep_info_buffer]))
    return Run((model.num_timesteps - before) / seconds, mean_return)
