"""sac-speed: our SAC against those of stable-baselines3 and SBX, in environment steps per second.

All sides train on Pendulum-v1 at rl-zoo's settings for it: one environment, a gradient step after every step on a
minibatch of 256, two hidden layers of 256 relu for the policy and for each of the two networks of action values,
learning rate 0.001, automatic temperature and target networks that follow by 0.005. Learning begins after 100 steps,
which count like all others. Torch is on 1 thread, all in this process, on the CPU; ours computes as it does wherever it
trains, with numbers below 1e-38 taken for 0, and SB3 as it comes, without that. SBX, which is JAX and left out where it
is not installed, has the threads that XLA chooses, and its clock starts after WARM steps, as it compiles anew for every
model. Most of the time is arithmetic, which all sides have alike: ours leaves out the gradients in the action values'
parameters that SB3 takes and drops at every step of the policy.

The sides alternate after one short uncounted run of each, with the same seed; the figures are the medians over the
repeats of ours / theirs, neighbours in time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
import torch

from engine.config import RunConfig
from engine.reports.events import Updated
from engine.runtime.threads import compute_on_one_thread
from engine.training.training import Training
from tests.benchmarks.cartpole_475 import MODULES
from tests.benchmarks.engine_side import algorithm
from tests.benchmarks.figures import Measured, Number, Say, require

STEPS = 4_096
QUICK_STEPS = 512
WARM = 256  # steps of SBX in which it compiles
MINIBATCH, CAPACITY, FIRST = 256, 50_000, 100
FIGURES = {"SB3": "speed-up", "SBX": "speed-up against SBX"}


@dataclass(frozen=True)
class Run:
    """How fast a run was, and the mean return of its last episodes."""

    speed: float
    mean_return: float


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    repeats, steps = (1, QUICK_STEPS) if quick else (5, STEPS)
    peers = tuple(name for name, module in MODULES.items() if find_spec(module))
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
    return Measured(held, tuple(numbers), f"Median of {repeats} alternations of {steps:,} steps a side.")


def zoo(seed: int, steps: int) -> RunConfig:
    """rl-zoo's settings in our words."""
    return algorithm(
        "sac",
        {
            "environment": "Pendulum-v1",
            "policy": {"kind": "mlp", "hidden_sizes": [256, 256], "activation": "relu"},
            "collection.environments": 1,
            "collection.train_frequency": 1,
            "estimator.gamma": 0.99,
            "update.learning_rate": 0.001,
            "update.critic": {"hidden_sizes": [256, 256], "activation": "relu", "learning_rate": 0.001},
            "update.gradient_steps": 1,
            "update.replay.minibatch_size": MINIBATCH,
            "update.replay.capacity": CAPACITY,
            "update.replay.learning_starts": FIRST,
            "update.target.rate": 0.005,
            "budget.environment_steps": steps,
            "seed": seed,
        },
    )


def _ours(seed: int, steps: int) -> Run:
    training = Training(zoo(seed, steps))
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


def _theirs(peer: str, seed: int, steps: int) -> Run:
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)
    model = zoo_sac(seed, peer)
    if peer == "SBX":
        model.learn(WARM)
    before = model.num_timesteps
    started = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    model.get_env().close()
    mean_return = float(np.mean([episode["r"] for episode in model.ep_info_buffer] or [0.0]))
    return Run((model.num_timesteps - before) / seconds, mean_return)


def zoo_sac(seed: int, peer: str = "SB3") -> Any:
    """A fresh SAC of a peer at rl-zoo's settings for Pendulum-v1, with its environment."""
    from stable_baselines3.common.env_util import make_vec_env

    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return import_module(MODULES[peer]).SAC(
        "MlpPolicy",
        make_vec_env("Pendulum-v1", n_envs=1, seed=seed, env_kwargs={"disable_env_checker": True}),
        learning_rate=0.001,
        batch_size=MINIBATCH,
        buffer_size=CAPACITY,
        learning_starts=FIRST,
        train_freq=1,
        gradient_steps=1,
        policy_kwargs={"net_arch": [256, 256]},
        seed=seed,
        device="cpu",
        verbose=0,
    )
