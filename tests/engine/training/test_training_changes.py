"""Parameters that change while a run trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.config import RunConfig
from engine.config.parameters import Parameter, parameters_of, with_values
from engine.reports.events import Estimated, Updated
from engine.runtime.errors import RequestError
from engine.training.checkpoint import to_bytes
from engine.training.training import Training
from tests.engine.support import (
    configured,
    untimed,
    updates_of,
)

LONGER = configured(budget__environment_steps=450)


# --- changes while training -------------------------------------------------------------------------------------------


def test_a_live_change_takes_effect_at_the_next_iteration_and_is_recorded() -> None:
    training = Training(LONGER)
    updates = []
    for event in training:
        if isinstance(event, Estimated) and event.iteration == 2:
            training.change("update.learning_rate", 0.5)
            assert training.config.update.learning_rate == 0.01
        if isinstance(event, Updated):
            updates.append(event)
    assert [update.changes for update in updates[:2]] == [(), ()]
    (change,) = updates[2].changes
    assert (change.path, change.old, change.new, change.iteration) == ("update.learning_rate", 0.01, 0.5, 3)
    assert change.environment_steps == updates[1].environment_steps
    assert change.episodes == updates[1].episodes
    assert training.config.update.learning_rate == 0.5
    assert len(updates) > 3
    assert all(not update.changes for update in updates[3:])


def test_a_change_changes_the_run_from_then_on_only() -> None:
    training = Training(LONGER)
    changed = []
    for event in training:
        if isinstance(event, Updated):
            changed.append(event)
            if event.iteration == 1:
                training.change("update.learning_rate", 1.0)
    plain = updates_of(LONGER)
    assert untimed(changed[0]) == untimed(plain[0])
    # The second iteration still acts with the policy of before; its update is the first to differ.
    assert changed[1].metrics["grad_norm"] == plain[1].metrics["grad_norm"]
    assert untimed(changed[2]) != untimed(plain[2])


# Where a number could be changed without effect, as a bound that nothing reaches, one that has an effect.
TELLING = {
    "estimator.baseline.minibatch_size": 7,
    "estimator.baseline.clip_range": 1e-3,
    "estimator.credit.n": 1,
    "exploration.greedy_start": 1.0,
    "exploration.greedy_end": 1.0,
    "update.max_grad_norm": 0.01,
    "update.max_kl": 1e-4,
    "update.clip_range": 1e-3,
    "update.minibatch_size": 7,
    "update.target_kl": 1e-6,
    "update.truncation": 0.9,
    "update.most_ratio": 0.5,
    "update.most_trace": 0.5,
    "update.cg_iterations": 1,
    "update.line_search_steps": 1,
}
# Found by nothing else: the configuration in which a parameter counts.
COUNTING = {
    "update.cg_iterations": {"update.solver": "cg"},
    "update.line_search_steps": {"update.max_kl": 10.0, "update.damping": 1e-4},
    "update.backtracking": {"update.max_kl": 10.0, "update.damping": 1e-4},
    "update.clip_range_schedule": {"update.clip_range": 0.01},
    "update.truncation": {"update.learning_rate": 0.5},
    "update.self_normalized": {"update.learning_rate": 0.5},
    "update.weighting": {"update.learning_rate": 0.5},
    "update.most_ratio": {"update.weighting": "v-trace", "update.learning_rate": 0.5},
    "update.most_trace": {"update.weighting": "v-trace", "update.learning_rate": 0.5},
}


def other(parameter: Parameter) -> Any:
    """A value within the bounds that a parameter does not have."""
    if parameter.path in TELLING:
        return TELLING[parameter.path]
    if parameter.choices:
        return next(choice for choice in reversed(parameter.choices) if choice != parameter.value)
    if isinstance(parameter.value, bool):
        return not parameter.value
    if isinstance(parameter.value, int):
        return 2 * parameter.value + 1
    return 0.5 * parameter.value if parameter.value else 0.5


PICKED = [
    configured(update=update, collection=collection, estimator__credit=credit)
    for update in UPDATE_SPECS
    for collection, credit in (("episodes", "gae"), ("fixed-length", "n-step"))
    if (collection, update) != ("fixed-length", "off-policy")
]
SHARED = configured(estimator__baseline="shared-value", update="ppo-clip")
LIVE = {
    f"{config.update.kind}:{parameter.path}" if parameter.path.startswith("update.") else parameter.path: (
        config,
        parameter,
    )
    for config in PICKED
    for parameter in parameters_of(config)
    if parameter.live and parameter.path != "budget.environment_steps"
} | {
    f"shared:{parameter.path}": (SHARED, parameter)
    for parameter in parameters_of(SHARED)
    if parameter.live and parameter.path.startswith("estimator.baseline.")
}


@pytest.mark.parametrize(("config", "parameter"), LIVE.values(), ids=LIVE.keys())
def test_every_live_parameter_has_an_effect(config: RunConfig, parameter: Parameter) -> None:
    config = with_values(config, COUNTING.get(parameter.path, {}) | {"budget.environment_steps": 450})
    if config.collection.kind == "fixed-length":
        config = with_values(config, {"collection.environments": 4, "collection.steps": 25})
    training = Training(config)
    changed = []
    for event in training:
        if isinstance(event, Updated):
            changed.append(untimed(event))
            if event.iteration == 1:
                training.change(parameter.path, other(parameter))
    assert changed != [untimed(update) for update in updates_of(config)]


def test_a_change_to_the_value_it_has_is_none() -> None:
    training = Training(configured())
    training.change("update.learning_rate", 0.01)
    update = next(event for event in training if isinstance(event, Updated))
    assert update.changes == ()


@pytest.mark.parametrize("value", ["0.5", np.float32(0.5), np.float64(0.5)])
def test_a_value_of_another_type_is_taken_as_the_parameters(value: Any) -> None:
    training = Training(configured())
    training.change("update.learning_rate", value)
    to_bytes(training.state())
    update = next(phase for phase in training if isinstance(phase, Updated))
    assert [(change.new, type(change.new)) for change in update.changes] == [(0.5, float)]


def test_of_two_changes_before_an_iteration_the_later_counts() -> None:
    training = Training(configured())
    training.change("update.learning_rate", 0.5)
    training.change("update.learning_rate", 0.25)
    update = next(event for event in training if isinstance(event, Updated))
    assert [(change.old, change.new) for change in update.changes] == [(0.01, 0.25)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 3),
        ("device", "cpu"),
        ("environment.id", "Acrobot-v1"),
        ("policy.hidden_sizes", (4,)),
        ("update.optimizer", "sgd"),
        ("collection.episodes_per_update", 8),
        ("collection", "fixed-length"),
        ("estimator.baseline.fitted_on", "same"),
        ("estimator.baseline.optimizer", "sgd"),
        ("policy", "linear"),
        ("environment", "Acrobot-v1"),
        ("estimator.baseline", "none"),
        ("estimator.credit", "total-return"),
        ("update", "gradient-ascent"),
        ("update.kind", "gradient-ascent"),
        ("budget", {"environment_steps": 5}),
    ],
)
def test_what_is_not_live_cannot_change(path: str, value: Any) -> None:
    training = Training(configured())
    with pytest.raises(RequestError):
        training.change(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [("update.learning_rate", -1.0), ("estimator.gamma", 2.0), ("update.learning_rate", "fast"), ("update.speed", 1.0)],
)
def test_a_refused_change_leaves_the_run_as_it_was(path: str, value: Any) -> None:
    training = Training(configured())
    with pytest.raises(RequestError):
        training.change(path, value)
    assert [untimed(p) for p in training if isinstance(p, Updated)] == [untimed(u) for u in updates_of(configured())]


def test_the_training_length_can_be_extended_until_the_very_last_event() -> None:
    training = Training(configured(budget__environment_steps=100))
    last = None
    for event in training:
        if isinstance(event, Updated):
            last = event
            if event.environment_steps >= 100 and training.config.budget.environment_steps == 100:
                training.change("budget.environment_steps", 300)
    assert last is not None
    assert last.environment_steps >= 300


def test_the_training_length_can_be_shortened_to_what_has_passed() -> None:
    training = Training(configured(budget__environment_steps=100_000))
    updates = 0
    for event in training:
        if isinstance(event, Updated):
            updates += 1
            if event.iteration == 2:
                training.change("budget.environment_steps", 1)
    assert updates == 2
