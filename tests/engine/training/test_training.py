"""Whole runs: determinism, accounting, what is reported, and time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, Estimated, Event, Heartbeat, Reweighted, Updated
from engine.reports.metrics import METRICS
from engine.reports.update_events import UpdateStep
from engine.runtime import stopwatch
from engine.training.totals import STILL, Totals
from engine.training.training import Training
from tests.engine.support import (
    CLIMBING_ALGORITHMS,
    Bandit,
    collections_of,
    configured,
    estimates_of,
    events_of,
    register,
    untimed,
    updates_of,
)

ESTIMATORS = [
    ("total-return", "none"),
    ("total-return", "value"),
    ("total-return", "leave-one-out"),
    ("reward-to-go", "average"),
    ("reward-to-go", "time-average"),
    ("reward-to-go", "optimal"),
    ("reward-to-go", "value"),
    ("n-step", "value"),
    ("gae", "shared-value"),
]
LONGER = configured(budget__environment_steps=450)


# --- determinism ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", ["episodes", "fixed-length"])
@pytest.mark.parametrize("environment", ["CartPole-v1", "FrozenLake-v1", "Pendulum-v1"])
def test_the_same_seed_gives_the_same_run(environment: str, collection: str) -> None:
    config = configured(environment=environment, collection=collection, budget__environment_steps=2100)
    first, second = ([untimed(update) for update in updates_of(config)] for _ in range(2))
    assert first == second


def test_another_seed_gives_another_run() -> None:
    first, second = (updates_of(configured(seed=seed)) for seed in (1, 2))
    assert untimed(first[0]) != untimed(second[0])


def test_the_same_seed_gives_the_same_run_whatever_the_global_generators_hold() -> None:
    runs = []
    for seed in (0, 99):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        runs.append([untimed(update) for update in updates_of(configured(environment="Acrobot-v1"))])
    assert runs[0] == runs[1]


def test_the_choice_of_baseline_does_not_change_the_first_episodes() -> None:
    first, second = (collections_of(configured(estimator__baseline=kind))[0] for kind in ("none", "value"))
    assert first.returns.tolist() == second.returns.tolist()


def test_two_runs_side_by_side_do_not_disturb_each_other() -> None:
    alone = [untimed(update) for update in updates_of(configured())]
    one, other = Training(configured()), Training(configured(seed=5))
    beside = [event for event, _ in zip(one, other, strict=False) if isinstance(event, Updated)]
    assert [untimed(update) for update in beside] == alone[: len(beside)]


# --- events and accounting --------------------------------------------------------------------------------------------


def test_an_iteration_is_collected_then_estimated_then_updated() -> None:
    kinds = [type(event) for event in events_of(configured()) if not isinstance(event, Heartbeat)]
    assert kinds == [Collected, Estimated, Updated] * (len(kinds) // 3)


@pytest.mark.parametrize("episodes", [1, 3, 16])
@pytest.mark.parametrize("environment", ["CartPole-v1", "Tests/Lengths-v0"])
def test_steps_episodes_and_ends_add_up(environment: str, episodes: int) -> None:
    register("Tests/Lengths-v0", lengths=(1, 4, 2), shuffled=True)
    config = configured(environment=environment, collection__episodes_per_update=episodes)
    steps = 0
    for collected in collections_of(config):
        assert len(collected.returns) == len(collected.lengths) == len(collected.ends) == episodes
        assert (np.diff(collected.ends) >= 0).all()
        assert collected.ends[0] > steps
        steps += int(collected.lengths.sum())
        assert collected.environment_steps == collected.ends[-1] == steps


def test_ends_and_lengths_by_hand() -> None:
    """Two environments whose episodes last 1, 4, 2 … steps: both end at the same step, so both count all four."""
    id = register("Tests/Both-v0", lengths=(2, 1))
    first, second = collections_of(
        configured(environment=id, collection__episodes_per_update=2, budget__environment_steps=6)
    )
    assert (first.lengths.tolist(), first.ends.tolist()) == ([2, 2], [4, 4])
    assert (second.lengths.tolist(), second.ends.tolist()) == ([1, 1], [6, 6])


def test_ends_of_unequal_episodes_count_only_steps_really_taken() -> None:
    id = register("Tests/Uneven-v0", lengths=(1, 3), shuffled=True)
    collected = collections_of(configured(environment=id, collection__episodes_per_update=8))[0]
    assert set(collected.lengths.tolist()) == {1, 3}
    short = int((collected.lengths == 1).sum())
    assert collected.ends.tolist() == [8] * short + [8 + 2 * (8 - short)] * (8 - short)


def test_fixed_length_rollouts_count_every_step_and_report_the_episodes_that_ended_in_them() -> None:
    """Two environments whose episodes last 3 steps, 4 steps an iteration: ends at steps 3, 6, 9 and 12 of each."""
    id = register("Tests/Three-v0", lengths=(3,))
    config = configured(environment=id, collection="fixed-length", collection__environments=2, collection__steps=4)
    first, second, third = collections_of(with_values(config, {"budget.environment_steps": 24}))
    assert [one.environment_steps for one in (first, second, third)] == [8, 16, 24]
    assert [one.ends.tolist() for one in (first, second, third)] == [[6, 6], [12, 12], [18, 18, 24, 24]]
    assert [one.lengths.tolist() for one in (first, second, third)] == [[3, 3], [3, 3], [3, 3, 3, 3]]


def test_before_an_episode_ends_there_is_no_mean_return_and_no_mean_length() -> None:
    id = register("Tests/Ten-v0", lengths=(10,))
    config = configured(environment=id, collection="fixed-length", collection__environments=2, collection__steps=4)
    updates = updates_of(with_values(config, {"budget.environment_steps": 24}))
    assert [update.episodes for update in updates] == [0, 0, 2]
    assert [update.metrics["mean_return"] for update in updates] == [None, None, 10.0]
    assert [update.metrics["mean_length"] for update in updates] == [None, None, 10.0]


def test_every_step_of_a_fixed_length_rollout_has_an_advantage() -> None:
    config = configured(collection="fixed-length", collection__environments=3, collection__steps=7)
    assert {estimated.advantages.shape for estimated in estimates_of(config)} == {(21,)}


def test_episodes_played_for_the_value_function_alone_count_like_all_others() -> None:
    id = register("Tests/Three-v0", lengths=(3,))
    config = configured(environment=id, estimator__baseline__fitted_on="independent", budget__environment_steps=24)
    events = [event for event in events_of(config) if not isinstance(event, Heartbeat)]
    assert [type(event) for event in events] == [Collected, Collected, Estimated, Updated]
    last = events[-1]
    assert isinstance(last, Updated)
    assert (last.environment_steps, last.episodes) == (24, 8)


def test_a_value_fitted_on_the_same_episodes_leaves_less_of_an_advantage() -> None:
    """The same first episodes, the same first network; only when it is fitted differs."""
    rate = {"estimator__baseline__learning_rate": 0.05, "estimator__baseline__fit_steps": 100}
    before, same = (
        estimates_of(configured(estimator__baseline__fitted_on=on, **rate))[0].advantages for on in ("previous", "same")
    )
    assert np.square(same).mean() < 0.5 * np.square(before).mean()


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.0), (1.0, 0.0), (0.2, 0.6)])
def test_the_share_of_greedy_actions_goes_evenly_from_its_start_to_its_end(start: float, end: float) -> None:
    id = register("Tests/Five-v0", lengths=(5,))
    config = configured(environment=id, exploration__greedy_start=start, exploration__greedy_end=end)
    training = Training(with_values(config, {"budget.environment_steps": 80}))
    shares = [training.learner._interaction.actor.greedy_share for event in training if isinstance(event, Collected)]
    assert shares == pytest.approx([start + (end - start) * share for share in (0.0, 0.25, 0.5, 0.75)])


def test_a_higher_temperature_acts_less_decidedly() -> None:
    cool, hot = (
        updates_of(configured(policy="linear", exploration__temperature=t, update__learning_rate=0.5))[-1]
        for t in (0.5, 5.0)
    )
    assert cool.metrics["entropy"] < hot.metrics["entropy"]  # type: ignore[operator]


def test_what_moved_the_policy_is_handed_on_by_the_rules_that_reweigh() -> None:
    """One log-ratio per step of a proximal rule, one per episode where whole episodes are reweighted."""
    for update, of, size in (("ppo-clip", "step", None), ("off-policy", "episode", 4)):
        events = events_of(configured(update=update))
        (first, *_) = [event for event in events if isinstance(event, Reweighted)]
        (estimated, *_) = [event for event in events if isinstance(event, Estimated)]
        assert first.of == of
        assert len(first.log_ratios) == (size or len(estimated.advantages))
        assert np.abs(first.log_ratios).max() > 0.0
    assert not [event for event in events_of(configured()) if isinstance(event, Reweighted)]


def test_the_budget_is_kept_to_the_iteration_that_passes_it() -> None:
    id = register("Tests/Three-v0", lengths=(3,))
    updates = updates_of(configured(environment=id, collection__episodes_per_update=4, budget__environment_steps=25))
    assert [update.environment_steps for update in updates] == [12, 24, 36]


def test_a_budget_of_one_step_is_one_iteration() -> None:
    assert len(updates_of(configured(budget__environment_steps=1))) == 1


@pytest.mark.parametrize(("credit", "baseline"), ESTIMATORS)
def test_every_step_has_an_advantage(credit: str, baseline: str) -> None:
    config = configured(estimator__credit=credit, estimator__baseline=baseline)
    for collected, estimated in zip(collections_of(config), estimates_of(config), strict=True):
        assert estimated.advantages.shape == (collected.lengths.sum(),)
        assert estimated.advantages.dtype == np.float32


def test_advantages_are_reported_before_normalisation() -> None:
    plain, normalised = (
        estimates_of(configured(estimator__normalize_advantages=choice))[0].advantages for choice in (False, True)
    )
    assert np.array_equal(plain, normalised)


def test_a_report_holds_every_metric_and_the_totals() -> None:
    report = updates_of(configured())[0].report()
    assert set(report) == set(METRICS) | {"iteration", "environment_steps", "episodes", "seconds"}


@pytest.mark.parametrize("baseline", ["none", "average"])
def test_metrics_of_a_value_function_are_null_without_one(baseline: str) -> None:
    metrics = updates_of(configured(estimator__baseline=baseline))[0].metrics
    assert metrics["explained_variance"] is None
    assert metrics["value_loss"] is None


def test_entropy_starts_at_the_log_of_the_number_of_actions() -> None:
    assert updates_of(configured())[0].metrics["entropy"] == pytest.approx(math.log(2), abs=1e-3)


def test_the_mean_length_is_of_this_iterations_episodes() -> None:
    config = configured()
    for collected, update in zip(collections_of(config), updates_of(config), strict=True):
        assert update.metrics["mean_length"] == pytest.approx(collected.lengths.mean())


SINGLE = {"collection.episodes_per_update": 1, "budget.environment_steps": 250}


@pytest.mark.parametrize(
    "algorithm", ["reinforce-causality", "reinforce-average-baseline", "vpg", "npg", "trpo", "ppo"]
)
def test_batches_of_one_step_are_learned_from_or_it_is_told(algorithm: str) -> None:
    """In an environment of which only playing it shows that its episodes are over after one step."""
    environment = register("test/Bandit-v0", Bandit)
    config = choose(configured(environment=environment), ALGORITHMS[algorithm])
    single = {"collection": "episodes", "estimator.normalize_advantages": True} | SINGLE
    updates = updates_of(with_values(config, single))
    told = [update.iteration for update in updates if update.note]
    learned = sum(update.metrics["grad_norm"] != 0.0 for update in updates)
    assert told == ([] if learned else [STILL])
    assert bool(learned) is (algorithm != "reinforce-average-baseline")


def test_a_gradient_that_is_0_now_and_then_is_not_told_of() -> None:
    totals = Totals()
    told = []
    for number in range(3 * STILL):
        totals.begin(0.0)
        norm = 0.5 if number == STILL - 1 else 0.0
        told.append(bool(totals.updated(Updated(number, metrics={"grad_norm": norm}), 1.0).note))
    assert [number for number, note in enumerate(told) if note] == [2 * STILL - 1]


# --- pausing and time -------------------------------------------------------------------------------------------------


class Clock:
    """A clock that moves by a millisecond whenever it is read, and by as much as a test says."""

    def __init__(self) -> None:
        self.now = 1.0

    def read(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=clock.read))
    return clock


def test_time_between_two_events_does_not_count(clock: Clock) -> None:
    training = Training(configured())
    for event in training:
        clock.now += 1000.0
        if isinstance(event, Updated):
            assert event.seconds < 1.0
            assert event.metrics["steps_per_second"] > 100.0  # type: ignore[operator]
    assert 0.0 < training.seconds < 1.0


def test_seconds_never_decrease_and_are_those_of_the_run(clock: Clock) -> None:
    stamps = [event.seconds for event in Training(configured()) if isinstance(event, Collected | Updated)]
    assert stamps == sorted(stamps)
    assert stamps[0] > 0.0


def test_waiting_between_events_does_not_change_the_run() -> None:
    def waited() -> Iterator[Event]:
        for event in Training(configured()):
            torch.rand(3)  # whatever a host does in between
            yield event

    patient = [untimed(event) for event in waited() if isinstance(event, Updated)]
    assert patient == [untimed(update) for update in updates_of(configured())]


def test_a_host_may_stop_at_any_event() -> None:
    for count in range(1, 8):
        training = Training(LONGER)
        assert len(list(islice(training, count))) == count
        training.close()


def test_a_run_leaves_the_number_of_threads_to_its_host() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Training(configured()).close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("algorithm", CLIMBING_ALGORITHMS)
def test_gradient_steps_are_told_where_they_are_asked_for(algorithm: str) -> None:
    small = with_values(PolicyGradientConfig(), {"environment": "Corridor-v0", "policy": "tabular"})
    config = with_values(choose(small, ALGORITHMS[algorithm]), {"budget.environment_steps": 1})
    told = []
    for watched in (False, True):
        training = Training(config, "seen")
        training.watched = watched
        told.append([event for event in training if isinstance(event, UpdateStep)])
    unasked, steps = told
    assert unasked == []
    assert [(step.run, step.iteration, step.step) for step in steps] == [("seen", 1, n + 1) for n in range(len(steps))]
    assert len(steps) >= 1


def test_every_event_carries_its_run() -> None:
    training = Training(configured(), run="the third")
    assert {event.run for event in training} == {"the third"}
    several = Training(configured(budget__environment_steps=1), run="both", seeds=(3, 4))
    assert {event.run for event in several} == {"both/3", "both/4"} == set(several.runs)


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ({}, 1),
        ({"update": "ppo-clip", "update__epochs": 3, "update__minibatch_size": 0}, 3),
        ({"update": "natural-gradient"}, 1),
    ],
)
def test_an_iteration_tells_how_many_gradient_steps_it_took(values: dict[str, Any], steps: int) -> None:
    assert {update.metrics["gradient_steps"] for update in updates_of(configured(**values))} == {steps}
