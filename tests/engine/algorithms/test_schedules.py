"""Schedules: their closed forms all the way, in the steps that rules take and in runs that use up their budgets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.outcome import scheduled
from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PlanningConfig
from engine.config.parameters import with_values
from engine.config.policies import TabularPolicy
from engine.environments.making.known_dynamics import finite_mdp
from engine.policies.policy import Policy
from engine.reports.events import Reweighted, Updated
from engine.training.training import Training
from tests.engine.step_batches import configured, expected_batch, policy
from tests.engine.support import configured as run_of
from tests.engine.support import register
from tests.engine.tiny_mdp import finish, parameters_of

PROGRESS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROOT = 0.5**0.5
# What is left of a number at those shares of the run; the last never quite 0.
LEFT: dict[Any, list[float]] = {
    "constant": [1.0, 1.0, 1.0, 1.0, 1.0],
    "linear": [1.0, 0.75, 0.5, 0.25, 1e-6],
    "cosine": [1.0, 0.5 + 0.5 * ROOT, 0.5, 0.5 - 0.5 * ROOT, 1e-6],
}


@pytest.mark.parametrize("schedule", LEFT)
def test_a_schedule_is_its_closed_form_from_start_to_end(schedule: Any) -> None:
    assert [scheduled(0.3, schedule, share) for share in PROGRESS] == pytest.approx([0.3 * x for x in LEFT[schedule]])
    assert scheduled(0.3, schedule, 1.7) == scheduled(0.3, schedule, 1.0)  # a budget that has been cut short
    every = [scheduled(0.3, schedule, k / 100) for k in range(101)]
    assert every == sorted(every, reverse=True)
    assert every[-1] > 0.0


ONCE: dict[str, Any] = {"optimizer": "sgd", "epochs": 1, "minibatch_size": 0, "max_grad_norm": 0.0}
RULES: dict[str, dict[str, Any]] = {
    "gradient-ascent": {"optimizer": "sgd"},
    "natural-gradient": {"max_kl": 0.0},
    "ppo-clip": ONCE,
    "ppo-penalty": ONCE,
    "ppo-lagrangian": ONCE,
    "off-policy": {"optimizer": "sgd", "updates_per_batch": 1, "weighting": "per-trajectory"},
}


def step_of(kind: str, schedule: str, progress: float) -> tuple[Tensor, float | None]:
    """How the first step at that share of the run moves the policy, and the learning rate it reports."""
    config, learner = configured({"kind": kind, "learning_rate_schedule": schedule} | RULES[kind]), policy()
    rule, before = make_rule(config, learner, torch.Generator(), None), parameters_of(learner)
    outcome = finish(rule.update(UpdateInput(expected_batch(), config, progress)))
    return parameters_of(learner) - before, outcome.metrics.get("learning_rate")


@pytest.mark.parametrize("schedule", LEFT)
@pytest.mark.parametrize("kind", RULES)
def test_a_first_step_is_as_long_as_the_schedule_leaves_it(kind: str, schedule: str) -> None:
    whole, _ = step_of(kind, "constant", 0.0)
    assert whole.abs().max() > 1e-4
    full = configured({"kind": kind} | RULES[kind]).update.learning_rate
    for progress, left in zip(PROGRESS, LEFT[schedule], strict=True):
        moved, reported = step_of(kind, schedule, progress)
        torch.testing.assert_close(moved, left * whole, atol=1e-6, rtol=1e-4)
        assert reported == (None if schedule == "constant" else pytest.approx(full * left))


@pytest.mark.parametrize("schedule", LEFT)
def test_a_step_along_the_exact_gradient_is_as_long_as_the_schedule_leaves_it(schedule: str) -> None:
    mdp = finite_mdp("Corridor-v0")
    assert mdp is not None
    found = []
    for progress in PROGRESS:
        config = run_of(environment="Corridor-v0", policy="tabular", update="exact-gradient")
        config = with_values(config, {"update.optimizer": "sgd", "update.learning_rate_schedule": schedule})
        assert isinstance(config, PlanningConfig)
        learner = Policy(TabularPolicy(), ENVIRONMENTS["Corridor-v0"], torch.Generator())
        finish(ExactAscentRule(config.update, learner, mdp).update(torch.zeros(1, dtype=torch.int64), config, progress))
        found.append(parameters_of(learner))
    assert found[0].abs().max() > 1e-4
    for moved, left in zip(found, LEFT[schedule], strict=True):
        torch.testing.assert_close(moved, left * found[0], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("schedule", LEFT)
def test_the_clip_range_has_a_schedule_of_its_own(schedule: str) -> None:
    """Whatever the learning rate's is."""
    for of_rate in LEFT:
        fields = {"kind": "ppo-clip", "clip_range": 0.4, "clip_range_schedule": schedule}
        config = configured(fields | {"learning_rate_schedule": of_rate})
        for progress, left in zip(PROGRESS, LEFT[schedule], strict=True):
            rule = make_rule(config, policy(), torch.Generator(), None)
            outcome = finish(rule.update(UpdateInput(expected_batch(), config, progress)))
            assert outcome.clip_range == pytest.approx(0.4 * left)


# --- in a run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [(), (3, 8, 9)], ids=["one", "several seeds"])
@pytest.mark.parametrize("update", ["gradient-ascent", "natural-gradient", "ppo-clip", "off-policy"])
def test_a_run_is_as_far_along_its_schedules_as_it_has_used_its_budget(update: str, seeds: tuple[int, ...]) -> None:
    """Also where the budget is changed on the way, and whatever other seeds have used."""
    id = register("Tests/Uneven-v0", lengths=(2, 5, 3), shuffled=True)
    values = {"environment.id": id, "collection.episodes_per_update": 3, "budget.environment_steps": 60}
    config = with_values(run_of(update=update), values | {"update.learning_rate_schedule": "linear"})
    if update == "ppo-clip":
        config = with_values(config, {"update.clip_range_schedule": "cosine"})
    training = Training(config, seeds=seeds)
    rate, used = config.update.learning_rate, dict.fromkeys(training.runs, 0)
    budgets, ranges = dict.fromkeys(training.runs, 60), dict[str, float | None]()
    for event in training:
        if isinstance(event, Reweighted):
            ranges[event.run] = event.clip_range
        if not isinstance(event, Updated):
            continue
        progress = used[event.run] / (90 if event.changes else budgets[event.run])
        budgets[event.run] = 90 if event.changes else budgets[event.run]
        assert event.metrics["learning_rate"] == pytest.approx(scheduled(rate, "linear", progress))
        if update == "ppo-clip":
            assert ranges[event.run] == pytest.approx(scheduled(0.2, "cosine", progress))
        used[event.run] = event.environment_steps
        if event.iteration == 2:
            training.change("budget.environment_steps", 90)
    training.close()
    assert all(steps >= 90 for steps in used.values())
    assert set(budgets.values()) == {90}
