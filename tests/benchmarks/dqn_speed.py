"""dqn-speed: our DQN against those of stable-baselines3 and SBX, in environment steps per second.

All sides train on CartPole-v1 at rl-zoo's settings for it: one environment, 256 steps and then 128 gradient steps on
minibatches of 64, two hidden layers of 256 relu with torch's weights at first, Huber's loss, learning rate 0.0023,
gradients clipped to 10, and a target network that is copied once in every such round, which is what the zoo's interval
of 10 steps comes to. Learning begins after 1,000 steps, which count like all others. Double is off, since theirs know
none. Torch is on 1 thread, all in this process, on the CPU; ours computes as it does wherever it trains, with numbers
below 1e-38 taken for 0, and SB3 as it comes, without that. SBX, which is JAX and left out where it is not installed,
has the threads that XLA chooses, and its clock starts after WARM steps, as it compiles for every model anew.

The sides alternate after one short uncounted run of each, with the same seed; the figures are the medians over the
repeats of ours / theirs, neighbours in time. What was learned meanwhile is reported beside it, since a side whose
episodes are short resets its environments more often.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from engine.config import RunConfig
from tests.benchmarks.against_peers import MODULES, Run, Sides, alternated, learned, trained
from tests.benchmarks.engine_side import algorithm
from tests.benchmarks.figures import Measured, Say

STEPS = 20_480
QUICK_STEPS = 1_536
WARM = 1_536  # steps of SBX in which it compiles
ROUND, GRADIENT_STEPS, MINIBATCH, CAPACITY = 256, 128, 64, 100_000


def measure(quick: bool, say: Say) -> Measured:
    repeats, steps = (1, QUICK_STEPS) if quick else (5, STEPS)
    return alternated(Sides(_ours, _theirs, QUICK_STEPS), repeats, steps, say)


def zoo(seed: int, steps: int) -> RunConfig:
    """rl-zoo's settings in our words."""
    return algorithm(
        "dqn",
        {
            "policy": {"kind": "mlp", "hidden_sizes": [256, 256], "activation": "relu", "initialization": "default"},
            "collection.environments": 1,
            "collection.train_frequency": ROUND,
            "collection.steps": ROUND,
            "estimator.gamma": 0.99,
            "exploration.epsilon_end": 0.04,
            "exploration.fraction": 0.16,
            "update.double": False,
            "update.learning_rate": 0.0023,
            "update.max_grad_norm": 10.0,
            "update.gradient_steps": GRADIENT_STEPS,
            "update.replay.minibatch_size": MINIBATCH,
            "update.replay.capacity": CAPACITY,
            "update.replay.learning_starts": 1_000,
            "update.target.rate": 1.0,
            "update.target.every": GRADIENT_STEPS,
            "budget.environment_steps": steps,
            "seed": seed,
        },
    )


def _ours(seed: int, steps: int) -> Run:
    return trained(zoo(seed, steps))


def _theirs(peer: str, seed: int, steps: int) -> Run:
    return learned(zoo_dqn(seed, peer), WARM if peer == "SBX" else 0, steps)


def zoo_dqn(seed: int, peer: str = "SB3") -> Any:
    """A fresh DQN of a peer at rl-zoo's settings for CartPole-v1, with its environment."""
    from stable_baselines3.common.env_util import make_vec_env

    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return import_module(MODULES[peer]).DQN(
        "MlpPolicy",
        make_vec_env("CartPole-v1", n_envs=1, seed=seed, env_kwargs={"disable_env_checker": True}),
        learning_rate=0.0023,
        batch_size=MINIBATCH,
        buffer_size=CAPACITY,
        learning_starts=1_000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=ROUND,
        gradient_steps=GRADIENT_STEPS,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs={"net_arch": [256, 256]},
        seed=seed,
        device="cpu",
    )
