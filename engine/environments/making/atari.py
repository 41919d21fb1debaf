"""Atari games as policies see them: actions held, pictures small and grey, several at once (Mnih et al. 2015)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gymnasium
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TimeLimit

FRAMES_PER_SECOND = 60.0  # of the console
FRAMES_HELD = 4  # for how many frames an action is held, and how many pictures are seen at once


def register() -> None:
    """Make the games known to Gymnasium, without the greeting on stderr that comes with each one made."""
    ale_py = import_module("ale_py")
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)


def preprocessed(environment: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """A game that shows every frame, as a policy is to see it.

    An action is held for 4 frames, of the last two of which the brighter pixels are seen, in grey and 84 × 84 small;
    four such pictures at once, uint8 [4, 84, 84]. A time limit counts held actions.

    Raises:
        DependencyNotInstalled: the package for shrinking pictures is missing.
    """
    limit = None
    if isinstance(environment, TimeLimit):  # it would count frames from in here
        limit, environment = environment._max_episode_steps, environment.env
    held: gymnasium.Env[Any, Any] = AtariPreprocessing(environment, frame_skip=FRAMES_HELD)
    stacked: gymnasium.Env[Any, Any] = FrameStackObservation(held, FRAMES_HELD)
    stacked.metadata = {**environment.metadata, "render_fps": FRAMES_PER_SECOND / FRAMES_HELD}
    return stacked if limit is None else TimeLimit(stacked, limit)
