"""When a run is told to have solved its environment: once, at the first mean of 100 episodes that is high enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import pytest

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Solved, Updated
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.totals import MEAN_OVER
from engine.training.training import Training, resumed
from tests.engine.support import Bandit, configured, events_of, register

THRESHOLD = 0.85


def solvable(**values: Any) -> RunConfig:
    """A bandit that a run of 12 iterations of 50 episodes solves, and stays above its threshold."""
    id = register("Solvable-v0", Bandit)
    gymnasium.spec(id).reward_threshold = THRESHOLD
    settings = {"collection__episodes_per_update": 50, "budget__environment_steps": 600, "update__learning_rate": 0.3}
    return configured(environment__id=id, policy="tabular", **settings | values)


def expected(events: list[Event]) -> Updated:
    """The first iteration whose mean return, over 100 episodes, reached the threshold."""
    over_enough = (event for event in events if isinstance(event, Updated) and event.episodes >= MEAN_OVER)
    return next(event for event in over_enough if (event.metrics["mean_return"] or 0.0) >= THRESHOLD)


def test_it_is_told_once_right_after_the_iteration_with_which_it_happened() -> None:
    events = events_of(solvable())
    (at,) = (index for index, event in enumerate(events) if isinstance(event, Solved))
    solved, before = events[at], events[at - 1]
    assert isinstance(solved, Solved)
    assert before is expected(events)
    assert isinstance(before, Updated)
    assert 2 < before.iteration < 12  # it was not solved from the start, and goes on afterwards
    totals = (before.run, before.iteration, before.environment_steps, before.episodes, before.seconds)
    assert (solved.run, solved.iteration, solved.environment_steps, solved.episodes, solved.seconds) == totals
    assert (solved.mean_return, solved.threshold) == (before.metrics["mean_return"], THRESHOLD)


def test_fewer_episodes_than_the_mean_is_over_solve_nothing() -> None:
    events = events_of(solvable(collection__episodes_per_update=49, budget__environment_steps=98))
    assert not any(isinstance(event, Solved) for event in events)


@pytest.mark.parametrize("changes", [{"environment__time_limit": 5}, {"environment__reward_scale": 2.0}])
def test_what_is_learned_in_says_what_is_solved(changes: dict[str, Any]) -> None:
    """As the environment came, and in the rewards that it gave."""
    config = solvable(**changes)
    events = events_of(config)
    training = Training(config)
    threshold = training.environment.solved_at
    training.close()
    assert sum(isinstance(event, Solved) for event in events) == (threshold is not None)


@pytest.mark.parametrize("before_it_is_told", [True, False])
def test_a_run_that_goes_on_elsewhere_tells_it_if_it_has_not_been_told(before_it_is_told: bool) -> None:
    training = Training(solvable())
    for event in training:
        if isinstance(event, Updated) and training.solving and before_it_is_told:
            break
        if isinstance(event, Solved):
            break
    elsewhere = resumed(from_bytes(to_bytes(training.state())))
    assert elsewhere.solving == training.solving == before_it_is_told
    rest = list(elsewhere)
    assert [index for index, event in enumerate(rest) if isinstance(event, Solved)] == [0] * before_it_is_told
    training.close()
    elsewhere.close()


def test_an_early_state_that_does_not_say_is_read() -> None:
    training = Training(solvable())
    state = training.state()
    (totals,) = state["totals"]
    totals.pop("solved")
    elsewhere = resumed(state)
    assert sum(isinstance(event, Solved) for event in elsewhere) == 1
    training.close()
    elsewhere.close()


def test_of_many_seeds_each_tells_its_own() -> None:
    group = Training(solvable(), seeds=(1, 2, 3))
    events = list(group)
    for run in group.runs:
        mine = [event for event in events if event.run == run]
        (solved,) = (event for event in mine if isinstance(event, Solved))
        assert mine[mine.index(solved) - 1] == expected(mine)
    group.close()


def test_the_exact_gradient_tells_it_by_the_episodes_that_it_plays() -> None:
    config = configured(environment__id="Corridor-v0", policy="tabular", budget__environment_steps=3000)
    training = Training(with_values(choose(config, ALGORITHMS["exact-gradient"]), {"evaluation.episodes": 60}))
    training.learner.environment = replace(training.environment, solved_at=-1e9)
    events = list(training)
    (solved,) = (event for event in events if isinstance(event, Solved))
    assert solved.iteration == next(e.iteration for e in events if isinstance(e, Updated) and e.episodes >= MEAN_OVER)
    training.close()
