"""What bounds a run: the environment, arithmetic, or what is done around both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.figures import shown
from tests.benchmarks.speed.tables import Section

COLUMNS = (
    "environment",
    "acting",
    "estimating",
    "updating",
    "arithmetic",
    "overhead",
    "bound by",
    "steps/s → most",
)
WORDS = (
    "Of an iteration: stepping the environments, the rest of collecting (acting), estimating and updating make up the "
    "whole. Arithmetic is what the bare products of acting, estimating and updating take, forwards and backwards, on "
    "tensors of the same shapes; overhead is all that is neither environment nor arithmetic: the cost of many small "
    "operators, of recording gradients, copying, reporting, and Python. What is largest bounds the row. The most that "
    "steps/s could come to is without any overhead."
)


def overhead(split: Mapping[str, Any]) -> float:
    """Seconds of an iteration that are neither the environment's nor arithmetic."""
    return max(split["total"] - split["environment"] - split["arithmetic"], 0.0)


def bound(split: Mapping[str, Any]) -> str:
    """What takes most of an iteration."""
    parts = {name: split[name] for name in ("environment", "arithmetic")} | {"overhead": overhead(split)}
    return max(parts, key=lambda name: parts[name])


def section(splits: Mapping[str, Mapping[str, Any]]) -> Section:
    return Section("what bounds it", COLUMNS, tuple(_line(name, split) for name, split in splits.items()))


def _line(name: str, split: Mapping[str, Any]) -> tuple[str, ...]:
    total = split["total"]
    parts = [split[part] for part in ("environment", "acting", "estimating", "updating", "arithmetic")]
    shares = tuple(f"{100 * part / total:.0f} %" for part in (*parts, overhead(split)))
    floor = split["environment"] + split["arithmetic"]
    return (name, *shares, bound(split), f"{shown(split['steps'] / total)} → {shown(split['steps'] / floor)}")
