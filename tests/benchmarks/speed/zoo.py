"""What Stable-Baselines3 is run with, as data, and the same in our words; importable without torch.

Source: github.com/DLR-RM/rl-baselines3-zoo, ``hyperparams/ppo.yml`` at commit 208b6fd and ``hyperparams/a2c.yml`` at
commit c6c209e. What the zoo leaves open has the defaults of Stable-Baselines3, which are those of ``Setting`` unless
said otherwise below. The zoo tuned its lander for LunarLander-v2; v3 is the same but for a mended wind.

What cannot be made equal, and is therefore left as either side has it:

- generalised state-dependent exploration (gSDE), which the zoo uses on Pendulum, is not ours: where speeds are
  compared it is off on both sides, and theirs has it only on the way to a threshold;
- a Gaussian counts in the action's own units there, in half-widths of its bounds here: σ starts alike, the mean's
  learning rate is not the same;
- the gradients of policy and value are clipped to one common length there, the policy's alone here;
- V's learning rate does not fall here; ε of RMSprop is 1e-5 there and 1e-8 here;
- advantages are normalised minibatch by minibatch there, batch by batch here;
- running moments of observations and rewards are taken at every step there, at every update here.

The weight of V's loss needs no match: V has layers of its own on both sides, and neither Adam nor RMSprop minds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from engine.catalogue.environments import ENVIRONMENTS as CATALOGUE
from engine.config import RunConfig
from engine.config.validation import validated

ENVIRONMENTS = ("CartPole-v1", "Acrobot-v1", "Pendulum-v1", "LunarLander-v3")
MEAN_OVER = 100  # episodes whose mean return is held against a threshold
BEYOND = 3  # times its budget for which a run goes on that has not reached its threshold by then


@dataclass(frozen=True)
class Setting:
    """One entry of the zoo. ``budget`` are the environment steps over which schedules fall; a learning rate or clip
    range that ``falls`` does so evenly to 0. Minibatch, epochs and clip range are PPO's alone."""

    environment: str
    algorithm: Literal["ppo", "a2c"]
    environments: int
    steps: int
    budget: int
    learning_rate: float
    gamma: float = 0.99
    gae_lambda: float = 0.95
    epochs: int = 1
    minibatch: int = 64
    clip_range: float = 0.2
    falls: bool = False
    clip_falls: bool = False
    entropy: float = 0.0
    value_coefficient: float = 0.5
    normalize: bool = False
    initial_log_std: float = 0.0
    orthogonal: bool = True
    sde: bool = False
    sde_every: int = -1
    hidden: tuple[int, ...] = (64, 64)

    @property
    def name(self) -> str:
        return f"{self.environment} {self.algorithm.upper()}"

    @property
    def iteration(self) -> int:
        """Environment steps that go into one update."""
        return self.environments * self.steps


PPO = {
    setting.environment: setting
    for setting in (
        Setting(
            "CartPole-v1",
            "ppo",
            environments=8,
            steps=32,
            budget=100_000,
            learning_rate=1e-3,
            falls=True,
            clip_falls=True,
            gamma=0.98,
            gae_lambda=0.8,
            epochs=20,
            minibatch=256,
        ),
        Setting(
            "Acrobot-v1",
            "ppo",
            environments=16,
            steps=256,
            budget=1_000_000,
            learning_rate=3e-4,
            gae_lambda=0.94,
            epochs=4,
            normalize=True,
        ),
        Setting(
            "Pendulum-v1",
            "ppo",
            environments=4,
            steps=1024,
            budget=100_000,
            learning_rate=1e-3,
            gamma=0.9,
            epochs=10,
            sde=True,
            sde_every=4,
        ),
        Setting(
            "LunarLander-v3",
            "ppo",
            environments=16,
            steps=1024,
            budget=1_000_000,
            learning_rate=3e-4,
            gamma=0.999,
            gae_lambda=0.98,
            epochs=4,
            entropy=0.01,
        ),
    )
}

