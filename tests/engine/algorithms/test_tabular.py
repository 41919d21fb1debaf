"""Tables of action values: their targets, step by step, and what is remembered between steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.algorithms.value_based.tabular import TabularRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import discrete
from engine.config import PolicyGradientConfig, ValueBasedConfig
from engine.config.parameters import with_values
from engine.experience.transitions import Transitions
from engine.maths.action_values import double_values, expected_values, greedy_values, taken_values
from engine.maths.exploration import epsilon_greedy_probabilities
from engine.maths.returns import n_step_returns
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.training.forking import forked
from engine.training.training import Training
from tests.each import each
from tests.engine.references.tabular import MISTAKES, MISTAKES_OF_TWO, Rule, Taken, learned, learned_by_two

STATES, ACTIONS = 4, 2
KINDS = ("q-learning", "sarsa", "expected-sarsa")
STEPS = each("n", [1, 2, 4])


def configured(algorithm: str, environments: int = 1, **values: Any) -> ValueBasedConfig:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    given = {path.replace("__", "."): value for path, value in values.items()}
    config = with_values(config, {"collection.environments": environments} | given)
    assert isinstance(config, ValueBasedConfig)
    return config


def made(
    config: ValueBasedConfig, epsilon: float = 0.3, states: int = STATES
) -> tuple[TabularRule, NDArray[np.float32]]:
    """A rule that an iteration has begun of, and its first table, with a value of its own for each pair."""
    info = ENVIRONMENTS["Corridor-v0"]
    info = replace(info, observation=discrete(states), action=discrete(ACTIONS))
    policy = Policy(config.policy, info, torch.Generator())
    policy.epsilon = epsilon
    rule = TabularRule(config, policy, torch.Generator().manual_seed(0))
    for index, table in enumerate(rule._tables):
        table[...] = np.random.default_rng(5 + index).normal(size=(states, ACTIONS))
    rule.begin(config, 0.0)
    return rule, rule._tables[0]


def experience(steps: int, environments: int, seed: int = 0) -> Transitions:
    """Steps of short episodes, a third of which are cut off."""
    rng = np.random.default_rng(seed)
    shape = (steps, environments)
    states = rng.integers(STATES, size=(steps + 1, environments))
    terminated = rng.random(shape) < 0.15
    truncated = (rng.random(shape) < 0.1) & ~terminated
    after = np.where(terminated | truncated, rng.integers(STATES, size=shape), states[1:])
    actions, rewards = rng.integers(ACTIONS, size=shape), rng.normal(size=shape)
    return Transitions(states[:-1], actions, rewards, terminated, truncated, after, states[-1])


def of_one(transitions: Transitions, environment: int = 0) -> list[Taken]:
    t = transitions
    fields = (t.observations, t.actions, t.rewards, t.terminated, t.truncated, t.next_observations)
    return [Taken(*(field[step, environment].item() for field in fields)) for step in range(len(t.rewards))]


def part(transitions: Transitions, first: int, last: int) -> Transitions:
    return Transitions(*(getattr(transitions, name)[first:last] for name in Transitions.__dataclass_fields__))


@STEPS
@each("kind", KINDS)
@each("size", [("constant", 0.1, 0.0), ("1/n", 1.0, 1.0), ("1/n^0.7", 1.0, 0.7)], ids=lambda s: s[0])
def test_a_table_is_the_references_and_none_of_those_with_a_mistake(
    kind: str, n: int, size: tuple[str, float, float]
) -> None:
    step_size, rate, power = size
    config = configured(kind, estimator__n=n, estimator__gamma=0.9, update__step_size=step_size)
    rule, table = made(config)
    steps = experience(60, 1)
    reference = Rule(kind, n, 0.9, rate, power, 0.3)
    first = table.astype(np.float64)
    for t in range(60):  # one step after the other, as they are collected
        rule.learn(part(steps, t, t + 1))
    np.testing.assert_allclose(table, learned(reference, of_one(steps), first), atol=1e-5)
    for mistake in MISTAKES if n > 1 else MISTAKES[:-1]:
        assert np.abs(table - learned(reference, of_one(steps), first, mistake)).max() > 1e-2


def coins(count: int) -> list[int]:
    """Which of two tables learns from each step of the rule that is ``made``."""
    generator = torch.Generator().manual_seed(0)
    return [int(torch.randint(2, (), generator=generator)) for _ in range(count)]


@STEPS
@pytest.mark.parametrize("size", [("constant", 0.1, 0.0), ("1/n", 1.0, 1.0)], ids=lambda s: s[0])
def test_two_tables_are_the_references_and_none_of_those_with_a_mistake(n: int, size: tuple[str, float, float]) -> None:
    step_size, rate, power = size
    config = configured("double-q-learning", estimator__n=n, estimator__gamma=0.9, update__step_size=step_size)
    rule, _ = made(config)
    first, steps = np.array(rule._tables, np.float64), experience(60, 1)
    rule.learn(steps)
    tossed = coins(len(rule.outcome().td_errors))
    reference = Rule("q-learning", n, 0.9, rate, power, 0.3)
    np.testing.assert_allclose(rule._tables, learned_by_two(reference, of_one(steps), first, tossed), atol=1e-5)
    assert np.add(*rule._visits).all()
    np.testing.assert_allclose(rule._acting, np.mean(rule._tables, 0), atol=1e-6)  # the mean is acted by
    for mistake in MISTAKES_OF_TWO:
        wrong = learned_by_two(reference, of_one(steps), first, tossed, mistake)
        assert np.abs(rule._tables - wrong).max() > 1e-2


@STEPS
@pytest.mark.parametrize("algorithm", [*KINDS, "double-q-learning"])
def test_targets_are_those_of_the_formulas_that_all_value_methods_share(algorithm: str, n: int) -> None:
    """With a learning rate next to 0 a table stays what it is, and errors are targets less its values."""
    config = configured(algorithm, estimator__n=n, estimator__gamma=0.9, update__learning_rate=1e-12)
    rule, table = made(config)
    steps, q = experience(40, 1), torch.from_numpy(table.astype(np.float64))
    rule._tables[-1][...] = table  # so that it is of no account which of two learns
    rule.learn(steps)
    after = q[torch.from_numpy(steps.next_observations)]
    probabilities = epsilon_greedy_probabilities(after, 0.3)
    following = {
        "q-learning": greedy_values(after),
        "double-q-learning": double_values(after, after),
        "expected-sarsa": expected_values(after, probabilities),
        "sarsa": torch.cat((taken_values(after[:-1], torch.from_numpy(steps.actions[1:])), torch.zeros(1, 1))),
    }[algorithm]
    truncated = torch.from_numpy(steps.truncated)
    following = (
        torch.where(truncated, expected_values(after, probabilities), following) if algorithm == "sarsa" else following
    )
    discounts = 0.9 * torch.from_numpy(~steps.terminated)
    targets = n_step_returns(torch.from_numpy(steps.rewards), discounts, truncated, following, n)
    known = len(rule.outcome().td_errors)
    errors = (targets - taken_values(q[torch.from_numpy(steps.observations)], torch.from_numpy(steps.actions)))[:, 0]
    np.testing.assert_allclose(rule.outcome().td_errors, errors[:known], atol=1e-5)
    assert known >= 40 - n


@STEPS
@pytest.mark.parametrize("kind", KINDS)
def test_each_environment_has_steps_of_its_own_which_a_run_that_goes_on_still_has(kind: str, n: int) -> None:
    """Three environments in states of their own, as if each had been alone; one broke off when the run was gone on
    with, so that what was not learned of its episode is left."""
    config = configured(kind, 3, estimator__n=n, estimator__gamma=0.9)
    rule, table = made(config, states=3 * STATES)
    first, alone = table.astype(np.float64), experience(50, 3)
    places = STATES * np.arange(3)
    steps = replace(alone, observations=alone.observations + places, next_observations=alone.next_observations + places)
    rule.learn(part(steps, 0, 20))
    going_on, table = made(config, states=3 * STATES)
    table[...] = rule._tables[0]
    going_on.parts.load(rule.parts.state())
    going_on.broke_off(np.array([1]))
    going_on.learn(part(steps, 20, 50))
    reference = Rule(kind, n, 0.9, 0.1, 0.0, 0.3)
    for environment in range(3):
        own = slice(STATES * environment, STATES * (environment + 1))
        taken, expected = of_one(alone, environment), first[own]
        for piece in (taken[:20], taken[20:]) if environment == 1 else (taken,):
            expected = learned(reference, piece, expected)
        np.testing.assert_allclose(table[own], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("step_size", "expected"),
    [("constant", [(1.0 - 0.5**3) * 3.0]), ("1/n", [3.0, 4.0]), ("1/n^0.7", [(1.0 - (1.0 - 3**-0.7) ** 3) * 3.0])],
)
def test_environments_that_do_the_same_at_once_move_a_value_as_far_as_one_after_the_other_would_to_their_mean(
    step_size: str, expected: list[float]
) -> None:
    config = configured("q-learning", 3, update__step_size=step_size, estimator__gamma=0.0)
    if step_size == "constant":
        config = configured("q-learning", 3, update__learning_rate=0.5, estimator__gamma=0.0)
    rule, table = made(config)
    table[...] = 0.0
    same, ended = np.zeros((1, 3), np.int64), np.ones((1, 3), np.bool_)
    for rewards, wanted in zip(([1.0, 2.0, 6.0], [4.0, 5.0, 6.0]), expected, strict=False):
        rule.learn(Transitions(same, same, np.array([rewards]), ended, ~ended, same, same[0]))
        assert table[0, 0] == pytest.approx(wanted)


def test_two_tables_go_on_from_one_and_one_from_two() -> None:
    single, _ = made(configured("q-learning"))
    single.learn(experience(30, 1))
    double, _ = made(configured("double-q-learning"))
    double._acting[...] = single._acting  # which is kept with the policy, and loaded before
    double.parts.load(single.parts.state() | {"tables": double.parts.state()["tables"]})
    for table, visits in zip(double._tables, double._visits, strict=True):
        np.testing.assert_array_equal(table, single._acting)
        np.testing.assert_array_equal(visits, single._visits[0])
    double.learn(experience(30, 1))
    counted = sum(visits.sum() for visits in double._visits)
    single.parts.load(double.parts.state() | {"tables": single.parts.state()["tables"]})
    assert single._visits[0].sum() == counted == 90


def test_with_another_discount_values_are_averaged_anew() -> None:
    """Whether it changes while the run trains or before it goes on."""
    config = configured("sarsa", estimator__n=2, estimator__gamma=0.9, update__step_size="1/n")
    rule, _ = made(config)
    rule.learn(experience(30, 1))
    going_on, _ = made(config)
    going_on.parts.load(rule.parts.state())
    changed = with_values(config, {"estimator.gamma": 0.5})
    assert isinstance(changed, ValueBasedConfig)
    for one in (rule, going_on):
        one.begin(config, 0.0)
        assert np.sum(one._visits) == 28
        assert one._window.lengths.any()
        one.begin(changed, 0.0)
        assert np.sum(one._visits) == 0
        assert not one._window.lengths.any()


@pytest.mark.parametrize("algorithm", ["q-learning", "double-q-learning", "sarsa"])
def test_a_fork_to_other_rewards_keeps_the_values_and_not_how_often_they_were_averaged(algorithm: str) -> None:
    """Nor what has been summed up of the steps and episodes under way, in other units."""
    values = {"environment": "FrozenLake-v1", "collection.steps": 50, "estimator.n": 3, "update.step_size": "1/n"}
    training = Training(with_values(configured(algorithm), values))
    next(event for event in training if isinstance(event, Updated))
    state, before = training.state(), cast("Any", training.learner)
    counted = np.sum(before._rule._visits)
    assert counted > 0
    anew = ("The counts that step sizes fall with begin anew.",)
    for path, value, told in (("environment.reward_scale", 2.0, anew), ("update.learning_rate", 0.5, ())):
        other, sentences = forked(state, {path: value})
        learner: Any = other.learner
        assert sentences == told
        np.testing.assert_array_equal(learner._rule._tables, before._rule._tables)
        assert np.sum(learner._rule._visits) == (0 if told else counted)
        assert learner._rule._window.lengths.any() == (not told)
        assert learner._returns._new.all() == bool(told)
        other.close()
    training.close()


def test_what_makes_actions_likely_is_not_taken_for_what_they_are_worth() -> None:
    values = {"environment": "FrozenLake-v1", "policy": "tabular", "device": "cpu"}
    training = Training(with_values(choose(PolicyGradientConfig(), ALGORITHMS["reinforce"]), values))
    other, told = forked(training.state(), {"update": "q-learning", "update.initial_value": 0.5})
    assert told[0].startswith("The policy")
    assert other.learner._rule._acting.tolist() == [[0.5] * 4] * 16  # type: ignore[attr-defined]
    training.close()
    other.close()


def test_the_reward_that_learning_sees_is_what_a_table_learns() -> None:
    changes = {"environment": "Corridor-v0", "update": "q-learning", "estimator.gamma": 0.0, "device": "cpu"}
    changes |= {"update.learning_rate": 1.0, "environment.reward_scale": 2.0, "environment.reward_offset": 0.5}
    training = Training(with_values(ValueBasedConfig(), changes))
    next(event for event in training if isinstance(event, Updated))
    rule: Any = training.learner._rule  # type: ignore[attr-defined]
    training.close()
    assert set(rule._acting[rule._kept.visits[0] > 0].tolist()) <= {2.0 * -1.0 + 0.5, 2.0 * 10.0 + 0.5}
