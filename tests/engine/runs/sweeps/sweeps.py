"""Sweeps for tests, of runs that take a moment."""

from __future__ import annotations

from engine.runs.sweeps.files import parsed
from engine.runs.sweeps.spec import Sweep

BANDIT = """
title = "Bandits"
preset = "bandit"
[set]
budget.environment_steps = 400
"""


def bandits(rest: str = "") -> Sweep:
    """The bandit preset, short, with the ``rest`` of a sweep's file: keys of its own first, then what varies."""
    title, tables = BANDIT.split("[set]")
    keys, _, varied = rest.partition("[[vary]]")
    return parsed(f"{title}{keys}\n[set]{tables}" + (f"[[vary]]{varied}" if varied else ""), "bandits.toml")


RATES = '[[vary]]\npath = "update.learning_rate"\nvalues = [0.1, 0.3]'
