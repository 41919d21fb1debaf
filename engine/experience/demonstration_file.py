"""Demonstrations as a file of a plain format, which another program can write and read too.

A file is a safetensors file (https://github.com/huggingface/safetensors): 8 bytes that say how long its head is, the
head as JSON, and the numbers, little endian. Nothing in it is ever run. It is called ``*.safetensors``, as a checkpoint
is, and holds these tensors, of N steps in all, episode after episode:

``observations``
    [N, k] F32, what was seen before each step, flat; or U8, [N, k], where all are whole numbers from 0 to 255, such as
    pixels; or [N] I64, the number of the state, counted from 0, where the environment shows no more than that. They are
    what the environment shows with the changes that ``environment`` below makes to it, as they come, not normalised.
``actions``
    [N] I64, the number of the action, counted from 0; or [N, m] I64, one number for each part of an action of several;
    or [N, k] F32, as the environment takes them, in its own units.
``rewards``
    [R] F64, as the environment paid them for the steps of those episodes that say they have ``rewards``; left out where
    none does.
``final_observations``
    [F, …] as ``observations``, what was seen after the last step of those episodes that say they have a
    ``final_observation``, in their order; left out where none does.

All numbers are finite. The metadata of the head hold one name, ``demonstrations``, with this JSON as its text:

.. code-block:: json

    {
        "format": 1,
        "environment": {"id": "CartPole-v1"},
        "episodes": [
            {"steps": 87, "terminated": true, "truncated": false, "rewards": true, "final_observation": true,
             "seed": 7, "source": "a person"}
        ]
    }

``environment``
    Its id as Gymnasium has registered it, and whatever else a configuration of this program says of an environment.
``steps``
    How many of the N steps are this episode's, 1 or more.
``terminated``, ``truncated``
    Whether it ended by the environment, or was cut off by a limit of time. Never both; neither where it was broken off
    by whoever played it, or where these are states without a course, for which somebody has said what is to be done.
``seed``
    With which Gymnasium's ``reset`` began it, 0 to 2⁶³ − 1, so that the same actions lead through it again; null where
    that is not known, and then no pictures can be shown of it.
``source``
    By whom, in a few words; may be left out.

Two names may be added behind ``format``, and this program writes both: ``digest``, by which a file with a single bit
changed is known to be broken (``engine.runtime.sealed``), and ``version``, of the configuration of the environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.config.environments import EnvironmentConfig
from engine.config.migrations import VERSION, migrated
from engine.config.problems import ParameterError
from engine.config.validation import check_extent, problem_of
from engine.experience.demonstration_checks import check
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runtime.errors import RequestError
from engine.runtime.sealed import UNSEALED, check_seal, reason_of, said, sealed

FORMAT = 1
NAME = "demonstrations"
"""What the file says of itself stands under this name in its metadata."""
_BROKEN = "This is no file of demonstrations, or a broken one"
_HEAD = ("format", "digest", "version", "environment", "episodes")
_SWITCHES = ("terminated", "truncated", "rewards", "final_observation")
_EPISODE = ("steps", *_SWITCHES, "seed", "source")
_MAY_BE_LEFT_OUT = ("digest", "version", "source")
_TENSORS = ("observations", "actions", "rewards", "final_observations")


def to_bytes(demonstrations: Demonstrations) -> bytes:
    """``demonstrations`` as the bytes of a file.

    Raises:
        RequestError: they are none that a file may hold, such as none at all.
    """
    check(demonstrations)
    episodes = demonstrations.episodes
    tensors = {"observations": demonstrations.compact, "actions": demonstrations.actions}
    rewards = [episode.rewards for episode in episodes if episode.rewards is not None]
    finals = [episode.final_observation for episode in episodes if episode.final_observation is not None]
    tensors |= {"rewards": np.concatenate(rewards)} if rewards else {}
    tensors |= {"final_observations": np.stack(finals)} if finals else {}
    head = {
        "format": FORMAT,
        "digest": UNSEALED,
        "version": VERSION,
        "environment": demonstrations.environment.model_dump(mode="json"),
        "episodes": [
            {
                "steps": len(episode),
                "terminated": episode.terminated,
                "truncated": episode.truncated,
                "rewards": episode.rewards is not None,
                "final_observation": episode.final_observation is not None,
                "seed": episode.seed,
                "source": episode.source,
            }
            for episode in episodes
        ],
    }
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return sealed(save(contiguous, {NAME: json.dumps(head, ensure_ascii=False)}))


def from_bytes(data: bytes) -> Demonstrations:
    """What ``to_bytes`` was given, or another program has written.

    Raises:
        RequestError: these bytes are no file of demonstrations, a broken one, one of a later version of this program,
            or one whose parts do not fit together.
    """
    try:
        head = said(data, NAME)
        version = head["format"]
        if type(version) is int and version > FORMAT:
            wish = "update the program"
            raise RequestError(f"This file has the format {version}, and this program reads {FORMAT}; {wish}.")
        if "digest" in head:
            check_seal(data, head["digest"])
        if type(version) is not int or version != FORMAT:
            raise ValueError(f"its format is {version!r} instead of {FORMAT}")
        _require(head, _HEAD)
        found = Demonstrations(_environment(head), _episodes(head["episodes"], load(data)))
    except ParameterError as error:
        raise RequestError(f"{_BROKEN}: its environment does not fit: {_phrase(error)}.") from None
    except RequestError:
        raise
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RequestError(f"{_BROKEN}: {reason_of(error)}.") from None
    check(found)
    return found


def _environment(head: Mapping[str, Any]) -> EnvironmentConfig:
    content = {"version": head.get("version", VERSION), "config": {"environment": head["environment"]}}
    found = migrated(content)["config"]["environment"]
    check_extent(found)
    try:
        return EnvironmentConfig.model_validate(found)
    except ValidationError as error:
        raise ParameterError(problem_of(error, EnvironmentConfig)) from None


def _episodes(described: Any, tensors: Mapping[str, NDArray[Any]]) -> tuple[Demonstration, ...]:
    """The episodes that stand in ``tensors`` one after the other."""
    if not isinstance(described, list):
        raise TypeError("its episodes are no list")
    if unknown := sorted(set(tensors) - set(_TENSORS)):
        raise ValueError(f"it holds {unknown[0][:40]!r}, which this format has no word for")
    for number, episode in enumerate(described, 1):
        _check_described(episode, f"episode {number}")
    steps = [each["steps"] for each in described]
    lengths = {
        "observations": steps,
        "actions": steps,
        "rewards": [each["steps"] * each["rewards"] for each in described],
        "final_observations": [int(each["final_observation"]) for each in described],
    }
    parts = {name: _cut(tensors.get(name), name, of_each) for name, of_each in lengths.items()}
    return tuple(
        Demonstration(
            observations=parts["observations"][number],
            actions=parts["actions"][number],
            rewards=parts["rewards"][number] if each["rewards"] else None,
            final_observation=parts["final_observations"][number][0] if each["final_observation"] else None,
            terminated=each["terminated"],
            truncated=each["truncated"],
            seed=each["seed"],
            source=each.get("source", ""),
        )
        for number, each in enumerate(described)
    )


def _check_described(episode: Any, name: str) -> None:
    """Raises TypeError or ValueError where what is said of an episode is not as the format has it; what its values may
    be beyond that, ``check`` knows."""
    if not isinstance(episode, dict):
        raise TypeError(f"{name} is not described by names and values")
    _require(episode, _EPISODE, f"{name} ")
    if type(episode["steps"]) is not int or episode["steps"] < 1:
        raise ValueError(f"the steps of {name} are {episode['steps']!r:.40} instead of a whole number of 1 or more")
    for switch in _SWITCHES:
        if type(episode[switch]) is not bool:
            raise TypeError(f"{switch} of {name} is {episode[switch]!r:.40} instead of true or false")


def _require(said_of: Mapping[str, Any], names: Sequence[str], whose: str = "") -> None:
    """Raises ValueError unless ``said_of`` has these names, but for what may be left out, and no others."""
    if unknown := sorted(set(said_of) - set(names)):
        raise ValueError(f"{whose or 'it '}says {unknown[0][:40]!r}, which this format has no word for")
    if missing := [name for name in names if name not in said_of and name not in _MAY_BE_LEFT_OUT]:
        raise ValueError(f"{whose or 'it '}does not say {missing[0]!r}")


def _cut(tensor: NDArray[Any] | None, name: str, lengths: Sequence[int]) -> list[NDArray[Any]]:
    """``tensor`` in parts of these lengths, one for each episode; pixels as the numbers that they stand for."""
    there = 0 if tensor is None or not tensor.ndim else len(tensor)
    if there != sum(lengths):
        raise ValueError(f"its episodes have {sum(lengths):,} {name.replace('_', ' ')} and it holds {there:,}")
    if tensor is None:
        return [np.empty(0)] * len(lengths)
    pixels = tensor.dtype == np.uint8 and name != "actions"
    own = np.array(tensor, np.float32 if pixels else tensor.dtype)  # which can be written to
    return np.split(own, np.cumsum(lengths)[:-1])


def _phrase(error: ParameterError) -> str:
    return str(error).rstrip(".")
