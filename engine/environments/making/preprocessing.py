"""What a family of environments needs around it before a policy can look at it, as is usual for that family."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gymnasium

from engine.catalogue.environments import making_of

Environment = gymnasium.Env[Any, Any]
_OF_ONE_WORLD = ("gymnasium.envs.box2d.bipedal_walker", "gymnasium.envs.box2d.car_racing")


def register_packages(id: str) -> None:
    """Make the package that brings ``id`` register its environments with Gymnasium, if it is installed.

    That takes a moment, and so is done only for the package's ids; calling it again changes nothing.
    """
    making = making_of(id)
    if making is None or find_spec(making.package) is None:
        return
    if making.register:
        _named(making.register)()
    else:
        gymnasium.register_envs(import_module(making.package))


def extra_arguments(id: str) -> dict[str, Any]:
    """What ``gymnasium.make`` has to be told for ``preprocessed`` to work."""
    making = making_of(id)
    return dict(making.arguments) if making else {}


def preprocessed(environment: Environment, id: str) -> Environment:
    """The environment as a policy is to see it, by the record of its family.

    MuJoCo is made to draw without a display, and a world of Box2D's that remembers earlier episodes is kept from it.

    Raises:
        DependencyNotInstalled: a package that the family's wrapper needs is missing.
    """
    making = making_of(id)
    if making is not None and making.wrapper:
        seen: Environment = _named(making.wrapper)(environment)
        return seen
    if "mujoco" in sys.modules and environment.render_mode is not None and hasattr(environment.unwrapped, "model"):
        return _Drawing(environment)
    if type(environment.unwrapped).__module__ in _OF_ONE_WORLD:
        return _FreshWorld(environment)
    return environment


def _named(path: str) -> Callable[..., Any]:
    """The function at ``module:function``."""
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


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


class _FreshWorld(gymnasium.Wrapper[Any, Any, Any, Any]):
    """BipedalWalker or CarRacing with a new world for each episode, as Gymnasium's LunarLander has it.

    These two take the old bodies out of the world and put new ones in. But a world remembers where it has kept bodies,
    and looks at contacts in that order, so that the rounding of an episode, and soon all of it, depends on the episodes
    before it: on nothing that a seed or a generator tells.
    """

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        bare: Any = self.unwrapped
        bare._destroy()
        bare.world = import_module("Box2D").b2World(gravity=bare.world.gravity)
        return super().reset(seed=seed, options=options)
