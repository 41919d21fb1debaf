"""What earlier versions of the program saved, in the words of the present one.

A file says of which version it is; one that does not is of version 1. Every step takes a configuration as plain data
from one version to the next, touches what has changed, and leaves the rest to be judged by the models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.errors import RequestError

VERSION = 3

# Kinds that have another name since version 2, by the path of the choice.
_RENAMED = {"collection": {"segments": "fixed-length"}}
_TABLES = ("q-learning", "sarsa")  # whose learning rates are shares of a way
# Where a parameter stands since version 2, in a family that no longer has it where it stood.
_MOVED = {"collection.episodes_per_update": "evaluation.episodes"}


def migrated(saved: Mapping[str, Any]) -> dict[str, Any]:
    """A file's content, without its version, as the present version has it.

    Args:
        saved: as it was read; the configuration stands at ``config``.

    Raises:
        RequestError: the version is none that is known here.
    """
    content = dict(saved)
    version = content.pop("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RequestError(f"its version cannot be {version!r}: it should be a whole number from 1 to {VERSION}.")
    if version > VERSION:
        raise RequestError(
            f"it is of version {version}, and this program reads none later than {VERSION}; use a later program."
        )
    if isinstance(content.get("config"), Mapping):
        for step in _STEPS[version - 1 :]:
            content["config"] = step(content["config"])
    return content


def from_version_1(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fixed-length rollouts were called segments, and the exact gradient carried a collection and an estimator, of
    which it used only how many episodes to play and the discount."""
    found = {name: renamed(name, value) for name, value in config.items()}
    if _kind(found.get("update")) != "exact-gradient":
        return found
    collection, estimator = found.pop("collection", None), found.get("estimator")
    if isinstance(collection, Mapping) and "episodes_per_update" in collection:
        found["evaluation"] = {"episodes": collection["episodes_per_update"]}
    if isinstance(estimator, Mapping):
        unused = ("credit", "baseline", "discount_states", "normalize_advantages")
        found["estimator"] = {name: value for name, value in estimator.items() if name not in unused}
    return found


def from_version_2(config: Mapping[str, Any]) -> dict[str, Any]:
    """A table's step of more than the whole way to its target was taken, without a word, as the whole way."""
    update = config.get("update")
    if not isinstance(update, Mapping) or update.get("kind") not in _TABLES:
        return dict(config)
    rate = update.get("learning_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1.0 < rate <= 10.0:
        return dict(config)
    return {**config, "update": {**update, "learning_rate": 1.0}}


_STEPS: tuple[Callable[[Mapping[str, Any]], dict[str, Any]], ...] = (from_version_1, from_version_2)


def renamed(path: str, value: Any) -> Any:
    """``value`` for the choice at ``path``, its kind by the present name."""
    kinds = _RENAMED.get(path, {})
    if isinstance(value, str):
        return kinds.get(value, value)
    if isinstance(value, Mapping) and isinstance(value.get("kind"), str):
        return {**value, "kind": kinds.get(value["kind"], value["kind"])}
    return value


def moved(path: str) -> str:
    """Where the parameter stands now that stood at ``path``, if it stands there no longer."""
    return _MOVED.get(path, path)


def _kind(choice: Any) -> Any:
    return choice.get("kind") if isinstance(choice, Mapping) else choice
