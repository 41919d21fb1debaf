"""Tabular SARSA, and expected SARSA."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.spec import Entry, ValueSpec
from engine.catalogue.methods.tables import TABLE, TABLE_METRICS, TABLE_PINNED, in_a_table
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig


def _biases(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[str]:
    yield "What follows is judged by estimates that are themselves still being learned."


SPEC = ValueSpec(
    order=91,
    entry=Entry(
        "sarsa",
        "SARSA",
        "A value is moved towards the reward and the value of what is really done next.",
        {"update": "sarsa"},
    ),
    algorithms=(
        Entry(
            "sarsa",
            "SARSA",
            "The values of the policy that acts are learned, its random actions included: it learns to be careful.",
            TABLE | {"update": "sarsa", "update.expected": False},
            told_by=("update", "update.expected"),
        ),
        Entry(
            "expected-sarsa",
            "Expected SARSA",
            "As SARSA, with the mean over all that might be done next in place of what is.",
            TABLE | {"update": "sarsa", "update.expected": True},
            told_by=("update", "update.expected"),
        ),
    ),
    fits=in_a_table,
    biases=_biases,
    estimates="q_π",
    pinned=TABLE_PINNED,
    metrics=TABLE_METRICS,
)
