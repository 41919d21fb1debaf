"""cartpole-475: wall clock until the mean return of the last 100 episodes is 475 on CartPole-v1, against SB3's PPO.

Ours is the fastest shipped preset, timed from just before ``Training`` is made. Theirs is PPO of stable-baselines3 at
rl-zoo's settings for CartPole-v1 on the CPU, timed from just before its environments are made. Both are timed inside
this process with everything imported and warmed up, torch on 1 thread; both look at the returns of their own training
episodes, sampled actions included. Seeds alternate between the sides, and medians over seeds are compared.

rl-zoo trains for 1e5 steps, while its learning rate and clipping range fall to 0. A seed that is not there by then
goes on to 3e5 with the clock running, the schedules then falling to 0 at 3e5. One that is not there even then counts
with the time it has had, which understates it; one of ours that is not there within its budget counts as never.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from tests.benchmarks.engine_side import SOLVED, preset, train_until
from tests.benchmarks.figures import Measured, Number, Say, require

PRESET = "cartpole-fast"
ZOO_STEPS = 100_000
LIMIT = 300_000


@dataclass(frozen=True)
class Solved:
    """One run of SB3: whether it got there, after how many steps and seconds."""

    solved: bool
    steps: int
    seconds: float


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    seeds = range(1, 2 if quick else 6)
    zoo_steps, limit = (2_000, 2_000) if quick else (ZOO_STEPS, LIMIT)
    train_until(preset(PRESET, {"budget.environment_steps": 2_000}), math.inf)
    _ppo(0, 300, 300)
    ours, theirs = [], []
    for seed in seeds:
        ours.append(train_until(preset(PRESET, {"seed": seed}), SOLVED))
        say(f"seed {seed}: ours {_words(ours[-1].solved)} {ours[-1].seconds:.2f} s, {ours[-1].steps:,} steps")
        theirs.append(_ppo(seed, zoo_steps, limit))
        say(f"seed {seed}: SB3 {_words(theirs[-1].solved)} {theirs[-1].seconds:.1f} s, {theirs[-1].steps:,} steps")
    our_time = median(run.seconds if run.solved else math.inf for run in ours)
    their_time = median(run.seconds for run in theirs)
    extended = sum(run.steps > zoo_steps for run in theirs)
    numbers = (
        Number(f"{PRESET}, median", our_time, "s"),
        Number("SB3 PPO, median", their_time, "s"),
        Number(f"{PRESET}, fastest seed", min(run.seconds for run in ours), "s"),
        Number(f"{PRESET}, slowest seed", max(run.seconds for run in ours), "s"),
        Number("SB3 PPO, fastest seed", min(run.seconds for run in theirs), "s"),
        Number("SB3 PPO, slowest seed", max(run.seconds for run in theirs), "s"),
        Number(f"{PRESET}, median", median(run.steps for run in ours), "steps"),
        Number("SB3 PPO, median", median(run.steps for run in theirs), "steps"),
        Number("how many times faster", their_time / our_time, "×"),
    )
    detail = (
        f"{len(ours)} seeds. Ours solved {sum(run.solved for run in ours)}, SB3 {sum(run.solved for run in theirs)}; "
        f"{extended} of SB3's needed more than the zoo's {zoo_steps:,} steps (allowed up to {limit:,})."
    )
    return Measured({"share of SB3's time": our_time / their_time}, numbers, detail)


def _words(solved: bool) -> str:
    return "solved after" if solved else "not solved within"


def _ppo(seed: int, zoo_steps: int, limit: int) -> Solved:
    from stable_baselines3.common.callbacks import BaseCallback

    class UntilSolved(BaseCallback):
        """Stops as soon as the last 100 training episodes have the mean return asked for."""

        solved = False

        def _on_step(self) -> bool:
            episodes = self.model.ep_info_buffer
            self.solved = len(episodes) == 100 and np.mean([episode["r"] for episode in episodes]) >= SOLVED
            return not self.solved

    started = time.perf_counter()
    model = zoo_ppo(seed)
    watch = UntilSolved()
    model.learn(zoo_steps, callback=watch)
    if not watch.solved and limit > model.num_timesteps:
        model.learn(limit - model.num_timesteps, callback=watch, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    model.get_env().close()
    return Solved(watch.solved, model.num_timesteps, seconds)


def zoo_ppo(seed: int) -> Any:
    """A fresh PPO of stable-baselines3 at rl-zoo's settings for CartPole-v1, with its environments."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    return PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", n_envs=8, seed=seed),
        n_steps=32,
        batch_size=256,
        gae_lambda=0.8,
        gamma=0.98,
        n_epochs=20,
        ent_coef=0.0,
        learning_rate=_linear(0.001),
        clip_range=_linear(0.2),
        seed=seed,
        device="cpu",
    )


def _linear(start: float) -> Callable[[float], float]:
    """rl-zoo's ``lin_…``: from ``start`` at the beginning to 0 at the end."""
    return lambda remaining: remaining * start
