"""One environment that gives pictures, and the same as it is seen and steered behind the changes made to it."""

from __future__ import annotations

from typing import NamedTuple

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import ChangedBatch, with_changes
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.processes import ProcessBatch
from engine.environments.making import registry
from engine.environments.making.pictures import frames_per_second
from engine.runtime.errors import RequestError, RunError

DEFAULT_FRAMES_PER_SECOND = 30.0
MADE_WITH = 0
"""The seed with which an environment is made whose episodes are begun from seeds of their own: what one from elsewhere
draws while it is made is the same wherever such an episode is played."""

RenderingBatch = GymnasiumBatch | ProcessBatch


class Rendered(NamedTuple):
    """The batch of one environment that ``rendering`` draws, and ``stepped`` behind the changes made to it: the same
    batch, or one in front of it, which closes it too."""

    rendering: RenderingBatch
    stepped: RenderingBatch | ChangedBatch

    @property
    def frames_per_second(self) -> float:
        """The environment's own rate, one frame per step."""
        return frames_per_second(self.rendering.metadata) or DEFAULT_FRAMES_PER_SECOND


def rendered(environment: EnvironmentConfig, seed: int = MADE_WITH) -> Rendered:
    """``environment`` made to give pictures, in a worker process wherever one can make it.

    Raises:
        RequestError: it cannot be made.
        RunError: it cannot be made to give pictures, or making it takes its worker process down.
        GivenUp: as ``waited``, while a worker process is waited for.
    """
    try:
        batch = made(environment, seed, render=True)
    except RequestError:
        # Raises as above, unless it is only rendering that is the matter.
        made(environment, seed, render=False).close()
        raise _no_pictures(environment.id) from None
    return _changed(environment, batch, seed)


def unseen(environment: EnvironmentConfig, seed: int = MADE_WITH) -> Rendered:
    """As ``rendered``, where no pictures are wanted."""
    return _changed(environment, made(environment, seed, render=False), seed)


def in_this_process(environment: EnvironmentConfig, seed: int = MADE_WITH) -> Rendered:
    """As ``unseen``, in this process: for many short steps of an environment that is known to be sound.

    Raises:
        RequestError: it cannot be made.
    """
    return _changed(environment, GymnasiumBatch(environment, [seed]), seed)


def made(environment: EnvironmentConfig, seed: int, render: bool) -> RenderingBatch:
    """In a worker process wherever one can make it: drawing pictures here would take Python's lock from training."""
    if registry.can_be_in_workers(environment.id):
        return ProcessBatch(environment, [seed], 1, render=render)
    return GymnasiumBatch(environment, [seed], render=render)


def _changed(environment: EnvironmentConfig, batch: RenderingBatch, seed: int) -> Rendered:
    plain = registry.observation_space(environment.id, batch.observation_space)
    return Rendered(batch, with_changes(batch, environment, plain, [seed]))


def _no_pictures(id: str) -> RunError:
    return RunError(
        f"{id} gives no pictures to show; only environments that render rgb_array frames can be watched. "
        "Training does not need them."
    )
