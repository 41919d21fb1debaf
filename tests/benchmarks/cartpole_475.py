"""cartpole-475: wall clock until the mean return of the last 100 episodes is 475 on CartPole-v1, against SB3's PPO.

Ours is the fastest shipped preset, timed from just before ``Training`` is made. Theirs is PPO of stable-baselines3 at
rl-zoo's settings for CartPole-v1 on the CPU, timed from just before its environments are made, and reported beside it
that of SBX, which compiles its step anew for every run, as whoever runs it waits for. All are timed inside this process
with everything imported and warmed up, torch on 1 thread; all look at the returns of their own training episodes,
sampled actions included. Seeds alternate between the sides, and medians over seeds are compared.

rl-zoo trains for 1e5 steps, while its learning rate and clipping range fall to 0. A seed that is not there by then
goes on to 3e5 with the clock running, the schedules then falling to 0 at 3e5. One that is not there even then counts
with the time it has had, which understates it; one of ours that is not there within its budget counts as never.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import torch

from tests.benchmarks.against_peers import MODULES, until
from tests.benchmarks.engine_side import SOLVED, preset, train_until
from tests.benchmarks.figures import Measured, Number, Say, require

PRESET = "cartpole-fast"
ZOO_STEPS = 100_000
LIMIT = 300_000


@dataclass(frozen=True)
class Solved:
    """One run of theirs: whether it got there, after how many steps and seconds."""

    solved: bool
    steps: int
    seconds: float


def measure(quick: bool, say: Say) -> Measured:
    require("stable_baselines3", "stable-baselines3")
    torch.set_num_threads(1)
    seeds = range(1, 2 if quick else 6)
    zoo_steps, limit = (2_000, 2_000) if quick else (ZOO_STEPS, LIMIT)
    train_until(preset(PRESET, {"budget.environment_steps": 2_000}), math.inf)
    peers = tuple(name for name, module in MODULES.items() if find_spec(module))
    for peer in peers:
        _ppo(peer, 0, 300, 300)
    ours, theirs = [], {peer: list[Solved]() for peer in peers}
    for seed in seeds:
        ours.append(train_until(preset(PRESET, {"seed": seed}), SOLVED))
        say(f"seed {seed}: ours {_words(ours[-1].solved)} {ours[-1].seconds:.2f} s, {ours[-1].steps:,} steps")
        for peer, runs in theirs.items():
            runs.append(_ppo(peer, seed, zoo_steps, limit))
            say(f"seed {seed}: {peer} {_words(runs[-1].solved)} {runs[-1].seconds:.1f} s, {runs[-1].steps:,} steps")
    our_time = median(run.seconds if run.solved else math.inf for run in ours)
    numbers = [
        Number(f"{PRESET}, median", our_time, "s"),
        Number(f"{PRESET}, fastest seed", min(run.seconds for run in ours), "s"),
        Number(f"{PRESET}, slowest seed", max(run.seconds for run in ours), "s"),
        Number(f"{PRESET}, median", median(run.steps for run in ours), "steps"),
    ]
    for peer, runs in theirs.items():
        numbers += _of_peer(peer, runs, our_time)
    solved = "; ".join(
        f"{peer} {sum(run.solved for run in runs)} (with more than the zoo's {zoo_steps:,} steps, allowed up to "
        f"{limit:,}: {sum(run.steps > zoo_steps for run in runs)})"
        for peer, runs in theirs.items()
    )
    detail = f"{len(ours)} seeds. Solved: ours {sum(run.solved for run in ours)}; {solved}."
    share = our_time / median(run.seconds for run in theirs["SB3"])
    return Measured({"share of SB3's time": share}, tuple(numbers), detail)


def _of_peer(peer: str, runs: Sequence[Solved], our_time: float) -> list[Number]:
    seconds = [run.seconds for run in runs]
    return [
        Number(f"{peer} PPO, median", median(seconds), "s"),
        Number(f"{peer} PPO, fastest seed", min(seconds), "s"),
        Number(f"{peer} PPO, slowest seed", max(seconds), "s"),
        Number(f"{peer} PPO, median", median(run.steps for run in runs), "steps"),
        Number(f"how many times faster than {peer}", median(seconds) / our_time, "×"),
    ]


def _words(solved: bool) -> str:
    return "solved after" if solved else "not solved within"


def _ppo(peer: str, seed: int, zoo_steps: int, limit: int) -> Solved:
    started = time.perf_counter()
    model = zoo_ppo(seed, peer)
    watch = until(SOLVED, 100)
    model.learn(zoo_steps, callback=watch)
    if not watch.reached and limit > model.num_timesteps:
        model.learn(limit - model.num_timesteps, callback=watch, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    model.get_env().close()
    return Solved(watch.reached, model.num_timesteps, seconds)


def zoo_ppo(seed: int, peer: str = "SB3") -> Any:
    """A fresh PPO of a peer at rl-zoo's settings for CartPole-v1, with its environments."""
    from stable_baselines3.common.env_util import make_vec_env

    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return import_module(MODULES[peer]).PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", n_envs=8, seed=seed, env_kwargs={"disable_env_checker": True}),
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
