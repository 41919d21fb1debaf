"""Finding and making environments; every failure becomes one sentence a person can act on."""

from __future__ import annotations

import math
import multiprocessing
import os
import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from typing import Any

# Rendering happens off screen and often off the main thread: SDL must not reach for a display, a sound card or the
# signals that end this program, and pyplot must not open a window and wait for it.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ["SDL_NO_SIGNAL_HANDLERS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.catalogue.spaces import Space, shows_images
from engine.environments.making import blackjack_hands, finite_env, foreign, plugins, probes
from engine.environments.making import cartpole_positions as positions
from engine.environments.making.preprocessing import extra_arguments, preprocessed, register_packages
from engine.environments.making.results import InterfaceError
from engine.runtime.errors import RequestError, RunError, describe, is_interruption, shortened

finite_env.register()
probes.register()
positions.register()
blackjack_hands.register()

Environment = gymnasium.Env[Any, Any]
_FLATTENED = (spaces.Dict, spaces.Tuple, spaces.MultiDiscrete, spaces.MultiBinary)
MOST_NUMBERS = 10_000_000  # of one observation or action
WIDEST = 2e6  # from one bound to the other; wider ones, as some environments write for none, say nothing
_AS_GOOD_AS_NONE = 1e9  # a bound that is surely written for none

_PACKAGES = {
    "Box2D": "box2d",
    "pygame": "pygame",
    "mujoco": "mujoco",
    "ale_py": "ale-py",
    "jax": "jax",
    "cv2": "opencv-python",
}


def make(
    id: str, options: Mapping[str, Any] | None = None, *, time_limit: int = 0, render: bool = False, seed: int = 0
) -> Environment:
    """The environment registered under ``id``, or under the second half of ``module:id`` once that module is imported.

    Observations of several parts (Dict, Tuple, MultiDiscrete, MultiBinary) come as one flat Box. Episodes are cut off
    after ``time_limit`` steps, or if that is 0 after what the environment is registered with, or else after what the
    catalogue says. Frames are ``rgb_array`` if ``render``. What comes from elsewhere is a ``ForeignEnvironment``, and
    what it draws from the process's global random numbers while it is made comes from ``seed``.

    Raises:
        RequestError: no such id (the nearest is suggested), a package it needs is missing (the command that installs it
            is named), its spaces are not supported, or making it failed.
    """
    name, known = id.rpartition(":")[2], is_known(id)
    with nullcontext() if known else foreign.while_importing():
        _find(id)
    _require_extra(id)
    _refuse_reserved(id, options or {})
    arguments: dict[str, Any] = extra_arguments(id) | dict(options or {})
    if render:
        arguments["render_mode"] = "rgb_array"
    limit = time_limit or _catalogue_limit(id)
    if limit is not None:
        arguments["max_episode_steps"] = limit
    environment = None
    try:
        made_of = id if known else foreign.specification(name, seed)
        environment = gymnasium.make(made_of, disable_env_checker=True, **arguments)
        if not known and gymnasium.registry[name].additional_wrappers:
            environment = foreign.wrapped(environment)
        environment = preprocessed(environment, id)
        _refuse_too_large(id, environment)
        if isinstance(environment.observation_space, _FLATTENED):
            environment = gymnasium.wrappers.FlattenObservation(environment)
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        raise RequestError(_missing_package(id, error)) from None
    except RequestError:
        raise
    except InterfaceError as error:
        raise RequestError(f"{id} {error}.") from None
    except BaseException as error:
        if environment is not None:
            close(environment)
        if is_interruption(error):
            raise
        given = f" with {', '.join(options)}" if options else ""
        raise RequestError(f"{id} could not be made{given}: {describe(error)}.") from error
    try:
        observation_space(id, environment.observation_space)
        action_space(id, environment.action_space)
    except RequestError:
        close(environment)
        raise
    return environment


def _refuse_too_large(id: str, environment: Environment) -> None:
    """What nobody could hold, before anything is made of it."""
    seen = environment.observation_space
    for kind, space in (("observation", seen), ("action", environment.action_space)):
        width = math.prod(space.shape or ())
        if kind == "observation" and isinstance(space, _FLATTENED) and space.is_np_flattenable:
            width = spaces.flatdim(space)  # a discrete part of it becomes as wide as it has values
        if width > MOST_NUMBERS:
            raise RequestError(
                f"One {kind} of {id} is {width:,} numbers, and more than {MOST_NUMBERS:,} are too many; a smaller "
                "space is needed."
            )


