"""Which classic bug a run is made with, if any: by its name, or hidden, so that nobody who looks can tell.

A hidden one is the name's fingerprint with some salt: it can be compared with every name, and read by nobody. So a run
with a hidden bug is saved, resumed and shared as any other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from engine.config.fields import parameter

NO_BUG = "none"
BUGS = (
    "wrong-sign",
    "discount-twice",
    "discount-from-the-end",
    "missing-present-reward",
    "truncation-as-termination",
    "reset-observation",
    "shifted-advantages",
    "clipped-log-prob",
    "missing-log-det",
    "mean-over-time",
    "normalized-per-episode",
    "attached-baseline",
    "stale-log-probs",
    "shared-randomness",
    "normalizer-in-evaluation",
    "clipped-rewards",
    "reversed-epsilon",
    "target-never-copied",
    "dones-ignored",
)
_HIDDEN = re.compile(r"hidden:([0-9a-f]{8}):([0-9a-f]{16})")


def hidden(bug: str, salt: int) -> str:
    """``bug``, a name or ``NO_BUG``, as it stands in a configuration that does not tell which it is.

    Args:
        salt: 0 … 2³² − 1; with another one it looks otherwise.
    """
    return f"hidden:{salt:08x}:{_fingerprint(bug, f'{salt:08x}')}"


def is_hidden(bug: str) -> bool:
    """Whether a configuration with this ``bug`` does not tell which it is, or whether there is any."""
    return _HIDDEN.fullmatch(bug) is not None


def actual_bug(bug: str) -> str:
    """The name of what stands in a configuration, hidden or not; ``NO_BUG`` where there is none."""
    match = _HIDDEN.fullmatch(bug)
    if match is None:
        return bug
    return next(name for name in (NO_BUG, *BUGS) if _fingerprint(name, match[1]) == match[2])


def bug_in(config: Any) -> str:
    """The bug of a configuration, as it stands there: hidden where it is. Families that have none have ``NO_BUG``."""
    found: str = getattr(config, "bug", NO_BUG)
    return found


def without_none(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as plain data, which says nothing of bugs where it has none."""
    return {name: value for name, value in config.items() if (name, value) != ("bug", NO_BUG)}


def _fingerprint(bug: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{bug}".encode()).hexdigest()[:16]


def _known(bug: str) -> str:
    match = _HIDDEN.fullmatch(bug)
    if bug in (NO_BUG, *BUGS) or (match and any(_fingerprint(name, match[1]) == match[2] for name in (NO_BUG, *BUGS))):
        return bug
    raise PydanticCustomError("no_such_bug", "there is no such bug")


Bug = Annotated[str, AfterValidator(_known)]


def bug_field() -> Any:
    return parameter(
        NO_BUG,
        title="Bug",
        help="A classic mistake that the run is made with on purpose, to see what it looks like: none, or one of the "
        "museum's by its name. Whatever tells of the run says so.",
    )
