"""Watching an update: what each gradient step is shown to be, and that being watched changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.outcome import Outcome, UpdateEvents
from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.algorithms.policy_gradient.watched import plane_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PlanningConfig
from engine.config.estimators import ValueBaseline
from engine.config.policies import MLPPolicy, PolicyConfig, TabularPolicy
from engine.environments.making.known_dynamics import finite_mdp
from engine.experience.batch import Batch, LearnedValue
from engine.policies.policy import Policy
from engine.reports.update_events import TrustRegion, UpdateStep
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.step_batches import INFO, configured, expected_batch
from tests.engine.tiny_mdp import parameters_of


@dataclass
class Seen:
    """An update that was made: the parameters before and after it, its steps, and its outcome."""

    before: Tensor
    after: Tensor
    steps: list[UpdateStep]
    outcome: Outcome


PPO = {"kind": "ppo-clip", "clip_range": 0.05, "epochs": 4, "minibatch_size": 10, "learning_rate": 0.1}
SHARED = {"baseline": {"kind": "shared-value", "coefficient": 0.7}}
JOINT = {"baseline": {"kind": "value", "hidden_sizes": [4], "fit_steps": 0}}
BONUS = {"entropy_coefficient": 0.1}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gradient ascent": ({"kind": "gradient-ascent", "max_grad_norm": 0.01} | BONUS, {}),
    "gradient ascent with a shared value": ({"kind": "gradient-ascent"} | BONUS, SHARED),
    "natural gradient": ({"kind": "natural-gradient", "damping": 0.1} | BONUS, {}),
    "trpo": ({"kind": "trpo", "damping": 0.1} | BONUS, {}),
    "clip": (PPO | BONUS | {"max_grad_norm": 0.01}, {}),
    "clip until a divergence": (PPO | {"target_kl": 0.01, "epochs": 50}, {}),
    "clip with a shared value": (PPO | BONUS, SHARED),
    "clip with a value of its own": (PPO | BONUS, JOINT),
    "penalty": (PPO | BONUS | {"kind": "ppo-penalty", "clip_range": None}, {}),
    "one sample's penalty": (PPO | {"kind": "ppo-penalty", "clip_range": None, "form": "single-sample"}, {}),
    "lagrangian": (PPO | {"kind": "ppo-lagrangian", "clip_range": None}, {}),
    "off-policy": ({"kind": "off-policy", "updates_per_batch": 3, "learning_rate": 0.1} | BONUS, {}),
}


def batch_for(estimator: dict[str, Any]) -> Batch:
    batch = expected_batch()
    if not estimator:
        return batch
    targets = torch.randn(batch.size, generator=torch.Generator().manual_seed(5))
    learned = LearnedValue(torch.zeros_like(targets), targets, targets.unsqueeze(0))
    return Batch(batch.rollout, batch.advantages, batch.state_weights, learned)


def seen(name: str, watched: bool, policy: PolicyConfig | None = None) -> Seen:
    update, estimator = CASES[name]
    config = configured({key: value for key, value in update.items() if value is not None}, **estimator)
    shared = config.estimator.baseline.kind == "shared-value"
    learner = Policy(policy or MLPPolicy(hidden_sizes=(5,)), INFO, torch.Generator().manual_seed(1), shared)
    fitting, generator = None, torch.Generator().manual_seed(2)
    if isinstance(config.estimator.baseline, ValueBaseline):
        value = ValueFunction(config.estimator.baseline, INFO.observation, generator)
        fitting = ValueFitting(config.estimator.baseline, value, generator)
    rule = make_rule(config, learner, generator, fitting)
    return run(learner, rule.update(UpdateInput(batch_for(estimator), config, 0.0, watched, 7)))


def run(learner: Policy, doing: UpdateEvents) -> Seen:
    before, steps = parameters_of(learner), []
    while True:
        try:
            event = next(doing)
        except StopIteration as stop:
            return Seen(before, parameters_of(learner), steps, stop.value)
        if isinstance(event, UpdateStep):
            steps.append(event)


every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_watching_changes_nothing(name: str) -> None:
    watched, alone = seen(name, True), seen(name, False)
    assert watched.steps
    assert not alone.steps
    assert torch.equal(watched.after, alone.after)
    assert watched.outcome.metrics == alone.outcome.metrics


@every_case
def test_the_changes_of_the_steps_add_up_to_the_updates(name: str) -> None:
    found = seen(name, True)
    moved = np.sum([step.parameter_change for step in found.steps], 0, dtype=np.float64)
    assert np.allclose(moved, (found.after - found.before).numpy(), rtol=1e-4, atol=1e-6)
    assert all(step.parameter_change.any() for step in found.steps)


@every_case
def test_steps_are_counted_in_their_iteration(name: str) -> None:
    found = seen(name, True)
    assert [step.step for step in found.steps] == list(range(1, len(found.steps) + 1))
    assert {step.iteration for step in found.steps} == {7}


@every_case
def test_the_losses_of_a_step_add_up_to_what_was_descended(name: str) -> None:
    found = seen(name, True)
    metrics, (update, estimator) = found.outcome.metrics, CASES[name]
    fitted = [step.losses.get("value", 0.0) for step in found.steps]
    totals = [sum(step.losses.values()) for step in found.steps]
    if update["kind"].startswith("ppo"):  # whose reported loss is the mean, and the policy's alone
        assert np.mean(totals) - np.mean(fitted) == pytest.approx(metrics["loss"], rel=1e-4)
    else:
        assert totals[-1] == pytest.approx(metrics["loss"], rel=1e-4)
    if estimator:
        price = estimator["baseline"].get("coefficient", 1.0)
        assert np.mean(fitted) == pytest.approx(price * (metrics["value_loss"] or 0.0), rel=1e-4)


PARTS = {"gradient ascent": {"policy", "entropy"}, "clip": {"policy", "entropy"}, "trpo": {"policy", "entropy"}}
PARTS |= {"clip with a shared value": {"policy", "entropy", "value"}, "lagrangian": {"policy", "penalty"}}
PARTS |= {"clip with a value of its own": {"policy", "entropy", "value"}, "penalty": {"policy", "penalty", "entropy"}}


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_a_loss_have_names(name: str) -> None:
    assert all(set(step.losses) == PARTS[name] for step in seen(name, True).steps)


@pytest.mark.parametrize("name", ["gradient ascent", "clip"])
def test_a_gradients_length_is_that_before_it_is_clipped(name: str) -> None:
    steps = seen(name, True).steps
    assert steps[0].grad_norm > 0.02
    assert steps[0].grad_norm == pytest.approx(seen(name, False).outcome.metrics["grad_norm"])


@pytest.mark.parametrize("policy", [MLPPolicy(hidden_sizes=(5,)), TabularPolicy()], ids=["written out", "autograd"])
def test_ratios_and_clipped_steps_are_those_of_the_policy_before_the_step(policy: PolicyConfig) -> None:
    """Computed again from the parameters that the changes so far lead to."""
    found, batch = seen("clip", True, policy), expected_batch()
    now = Policy(policy, INFO, torch.Generator().manual_seed(1))
    with torch.no_grad():
        old = now(batch.observations).log_prob(batch.actions)
    some_clipped = 0
    for step in found.steps:
        rows, ratios = torch.from_numpy(step.rows), torch.from_numpy(step.log_ratios)
        with torch.no_grad():
            expected = now(batch.observations[rows]).log_prob(batch.actions[rows]) - old[rows]
        torch.testing.assert_close(ratios, expected, atol=1e-5, rtol=1e-4)
        reach = (ratios.exp() - 1.0) * batch.advantages[rows].sign()
        assert step.clipped is not None
        assert step.clipped.tolist() == (reach > 0.05).tolist()
        some_clipped += int(step.clipped.sum())
        start = 0
        for parameter in now.parameters():
            change = torch.from_numpy(step.parameter_change[start : start + parameter.numel()])
            start += parameter.numel()
            with torch.no_grad():
                parameter.add_(change.view_as(parameter))
    assert some_clipped > 0
    for epoch in range(4):
        rows = np.concatenate([step.rows for step in found.steps[4 * epoch : 4 * epoch + 4]])
        assert sorted(rows.tolist()) == list(range(32))


@pytest.mark.parametrize("name", ["gradient ascent", "trpo", "off-policy"])
def test_elsewhere_a_step_is_of_the_whole_batch_and_nothing_is_clipped(name: str) -> None:
    first, *others = seen(name, True).steps
    for step in (first, *others):
        assert step.rows.tolist() == list(range(32))
        assert step.clipped is None
    assert np.allclose(first.log_ratios, 0.0, atol=1e-6)
    assert all(np.abs(step.log_ratios).max() > 1e-3 for step in others)


def test_a_step_that_is_not_taken_is_not_shown() -> None:
    config = configured({"kind": "trpo", "damping": 0.1})
    nothing = expected_batch(torch.zeros(3, 3).double())
    learner = Policy(TabularPolicy(), INFO, torch.Generator())
    rule = make_rule(config, learner, torch.Generator(), None)
    assert not run(learner, rule.update(UpdateInput(nothing, config, 0.0, watched=True))).steps


def test_a_gradient_of_0_spans_no_plane_that_could_be_shown() -> None:
    config = configured({"kind": "natural-gradient", "damping": 0.1})
    nothing = expected_batch(torch.zeros(3, 3).double())
    learner = Policy(TabularPolicy(), INFO, torch.Generator())
    rule = make_rule(config, learner, torch.Generator(), None)
    told = list(rule.update(UpdateInput(nothing, config, 0.0, watched=True)))
    assert not any(isinstance(event, TrustRegion) for event in told)
    basis = plane_of(torch.zeros(3), torch.zeros(3))
    assert torch.allclose(basis @ basis.mT, torch.eye(2, dtype=torch.float64))


@pytest.mark.parametrize("watched", [True, False])
def test_the_exact_gradient_is_shown_without_samples(watched: bool) -> None:
    config, mdp = PlanningConfig(), finite_mdp("GridWorld-v0")
    assert mdp is not None
    learner = Policy(TabularPolicy(), ENVIRONMENTS["GridWorld-v0"], torch.Generator())
    rule = ExactAscentRule(config.update, learner, mdp)
    found = run(learner, rule.update(torch.zeros(1, dtype=torch.int64), config, 0.0, watched, 7))
    assert len(found.steps) == watched
    for step in found.steps:
        assert (step.iteration, step.step) == (7, 1)
        assert step.losses == {"policy": found.outcome.metrics["loss"]}
        assert (len(step.rows), len(step.log_ratios), step.clipped) == (0, 0, None)
        assert np.allclose(step.parameter_change, (found.after - found.before).numpy())


# --- what was in force ------------------------------------------------------------------------------------------------


def test_an_outcome_tells_the_clip_range_that_the_rule_used() -> None:
    config = configured(PPO | {"clip_range": 0.2, "clip_range_schedule": "linear"})
    for progress, expected in ((0.0, 0.2), (0.5, 0.1)):
        learner = Policy(TabularPolicy(), INFO, torch.Generator())
        rule = make_rule(config, learner, torch.Generator(), None)
        outcome = run(learner, rule.update(UpdateInput(expected_batch(), config, progress))).outcome
        assert outcome.clip_range == pytest.approx(expected)
        assert (outcome.truncation, outcome.effective_sample_size) == (None, None)
    assert seen("penalty", False).outcome.clip_range is None


@pytest.mark.parametrize(("truncation", "expected"), [(0.0, None), (3.0, 3.0)])
def test_an_outcome_tells_how_weights_were_cut_and_what_they_are_worth(
    truncation: float, expected: float | None
) -> None:
    config = configured({"kind": "off-policy", "truncation": truncation})
    learner = Policy(TabularPolicy(), INFO, torch.Generator())
    rule = make_rule(config, learner, torch.Generator(), None)
    outcome = run(learner, rule.update(UpdateInput(expected_batch(), config, 0.0))).outcome
    assert outcome.truncation == expected
    assert outcome.effective_sample_size == outcome.metrics["effective_sample_size"]
    assert outcome.clip_range is None
