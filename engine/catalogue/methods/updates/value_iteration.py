"""Value iteration, in any order of backups."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.planned import in_a_plan
from engine.catalogue.methods.spec import Entry, PlanningSpec
from engine.catalogue.methods.tables import TABLE
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.config.planning import ValueIteration
from engine.runtime.errors import Refusal


def _fits(config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from in_a_plan("Value iteration", config, environment)
    assert isinstance(config.update, ValueIteration)
    if config.update.horizon == "time-limit" and config.update.order != "synchronous":
        yield Refusal(
            "Values of so many turns left follow from those of one turn less, so there is no order to choose",
            "use synchronous sweeps, or an infinite horizon",
        )


def _algorithm(id: str, title: str, summary: str, order: str) -> Entry:
    values = TABLE | {"update": "value-iteration", "update.order": order}
    return Entry(id, title, summary, values, told_by=("update", "update.order"))


SPEC = PlanningSpec(
    order=80,
    entry=Entry(
        "value-iteration",
        "Value iteration",
        "The best that can be had with one more turn, from the best that can be had after it, again and again.",
        {"update": "value-iteration"},
    ),
    algorithms=(
        _algorithm(
            "value-iteration",
            "Value iteration",
            "Sweep after sweep over all states: the k-th says what k turns can bring, and in the end nothing changes.",
            "synchronous",
        ),
        _algorithm(
            "in-place-value-iteration",
            "In-place value iteration",
            "State after state, each with the newest values of the others: fewer sweeps will do.",
            "in-place",
        ),
        _algorithm(
            "asynchronous-value-iteration",
            "Asynchronous value iteration",
            "States drawn by chance: whatever the order, the values become those of the best policy.",
            "random",
        ),
        _algorithm(
            "prioritised-sweeping",
            "Prioritised sweeping",
            "Always the state whose value would change most: what is news spreads first.",
            "prioritised",
        ),
    ),
    fits=_fits,
    pinned=("update.order", "update.backups", "evaluation.episodes"),
    metrics=("exact_return", "bellman_residual", "value_error", "backups"),
)
