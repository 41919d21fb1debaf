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

from engine.config import RunConfig
from tests.benchmarks import cartpole_475
from tests.benchmarks.against_peers import Run, Sides, alternated, learned, trained
from tests.benchmarks.engine_side import algorithm
from tests.benchmarks.figures import Measured, Say

STEPS = 20_480
QUICK_STEPS = 1_024
ENVIRONMENTS, LENGTH, EPOCHS = 8, 32, 20
WARM = 2  # iterations of SBX in which it compiles


def measure(quick: bool, say: Say) -> Measured:
    repeats, steps = (1, QUICK_STEPS) if quick else (7, STEPS)
    return alternated(Sides(_ours, _theirs, QUICK_STEPS), repeats, steps, say)


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
    return trained(zoo(seed, steps))


def _theirs(peer: str, seed: int, steps: int) -> Run:
    return learned(cartpole_475.zoo_ppo(seed, peer), WARM * ENVIRONMENTS * LENGTH if peer == "SBX" else 0, steps)
