"""DQN's targets by hand, what it draws towards them, and what it remembers."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from engine.algorithms.value_based.dqn import DQNRule
from engine.algorithms.value_based.exploration import epsilon_at
from engine.catalogue.methods.compatibility import refusal
from engine.config import ValueBasedConfig
from engine.config.parameters import with_values
from engine.config.value_based import EpsilonGreedyConfig
from engine.environments.making.lookup import inspect
from engine.experience import replay
from engine.experience.transitions import Transitions
from engine.policies.policy import Policy
from engine.reports.events import Event, Heartbeat, Updated
from engine.reports.update_events import UpdateStep
from engine.runtime.errors import RunError
from engine.runtime.seeds import Seeds
from engine.runtime.state import inexact
from engine.training.forking import forked
from engine.training.training import Training, resumed
from engine.values.target_network import Following
from tests.engine.algorithms.transitions import STEPS

LAKE = inspect("FrozenLake-v1")
# The target network's best is worth 10 s in state s; the network that learns takes action 1 for the best, worth s.
TARGET = torch.arange(16.0).unsqueeze(1) * torch.tensor([0.0, 1.0, 10.0, 2.0])
ONLINE = torch.tensor([0.0, 1.0, 0.5, 0.0]).expand(16, 4)


def configured(**values: Any) -> ValueBasedConfig:
    small = {
        "environment": "FrozenLake-v1",
        "policy": "tabular",
        "update": "dqn",
        "update.replay.learning_starts": 1,
        "update.replay.minibatch_size": 64,
        "update.learning_rate": 1e-9,
        "estimator.gamma": 0.5,
        "device": "cpu",
    }
    config: Any = ValueBasedConfig()
    for path, value in (small | {path.replace("__", "."): value for path, value in values.items()}).items():
        config = with_values(config, {path: value})
    assert isinstance(config, ValueBasedConfig)
    return config


def made(config: ValueBasedConfig) -> DQNRule:
    policy = Policy(config.policy, LAKE, torch.Generator())
    rule = DQNRule(config, policy, LAKE, Seeds(1))
    with torch.no_grad():
        policy.head.rows.copy_(ONLINE)
    rule._following.load({"values": TARGET.flatten(), "steps": 0})
    rule.begin(config, 0.0)
    return rule


@pytest.mark.parametrize(
    ("double", "n", "expected"),
    [
        (False, 1, [1 + 0.5 * 10, 2 + 0.5 * 20, 4 + 0.5 * 30, 8, 16 + 0.5 * 70]),
        (True, 1, [1 + 0.5 * 1, 2 + 0.5 * 2, 4 + 0.5 * 3, 8, 16 + 0.5 * 7]),
        (False, 2, [1 + 0.5 * 2 + 0.25 * 20, 2 + 0.5 * 4 + 0.25 * 30, 4 + 0.5 * 30, 8, 16 + 0.5 * 70]),
        (True, 9, [1 + 0.5 * 2 + 0.25 * 4 + 0.125 * 3, 2 + 0.5 * 4 + 0.25 * 3, 4 + 0.5 * 3, 8, 16 + 0.5 * 7]),
    ],
)
def test_targets_at_every_kind_of_end(double: bool, n: int, expected: list[float]) -> None:
    rule = made(configured(update__double=double, estimator__n=n))
    list(rule.learn(STEPS))
    (learned,) = rule._learned
    by_age = dict(zip(learned.ages.tolist(), learned.targets.tolist(), strict=True))
    assert [by_age[age] for age in (4, 3, 2, 1, 0)] == expected


def test_the_reward_that_learning_sees_is_in_the_targets() -> None:
    rule = made(configured(environment__reward_scale=10.0, environment__reward_offset=-1.0))
    list(rule.learn(STEPS))
    by_age = dict(zip(rule._learned[0].ages.tolist(), rule._learned[0].targets.tolist(), strict=True))
    assert by_age[1] == 79.0


def test_an_episode_that_broke_off_goes_on_from_what_it_showed_and_not_from_what_comes_next() -> None:
    rule = made(configured(update__target__every=100))
    list(rule.learn(STEPS))
    rule.broke_off(np.array([0]))
    other = Transitions(
        **{name: getattr(STEPS, name)[:1] for name in vars(STEPS) if name != "following"}, following=np.array([1])
    )
    list(rule.learn(other))
    by_age = dict(zip(rule._learned[-1].ages.tolist(), rule._learned[-1].targets.tolist(), strict=True))
    assert by_age[1] == 16 + 0.5 * 7


def vector(*values: float) -> Any:
    class Parameters:
        def __init__(self) -> None:
            self.values = torch.tensor(values)

    return Parameters()


def test_a_target_network_follows_at_its_pace() -> None:
    online, target = vector(8.0), vector(0.0)
    soft = Following(online, target)
    assert target.values.item() == 8.0  # it begins as a copy
    online.values.fill_(6.0)  # as where parameters are loaded that had no target network
    soft.begin()
    assert target.values.item() == 6.0
    online.values.fill_(8.0)
    going_on = Following(online, vector(0.0))
    going_on.load(soft.state())
    for one in (soft, going_on):
        one.begin()
        assert one._target.values.item() == 6.0  # which it follows from then on
    target.values.fill_(8.0)
    online.values.zero_()
    each = with_values(configured(), {"update.target.rate": 0.5, "update.target.every": 3}).update.target  # type: ignore[union-attr]
    seen = []
    for _ in range(9):
        soft.step(each)
        seen.append(target.values.item())
    assert seen == [8.0, 8.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 1.0]


# --- a run ------------------------------------------------------------------------------------------------------------

RUN: dict[str, Any] = {
    "environment": "CartPole-v1",
    "policy": {"kind": "mlp", "hidden_sizes": (4,)},
    "collection__environments": 2,
    "collection__steps": 8,
    "update__replay__learning_starts": 40,
    "update__replay__minibatch_size": 8,
    "update__learning_rate": 0.01,
}


def updates(training: Training, count: int) -> list[dict[str, float | None]]:
    found = []
    for event in training:
        if isinstance(event, Updated):
            found.append(event.metrics)
            if len(found) == count:
                break
    return found


def test_actions_are_random_until_learning_starts() -> None:
    training = Training(configured(**RUN, exploration__epsilon_start=0.25, exploration__epsilon_end=0.25))
    told = updates(training, 4)
    assert [metrics["epsilon"] for metrics in told] == [1.0, 1.0, 0.25, 0.25]
    assert [metrics["gradient_steps"] for metrics in told] == [0, 0, 5, 8]


def test_nothing_is_learned_before_that_however_little_the_buffer_holds() -> None:
    values = RUN | {"update__replay__capacity": 6}
    told = updates(Training(configured(**values)), 4)
    assert [metrics["gradient_steps"] for metrics in told] == [0, 0, 5, 8]


@pytest.mark.parametrize(("budget", "said"), [(40, True), (41, False)])
def test_a_run_that_is_over_before_it_learns_says_so_as_it_begins(budget: int, said: bool) -> None:
    training = Training(configured(**RUN, budget__environment_steps=budget))
    notes = [event.note for event in training if isinstance(event, Updated)]
    training.close()
    assert ["Nothing will be learned" in note for note in notes] == [said, False, False]


def test_what_is_too_large_for_a_state_is_left_out_said_and_filled_anew_before_learning_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = Training(configured(**RUN))
    updates(training, 6)
    kept = training.state()
    monkeypatch.setattr(replay, "MOST_KEPT", 1000)
    left = training.state()
    assert inexact(kept) == ()
    (sentence,) = inexact(left)
    assert "replay buffer" in sentence
    again = resumed(left)
    assert again.inexact == (sentence,)
    told = updates(again, 4)
    assert [metrics["gradient_steps"] for metrics in told] == [0, 0, 5, 8]
    epsilons = [metrics["epsilon"] or 1.0 for metrics in told]
    assert max(epsilons) < 1.0  # it knows what to do meanwhile


def test_a_fork_keeps_old_experience_unless_it_is_of_other_rewards() -> None:
    training = Training(configured(**RUN))
    updates(training, 6)
    state = training.state()
    same, told = forked(state, {"update.learning_rate": 0.02})
    assert told == ()
    assert updates(same, 1)[0]["gradient_steps"] == 8
    other, told = forked(state, {"environment.reward_scale": 2.0})
    assert told == ("The replay buffer begins anew.",)
    assert updates(other, 1)[0]["gradient_steps"] == 0


@pytest.mark.parametrize("sampling", ["uniform", "prioritized"])
def test_a_watched_iteration_tells_every_gradient_step_and_learns_the_same(sampling: str) -> None:
    values = RUN | {"update__replay__sampling": sampling, "update__replay__priority_exponent": 1.0}
    told: dict[bool, list[Event]] = {}
    after = {}
    for watched in (False, True):
        training = Training(configured(**values))
        updates(training, 3)
        before = parameters(training)
        training.watched = watched
        told[watched] = until_updated(training)
        after[watched] = parameters(training)
    assert not any(isinstance(event, UpdateStep) for event in told[False])
    assert torch.equal(after[False], after[True])
    steps = [event for event in told[True] if isinstance(event, UpdateStep)]
    metrics = cast("Updated", told[True][-1]).metrics
    assert [(step.iteration, step.step, step.run) for step in steps] == [(4, count, "run") for count in range(1, 9)]
    assert np.mean([step.losses["value"] for step in steps]) == pytest.approx(metrics["value_loss"], rel=1e-5)
    assert np.mean([step.grad_norm for step in steps]) == pytest.approx(metrics["grad_norm"], rel=1e-5)
    changes = torch.from_numpy(np.sum([step.parameter_change for step in steps], axis=0))
    torch.testing.assert_close(changes, after[True] - before, rtol=0.0, atol=1e-6)


def parameters(training: Training) -> torch.Tensor:
    return cast("Any", training.learner)._rule._online.vector.values.clone()


def until_updated(training: Training) -> list[Event]:
    found: list[Event] = []
    for event in training:
        found.append(event)
        if isinstance(event, Updated):
            break
    return found


def test_a_fork_that_had_no_target_network_begins_with_a_copy_of_what_it_had_learned() -> None:
    """Not of the network that it was made with."""
    values = {"environment": "FrozenLake-v1", "policy": "tabular", "update": "q-learning", "device": "cpu"}
    table = Training(with_values(configured(), values))
    updates(table, 1)
    cast("Any", table.learner)._rule._acting[...] = 5.0
    other, _ = forked(table.state(), {"update": "dqn", "update.replay.learning_starts": 1000})
    updates(other, 1)
    rule = cast("Any", other.learner)._rule
    assert rule._target.vector.values.tolist() == rule._online.vector.values.tolist() == [5.0] * 64


def test_old_experience_does_not_run_on_into_episodes_that_begin_anew() -> None:
    training = Training(configured(**RUN))
    updates(training, 6)
    other, told = forked(training.state(), {"seed": 9})
    assert "The episodes under way begin anew." in told
    buffer = cast("Any", other.learner)._rule._replay._buffer
    newest = (buffer.head - 1) % buffer.rows * 2 + np.arange(2)
    updates(other, 1)
    first = buffer.at(newest, 3, 0.5)
    assert first.lengths.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.5, [1.0, 0.75, 0.2, 0.2]), (1.0, [1.0, 0.9, 0.6, 0.2]), (0.0, [0.2, 0.2, 0.2, 0.2])]
)
def test_the_share_of_random_actions_falls_evenly_over_its_part_of_the_run(
    fraction: float, expected: list[float]
) -> None:
    exploration = EpsilonGreedyConfig(epsilon_start=1.0, epsilon_end=0.2, fraction=fraction)
    progress = [0.0, 0.125 if fraction == 1.0 else 0.15625, 0.5, 1.0]
    assert [epsilon_at(exploration, share) for share in progress] == pytest.approx(expected)


def test_many_gradient_steps_in_a_row_can_be_paused_between_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.heartbeat.HeartbeatTimer.due", lambda self: True)
    training = Training(configured(**RUN, update__gradient_steps=7))
    beats = 0
    for event in training:
        beats += isinstance(event, Heartbeat) and event.doing == "updating the policy"
        if isinstance(event, Updated) and event.iteration == 3:
            break
    assert beats == 5 * 7


def test_values_beyond_all_bounds_end_the_run_with_the_reason() -> None:
    training = Training(
        configured(
            **RUN | {"update__learning_rate": 10.0},
            update__optimizer="sgd",
            update__loss="squared",
            update__max_grad_norm=0.0,
            environment__reward_scale=1e6,
        )
    )
    with pytest.raises(RunError, match="learning rate"):
        updates(training, 40)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"policy": "gru"}, "single steps"),
        ({"policy": "tabular", "environment": "FrozenLake-v1", "update.dueling": True}, "two heads"),
        ({"environment": "Pendulum-v1"}, "continuous actions"),
        ({"environment.normalize_rewards": True}, "other units"),
        ({"update.replay.capacity": 3, "collection.environments": 4}, "no room"),
        ({"update.replay.minibatch_size": 65_536, "policy.hidden_sizes": (2048,) * 4}, "update would take about"),
        ({"update.replay.capacity": 10_000_000, "environment.frame_stack": 4}, "of memory"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    values: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("replay", "extent"):
        there = 1 << 29 if why == "of memory" else 1 << 32
        monkeypatch.setattr(f"engine.catalogue.methods.{module}.total_memory", lambda there=there: there)
    config: Any = configured(**RUN)
    for path, value in values.items():
        config = with_values(config, {path: value})
    from engine.catalogue.configured import changed

    found = refusal(config, changed(inspect(config.environment.id), config.environment))
    assert found is not None
    assert why in found.why
