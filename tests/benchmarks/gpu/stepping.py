"""Environments on the device against Gymnasium's own, step by step; and what a collector makes of them.

Before every step Gymnasium's environment is put into the state that the one on the device has, so that nothing can add
up: the state after it may differ by 1e-9, what two libraries' sine and cosine differ in, and 1e-6 where Gymnasium
computes in float32. What is seen is float32, and rewards are sums of such numbers: 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.device_collector import DeviceEpisodeCollector, DeviceFixedLengthCollector
from engine.config.environments import EnvironmentConfig
from engine.config.policies import MLPPolicy
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from tests.benchmarks.gpu.given import Finding, Given, Say, finished

CLOSE = {"MountainCarContinuous-v0": 1e-6}  # elsewhere 1e-9
SEEN = 1e-5
SIZE, STEPS = 8, 60
COLLECTORS: dict[str, Callable[[BatchedEnvironments, Any], Any]] = {
    "fixed length": lambda environments, info: DeviceFixedLengthCollector(environments, info, 40),
    "whole episodes": DeviceEpisodeCollector,
}


def dynamics(given: Given, say: Say) -> None:
    for name in ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"):
        say(_followed(name, given))


def _followed(name: str, given: Given) -> Finding:
    environments = batched(EnvironmentConfig(id=name), range(SIZE), given.device)
    assert environments is not None
    environments.restart()
    single: Any = gymnasium.make(name).unwrapped
    single.reset(seed=0)
    random = np.random.default_rng(1)
    of_states = of_seen = of_rewards = 0.0
    ends = steps = 0
    for _ in range(10 if given.small else STEPS):
        states = environments.state()["states"]
        actions = _actions(single.action_space, random)
        moved: Any = environments.advance(torch.from_numpy(actions).to(given.device))
        after, seen = environments.state()["states"], moved.observations.cpu().numpy()
        for index in range(SIZE):
            single.state = np.array(states[:, index])
            if hasattr(single, "steps_beyond_terminated"):
                single.steps_beyond_terminated = None
            observation, reward, terminated, _, _ = single.step(actions[index])
            of_states = max(of_states, float(np.abs(np.asarray(single.state, np.float64) - after[:, index]).max()))
            of_seen = max(of_seen, float(np.abs(observation - seen[index]).max()))
            of_rewards = max(of_rewards, abs(float(reward) - float(moved.rewards[index])))
            ends += bool(moved.terminated[index]) != bool(terminated)
            steps += 1
        environments.restart(moved.terminated | moved.truncated)
    good = ends == 0 and of_states <= CLOSE.get(name, 1e-9) and max(of_seen, of_rewards) <= SEEN
    words = f"{steps} steps: states {of_states:.0e}, seen {of_seen:.0e}, rewards {of_rewards:.0e}, ends {ends} apart"
    return Finding(f"against Gymnasium, {name}", good, words)


def _actions(space: Any, random: np.random.Generator) -> Any:
    if isinstance(space, gymnasium.spaces.Discrete):
        return random.integers(0, int(space.n), SIZE)
    return random.uniform(space.low, space.high, (SIZE, *space.shape)).astype(np.float32)


def collectors(given: Given, say: Say) -> None:
    """CartPole shows all of its state, so that every step of a rollout can be taken again by Gymnasium."""
    for name, make in COLLECTORS.items():
        environments = batched(EnvironmentConfig(id="CartPole-v1", time_limit=25), range(5), given.device)
        assert environments is not None
        info = ENVIRONMENTS["CartPole-v1"]
        policy = Policy(MLPPolicy(hidden_sizes=(8,)), info, torch.Generator().manual_seed(3)).to(given.device)
        actor = Actor(policy, torch.Generator(given.device).manual_seed(4), given.device)
        collector = make(environments, info)
        for round_ in range(1 if given.small else 3):  # done as it is, recorded, replayed
            rollout, episodes = finished(collector.collect(actor))
            wrong, steps = _wrong(rollout)
            words = f"{steps} steps, {len(episodes.lengths)} episodes, {wrong} steps that Gymnasium would not take"
            say(Finding(f"collected on the device, {name}, {round_ + 1}", wrong == 0 and steps > 0, words))


def _wrong(rollout: Rollout) -> tuple[int, int]:
    """How many steps are not those that Gymnasium takes, of how many."""
    single: Any = gymnasium.make("CartPole-v1").unwrapped
    single.reset(seed=0)
    seen, actions, rewards, terminated, truncated, mask, elapsed = (
        part.cpu().numpy()
        for part in (
            rollout.observations,
            rollout.actions,
            rollout.rewards,
            rollout.terminated,
            rollout.truncated,
            rollout.mask,
            rollout.elapsed,
        )
    )
    after_cuts = iter(rollout.final_observations.cpu().numpy())
    wrong = 0
    for n in range(mask.shape[1]):
        for t in np.flatnonzero(mask[:, n]):
            single.state = seen[t, n].astype(np.float64)
            single.steps_beyond_terminated = None
            expected, reward, ended, _, _ = single.step(int(actions[t, n]))
            following = next(after_cuts) if truncated[t, n] else None if terminated[t, n] else seen[t + 1, n]
            close = following is None or bool(np.allclose(following, expected, atol=SEEN))
            limited = elapsed[t, n] == 24 and not ended
            cut = limited or (t == len(mask) - 1 and not ended and not rollout.whole_episodes)
            same = bool(terminated[t, n]) == ended and rewards[t, n] == reward and bool(truncated[t, n]) == cut
            wrong += not (close and same)
    return wrong, int(mask.sum())
