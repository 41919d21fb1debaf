"""Several seeds of which some are still in an iteration from before a change, or have failed."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.algorithms.policy_gradient.rule import UpdateInput, accumulate_gradient
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import Space
from engine.config.estimators import ValueBaseline
from engine.config.parameters import with_values
from engine.config.policies import MLPPolicy
from engine.config.updates import GradientAscent
from engine.experience.batch import NO_BASELINE, Batch, LearnedValue
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import Policy
from engine.reports.events import Failed, Heartbeat, Updated
from engine.runtime import heartbeat
from engine.runtime.state import inexact
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.many_seeds import collectors as collecting
from engine.training.many_seeds.actor import JointActor, activation_of
from engine.training.many_seeds.rules import FitRequest, GradientRequest, JointRequests
from engine.training.training import Training, resumed
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, policy_of
from tests.engine.support import configured, register, untimed
from tests.engine.tiny_mdp import finish

INFO = ENVIRONMENTS["CartPole-v1"]
SEEDS = (3, 4, 9)
FIXED: dict[str, Any] = {
    "collection": {"kind": "fixed-length", "environments": 2, "steps": 20},
    "budget__environment_steps": 100_000,
}


@pytest.mark.parametrize("greedy", [0.0, 0.5])
def test_seeds_at_other_temperatures_act_each_at_its_own(greedy: float) -> None:
    kind = MLPPolicy(hidden_sizes=(8,))
    policies = [Policy(kind, INFO, torch.Generator().manual_seed(seed)) for seed in range(3)]
    actor = JointActor(policies, 64, activation_of(kind), torch.Generator().manual_seed(5))
    observations = np.random.default_rng(0).standard_normal((192, 4)).astype(np.float32)
    for seed, temperature in enumerate((1.0, 1e-6, 20.0)):
        policies[seed].temperature = temperature
        actor.refresh(seed, greedy)
    actions, _, _ = actor.act(observations, None)
    with torch.no_grad():
        likeliest = [
            policy(torch.from_numpy(rows)).mode().numpy()
            for policy, rows in zip(policies, np.split(observations, 3), strict=True)
        ]
    agree = [np.mean(one == other) for one, other in zip(np.split(actions, 3), likeliest, strict=True)]
    assert agree[1] == 1.0
    assert 0.3 < agree[2] < 0.95


def asked(seed: int, bonus: float, temperature: float) -> GradientRequest:
    config = with_values(configured(estimator__baseline="none"), {"update.entropy_coefficient": bonus})
    assert isinstance(config.update, GradientAscent)
    policy = policy_of(MLPPolicy(hidden_sizes=(5,)), seed)
    policy.temperature = temperature
    rollout, _, _ = collected(episodes_of(Scripted((3, 2))), actor_of(policy, seed))
    advantages = torch.randn(5, generator=torch.Generator().manual_seed(seed))
    given = UpdateInput(Batch(rollout, advantages, torch.ones_like(advantages), NO_BASELINE), config, 0.0)
    return GradientRequest(policy, ParameterVector(policy.parameters()), given, config.update)


def test_gradients_from_before_and_after_a_change_are_each_computed_as_its_iteration_began() -> None:
    requests, expected = JointRequests(), []
    for seed, (bonus, temperature) in enumerate([(0.0, 1.0), (0.5, 1.0), (0.0, 2.0), (0.5, 1.0)]):
        one = asked(seed, bonus, temperature)
        sums = finish(accumulate_gradient(one.policy, one.vector, one.given, one.config))
        expected.append((one.vector.gradient.clone(), sums))
        requests.ascents.append(one)
    every = list(requests.ascents)
    finish(requests.compute())
    for one, (gradient, sums) in zip(every, expected, strict=True):
        torch.testing.assert_close(one.vector.gradient, gradient, rtol=1e-4, atol=1e-6)
        assert one.sums is not None
        assert (one.sums.loss, one.sums.entropy) == pytest.approx((sums.loss, sums.entropy), rel=1e-4)


@pytest.mark.parametrize("field", ["fit_steps", "learning_rate"])
def test_values_are_fitted_as_each_iteration_began(field: str) -> None:
    requests, fittings, expected = JointRequests(), [], []
    for factor in (1, 4, 1):
        config = ValueBaseline(hidden_sizes=(4,), optimizer="sgd", fit_steps=1, learning_rate=0.01)
        config = config.model_copy(update={field: factor * getattr(config, field)})
        rollout, _, _ = collected(
            episodes_of(Scripted((3, 2))), actor_of(policy_of(MLPPolicy(hidden_sizes=(5,)), 1), 1)
        )
        targets = torch.linspace(0.0, 1.0, 5)
        batch = Batch(rollout, targets, torch.ones(5), LearnedValue(torch.zeros(5), targets, targets))
        fits = []
        for _ in range(2):
            value = ValueFunction(config, Space("box", 3), torch.Generator().manual_seed(7))
            fits.append(ValueFitting(config, value, torch.Generator()))
        finish(fits[0].fit(batch, config))
        expected.append(fits[0].vector.values.clone())
        fittings.append(fits[1])
        requests.fits.append(FitRequest(fits[1], batch, config))
    finish(requests.compute())
    assert not torch.allclose(expected[0], expected[1], atol=1e-4)
    for fitting, values in zip(fittings, expected, strict=True):
        torch.testing.assert_close(fitting.vector.values, values, rtol=1e-4, atol=1e-6)


def test_a_change_is_told_of_with_the_iteration_that_it_holds_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every run once, also of those that were in the middle of an iteration."""
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    group = Training(configured(budget__environment_steps=100_000), seeds=SEEDS)
    told: dict[str, list[Any]] = {run: [] for run in group.runs}
    late = 0
    for number, event in enumerate(event for event in group if isinstance(event, Updated)):
        for change in event.changes:
            assert change.iteration == event.iteration
            assert change.environment_steps < event.environment_steps
            told[event.run].append((change.path, change.old, change.new))
        late += not event.changes and not told[event.run] and number > 6
        if number == 6:
            group.change("update.learning_rate", 0.02)
        if number == 30:
            break
    assert late > 0  # of whom some had begun theirs before
    assert set(map(tuple, told.values())) == {(("update.learning_rate", 0.01, 0.02),)}


