"""How the command line writes lists and records: as JSON, or for people."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rich.console import Console

from engine.commands.output import to_stdout, writes_all
from engine.runtime.errors import RunError

NONE = "–"


def print_out(what: Any) -> None:
    """Write rows as JSON, or what a person is to see.

    Raises:
        RunError: it cannot be written.
    """
    if sys.stdout is None:
        raise RunError("There is nowhere to write to, for the output is closed.")
    with to_stdout():
        if isinstance(what, list | dict):
            sys.stdout.write(json.dumps(what, indent=2, ensure_ascii=not writes_all(sys.stdout)) + "\n")
        else:
            Console().print(what, highlight=False)


def number(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}" if 0.1 <= abs(value) < 1e7 or value == 0.0 else f"{value:.4g}"


def when(seconds: float) -> str:
    """The minute in local time, "2026-11-28 21:20"."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
