"""What a family of environments needs around it before a policy can look at it, as is usual for that family."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gymnasium
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TimeLimit

Environment = gymnasium.Env[Any, Any]

_ATARI = "ALE/"
_MINIGRID = ("MiniGrid-", "BabyAI-")
FRAMES_HELD = 4  # for how many frames of an Atari game an action is held, and how many pictures are seen at once


def register_packages(id: str) -> None:
    """Make the package that brings ``id`` register its environments with Gymnasium, if it is installed.

    That takes a moment, and so is done only for the package's own ids; calling it again changes nothing.
    """
    name = _name(id)
    if name.startswith(_ATARI) and find_spec("ale_py") is not None:
        ale_py = import_module("ale_py")
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # it would greet each time on stderr
        gymnasium.register_envs(ale_py)
    elif name.startswith(_MINIGRID) and find_spec("minigrid") is not None:
        gymnasium.register_envs(import_module("minigrid"))


def extra_arguments(id: str) -> dict[str, Any]:
    """What ``gymnasium.make`` has to be told for ``preprocessed`` to work: Atari games are to show every frame."""
    return {"frameskip": 1} if _name(id).startswith(_ATARI) else {}


def preprocessed(environment: Environment, id: str) -> Environment:
    """The environment as a policy is to see it.

    - Atari (Mnih et al. 2015): an action is held for 4 frames, of the last two of which the brighter pixels are seen,
      in grey and 84 × 84 small; four such pictures at once, uint8 [4, 84, 84]. A time limit counts held actions.
    - MiniGrid: only the codes of the cells ahead, uint8 [view, view, 3], without direction and mission.
    - Any other: as it is. MuJoCo is made to draw without a display.

    Raises:
        DependencyNotInstalled: the package for shrinking pictures is missing.
    """
    if _name(id).startswith(_ATARI):
        return _atari(environment)
    if _name(id).startswith(_MINIGRID):
        seen: Environment = import_module("minigrid.wrappers").ImgObsWrapper(environment)
        return seen
    if "mujoco" in sys.modules and environment.render_mode is not None and hasattr(environment.unwrapped, "model"):
        return _Drawing(environment)
    return environment


def _name(id: str) -> str:
    """An id without the module before it."""
    return id.rpartition(":")[2]


class _Drawing(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment of MuJoCo's that draws without a display, and says what is missing where it cannot.

    Raises:
        RuntimeError: from ``render``, if it cannot.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if sys.platform == "linux":  # where Qt needs EGL as well; set only now, since it is looked for when drawing
            os.environ.setdefault("MUJOCO_GL", "egl")

    def render(self) -> Any:
        try:
            return super().render()
        except Exception as error:
            way = os.environ.get("MUJOCO_GL", "OpenGL")
            raise RuntimeError(
                f"MuJoCo cannot draw by way of {way} here; the variable MUJOCO_GL chooses egl, osmesa or glfw"
            ) from error


def _atari(environment: Environment) -> Environment:
    limit = None
    if isinstance(environment, TimeLimit):  # it would count frames from in here
        limit, environment = environment._max_episode_steps, environment.env
    held: Environment = AtariPreprocessing(environment, frame_skip=FRAMES_HELD)
    stacked: Environment = FrameStackObservation(held, FRAMES_HELD)
    return stacked if limit is None else TimeLimit(stacked, limit)