def test_changes_while_an_iteration_lasts_are_told_of_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    group = Training(configured(budget__environment_steps=100_000), seeds=SEEDS)
    rates = iter(np.linspace(0.011, 0.02, 10).tolist())
    last = dict.fromkeys(group.runs, 0.01)
    for number, event in enumerate(event for event in group if isinstance(event, Updated)):
        for change in event.changes:
            assert change.old == last[event.run]
            last[event.run] = change.new
        assert len(event.changes) <= 1
        if number < 10:
            group.change("update.learning_rate", next(rates))
        if number == 40:
            break
    assert set(last.values()) == {0.02}


def rows(group: Training, iterations: int) -> list[Any]:
    found: list[Any] = []
    for event in group:
        if isinstance(event, Failed):
            found.append((event.run, event.reason))
        if isinstance(event, Updated):
            found.append((event.run, untimed(event)))
            if event.iteration >= iterations and not any(totals.busy for totals in group.totals.values()):
                break
    return found


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_seeds_go_on_exactly_after_the_first_of_them_has_failed(environment: str) -> None:
    group = Training(configured(environment=environment, exploration__temperature=1.5, **FIXED), seeds=SEEDS)
    rows(group, 2)
    with torch.no_grad():
        list(group.policy.parameters())[-1].fill_(torch.nan)
    assert any(isinstance(told, str) for _, told in rows(group, 3))
    state = from_bytes(to_bytes(group.state()))
    assert inexact(state) == ()
    again = resumed(state)
    for one in (group, again):
        one.change("exploration.temperature", 0.5)
    assert rows(again, 6) == rows(group, 6)
    assert [totals.failed for totals in again.totals.values()] == [True, False, False]


def told_by(group: Training, count: int) -> list[Any]:
    """What so many iterations tell, whosever they are."""
    updates = (event for event in group if isinstance(event, Updated))
    return [(group.runs[event.run], untimed(event)) for event in islice(updates, count)]


def played_for_value(group: Training) -> list[bool]:
    """Of which seeds V is fitted already in the iteration under way; none where of no seed it is."""
    seeds = [part for name, part in group.learner.parts.state().items() if name.startswith("seed")]
    found = [bool(part["played for value"]) for part in seeds]
    return found if any(found) else []


OTHER_EPISODES = "values of other episodes"
OWN_TIME: dict[str, dict[str, Any]] = {
    "played by ours": {},
    "stepped one by one": {"environment__stepping": "in-process", "environment__observation_noise": 0.1},
    OTHER_EPISODES: {"estimator__baseline__fitted_on": "independent"},
}


@pytest.mark.parametrize("how", OWN_TIME)
def test_seeds_go_on_exactly_from_the_middle_of_the_episodes_of_some(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a change that no iteration has begun with yet when the first state is wanted."""
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    config = configured(budget__environment_steps=100_000, **OWN_TIME[how])
    group, unsaved = (Training(config, seeds=SEEDS) for _ in range(2))
    for number, _ in enumerate(event for event in group if isinstance(event, Updated)):
        busy = [totals.busy for totals in group.totals.values()]
        if number == 9:
            group.change("exploration.temperature", 1.2)
        if any(busy) and not group.resting:
            with pytest.raises(ValueError, match="together can be saved when"):
                group.state()
        elif any(busy) and number > 9 and (how != OTHER_EPISODES or played_for_value(group)):
            break
    assert number < 60  # soon after it was wanted
    went_on = told_by(resumed(from_bytes(to_bytes(group.state()))), 12)
    assert went_on == told_by(group, 12)
    told_by(unsaved, 10)
    unsaved.change("exploration.temperature", 1.2)
    assert told_by(unsaved, number - 9 + 12)[-12:] == went_on


def test_one_seed_of_several_is_a_run_like_another() -> None:
    group = Training(configured(), "name", seeds=(7,))
    assert {event.run for event in group} == {"name/7"} == set(group.runs)
    assert group.policy is group.learner.policies["name/7"]


def test_steps_on_the_way_are_those_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT", -1.0)
    group = Training(configured(**FIXED), seeds=SEEDS)
    found = []
    for event in group:
        if isinstance(event, Heartbeat) and event.doing == "collecting":
            found.append(event.environment_steps)
        if isinstance(event, Updated):
            break
    assert found == sorted(found)
    assert found[-1] == 40


def test_switches_whose_numbers_have_blown_up_end_their_seed_alone() -> None:
    id = register("Tests/Switches-v0", lengths=(4,), action=spaces.MultiBinary(2))
    group = Training(configured(environment=id, **FIXED), seeds=SEEDS)
    rows(group, 1)
    with torch.no_grad():
        list(group.policy.parameters())[-1].fill_(torch.nan)
    found = rows(group, 3)
    assert [run for run, told in found if isinstance(told, str)] == ["run/3"]
