"""Environments that neither Gymnasium nor the catalogue brings along: made, seeded and taken as they are meant."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import copy, deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.utils import seeding
from gymnasium.vector import VectorEnv

from engine.environments.making.global_random import GlobalRandom
from engine.environments.making.results import InterfaceError, as_reset, as_step
from engine.runtime.errors import is_interruption, shortened
from engine.runtime.state import State

UNREPEATABLE = "two resets with the same seed differ, so that the same seed does not give the same run"

RENDERS_NOTHING = (
    "renders nothing; give it a method render that returns an array of height × width × 3 bytes, if it is to be watched"
)

_SPACES = ("observation_space", "action_space")
_SEEDLESS = (
    "has a reset that takes no seed, as Gym's had none before 0.26; write def reset(self, *, seed=None, options=None), "
    "begin it with super().reset(seed=seed), and return observation, info"
)
_QUICK = 1.0  # seconds; what resets within them is reset again to be compared
_IMPORTING = 0  # a seed


class ForeignEnvironment(gymnasium.Wrapper[Any, Any, Any, Any]):
    """One of them, with the process's global random numbers as it alone knows them, and results as they are meant.

    A reset with a seed seeds all chance that can be reached: the global numbers, the environment's own generator even
    where its ``reset`` does not, and those of its two spaces, which some draw observations from.

    Raises:
        InterfaceError: from ``reset`` and ``step``, as ``results``.
    """

    def __init__(self, environment: gymnasium.Env[Any, Any], chance: GlobalRandom) -> None:
        super().__init__(environment)
        self.chance = chance
        # Before 0.26 Gym told each call, and not the constructor, what is to be rendered.
        self._rendering = {"mode": "rgb_array"} if _takes(environment.render, "mode") else {}
        self._observed: Any = environment.observation_space
        self.observation_space, self.action_space = environment.observation_space, environment.action_space
        for name in _SPACES:
            with suppress(Exception):  # it is a property, or cannot be copied
                # Most are of the class, and then all environments, and whoever looks at them, would draw from one
                # generator.
                setattr(environment.unwrapped, name, deepcopy(getattr(environment.unwrapped, name)))

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """The environment's: this is none of the wrappers that are written down there."""
        return self.env.spec

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self._seed(seed)
        with self.chance:
            try:
                # Options are left out where there are none: many a reset takes only a seed.
                given: Any = self.env.reset(seed=seed, **({} if options is None else {"options": options}))
            except TypeError as error:
                if re.search(r"reset\(\) got an unexpected keyword argument 'seed'", str(error)):
                    raise InterfaceError(_SEEDLESS) from None
                raise
        return as_reset(given, self._observed)

    def step(self, action: Any) -> Any:
        with self.chance:
            given = self.env.step(action)
        return as_step(given, self._observed)

    def render(self) -> Any:
        with self.chance:
            return self.env.render(**self._rendering)

    def close(self) -> None:
        with self.chance:
            self.env.close()

    def state(self) -> State:
        """Where its random numbers are, those of its own generator apart."""
        return {"global": self.chance.state(), "spaces": [bits.state for bits in self._of_spaces()]}

    def load(self, state: Mapping[str, Any]) -> None:
        self.chance.load(state["global"])
        for bits, kept in zip(self._of_spaces(), state["spaces"], strict=False):
            bits.state = kept

    def _seed(self, seed: int) -> None:
        self.chance.seed(seed)
        bare: Any = self.env.unwrapped
        with suppress(Exception):  # whatever it has in its place
            bare.np_random.bit_generator.state = seeding.np_random(seed)[0].bit_generator.state
        for number, name in enumerate(_SPACES):
            with suppress(Exception):
                bare.__dict__[name].seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))

    def _of_spaces(self) -> list[Any]:
        """The generators of its two spaces and their parts."""
        own = vars(self.env.unwrapped)
        return [bits for name in _SPACES if name in own for bits in _bits_of(own[name])]


def _bits_of(space: Any) -> Iterator[Any]:
    if isinstance(space, gymnasium.Space):
        yield space.np_random.bit_generator
    parts = getattr(space, "spaces", ())
    for part in parts.values() if isinstance(parts, Mapping) else parts:
        yield from _bits_of(part)


