"""A run as a script of plain PyTorch and Gymnasium that trains it without this program."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.config import RunConfig
from engine.runs.exports.script.collecting import collecting
from engine.runs.exports.script.estimating import estimating
from engine.runs.exports.script.header import header
from engine.runs.exports.script.networks import networks
from engine.runs.exports.script.plan import plan_of
from engine.runs.exports.script.running import running
from engine.runs.exports.script.settings import settings
from engine.runs.exports.script.updating import updating

# Every import that a script may need, by the name that tells whether it does.
_STANDARD = {
    "argparse": "import argparse",
    "json": "import json",
    "math": "import math",
    "deque": "from collections import deque",
    "Iterator": "from collections.abc import Iterator",
    "dataclass": "from dataclasses import {}",
    "Path": "from pathlib import Path",
    "Any": "from typing import Any",
}
_DATACLASSES = ("dataclass", "field", "replace")
_DISTRIBUTIONS = ("Categorical", "Distribution", "Independent", "Normal")


def script(config: RunConfig, remarks: Sequence[str] = ()) -> str:
    """The whole text of a script that trains ``config``; ``remarks`` are sentences for its reader on what it does not
    do of the run that it was written from.

    Raises:
        RequestError: the configuration has something that a script cannot do, or cannot work at all.
    """
    plan = plan_of(config)
    body = "\n\n\n".join(
        [settings(plan), networks(plan), collecting(plan), estimating(plan), updating(plan), running(plan)]
    )
    return "\n\n".join([header(plan, remarks), _imports(body), body]) + "\n"


def _imports(body: str) -> str:
    """Those that ``body`` needs."""
    used = set(re.findall(r"[A-Za-z_]\w*", _code(body)))
    dataclasses = ", ".join(name for name in _DATACLASSES if name in used)
    distributions = ", ".join(name for name in _DISTRIBUTIONS if name in used)
    return "\n".join(
        [
            "from __future__ import annotations",
            "",
            *(line.format(dataclasses) for name, line in _STANDARD.items() if name in used),
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
