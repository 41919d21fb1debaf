"""Runs of Stable-Baselines3 in a process of their own: the counterpart of ``ours``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from tests.benchmarks.speed.zoo import BEYOND, MEAN_OVER, Setting


def model(setting: Setting, seed: int) -> BaseAlgorithm:
    """A fresh model at ``setting`` with its environments."""
    torch.set_num_threads(1)
    algorithm = A2C if setting.algorithm == "a2c" else PPO
    return algorithm("MlpPolicy", environments(setting, seed), **keywords(setting, seed))


def environments(setting: Setting, seed: int) -> Any:
    """One after the other in this process, as the zoo has them: in processes of their own they are slower on 2 cores,
    LunarLander's included."""
    made: Any = make_vec_env(
        setting.environment, n_envs=setting.environments, seed=seed, env_kwargs={"disable_env_checker": True}
    )
    return VecNormalize(made, gamma=setting.gamma) if setting.normalize else made


def keywords(setting: Setting, seed: int) -> dict[str, Any]:
    """``setting`` in the words of Stable-Baselines3; what it leaves open, A2C's RMSprop too, is as that has it."""
    layers = list(setting.hidden)
    shape: dict[str, Any] = {"net_arch": {"pi": layers, "vf": layers}, "ortho_init": setting.orthogonal}
    found: dict[str, Any] = {
        "n_steps": setting.steps,
        "gamma": setting.gamma,
        "gae_lambda": setting.gae_lambda,
        "learning_rate": _rate(setting.learning_rate, setting.falls),
        "ent_coef": setting.entropy,
        "vf_coef": setting.value_coefficient,
        "use_sde": setting.sde,
        "sde_sample_freq": setting.sde_every,
        "policy_kwargs": shape | {"log_std_init": setting.initial_log_std},
        "seed": seed,
        "device": "cpu",
    }
    if setting.algorithm == "ppo":
        found |= {
            "batch_size": setting.minibatch,
            "n_epochs": setting.epochs,
            "clip_range": _rate(setting.clip_range, setting.clip_falls),
        }
    return found


def _rate(start: float, falls: bool) -> float | Callable[[float], float]:
    return (lambda left: left * start) if falls else start


def run(setting: dict[str, Any], seed: int, steps: int) -> dict[str, Any]:
    """A fresh run of at least ``steps`` environment steps, whole iterations, timed without being made."""
    parsed = Setting(**setting)
    learner = model(parsed, seed)
    started = time.perf_counter()
    learner.learn(steps)
    elapsed = time.perf_counter() - started
    taken, mean = learner.num_timesteps, mean_return(learner)
    learner.get_env().close()
    return {
        "steps": taken,
        "seconds": elapsed,
        "iterations": taken // parsed.iteration,
        "mean_return": mean,
    }


def mean_return(learner: BaseAlgorithm) -> float | None:
    """Of the last episodes, as the environment paid them."""
    episodes = learner.ep_info_buffer
    return float(np.mean([episode["r"] for episode in episodes])) if episodes else None


class _Until(BaseCallback):
    """Ends training after a rollout with which the mean return was at the target, or the time was up."""

    def __init__(self, target: float, end: float) -> None:
        super().__init__()
        self._target, self._end = target, end
        self.reached = self.over = False

    def _on_rollout_end(self) -> None:
        episodes = self.model.ep_info_buffer
        mean = mean_return(self.model)
        self.reached = len(episodes) >= MEAN_OVER and mean is not None and mean >= self._target
        self.over = self.reached or time.perf_counter() > self._end

    def _on_step(self) -> bool:
        return not self.over


def until(setting: dict[str, Any], seed: int, target: float, limit: float) -> dict[str, Any]:
    """As ``ours.until``."""
    parsed = Setting(**setting)
    return reached(lambda: model(parsed, seed), parsed, target, limit)


def reached(make: Callable[[], Any], parsed: Setting, target: float, limit: float) -> dict[str, Any]:
    """As ``ours.until``, with a model that is made then."""
    started = time.perf_counter()
    learner = make()
    watch = _Until(target, started + limit)
    learner.learn(parsed.budget, callback=watch)
    if not watch.over:
        learner.learn((BEYOND - 1) * parsed.budget, callback=watch, reset_num_timesteps=False)
    seconds = time.perf_counter() - started
    learner.get_env().close()
    return {"reached": watch.reached, "steps": learner.num_timesteps, "seconds": seconds}