def specification(id: str, seed: int) -> EnvSpec:
    """What ``gymnasium.make`` makes a ``ForeignEnvironment`` of, once its module is imported.

    Raises:
        InterfaceError: when it is made, where what is registered makes no environment of Gymnasium's.
    """
    spec = copy(gymnasium.registry[id])
    if spec.entry_point is None:
        return spec  # which Gymnasium says
    with while_importing():
        creator: Any = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    chance = GlobalRandom(seed)

    def create(**arguments: Any) -> ForeignEnvironment:
        rendering = "render_mode" in arguments
        if rendering and not _takes(creator, "render_mode"):
            del arguments["render_mode"]
        elif rendering and _only_lists(creator):
            arguments["render_mode"] = "rgb_array_list"
        with chance:
            made = creator(**arguments)
            _check_kind(made)
        if rendering and type(made).render is gymnasium.Env.render:
            raise InterfaceError(RENDERS_NOTHING)
        return ForeignEnvironment(made, chance)

    spec.entry_point = create
    return spec


def while_importing() -> GlobalRandom:
    """The global random numbers of modules: those of all runs, as a module is imported once for all that is in it."""
    return GlobalRandom(_IMPORTING)


def wrapped(environment: gymnasium.Env[Any, Any]) -> ForeignEnvironment:
    """One whose registration puts wrappers around it, which are from elsewhere as well."""
    layer = layer_of(environment)
    assert layer is not None
    return ForeignEnvironment(environment, layer.chance)


def layer_of(environment: Any) -> ForeignEnvironment | None:
    """The foreign environment in ``environment``, if it is one."""
    while isinstance(environment, gymnasium.Wrapper):
        if isinstance(environment, ForeignEnvironment):
            return environment
        environment = environment.env
    return None


def _check_kind(made: Any) -> None:
    """Raises InterfaceError unless it is an environment whose spaces are Gymnasium's."""
    if isinstance(made, VectorEnv) or (not isinstance(made, gymnasium.Env) and hasattr(made, "num_envs")):
        raise InterfaceError(
            "makes several environments at once; name one that makes a single environment, of which as many are made "
            "as are wanted"
        )
    if not isinstance(made, gymnasium.Env):
        of_gym = any(_of_gym(kind) for kind in type(made).__mro__)
        raise InterfaceError(
            "is an environment of the package gym; have its class inherit from gymnasium.Env"
            if of_gym
            else f"makes a {type(made).__name__}, which is no gymnasium.Env; have its class inherit from gymnasium.Env"
        )
    for name in _SPACES:
        space: Any = getattr(made, name, None)
        if space is None:
            raise InterfaceError(f"has no {name}; set self.{name} to a space of gymnasium.spaces in its __init__")
        if not isinstance(space, gymnasium.Space):
            described = "of the package gym" if _of_gym(type(space)) else "no space of Gymnasium's"
            raise InterfaceError(
                f"has the {name} {shortened(str(space))}, which is {described}; make it with gymnasium.spaces"
            )


def _takes(called: Any, name: str) -> bool:
    """Whether it has an argument of that name; where that cannot be seen, it has those of today."""
    try:
        parameters = inspect.signature(called).parameters
    except (TypeError, ValueError):  # it is not written in Python
        return name == "render_mode"
    several = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return name in parameters or (several and name == "render_mode")


def _only_lists(creator: Any) -> bool:
    """Whether it gives its pictures in lists alone."""
    metadata = getattr(creator, "metadata", None)
    modes = metadata.get("render_modes") if isinstance(metadata, dict) else None
    return isinstance(modes, list | tuple) and "rgb_array_list" in modes and "rgb_array" not in modes


def _of_gym(kind: type[Any]) -> bool:
    return kind.__module__.split(".")[0] == "gym"


def first_look(environment: gymnasium.Env[Any, Any]) -> str:
    """Try ``environment``, which is used up by it: what to tell of it in a sentence, or nothing.

    What it raises itself is left for a run to meet.

    Raises:
        InterfaceError: as ``ForeignEnvironment``.
    """
    began = time.monotonic()
    try:
        first = again = environment.reset(seed=0)[0]
        if time.monotonic() - began < _QUICK:
            again = environment.reset(seed=0)[0]
        actions = deepcopy(environment.action_space)
        actions.seed(0)
        environment.step(actions.sample())
    except InterfaceError:
        raise
    except BaseException as error:
        if is_interruption(error):
            raise
        return ""
    return "" if np.array_equal(first, again) else UNREPEATABLE
