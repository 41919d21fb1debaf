"""Three iterations with schedules, a normaliser and changed parameters: each goes on from the last as the reference's
do, and not as one would that keeps, forgets or mixes up what it should not."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.engine.references.compared import APART, CLOSE, History, assert_reported, distance
from tests.engine.references.long_run import learn
from tests.engine.references.recorded import COLLECTIONS, ENVIRONMENTS, Recorded, record

FIRST: dict[str, float] = {
    "gamma": 0.97,
    "gae_lambda": 0.9,
    "clip_range": 0.2,
    "learning_rate": 0.01,
    "value_learning_rate": 0.004,
    "entropy_coefficient": 0.05,
    "kl_coefficient": 0.5,
    "temperature": 1.0,
    "multiplier_step": 20.0,
    "target_kl": 0.002,
}
CHANGES: tuple[dict[str, float], ...] = (
    {},
    {"temperature": 1.7, "value_learning_rate": 0.01, "kl_coefficient": 2.0, "target_kl": 0.02},
    {"gamma": 0.9, "gae_lambda": 0.8, "learning_rate": 0.03, "clip_range": 0.1, "entropy_coefficient": 0.0},
)
PROGRESS = (0.0, 0.3, 0.8)
PATHS = {
    "gamma": "estimator.gamma",
    "gae_lambda": "estimator.credit.gae_lambda",
    "value_learning_rate": "estimator.baseline.learning_rate",
    "temperature": "exploration.temperature",
}
OF_FORMS = {
    "clip": {"clip_range"},
    "penalty": {"kl_coefficient"},
    "lagrangian": {"target_kl", "multiplier_step"},
}
OTHERS = set().union(*OF_FORMS.values())
SCHEDULES = {"clip": ("linear", "cosine"), "penalty": ("cosine", "constant"), "lagrangian": ("linear", "constant")}
MULTIPLIER = 0.7
Iterations = list[tuple[float, dict[str, float]]]


def iterations() -> Iterations:
    found, settings = [], FIRST
    for progress, changed in zip(PROGRESS, CHANGES, strict=True):
        settings = settings | changed
        found.append((progress, settings))
    return found


def at_paths(settings: dict[str, float], form: str) -> dict[str, Any]:
    there = {name: value for name, value in settings.items() if name not in OTHERS - OF_FORMS[form]}
    return {PATHS.get(name, f"update.{name}"): value for name, value in there.items()}


@cache
def played(space: str, form: str, fit_steps: int) -> Recorded:
    of_rate, of_range = SCHEDULES[form]
    some = {"update.clip_range_schedule": of_range} if form == "clip" else {}
    some |= {"update.initial_multiplier": MULTIPLIER} if form == "lagrangian" else {}
    return record(
        [(progress, at_paths(changed, form)) for progress, changed in zip(PROGRESS, CHANGES, strict=True)],
        **ENVIRONMENTS[space],
        **COLLECTIONS["fixed length"],
        environment__normalize_observations=True,
        estimator__credit="gae",
        estimator__baseline="value",
        estimator__baseline__fit_steps=fit_steps,
        estimator__normalize_advantages=True,
        update=f"ppo-{form}",
        update__epochs=2,
        update__minibatch_size=13,
        update__max_grad_norm=0.0,
        update__learning_rate_schedule=of_rate,
        **at_paths(FIRST, form),
        **some,
    )


def by_reference(recorded: Recorded, form: str, fit_steps: int, of: Iterations, **wrong: Any) -> History:
    return learn(
        recorded.batches,
        recorded.minibatches,
        recorded.policy,
        recorded.value,
        of,
        **{"form": form, "schedules": SCHEDULES[form], "fit_steps": fit_steps, "multiplier": MULTIPLIER} | wrong,
    )


@pytest.mark.parametrize(("form", "fit_steps"), [("clip", 0), ("clip", 4), ("penalty", 0), ("lagrangian", 4)])
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_every_iteration_goes_on_from_the_last_with_settings_of_its_own(space: str, form: str, fit_steps: int) -> None:
    recorded = played(space, form, fit_steps)
    history = by_reference(recorded, form, fit_steps, iterations())
    assert len(history["policy"]) == sum(len(rows) for rows in recorded.minibatches)
    assert len(history["value"]) == (3 * fit_steps or len(history["policy"]))
    assert distance(recorded, history) < 3.0 * CLOSE
    if form == "lagrangian":
        assert_reported(recorded, "multiplier", history["multiplier"])


@pytest.mark.parametrize("name", [name for name in FIRST if any(name in changed for changed in CHANGES)])
def test_every_change_counts(name: str) -> None:
    form = next((form for form, names in OF_FORMS.items() if name in names), "clip")
    recorded = played("discrete", form, 4 if form == "lagrangian" else 0)
    kept = [(progress, settings | {name: FIRST[name]}) for progress, settings in iterations()]
    history = by_reference(recorded, form, 4 if form == "lagrangian" else 0, kept)
    assert distance(recorded, history) > APART * CLOSE


@pytest.mark.parametrize("schedules", [("cosine", "cosine"), ("linear", "linear"), ("linear", "constant")])
def test_every_schedule_counts(schedules: tuple[str, str]) -> None:
    recorded = played("discrete", "clip", 0)
    assert distance(recorded, by_reference(recorded, "clip", 0, iterations(), schedules=schedules)) > APART * CLOSE
