"""What a run was given to learn from, checked against what it is configured to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import ImitationConfig, RunConfig
from engine.config.imitation import BehaviouralCloning
from engine.experience.demonstrations import Demonstrations
from engine.runtime.errors import RequestError
from engine.training.given import difference_between

_ROUNDING = 1e-5  # of the range of an action, by which it may lie beyond a bound


def require_fitting(shown: Demonstrations, config: ImitationConfig, environment: EnvironmentInfo) -> None:
    """See to it that a dataset can be learned from.

    Raises:
        RequestError: it is empty, of something else, or holds what cannot be seen or done in the environment.
    """
    name = f"The dataset {config.imitation.dataset}"
    if len(shown) == 0:
        raise RequestError(f"{name} has no steps; record an episode first, or choose another.")
    difference = difference_between(shown.environment, config.environment)
    if difference:
        raise RequestError(f"{name} is of somebody who {difference}; choose one of the same.")
    seen, actions = shown.observations, shown.actions
    _require_shape(name, "observations", seen, environment.observation, environment)
    _require_shape(name, "actions", actions, environment.action, environment)
    if not np.isfinite(seen).all():
        raise RequestError(f"{name} holds observations that are no finite numbers; choose another.")
    if environment.observation.kind == "discrete":
        _require_counts(name, "observation", seen, np.array([environment.observation.size]), shown)
    space = environment.action
    if space.kind == "box":
        _require_inside(name, actions, shown, environment)
    else:
        counts = {"discrete": [space.size], "multi-binary": [2] * space.size, "multi-discrete": list(space.parts)}
        _require_counts(name, "action", actions, np.array(counts[space.kind]), shown)


def require_weights(shown: Demonstrations | None, config: RunConfig) -> None:
    """Raises RequestError where the steps of a dataset are to be weighed by rewards that are not known."""
    if not isinstance(config, ImitationConfig) or not isinstance(config.update, BehaviouralCloning) or shown is None:
        return
    if config.update.weighting != "one" and any(each.rewards is None for each in shown.episodes if len(each)):
        raise RequestError(
            f"The dataset {config.imitation.dataset} says nothing of rewards, by which its steps could be weighed; set "
            "update.weighting to one."
        )


def _require_shape(
    name: str, what: str, found: NDArray[np.generic], space: Space, environment: EnvironmentInfo
) -> None:
    numbers = len(space.parts) if space.kind == "multi-discrete" else space.size
    wanted = () if space.kind == "discrete" else (numbers,)
    kind = "f" if space.kind == "box" else "iu"
    if found.shape[1:] == wanted and found.dtype.kind in kind:
        return
    here = f"{found.shape[1:][0] if found.shape[1:] else 1} {'numbers' if found.dtype.kind == 'f' else 'whole numbers'}"
    there = f"{numbers if wanted else 1} {'numbers' if kind == 'f' else 'whole numbers'}"
    raise RequestError(
        f"{name} has {what} of {here}, and those of {environment.id} as it is configured are of {there}; choose one of "
        "the same."
    )


def _where(row: int, shown: Demonstrations) -> str:
    episode = int(np.searchsorted(shown.starts, row, side="right")) - 1
    return f"in step {row - int(shown.starts[episode]) + 1:,} of episode {episode + 1:,}"


def _require_counts(
    name: str, what: str, found: NDArray[np.generic], sizes: NDArray[np.int64], shown: Demonstrations
) -> None:
    rows = found.reshape(len(found), -1).astype(np.int64)
    outside = ((rows < 0) | (rows >= sizes)).any(-1)
    if outside.any():
        row = int(outside.argmax())
        value = rows[row].tolist()
        most = " × ".join(f"0 to {size - 1}" for size in sizes[:3].tolist())
        raise RequestError(
            f"{name} has the {what} {value[0] if len(value) == 1 else value} {_where(row, shown)}, and there is only "
            f"{most}; choose another."
        )


def _require_inside(name: str, found: NDArray[np.generic], shown: Demonstrations, environment: EnvironmentInfo) -> None:
    space, actions = environment.action, found.astype(np.float64)
    if not np.isfinite(actions).all():
        raise RequestError(f"{name} holds actions that are no finite numbers; choose another.")
    limits = np.array(space.bounds or space.ranges, np.float64)
    if not len(limits):
        return
    low, high = np.broadcast_to(limits, (space.size, 2)).T
    span = np.where(np.isfinite(high - low), high - low, 1.0)
    outside = ((actions < low - _ROUNDING * span) | (actions > high + _ROUNDING * span)).any(-1)
    if outside.any():
        row = int(outside.argmax())
        part = int(((actions[row] < low) | (actions[row] > high)).argmax())
        raise RequestError(
            f"{name} has the action {actions[row, part]:g} {_where(row, shown)}, and {environment.id} takes "
            f"{low[part]:g} to {high[part]:g}; choose another."
        )
