"""Which sentences of the catalogue about biases are backed by a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MEASURED: set[str] = set()


def measures(sentence: str) -> Callable[[Any], Any]:
    """Says which sentence of the catalogue a test backs."""
    MEASURED.add(sentence)
    return lambda test: test
