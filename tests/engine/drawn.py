"""Environments that give pictures in this process, for tests that need no worker for that."""

from __future__ import annotations

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import with_changes
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.rendering import Rendered
from engine.environments.making.registry import observation_space


def drawn_here(environment: EnvironmentConfig, seed: int = 0) -> Rendered:
    """As ``rendered``, sooner."""
    batch = GymnasiumBatch(environment, [seed], render=True)
    space = observation_space(environment.id, batch.observation_space)
    return Rendered(batch, with_changes(batch, environment, space, [seed]))
