"""The choice of a batch for an environment."""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.environments.cartpole import POSITIONS, CartPoleBatch
from engine.environments.changed_batch import with_changes
from engine.environments.finite_batch import FiniteBatch
from engine.environments.gymnasium_batch import GymnasiumBatch
from engine.environments.interface import EnvironmentBatch
from engine.environments.processes import finite_mdp


def make_batch(environment: EnvironmentConfig, space: Space, seeds: Sequence[int]) -> tuple[EnvironmentBatch, str]:
    """The fastest batch there is for ``environment``, one environment per seed, behind the changes made to it.

    Args:
        space: what is observed before the changes.

    Returns:
        The batch, and in a sentence how its environments are stepped.

    Raises:
        RequestError: the environment cannot be made, or not stepped as wished.
    """
    batch, how = _stepped(environment, seeds)
    return with_changes(batch, environment, space, seeds), how


def _stepped(environment: EnvironmentConfig, seeds: Sequence[int]) -> tuple[EnvironmentBatch, str]:
    if environment.id == "CartPole-v1":
        return CartPoleBatch(seeds), ""
    if environment.id == "CartPolePositions-v0":
        return CartPoleBatch(seeds, POSITIONS), ""
    mdp = finite_mdp(environment.id, environment.options)
    if mdp is not None:
        return FiniteBatch(mdp, seeds), ""
    return GymnasiumBatch(environment, seeds), ""
