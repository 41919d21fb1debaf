"""Observations as a replay buffer keeps them: of several frames, which stand side by side in each place with the oldest
first, each once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experience.replay_layout import TransitionLayout
from engine.runtime.errors import RunError


def check_pixels(observations: NDArray[Any]) -> None:
    """Look once whether bytes can hold what an environment shows.

    Raises:
        RunError: they cannot.
    """
    with np.errstate(invalid="ignore"):
        whole = np.array_equal(observations.astype(np.uint8), observations)
    if not whole:
        raise RunError(
            "A replay buffer keeps a pixel in one byte, and this environment's are not the whole numbers from 0 to "
            "255 that its observation space promises; use an environment that shows whole numbers."
        )


def frame_of(observations: NDArray[Any], back: int, layout: TransitionLayout) -> NDArray[Any]:
    """The frame that was the latest so many steps back, […, numbers of a frame]."""
    if layout.frames == 1:
        return observations
    frames = _by_place(observations, layout)[..., -1 - back, :]
    return frames.reshape(*frames.shape[:-2], frames.shape[-2] * frames.shape[-1])


def joined(frames: NDArray[Any], layout: TransitionLayout) -> NDArray[Any]:
    """Frames [B, k, numbers] as observations [B, …]."""
    by_place = frames.reshape(len(frames), layout.frames, layout.places, -1).swapaxes(1, 2)
    return by_place.reshape(len(frames), *layout.observation.shape)


def followed_by(observations: NDArray[Any], frames: NDArray[Any], layout: TransitionLayout) -> NDArray[Any]:
    """What is seen where ``observations`` [B, …] are followed by ``frames`` [B, numbers]."""
    if layout.frames == 1:
        return frames
    before = _by_place(observations, layout)[..., 1:, :]
    latest = frames.reshape(len(frames), layout.places, 1, -1)
    return np.concatenate((before, latest), 2).reshape(observations.shape)


def _by_place(observations: NDArray[Any], layout: TransitionLayout) -> NDArray[Any]:
    """[…, places, frames, numbers]."""
    *leading, width = observations.shape
    numbers = width // (layout.places * layout.frames)
    return observations.reshape(*leading, layout.places, layout.frames, numbers)
