"""Looking at an environment that the catalogue does not describe: making it once tells its spaces and limits."""

from __future__ import annotations

import inspect as inspect_module
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from engine.catalogue import EnvironmentInfo, described
from engine.catalogue.spaces import Option
from engine.config.environments import EnvironmentConfig, as_plain
from engine.environments import registry
from engine.environments.processes import finite_mdp

_NO_OPTIONS = ("self", "render_mode")


def inspect(id: str, options: Mapping[str, Any] | None = None) -> EnvironmentInfo:
    """What the catalogue, or else the environment itself, says of ``id`` made with ``options``, before any changes.

    Raises:
        RequestError: as ``registry.make``.
    """
    known = described(EnvironmentConfig(id=id, options=dict(options or {})))
    if known is not None:
        return known
    environment = registry.make(id, options)
    spec = environment.spec
    info = EnvironmentInfo(
        id=id,
        title=id,
        summary="An environment registered with Gymnasium.",
        observation=registry.observation_space(id, environment.observation_space),
        action=registry.action_space(id, environment.action_space),
        time_limit=registry.time_limit(environment),
        solved_at=spec.reward_threshold if spec and not options else None,
        finite=finite_mdp(id, options) is not None,
        options=_options(environment),
    )
    with suppress(Exception):  # all that was wanted of it is known
        environment.close()
    return info


def _options(environment: registry.Environment) -> tuple[Option, ...]:
    """The keyword arguments of the environment's class that are plain values; any may change its spaces."""
    signature = inspect_module.signature(type(environment.unwrapped).__init__)
    given = environment.spec.kwargs if environment.spec else {}
    defaults = {name: given.get(name, parameter.default) for name, parameter in signature.parameters.items()}
    return tuple(
        Option(name, name.replace("_", " ").capitalize(), plain, reshapes=True)
        for name, default in defaults.items()
        if name not in _NO_OPTIONS and isinstance(plain := as_plain(default), bool | int | float | str | tuple)
    )