# A2C of Stable-Baselines3: 5 steps, learning rate 7e-4, λ = 1, RMSprop, advantages not normalised.
A2C = {
    setting.environment: setting
    for setting in (
        Setting("CartPole-v1", "a2c", environments=8, steps=5, budget=500_000, learning_rate=7e-4, gae_lambda=1.0),
        Setting(
            "Acrobot-v1",
            "a2c",
            environments=16,
            steps=5,
            budget=500_000,
            learning_rate=7e-4,
            gae_lambda=1.0,
            normalize=True,
        ),
        Setting(
            "Pendulum-v1",
            "a2c",
            environments=8,
            steps=8,
            budget=1_000_000,
            learning_rate=7e-4,
            falls=True,
            gamma=0.9,
            gae_lambda=0.9,
            value_coefficient=0.4,
            normalize=True,
            initial_log_std=-2.0,
            orthogonal=False,
            sde=True,
        ),
        Setting(
            "LunarLander-v3",
            "a2c",
            environments=8,
            steps=5,
            budget=200_000,
            learning_rate=8.3e-4,
            falls=True,
            gamma=0.995,
            gae_lambda=1.0,
            entropy=1e-5,
        ),
    )
}


def ours(setting: Setting, seed: int, budget: int | None = None, device: str = "cpu") -> RunConfig:
    """``setting`` in our words, for ``budget`` environment steps in place of its own."""
    ppo = setting.algorithm == "ppo"
    update: dict[str, Any] = {
        "kind": "gradient-ascent",
        "optimizer": "rmsprop",
        "learning_rate": setting.learning_rate,
        "learning_rate_schedule": _schedule(setting.falls),
        "entropy_coefficient": setting.entropy,
        "max_grad_norm": 0.5,
    }
    if ppo:
        update |= {
            "kind": "ppo-clip",
            "optimizer": "adam",
            "epochs": setting.epochs,
            "minibatch_size": setting.minibatch,
            "clip_range": setting.clip_range,
            "clip_range_schedule": _schedule(setting.clip_falls),
        }
    return validated(
        {
            "environment": {
                "id": setting.environment,
                "normalize_observations": setting.normalize,
                "normalize_rewards": setting.normalize,
            },
            "policy": {
                "kind": "mlp",
                "hidden_sizes": setting.hidden,
                "activation": "tanh",
                "initialization": "orthogonal" if setting.orthogonal else "default",
                "initial_log_std": setting.initial_log_std - _log_half_width(setting.environment),
            },
            "collection": {"kind": "fixed-length", "environments": setting.environments, "steps": setting.steps},
            "estimator": {
                "gamma": setting.gamma,
                "credit": {"kind": "gae", "gae_lambda": setting.gae_lambda},
                "baseline": {
                    "kind": "value",
                    "hidden_sizes": setting.hidden,
                    "fit_steps": 0 if ppo else 1,
                    "optimizer": "adam" if ppo else "rmsprop",
                    "learning_rate": setting.learning_rate,
                },
                "normalize_advantages": ppo,
            },
            "update": update,
            "budget": {"environment_steps": budget or setting.budget},
            "seed": seed,
            "device": device,
        }
    )


def reinforce(environment: str, episodes: int, hidden: tuple[int, ...], learning_rate: float) -> RunConfig:
    """REINFORCE as the lecture has it: total return, no baseline, γ = 1, Adam; ``episodes`` side by side per update."""
    return validated(
        {
            "environment": environment,
            "policy": {"kind": "mlp", "hidden_sizes": hidden, "activation": "relu"},
            "collection": {"kind": "episodes", "episodes_per_update": episodes},
            "estimator": {"credit": "total-return", "baseline": "none", "gamma": 1.0},
            "update": {"kind": "gradient-ascent", "learning_rate": learning_rate},
            "budget": {"environment_steps": 10_000_000_000},
            "device": "cpu",
        }
    )


def _log_half_width(environment: str) -> float:
    """Of the range of its actions, all alike; 0 where they are not numbers."""
    bounds = CATALOGUE[environment].action.bounds
    return math.log((bounds[0][1] - bounds[0][0]) / 2.0) if bounds else 0.0


def _schedule(falls: bool) -> str:
    return "linear" if falls else "constant"
