"""Every parameter that may change while training: from the next iteration on, the run is one that was configured so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import RunConfig
from engine.config.parameters import Parameter, parameters_of, with_values
from engine.config.validation import validated
from engine.reports.events import Change, Updated
from engine.runtime.state import State
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.training import Training, resumed
from tests.engine.support import CLIMBING, configured, untimed
from tests.engine.training.test_training_changes import other

WORLD = {"policy__hidden_sizes": (4,), "environment__time_limit": 20, "estimator__normalize_advantages": True}
FIXED: dict[str, Any] = {"collection": {"kind": "fixed-length", "environments": 2, "steps": 16}}
EPISODES: dict[str, Any] = {"collection": {"kind": "episodes", "episodes_per_update": 3}}
SEEDS = (3, 8)


def collection_for(update: str) -> dict[str, Any]:
    return EPISODES if update == "off-policy" else FIXED


def made(update: str, baseline: str, some: dict[str, Any]) -> RunConfig:
    """Small, with all that can be switched off switched on."""
    values = WORLD | some | {"update": update, "estimator__credit": "gae", "estimator__baseline": baseline}
    config = configured(**{name: value for name, value in values.items() if not name.startswith("estimator__credit")})
    config = with_values(config, {"budget.environment_steps": 5000, "estimator.credit": "gae"})
    small = {"update.epochs": 2, "update.minibatch_size": 16, "estimator.baseline.fit_steps": 2}
    there = {parameter.path for parameter in parameters_of(config)}
    return with_values(config, {path: value for path, value in small.items() if path in there})


def replaying(algorithm: str, values: dict[str, Any]) -> RunConfig:
    small = {
        "device": "cpu",
        "environment.time_limit": 20,
        "policy.hidden_sizes": (4,),
        "collection.environments": 2,
        "collection.steps": 6,
        "update.replay.learning_starts": 4,
        "update.replay.minibatch_size": 8,
        "update.learning_rate": 0.1,
        "budget.environment_steps": 5000,
    }
    config = with_values(choose(configured(), ALGORITHMS[algorithm]), values)
    there = {parameter.path for parameter in parameters_of(config)}
    return with_values(config, {path: value for path, value in small.items() if path in there})


PLANNING = configured(environment="Corridor-v0", policy="tabular", update="exact-gradient", evaluation__episodes=2)
RUNS: dict[str, tuple[RunConfig, Sequence[int]]] = {
    **{
        update: (PLANNING if update == "exact-gradient" else made(update, "value", collection_for(update)), ())
        for update in CLIMBING
    },
    "a shared value": (made("ppo-clip", "shared-value", FIXED), ()),
    "episodes": (made("gradient-ascent", "value", EPISODES), ()),
    "n steps": (with_values(made("gradient-ascent", "value", FIXED), {"estimator.credit": "n-step"}), ()),
    "a table": (
        replaying("sarsa", {"estimator.n": 3, "update.step_size": "1/n^0.7", "environment": "FrozenLake-v1"}),
        (),
    ),
    "replay": (replaying("dqn", {"update.replay.sampling": "prioritized", "update.max_grad_norm": 0.5}), ()),
    "seeds": (made("gradient-ascent", "value", FIXED), SEEDS),
}
Told = tuple[list[tuple[str, dict[str, float | None]]], list[tuple[Change, ...]]]


def told(training: Training, iterations: int) -> Told:
    """What the next iterations of every run report, and the changes told with them."""
    rows, changes = [], []
    for event in training:
        if isinstance(event, Updated):
            rows.append((event.run, untimed(event)))
            changes.append(event.changes)
            if len(rows) == iterations * len(training.runs):
                break
    training.close()
    return rows, changes


def configured_so(state: State, path: str, value: Any) -> Training:
    config = with_values(validated(state["config"]), {path: value})
    return resumed({**state, "config": config.model_dump(mode="json")})


def new_values(config: RunConfig, parameter: Parameter) -> list[Any]:
    """One that tells, and the ends of what is allowed."""
    ends = [0, 1] if parameter.path.endswith(("minibatch_size", "fit_steps")) and parameter.minimum == 0 else []
    return [value for value in [other(parameter), *ends] if value != parameter.value]


def _of(kind: str, path: str) -> bool:
    """Whether a parameter is looked at in this kind of run: what is common to all rules is with one of them."""
    return (kind not in CLIMBING and kind != "replay") or kind == "gradient-ascent" or path.startswith("update.")


@pytest.mark.parametrize("kind", RUNS)
def test_after_a_change_a_run_is_one_that_was_configured_so(kind: str) -> None:
    config, seeds = RUNS[kind]
    begun = Training(config, seeds=seeds)
    for number, event in enumerate(event for event in begun if isinstance(event, Updated)):
        if number == len(begun.runs) - 1:
            assert event.changes == ()
            break
    state = from_bytes(to_bytes(begun.state()))
    live = [parameter for parameter in parameters_of(config) if parameter.live and _of(kind, parameter.path)]
    assert live
    for parameter in live:
        for value in new_values(config, parameter):
            if refusal(with_values(config, {parameter.path: value}), begun.environment) is not None:
                continue
            changed = resumed(state)
            changed.change(parameter.path, value)
            waiting = changed.state()
            rows, changes = told(changed, 2)
            assert rows == told(configured_so(state, parameter.path, value), 2)[0], (parameter.path, value)
            of_each, rest = changes[: len(begun.runs)], changes[len(begun.runs) :]
            for one, (_, row) in zip(of_each, rows, strict=False):
                (change,) = one
                assert (change.path, change.old, change.new) == (parameter.path, parameter.value, value)
                assert (change.iteration, row["iteration"]) == (2, 2)
            assert not any(rest)
            again, told_again = told(resumed(waiting), 1)
            assert again == rows[: len(begun.runs)]
            assert [len(one) for one in told_again] == [len(one) for one in of_each]
    begun.close()
