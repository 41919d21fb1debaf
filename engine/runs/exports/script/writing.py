"""A run as a script of plain PyTorch and Gymnasium that trains it without this program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.catalogue.methods.bugs import marked
from engine.config import RunConfig
from engine.runs.exports.script.collecting import collecting
from engine.runs.exports.script.estimating import estimating
from engine.runs.exports.script.header import header
from engine.runs.exports.script.networks import networks
from engine.runs.exports.script.plan import Plan, plan_of
from engine.runs.exports.script.running import running
from engine.runs.exports.script.settings import constants, settings
from engine.runs.exports.script.updating import updating
from engine.runtime.errors import RequestError

# Every import that a script may need, by the name that tells whether it does.
_STANDARD = {
    "argparse": "import argparse",
    "copy": "import copy",
    "json": "import json",
    "math": "import math",
    "deque": "from collections import deque",
    "Iterator": "from collections.abc import {}",
    "count": "from itertools import count",
    "dataclass": "from dataclasses import {}",
    "Path": "from pathlib import Path",
    "Any": "from typing import Any",
}
# Constants by which things are made as the run begins.
_FIXED = frozenset({"SEED", "EPISODES", "ENVIRONMENTS", "STEPS", "INITIAL_LOG_STD", "REWARD_SCALE", "REWARD_OFFSET"})
_DATACLASSES = ("dataclass", "field", "replace")
_DISTRIBUTIONS = ("Categorical", "Distribution", "Independent", "Normal", "kl_divergence")


Later = Mapping[int, RunConfig]
"""What a run's configuration was from an iteration on, by that iteration's number."""


def script(config: RunConfig, remarks: Sequence[str] = (), later: Later | None = None) -> str:
    """The whole text of a script that trains ``config``.

    Args:
        remarks: sentences for its reader on what it does not do of the run that it was written from.
        later: what became of the configuration while the run trained; followed where ``can_follow`` says so.

    Raises:
        RequestError: the configuration has something that a script cannot do, or cannot work at all.
    """
    if mark := marked(config):
        raise RequestError(
            f"A script is a method as it should be, and this run is not ({mark}); write out one without a bug."
        )
    plan = plan_of(config)
    plan = replace(plan, changes=_changes(plan, later or {}) or {})
    body = "\n\n\n".join([settings(plan), *_parts(plan)])
    return "\n\n".join([header(plan, remarks), _imports(body), body]) + "\n"


def can_follow(config: RunConfig, later: Later) -> bool:
    """Whether the script can change as the run did: where nothing but its constants is another."""
    return _changes(plan_of(config), later) is not None


def _parts(plan: Plan) -> list[str]:
    """All that stands behind the settings."""
    return [part(plan) for part in (networks, collecting, estimating, updating, running)]


def _changes(plan: Plan, later: Later) -> dict[int, dict[str, Any]] | None:
    """What becomes of the script's constants, by iteration; None where it would have to be another script."""
    found: dict[int, dict[str, Any]] = {}
    parts, before = _parts(plan), constants(plan)
    for iteration, config in sorted(later.items()):
        try:
            following = plan_of(config)
        except RequestError:
            return None
        after = constants(following)
        if after.keys() != before.keys() or _parts(following) != parts:
            return None
        changed = {name: value for name, value in after.items() if value != before[name]}
        if not _FIXED.isdisjoint(changed):
            return None
        if changed:
            found[iteration] = changed
        before = after
    return found


def _imports(body: str) -> str:
    """Those that ``body`` needs."""
    used = set(re.findall(r"[A-Za-z_]\w*", _code(body)))
    abstract = ", ".join(name for name in ("Iterable", "Iterator") if name in used)
    dataclasses = ", ".join(name for name in _DATACLASSES if name in used)
    distributions = ", ".join(name for name in _DISTRIBUTIONS if name in used)
    return "\n".join(
        [
            "from __future__ import annotations",
            "",
            *(
                line.format(abstract if name == "Iterator" else dataclasses)
                for name, line in _STANDARD.items()
                if name in used
            ),
            "",
            "import gymnasium",
            "import numpy as np",
            "import torch",
            "from torch import Tensor, nn",
            f"from torch.distributions import {distributions}",
        ]
    )


def _code(text: str) -> str:
    """Without docstrings, comments and other texts."""
    return re.sub(r'"""(?:.|\n)*?"""|#.*', "", text)
