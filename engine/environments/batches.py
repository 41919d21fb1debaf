"""The choice of a batch for an environment."""

from __future__ import annotations

from collections.abc import Sequence

from engine.environments.cartpole import POSITIONS, CartPoleBatch
from engine.environments.finite import finite_mdp
from engine.environments.finite_batch import FiniteBatch
from engine.environments.gymnasium_batch import GymnasiumBatch
from engine.environments.interface import EnvironmentBatch


def make_batch(id: str, seeds: Sequence[int]) -> EnvironmentBatch:
    """The fastest batch there is for ``id``, one environment per seed."""
    if id == "CartPole-v1":
        return CartPoleBatch(seeds)
    if id == "CartPolePositions-v0":
        return CartPoleBatch(seeds, POSITIONS)
    mdp = finite_mdp(id)
    if mdp is not None:
        return FiniteBatch(mdp, seeds)
    return GymnasiumBatch(id, seeds)
