"""Tabular Q-learning, and double Q-learning."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.spec import Entry, ValueSpec
from engine.catalogue.methods.tables import TABLE, TABLE_METRICS, TABLE_PINNED, in_a_table, several_steps
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig
from engine.config.value_based import QLearning


def _biases(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[str]:
    assert isinstance(config.update, QLearning)
    if config.update.double:
        yield "What one table takes for the best action may not be, so its value is too low on average."
    else:
        yield "The largest of several noisy estimates is too large on average."
    yield from several_steps(config)


SPEC = ValueSpec(
    order=90,
    entry=Entry(
        "q-learning",
        "Q-learning",
        "A value is moved towards the reward and the best that could follow, whatever is really done next.",
        {"update": "q-learning"},
    ),
    algorithms=(
        Entry(
            "q-learning",
            "Q-learning",
            "The values of the best policy are learned, whatever policy acts.",
            TABLE | {"update": "q-learning", "update.double": False},
            told_by=("update", "update.double"),
        ),
        Entry(
            "double-q-learning",
            "Double Q-learning",
            "Two tables keep each other from taking luck for worth.",
            TABLE | {"update": "q-learning", "update.double": True},
            told_by=("update", "update.double"),
        ),
    ),
    fits=in_a_table,
    biases=_biases,
    estimates="q*",
    pinned=TABLE_PINNED,
    metrics=TABLE_METRICS,
)
