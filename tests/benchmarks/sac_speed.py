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
from importlib import import_module
from typing import Any

from engine.config import RunConfig
from tests.benchmarks.against_peers import MODULES, Run, Sides, alternated, learned, trained
from tests.benchmarks.engine_side import algorithm
from tests.benchmarks.figures import Measured, Say

STEPS = 4_096
QUICK_STEPS = 512
WARM = 256  # steps of SBX in which it compiles
MINIBATCH, CAPACITY, FIRST = 256, 50_000, 100


def measure(quick: bool, say: Say) -> Measured:
    repeats, steps = (1, QUICK_STEPS) if quick else (5, STEPS)
    return alternated(Sides(_ours, _theirs, QUICK_STEPS), repeats, steps, say)


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
    return trained(zoo(seed, steps))


def _theirs(peer: str, seed: int, steps: int) -> Run:
    return learned(zoo_sac(seed, peer), WARM if peer == "SBX" else 0, steps)


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
