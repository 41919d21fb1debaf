"""Looking at an environment that the catalogue does not describe, or not as it is to be made: making it once tells its
spaces and limits."""

from __future__ import annotations

import inspect as inspect_module
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator

from engine.catalogue.configured import described
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo, Option
from engine.config.environments import EnvironmentConfig, as_plain
from engine.environments.making import registry
from engine.environments.making.foreign import first_look
from engine.environments.making.in_worker import Answer, Question, ask_in_worker
from engine.environments.making.known_dynamics import finite_mdp
from engine.environments.making.results import InterfaceError
from engine.runtime.errors import RequestError
from engine.runtime.worker_process import preload

preload(__name__)

_NO_OPTIONS = ("render_mode",)


def inspect(id: str, options: Mapping[str, Any] | None = None, patience: float = 0.0) -> EnvironmentInfo:
    """What the catalogue, or else the environment itself, says of ``id`` made with ``options``, before any changes.

    Environments from elsewhere are made in a worker process, which may take ``patience`` seconds, at the least those of
    ``ask_in_worker``.

    Raises:
        RequestError: as ``registry.make``; a worker process hangs or dies of it.
        GivenUp: as ``waited``, while a worker process is waited for.
    """
    options = dict(options or {})
    known = described(EnvironmentConfig(id=id, options=options))
    if known is not None:
        return known
    if registry.only_in_workers(id):
        question = Question(id, f"{id} could not be made", patience)
        info: EnvironmentInfo = ask_in_worker(question, look, id, options)
        return info
    answer = look(lambda doing: None, id, options)
    answer.afterwards()
    found: EnvironmentInfo = answer.value
    return found


def look(doing: Callable[[str], None], id: str, options: Mapping[str, Any]) -> Answer:
    """What an environment says of itself, an ``EnvironmentInfo``; it is closed afterwards.

    ``doing`` is told when it is made and tried.

    Raises:
        RequestError: as ``registry.make``.
    """
    environment = registry.make(id, options)
    doing("first reset and step")
    try:
        notice = "" if registry.is_known(id) else first_look(environment)
    except InterfaceError as error:
        registry.close(environment)
        raise RequestError(f"{id} {error}.") from None
    notices = (notice, registry.unscaled(environment.action_space))
    said = replace(_said(id, options, environment), notice="; ".join(filter(None, notices)))
    return Answer(said, partial(registry.close, environment))


def _said(id: str, options: Mapping[str, Any], environment: registry.Environment) -> EnvironmentInfo:
    observation = registry.observation_space(id, environment.observation_space)
    action = registry.action_space(id, environment.action_space)
    limit = registry.time_limit(environment)
    info = ENVIRONMENTS.get(id)
    if info is not None:  # made with options that reshape it, so that some of what is said is of another
        action = info.action if action == replace(info.action, labels=()) else action
        finite = _is_finite(id, options)
        return replace(
            info,
            observation=observation,
            action=action,
            time_limit=limit,
            finite=finite,
            solved_at=None,
            best_known=None,
        )
    spec = gymnasium.registry[id.rpartition(":")[2]]
    return EnvironmentInfo(
        id=id,
        title=id,
        summary="An environment registered with Gymnasium.",
        observation=observation,
        action=action,
        time_limit=limit,
        solved_at=None if options or spec.reward_threshold is None else float(spec.reward_threshold),
        finite=_is_finite(id, options),
        options=_options(spec),
    )


def _is_finite(id: str, options: Mapping[str, Any]) -> bool:
    """Whether its dynamics are known as tables over what is seen."""
    mdp = finite_mdp(id, options)
    return mdp is not None and mdp.seen is None


def _options(spec: EnvSpec) -> tuple[Option, ...]:
    """The keyword arguments of what makes the environment that are plain values; any may change its spaces."""
    creator = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    try:
        parameters = inspect_module.signature(creator).parameters if creator is not None else {}
    except (TypeError, ValueError):  # it is not written in Python
        return ()
    defaults = {name: _plain(spec.kwargs.get(name, parameter.default)) for name, parameter in parameters.items()}
    return tuple(
        Option(name, name.replace("_", " ").capitalize(), default, reshapes=True)
        for name, default in defaults.items()
        if name not in _NO_OPTIONS and default is not None
    )


def _plain(value: Any) -> Any:
    """``value`` where it is of no class from elsewhere, not even of one derived from a plain one, as enumerations are;
    else None."""
    value = as_plain(value.item() if isinstance(value, np.generic) else value)
    if type(value) is tuple:
        return None if any(_plain(each) is None for each in value) else value
    return value if type(value) in (bool, int, float, str) else None