def close(environment: Environment) -> None:
    """Free what an environment holds, whatever it makes of that: nothing is left to be done with it."""
    _keep_pygame()
    try:
        environment.close()
    except BaseException as error:
        if is_interruption(error):
            raise


def _keep_pygame() -> None:
    """Most that draw end all of pygame when they are closed, which belongs to the whole process: to others that draw
    meanwhile, and to a gamepad. It ends with the process."""
    pygame: Any = sys.modules.get("pygame")
    if pygame is not None:
        pygame.quit = pygame.display.quit = _nothing


def _nothing() -> None:
    pass


def is_known(id: str) -> bool:
    """Whether the environment is of Gymnasium's or the catalogue's, and so taken to be sound."""
    spec = gymnasium.registry.get(id)
    if spec is None:
        return id in ENVIRONMENTS
    code = [spec.entry_point, *(wrapper.entry_point for wrapper in spec.additional_wrappers)]
    ours = all(isinstance(place, str) and place.startswith(("gymnasium.", "engine.")) for place in code)
    return id in ENVIRONMENTS or ours


def only_in_workers(id: str) -> bool:
    """Whether its code, which may hang, crash or change this process, may only run in worker processes."""
    return not is_known(id) and can_be_in_workers(id)


def can_be_in_workers(id: str) -> bool:
    """Whether worker processes can make it.

    What a class of this process is registered as could not be found there, and a worker process cannot start others.
    """
    spec = gymnasium.registry.get(id)
    by_class = spec is not None and not isinstance(spec.entry_point, str)
    return not (by_class or multiprocessing.current_process().daemon)


def _find(id: str) -> None:
    """See to it that ``id`` is registered, importing its module where it names one."""
    module, separator, name = id.rpartition(":")
    if separator and not module:
        raise RequestError(f"{id} names no module before its colon; write module:{name or 'id'}, or the id alone.")
    if module:
        try:
            import_module(module)
        except ImportError as error:
            raise RequestError(
                f"The module {module} of {id} could not be imported: {describe(error)}; it has to be installed, or "
                "the variable PYTHONPATH to name the folder in which it lies."
            ) from None
        except BaseException as error:
            if is_interruption(error):
                raise
            raise RequestError(
                f"The module {module} of {id} failed while being imported: {describe(error)}."
            ) from error
    if name not in gymnasium.registry:
        register_packages(id)
    if name not in gymnasium.registry:
        plugins.register_declared()
    if name not in gymnasium.registry:
        _require_extra(name)
        raise RequestError(_unknown(name))


def _refuse_reserved(id: str, options: Mapping[str, Any]) -> None:
    """Two of Gymnasium's own arguments that are set otherwise."""
    if "render_mode" in options:
        raise RequestError(
            f"The pictures of {id} are asked for where they are wanted; leave out the option render_mode."
        )
    if "max_episode_steps" in options:
        raise RequestError(f"Set environment.time_limit in place of the option max_episode_steps of {id}.")


def _require_extra(id: str) -> None:
    known = ENVIRONMENTS.get(id)
    extra = missing_extra(known.family) if known else None
    if extra is not None:
        raise RequestError(f"{id} needs the extra {extra.name}; install it with: {extra.command}")


def _catalogue_limit(id: str) -> int | None:
    """The catalogue's limit, for an environment that is registered without one."""
    spec = gymnasium.registry[id.rpartition(":")[2]]
    known = ENVIRONMENTS.get(id)
    return known.time_limit if known is not None and spec.max_episode_steps is None else None


def time_limit(environment: Environment) -> int | None:
    """After how many steps its episodes are cut off; None if never."""
    return environment.spec.max_episode_steps if environment.spec else None


def observation_space(id: str, space: Any) -> Space:
    """The catalogue's description of what an environment shows.

    Raises:
        RequestError: the space is neither Discrete nor a Box of numbers.
    """
    found = _space(space)
    if found is None or found.kind in ("multi-discrete", "multi-binary"):
        raise RequestError(
            f"{id} has the observation space {shortened(str(space))}, which is not supported; Discrete and Box spaces "
            "are, and Dict, Tuple, MultiDiscrete and MultiBinary ones made of these."
        )
    return found


