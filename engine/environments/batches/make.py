"""The choice of a batch for an environment."""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig, Stepping
from engine.environments.batches.batched import batched
from engine.environments.batches.changed import ChangedBatch, with_changes
from engine.environments.batches.choice import choose_batch
from engine.environments.batches.envpool import EnvPoolBatch
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.processes import ProcessBatch
from engine.environments.making import registry
from engine.runtime.errors import RequestError


def make_batch(environment: EnvironmentConfig, space: Space, seeds: Sequence[int]) -> tuple[EnvironmentBatch, str]:
    """The fastest batch there is for ``environment``, one environment per seed, behind the changes made to it.

    Args:
        space: what is observed before the changes.

    Returns:
        The batch, and in a sentence how its environments are stepped.

    Raises:
        RequestError: the environment cannot be made, not stepped as wished, or shows something else than ``space``.
    """
    batch, how = _stepped(environment, seeds)
    if isinstance(batch, ProcessBatch):
        shown = registry.observation_space(environment.id, batch.observation_space)
        if (shown.kind, shown.size) != (space.kind, space.size):
            batch.close()
            raise RequestError(
                f"{environment.id} shows {shown} now and showed {space} when it was looked at; its spaces have to be "
                "the same whenever it is made."
            )
    return with_changes(batch, environment, space, seeds), how


def _stepped(environment: EnvironmentConfig, seeds: Sequence[int]) -> tuple[EnvironmentBatch, str]:
    ours = batched(environment, seeds) if environment.stepping == "auto" else None
    if ours is not None:
        return ours, f"{len(seeds)} environment{'s' if len(seeds) > 1 else ''} stepped together as one batch"
    return choose_batch(environment, seeds)


_STEPPING: dict[type, Stepping] = {GymnasiumBatch: "in-process", ProcessBatch: "processes", EnvPoolBatch: "envpool"}


def stepping_of(batch: EnvironmentBatch) -> Stepping:
    """The way of stepping that makes such a batch again; ``auto`` for dynamics of our own."""
    return _STEPPING.get(type(batch.batch if isinstance(batch, ChangedBatch) else batch), "auto")
