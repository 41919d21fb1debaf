"""What an environment's calls give: taken as it is meant where that is plain, and named for what is wrong where not.

Gymnasium's own checker (``gymnasium.utils.passive_env_checker``) does not serve: it asserts what is harmless (a reward
in an array of one element), warns of what is not (a step of four values), and looks at a first call only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.runtime.errors import shortened

Result = tuple[Any, float, bool, bool, dict[str, Any]]

_NAMES = ("observation", "reward", "terminated", "truncated", "info")
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven")
_STEP = f"return {', '.join(_NAMES)}"
_RESET = "return observation, info"
_NUMBERS = "biuf"  # kinds of numpy's types


class InterfaceError(ValueError):
    """An environment does not keep to Gymnasium's interface; the message goes on a sentence that begins with its id."""


def as_step(given: Any, space: Any) -> Result:
    """What ``step`` gave, in the types that it is to have; ``space`` is that of observations.

    Raises:
        InterfaceError: it is not clear what is meant.
    """
    if not isinstance(given, tuple | list):
        what = "nothing" if given is None else described(given)
        raise InterfaceError(f"returns {what} from its step; {_STEP}")
    if len(given) == 4:
        raise InterfaceError(
            f"returns four values from its step, as Gym did before 0.26; {_STEP}, or wrap it with "
            "GymV21CompatibilityV0 of the package shimmy"
        )
    if len(given) != 5:
        count = _COUNTS[len(given)] if len(given) < len(_COUNTS) else len(given)
        raise InterfaceError(f"returns {count} value{'s' * (len(given) != 1)} from its step; {_STEP}")
    observation, reward, terminated, truncated, info = given
    if type(reward) is not float:
        reward = _number(reward)
    if type(terminated) is not bool:
        terminated = _flag(terminated, "terminated")
    if type(truncated) is not bool:
        truncated = _flag(truncated, "truncated")
    return as_observation(observation, space, "step"), reward, terminated, truncated, _info(info)


def as_reset(given: Any, space: Any) -> tuple[Any, dict[str, Any]]:
    """What ``reset`` gave, likewise.

    Raises:
        InterfaceError: it is not clear what is meant.
    """
    pair = isinstance(given, tuple | list) and len(given) == 2
    if pair and (given[1] is None or isinstance(given[1], Mapping)):
        return as_observation(given[0], space, "reset"), _info(given[1])
    if given is None:
        raise InterfaceError(f"returns nothing from its reset; {_RESET}")
    try:
        as_observation(given, space, "reset")
    except InterfaceError:
        if pair:
            raise InterfaceError(
                f"returns {described(given[1])} in place of info, a dict, from its reset; {_RESET}"
            ) from None
        raise InterfaceError(f"returns {described(given)} from its reset; {_RESET}") from None
    raise InterfaceError(f"returns the observation alone from its reset, as Gym did before 0.26; {_RESET}")


def as_observation(given: Any, space: Any, during: str) -> Any:
    """An observation as its ``space`` has it, in memory of its own; bounds are not looked at.

    Raises:
        InterfaceError: it is of another shape or kind.
    """
    if isinstance(space, spaces.Dict):
        parts = _parts_of(given, Mapping, space, during)
        if parts.keys() < space.spaces.keys():
            missing = ", ".join(sorted(map(str, space.spaces.keys() - parts.keys())))
            raise InterfaceError(f"observes no {missing} in its {during}, which its observation_space names; add it")
        return {name: as_observation(parts[name], part, during) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        parts = _parts_of(given, Sequence, space, during)
        if len(parts) != len(space.spaces):
            raise _other_shape(during, f"{len(parts)} parts", f"{len(space.spaces)} parts")
        return tuple(as_observation(part, one, during) for part, one in zip(parts, space.spaces, strict=True))
    if not isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return given  # which is for what flattens it to understand
    shape: tuple[int, ...] = space.shape  # type: ignore[assignment]  # which these have
    array = _array(given)
    if array is None:
        raise InterfaceError(f"observes {described(given)} in its {during}, where {shortened(str(space))} is declared")
    if array.shape != shape:
        if array.size != 1 or math.prod(shape) != 1:
            raise _other_shape(during, f"the shape {array.shape}", f"the shape {shape}")
        array = array.reshape(shape)
    if isinstance(space, spaces.Box):
        return array.copy()  # of its type, which a wrapper may count on
    if array.dtype.kind == "f" and not (array == np.trunc(array)).all():
        raise InterfaceError(f"observes {array} in its {during}, where {shortened(str(space))} has whole numbers")
    seen = int(array) if isinstance(space, spaces.Discrete) else array.astype(space.dtype)
    if not space.contains(seen):
        raise InterfaceError(f"observes {seen} in its {during}, which lies outside {shortened(str(space))}")
    return seen


def _parts_of(given: Any, kind: type[Any], space: Any, during: str) -> Any:
    if isinstance(given, kind) and not isinstance(given, str):
        return given
    raise InterfaceError(f"observes {described(given)} in its {during}, where {shortened(str(space))} is declared")


def _other_shape(during: str, seen: str, declared: str) -> InterfaceError:
    return InterfaceError(
        f"gives an observation of {seen} in its {during}, where its observation_space has {declared}; change "
        "one of them"
    )


def _number(given: Any) -> float:
    """A reward."""
    if isinstance(given, Number) and not isinstance(given, complex | np.complexfloating):
        try:
            return float(given)  # type: ignore[arg-type]  # of any kind that is on a line
        except OverflowError:  # which the batch names as no finite number
            return math.inf if given > 0 else -math.inf  # type: ignore[operator]
    array = _array(given)
    if array is None or array.size != 1:
        what = described(given) if array is None else f"{array.size} numbers"
        raise InterfaceError(f"gives {what} as the reward of a step; return one number")
    return float(array.reshape(()))


def _flag(given: Any, name: str) -> bool:
    """``terminated`` or ``truncated``."""
    array = _array(given)
    if array is None or array.size != 1 or array.reshape(()) not in (0, 1):
        what = f"{array.size} values" if array is not None and array.size != 1 else described(given)
        raise InterfaceError(f"gives {what} as {name}; return True or False")
    return bool(array.reshape(()))


def _info(given: Any) -> dict[str, Any]:
    """For wrappers of Gymnasium's, which may write to it; nothing else reads it."""
    return given if isinstance(given, dict) else {}


def _array(given: Any) -> NDArray[Any] | None:
    """``given`` as numbers; None where it is none."""
    detach: Callable[[], Any] | None = getattr(given, "detach", None)  # tensors of torch's
    try:
        array = np.asarray(given if detach is None else detach().cpu())
        if array.dtype.kind == "O" and not any(part is None or isinstance(part, str) for part in array.flat):
            array = array.astype(np.float64)
    except Exception:  # whatever its own conversion makes of it
        return None
    return array if array.dtype.kind in _NUMBERS else None


def described(given: Any) -> str:
    """What it is, with the word for its kind."""
    if given is None:
        return "None"
    if isinstance(given, str):
        return f"the text {shortened(given)!r}"
    if isinstance(given, complex | np.complexfloating):
        return f"the complex number {given}"
    if isinstance(given, Mapping):
        return "a dict"
    if isinstance(given, Number):
        return f"the number {given}"
    if isinstance(given, np.ndarray):
        return f"an array of shape {given.shape}"
    return f"{'an' if type(given).__name__[0] in 'aeiou' else 'a'} {type(given).__name__}"
