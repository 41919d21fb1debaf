"""Teachers and datasets to be learned from, of any environment: untrained policies, and what they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.catalogue.configured import changed
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, PolicyGradientConfig, RunConfig
from engine.config.environments import EnvironmentConfig
from engine.config.imitation import OWN, DAgger
from engine.config.parameters import with_values
from engine.config.policies import PolicyConfig
from engine.environments.batches.make import make_batch
from engine.environments.making.lookup import inspect
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.policies.policy import Policy
from engine.training.given import NOTHING, Given, Teacher


def seen_in(environment: EnvironmentConfig) -> EnvironmentInfo:
    return changed(inspect(environment.id, environment.options), environment)


def teacher(environment: EnvironmentConfig, policy: PolicyConfig | None = None, seed: int = 5) -> Teacher:
    """A policy that has learned nothing, by default of the default kind, with weights large enough to be decided."""
    config = PolicyGradientConfig(environment=environment)
    config = config if policy is None else config.model_copy(update={"policy": policy})
    seen = seen_in(environment)
    made = Policy(policy_of(config, seen), seen, torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    parameters = {
        name: value + 0.3 * torch.randn(value.shape, generator=generator) for name, value in made.state_dict().items()
    }
    return Teacher("somebody", config, parameters, 12.5)


def demonstrated(by: Teacher, seeds: Sequence[int], most: int = 1000) -> Demonstrations:
    """Episodes of the teacher's greedy actions, one for each seed, of at most so many steps."""
    environment = by.config.environment
    seen = seen_in(environment)
    policy, plain = by.policy(seen, torch.device("cpu")), inspect(environment.id, environment.options)
    only, episodes = np.array([0]), []
    for seed in seeds:
        batch, _ = make_batch(environment, plain.observation, [seed])
        observations, state = batch.reset(only), policy.start(1)
        steps: list[tuple[np.ndarray, np.ndarray, float]] = []
        ended = truncated = False
        while not ended and len(steps) < most:
            with torch.no_grad():
                distribution, state = policy.step(torch.from_numpy(observations), state)
                actions = policy.taken(distribution.mode()).numpy()
            before = observations[0].copy()
            moved = batch.step(actions, only)
            steps.append((before, actions[0].copy(), float(moved.rewards[0])))
            observations, truncated = moved.observations, bool(moved.truncated[0])
            ended = truncated or bool(moved.terminated[0])
        batch.close()
        observed, acted, rewards = (np.array(column) for column in zip(*steps, strict=True))
        terminated = ended and not truncated
        episodes.append(
            Demonstration(observed, acted, rewards, observations[0].copy(), terminated, truncated, seed, "somebody")
        )
    return Demonstrations(environment, tuple(episodes))


def named(config: RunConfig) -> RunConfig:
    """``config``, where it learns from somebody with a name for that: its own episodes, or ``given_to`` it."""
    if not isinstance(config, ImitationConfig):
        return config
    asks = isinstance(config.update, DAgger)
    return with_values(config, {"imitation.teacher": "somebody"} if asks else {"imitation.dataset": OWN})


def given_to(config: RunConfig) -> Given:
    """What a run of such a configuration needs; nothing where it learns from nobody."""
    if isinstance(config, ImitationConfig) and isinstance(config.update, DAgger):
        return Given(teacher=teacher(config.environment))
    if isinstance(config, ImitationConfig) and config.imitation.dataset not in ("", OWN):
        return Given(demonstrated(teacher(config.environment), (1, 2, 3), most=20))
    return NOTHING