def action_space(id: str, space: Any) -> Space:
    """The catalogue's description of what an environment lets one do.

    Raises:
        RequestError: the space is not Discrete, Box, MultiDiscrete or MultiBinary.
    """
    found = _space(space)
    if found is None:
        raise RequestError(
            f"{id} has the action space {shortened(str(space))}, which is not supported; only Discrete, Box, "
            "MultiDiscrete and MultiBinary spaces are."
        )
    return replace(found, shape=(), image=False, ranges=_ranges(space)) if found.kind == "box" else found


def _space(space: Any) -> Space | None:
    if isinstance(space, spaces.Discrete):
        return Space("discrete", int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        parts = tuple(int(n) for n in space.nvec.reshape(-1))
        return Space("multi-discrete", sum(parts), parts=parts)
    if isinstance(space, spaces.MultiBinary):
        return Space("multi-binary", int(np.prod(space.shape)))
    if isinstance(space, spaces.Box) and space.shape is not None and 0 not in space.shape:
        size = int(np.prod(space.shape))
        shape, bounds = space.shape if len(space.shape) > 1 else (), _bounds(space)
        return Space("box", size, bounds=bounds, shape=shape, image=shows_images(shape, bounds))
    return None


def _bounds(space: spaces.Box) -> tuple[tuple[float, float], ...]:
    low, high = space.low.reshape(-1).astype(float), space.high.reshape(-1).astype(float)
    if not _known(low, high).all():
        return ()
    if (low == low[0]).all() and (high == high[0]).all():
        return ((float(low[0]), float(high[0])),)
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def _ranges(space: spaces.Box) -> tuple[tuple[float, float], ...]:
    """Of each component, from −∞ to ∞ where it has none; empty where all or none have one."""
    low, high = space.low.reshape(-1).astype(float), space.high.reshape(-1).astype(float)
    known = _known(low, high)
    if known.all() or not known.any():
        return ()
    return tuple(zip(np.where(known, low, -np.inf).tolist(), np.where(known, high, np.inf).tolist(), strict=True))


def _known(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which components have bounds that say something, and differ in float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (high - low < WIDEST) & (low.astype(np.float32) < high.astype(np.float32))


def unscaled(space: Any) -> str:
    """What to tell of a box of actions to whose limits nothing is scaled though they matter, in a phrase; or nothing.

    They do where they are so wide that a spread of 1 is nothing, or leave out the 0 at which a Gaussian begins.
    """
    if not isinstance(space, spaces.Box):
        return ""
    low, high = space.low.reshape(-1).astype(float), space.high.reshape(-1).astype(float)
    wide = (np.abs(low) < _AS_GOOD_AS_NONE) & (np.abs(high) < _AS_GOOD_AS_NONE)
    told = ~_known(low, high) & (low < high) & (wide | (low > 0.0) | (high < 0.0))
    if not told.any():
        return ""
    first = int(told.argmax())
    return (
        f"its actions range from {low[first]:g} to {high[first]:g}, too wide to be scaled to, so a Gaussian begins "
        "with mean 0 and a spread of about 1 there"
    )


def raised(id: str, during: str, error: BaseException) -> RunError:
    """The failure to report when an environment's own code raised ``error``, of whatever kind, or gave what it should
    not.

    Raises:
        BaseException: ``error`` itself, where it is an interruption and no failure.
    """
    if is_interruption(error):
        raise error
    if isinstance(error, InterfaceError):
        return RunError(f"{id} {error}.")
    return RunError(f"{id} raised {describe(error)}, in its {during}.")


def _unknown(id: str) -> str:
    registered = tuple(gymnasium.registry)  # another thread may register meanwhile
    near = get_close_matches(id, registered, n=1, cutoff=0.7)
    alike = [known for known in registered if id and known.lower().startswith(id.lower())]
    same = [known for known in alike if re.fullmatch(rf"{re.escape(id)}(-v\d+)?", known, re.IGNORECASE)]
    declared = plugins.suggested(id) if id.strip() and not same else None  # the source of a library may only use it
    suggestion = declared or next((found[-1] for found in (same, alike, near) if found), "")
    hint = f"did you mean {suggestion}?" if suggestion else "for example CartPole-v1 is."
    return f"There is no environment {shortened(id) or 'without a name'} registered with Gymnasium; {hint}"


def _missing_package(id: str, error: BaseException) -> str:
    name = getattr(error, "name", None) or getattr(error.__cause__, "name", None)
    if name is None:
        return f"{id} needs a package that is not installed: {describe(error)}."
    root = name.split(".")[0]
    package = _PACKAGES.get(root, root)
    return f"{id} needs the package {package}; install it with: pip install {package}"
