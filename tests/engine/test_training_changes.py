"""Parameters that change while a run trains."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import RequestError
from engine.phases import Estimated, Updated
from engine.training import Training
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
    for phase in training:
        if isinstance(phase, Estimated) and phase.iteration == 2:
            training.change("update.learning_rate", 0.5)
            assert training.config.update.learning_rate == 0.01
        if isinstance(phase, Updated):
            updates.append(phase)
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
    for phase in training:
        if isinstance(phase, Updated):
            changed.append(phase)
            if phase.iteration == 1:
                training.change("update.learning_rate", 1.0)
    plain = updates_of(LONGER)
    assert untimed(changed[0]) == untimed(plain[0])
    # The second iteration still acts with the policy of before; its update is the first to differ.
    assert changed[1].metrics["grad_norm"] == plain[1].metrics["grad_norm"]
    assert untimed(changed[2]) != untimed(plain[2])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("update.learning_rate", 0.5),
        ("estimator.gamma", 0.5),
        ("estimator.normalize_advantages", True),
        ("update.entropy_coefficient", 0.5),
        ("update.max_grad_norm", 0.01),
        ("estimator.baseline.fit_steps", 1),
        ("estimator.baseline.learning_rate", 0.5),
    ],
)
def test_every_live_parameter_has_an_effect(path: str, value: Any) -> None:
    training = Training(LONGER)
    changed = []
    for phase in training:
        if isinstance(phase, Updated):
            changed.append(untimed(phase))
            if phase.iteration == 1:
                training.change(path, value)
    assert changed != [untimed(update) for update in updates_of(LONGER)]


def test_a_change_to_the_value_it_has_is_none() -> None:
    training = Training(configured())
    training.change("update.learning_rate", 0.01)
    update = next(phase for phase in training if isinstance(phase, Updated))
    assert update.changes == ()


def test_of_two_changes_before_an_iteration_the_later_counts() -> None:
    training = Training(configured())
    training.change("update.learning_rate", 0.5)
    training.change("update.learning_rate", 0.25)
    update = next(phase for phase in training if isinstance(phase, Updated))
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


def test_the_training_length_can_be_extended_until_the_very_last_phase() -> None:
    training = Training(configured(budget__environment_steps=100))
    last = None
    for phase in training:
        if isinstance(phase, Updated):
            last = phase
            if phase.environment_steps >= 100 and training.config.budget.environment_steps == 100:
                training.change("budget.environment_steps", 300)
    assert last is not None
    assert last.environment_steps >= 300


def test_the_training_length_can_be_shortened_to_what_has_passed() -> None:
    training = Training(configured(budget__environment_steps=100_000))
    updates = 0
    for phase in training:
        if isinstance(phase, Updated):
            updates += 1
            if phase.iteration == 2:
                training.change("budget.environment_steps", 1)
    assert updates == 2
