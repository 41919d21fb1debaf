"""A configuration to begin with where no preset ships for an environment: what usually learns in spaces like its own.

Nothing is promised of it. What is known is what an environment observes, what can be done in it and how long its
episodes are, and not the size of its rewards; so that is never relied on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.catalogue.methods.compatibility import misplaced
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values

_STEPS = 25_600  # that a batch of whole episodes has at most
_PPO = {
    "estimator.credit": "gae",
    "estimator.normalize_advantages": True,
    "update": "ppo-clip",
}


def starting_choice(environment: EnvironmentInfo) -> RunConfig | None:
    """What to begin with in an environment as it comes; None where nothing there is works in it."""
    plain = PolicyGradientConfig.model_validate({"environment": environment.id})
    wanted = (with_values(plain, values) for values in _candidates(environment))
    return next((config for config in wanted if misplaced(config, environment) is None), None)


def _candidates(environment: EnvironmentInfo) -> Iterator[dict[str, Any]]:
    """The values to begin with, and ever lighter ones for what has more states or pixels than memory has room for."""
    if environment.observation.kind == "discrete":
        yield from _in_tables(environment)
    elif environment.observation.image:
        yield from (_from_pixels(count) for count in (8, 4, 1))
    yield from (_from_numbers(environment, count) for count in (8, 1))


def _in_tables(environment: EnvironmentInfo) -> Iterator[dict[str, Any]]:
    """A number for each state and action, learned from large batches; a table cannot generalise, so it needs them."""
    if environment.one_step or environment.time_limit is not None:
        episodes = min(max(_STEPS // (environment.time_limit or 1), 16), 256)
        yield {
            "policy": "tabular",
            "collection.episodes_per_update": episodes,
            "estimator.baseline": "average" if environment.one_step else "time-average",
            "update.learning_rate": 0.1,
            "update.entropy_coefficient": 0.01,
            "budget.environment_steps": 2_000_000,
        }
    yield {  # episodes that may never end are cut
        "policy": "tabular",
        "collection": "fixed-length",
        "collection.environments": 16,
        "estimator.baseline": "value",
        "estimator.baseline.hidden_sizes": (),
        "estimator.baseline.learning_rate": 0.05,
        "environment.normalize_rewards": True,
        "update.learning_rate": 0.05,
        "update.entropy_coefficient": 0.01,
    } | _PPO


def _from_pixels(environments: int) -> dict[str, Any]:
    return {
        "policy": "cnn",
        "collection": "fixed-length",
        "collection.environments": environments,
        "estimator.baseline": "value",
        "estimator.baseline.learning_rate": 0.0005,
        "estimator.baseline.fit_steps": 0,
        "environment.normalize_rewards": True,
        "update.epochs": 4,
        "update.learning_rate": 0.00025,
        "update.entropy_coefficient": 0.01,
        "budget.environment_steps": 1_000_000,
    } | _PPO


def _from_numbers(environment: EnvironmentInfo, environments: int) -> dict[str, Any]:
    """PPO with what it sees and earns in units of their spread; with continuous actions it takes smaller steps."""
    continuous = environment.action.kind == "box"
    box = environment.observation.kind == "box"
    return {
        "policy": "mlp",
        "environment.normalize_observations": box,
        "environment.normalize_rewards": True,
        "collection": "fixed-length",
        "collection.environments": environments,
        "collection.steps": 256,
        "estimator.baseline": "value",
        "estimator.baseline.learning_rate": 0.001,
        "estimator.baseline.fit_steps": 0,
        "update.learning_rate": 0.0003 if continuous else 0.001,
        "update.minibatch_size": 64 if continuous else 256,
        "update.entropy_coefficient": 0.0 if continuous else 0.005,
        "budget.environment_steps": 1_000_000,
    } | _PPO
