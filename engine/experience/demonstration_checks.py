"""What has to be true of demonstrations so that they can be kept and learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runtime.errors import RequestError

LARGEST_SEED = 2**63 - 1
LARGEST_NUMBER = 1e30  # of a reward, well inside float32, in which returns are computed
LONGEST_SOURCE = 200  # characters


def check(demonstrations: Demonstrations) -> None:
    """See to it that there is something in ``demonstrations``, that their episodes are alike, and that all of their
    numbers are such as can be learned from.

    Raises:
        RequestError: there is not, or they are not.
    """
    if not demonstrations.episodes:
        raise RequestError("These demonstrations are empty; there has to be an episode of at least one step in them.")
    first = demonstrations.episodes[0]
    for number, episode in enumerate(demonstrations.episodes, 1):
        problem = _of_shapes(episode) or _of_others(episode, first) or _of_numbers(episode) or _of_words(episode)
        if problem:
            raise RequestError(f"Episode {number} of these demonstrations cannot be used: {problem}.")


# What of an environment's configuration changes nothing of what is seen and done in it.
_ASIDE = frozenset({"stepping", "patience", "time_limit"} | {"reward_offset", "reward_scale", "normalize_rewards"})
_ASIDE |= {"normalize_observations"}  # which happens after what is recorded


def difference(one: EnvironmentConfig, other: EnvironmentConfig) -> str:
    """Why what was recorded in ``one`` is not what is seen and done in the ``other``, as the end of a sentence; empty
    where it is."""
    for name in type(one).model_fields:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name not in _ASIDE and mine != theirs:
            return f"one is in {mine}, the other in {theirs}" if name == "id" else f"their {_named(name)} differ"
    return ""


def _named(field: str) -> str:
    return str(EnvironmentConfig.model_fields[field].title or field).lower()


def _of_shapes(episode: Demonstration) -> str:
    """What is wrong with an episode's arrays, as the end of a sentence; empty if nothing."""
    observations, actions = episode.observations, episode.actions
    rewards, final = episode.rewards, episode.final_observation
    if not len(episode):
        return "it has no step"
    if not (_is(observations, np.float32, 2) or _is(observations, np.int64, 1)):
        return f"observations are float32 [steps, components] or int64 [steps], not {_kind(observations)}"
    if not (_is(actions, np.float32, 2) or _is(actions, np.int64, 1) or _is(actions, np.int64, 2)):
        return f"actions are float32 [steps, components] or int64 [steps] or [steps, parts], not {_kind(actions)}"
    if rewards is not None and not _is(rewards, np.float64, 1):
        return f"rewards are float64 [steps], not {_kind(rewards)}"
    if final is not None and (final.dtype, final.shape) != (observations.dtype, observations.shape[1:]):
        return f"its final observation is {_kind(final)}, and the others are {_kind(observations[0])}"
    return ""


def _of_others(episode: Demonstration, first: Demonstration) -> str:
    """What is wrong with an episode beside the first."""
    for name in ("observations", "actions"):
        mine, others = getattr(episode, name)[0], getattr(first, name)[0]
        if (mine.dtype, mine.shape) != (others.dtype, others.shape):
            return f"each of its {name} is {_kind(mine)}, and of those of the first {_kind(others)}"
    return ""


def _of_numbers(episode: Demonstration) -> str:
    for name, numbers in (
        ("an observation", episode.observations),
        ("an action", episode.actions),
        ("a reward", episode.rewards),
        ("its final observation", episode.final_observation),
    ):
        if numbers is None:
            continue
        if not np.isfinite(numbers).all():
            return f"{name} is not a finite number"
        if numbers.dtype.kind == "i" and numbers.min() < 0:
            return f"{name} is {numbers.min()}, and they are counted from 0"
    if episode.rewards is not None and np.abs(episode.rewards).max() >= LARGEST_NUMBER:
        return f"a reward is beyond {LARGEST_NUMBER:g}"
    return ""


def _of_words(episode: Demonstration) -> str:
    seed, source = episode.seed, episode.source
    if seed is not None and not (type(seed) is int and 0 <= seed <= LARGEST_SEED):
        return f"its seed is {seed!r:.40}, where it should be a whole number from 0 to 2⁶³ − 1 or none"
    if not isinstance(source, str) or len(source) > LONGEST_SOURCE or not _is_text(source):
        return f"its source is no text of at most {LONGEST_SOURCE} characters in one line"
    return ""


def _is(array: NDArray[Any], kind: type, axes: int) -> bool:
    """Whether it has this type, this many axes and something in each."""
    return array.dtype == kind and array.ndim == axes and 0 not in array.shape


def _is_text(text: str) -> bool:
    return text.isprintable()


def _kind(array: Any) -> str:
    """Type and shape, "float32 [12, 4]"."""
    return f"{array.dtype} {list(array.shape)}"
