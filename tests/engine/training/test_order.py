"""In what order an iteration does its work: in which units it sees observations, what is fitted when and how often, and
where each update starts from, in the first iteration as in every later one."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.networks.normalizer import Normalizer
from engine.policies.policy import MOST_LOG_STD
from engine.reports.events import Estimated, Event, Updated
from engine.reports.update_events import UpdateStep
from engine.training.learner import Moment
from engine.training.learners import policy_gradient
from engine.training.learners.interaction import RolloutInteraction
from engine.training.training import Training
from engine.values.fitting import ValueFitting
from tests.engine.support import configured

SMALL: dict[str, Any] = {
    "environment.time_limit": 12,
    "collection": {"kind": "episodes", "episodes_per_update": 3},
}
FIXED: dict[str, Any] = {"collection": {"kind": "fixed-length", "environments": 2, "steps": 15}}
NORMALISED: dict[str, Any] = {"environment.normalize_observations": True}
PPO: dict[str, Any] = {"update": "ppo-clip", "update.epochs": 2, "update.minibatch_size": 10}


def fitted_on(which: str, **fields: Any) -> dict[str, Any]:
    return {"estimator.baseline": {"kind": "value", "hidden_sizes": (5,), "fit_steps": 3, "fitted_on": which} | fields}


def jointly(update: str) -> dict[str, Any]:
    return PPO | {"update": update} | fitted_on("previous", fit_steps=0)


def small(values: dict[str, Any]) -> RunConfig:
    return with_values(configured(), SMALL | values | {"budget.environment_steps": 100_000})


def some_iterations(training: Training, count: int) -> Generator[Event, None, None]:
    """The events of every run until each has had so many iterations; the last of them ends it."""
    left = count * len(training.runs)
    for event in training:
        yield event
        left -= isinstance(event, Updated)
        if left == 0:
            return


# --- the normaliser ---------------------------------------------------------------------------------------------------


@dataclass
class Units:
    """What one run has seen, and in which units: the observations of each of its collections, whether it acts, and the
    normaliser's moments whenever it was used, with how many collections there were and whether it acted."""

    normalizer: Normalizer
    batches: list[Tensor] = field(default_factory=list)
    acting: bool = False
    used: set[tuple[int, bool, float]] = field(default_factory=set)


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> list[Units]:
    """Of every run that is made from here on. An old policy's copy of a normaliser counts as the run's."""
    found: list[Units] = []
    collect, forward = RolloutInteraction.collect, Normalizer.forward

    def collected(self: RolloutInteraction, moment: Moment) -> Any:
        assert self.normalizer is not None
        mine = next((one for one in found if one.normalizer is self.normalizer), None)
        if mine is None:
            found.append(mine := Units(self.normalizer))
        mine.acting = True
        rollout, event = yield from collect(self, moment)
        mine.acting = False
        mine.batches.append(rollout.flat(rollout.observations).clone())
        return rollout, event

    def used(self: Normalizer, observations: Tensor) -> Tensor:
        for one in found:
            if one.normalizer is self or len(found) == 1:
                one.used.add((len(one.batches), one.acting, self.count.item()))
        return forward(self, observations)

    monkeypatch.setattr(policy_gradient, "is_looked_at", lambda _iteration: False)  # as nothing learns from that
    monkeypatch.setattr(RolloutInteraction, "collect", collected)
    monkeypatch.setattr(Normalizer, "forward", used)
    return found


SEEN: dict[str, tuple[dict[str, Any], Sequence[int]]] = {
    "before": (fitted_on("previous"), ()),
    "the same": (fitted_on("same"), ()),
    "others": (fitted_on("independent"), ()),
    "shared": ({"estimator.baseline": "shared-value"}, ()),
    "trpo": ({"update": "trpo"} | fitted_on("previous"), ()),
    "clip": (FIXED | jointly("ppo-clip"), ()),
    "penalty": (FIXED | jointly("ppo-penalty"), ()),
    "lagrangian": (FIXED | jointly("ppo-lagrangian"), ()),
    "off-policy": ({"update": "off-policy", "estimator.baseline": "average"}, ()),
    "several seeds": (FIXED | fitted_on("previous"), (3, 8, 9)),
    "several seeds, others": (FIXED | fitted_on("independent"), (3, 8)),
}


@pytest.mark.parametrize("case", SEEN)
def test_every_batch_is_acted_and_learned_from_in_units_of_those_before_it(case: str, units: list[Units]) -> None:
    """And then counts once: every observation that was ever learned from, those for the value function alone too."""
    values, seeds = SEEN[case]
    training = Training(small(NORMALISED | {"estimator.credit": "reward-to-go"} | values), seeds=seeds)
    for _ in some_iterations(training, 3):
        pass
    training.close()
    each = 2 if "others" in case else 1
    assert len(units) == max(len(seeds), 1)
    for one in units:
        assert len(one.batches) == 3 * each
        counts = np.cumsum([0, *map(len, one.batches)])
        acted = {(k, True, float(counts[k])) for k in range(3 * each)}
        learned = {(k + 1, False, float(counts[k])) for k in range(3 * each)}
        assert one.used == acted | learned
        everything = torch.cat(one.batches).double()
        assert one.normalizer.count.item() == len(everything)
        np.testing.assert_allclose(one.normalizer.mean, everything.mean(0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(one.normalizer.variance, everything.var(0, correction=0), rtol=1e-4)


# --- the fit ----------------------------------------------------------------------------------------------------------

FITS: dict[str, tuple[dict[str, Any], Sequence[int], bool, int]] = {
    # what is configured, the seeds, whether V is fitted before the advantages are told, and its steps
    "previous": (fitted_on("previous"), (), False, 3),
    "same": (fitted_on("same"), (), True, 3),
    "independent": (fitted_on("independent"), (), True, 3),
    "once at least": (fitted_on("previous", fit_steps=0), (), False, 1),
    "trpo": ({"update": "trpo"} | fitted_on("previous"), (), False, 3),
    "ppo, apart": (FIXED | PPO | fitted_on("previous"), (), False, 3),
    "ppo, jointly": (FIXED | jointly("ppo-clip"), (), False, 6),
    "penalty, jointly": (FIXED | jointly("ppo-penalty"), (), False, 6),
    "lagrangian, jointly": (FIXED | jointly("ppo-lagrangian"), (), False, 6),
    "ppo, on the same": (FIXED | PPO | fitted_on("same"), (), True, 3),
    "ppo, on the same, once at least": (FIXED | PPO | fitted_on("same", fit_steps=0), (), True, 1),
    "minibatches": (FIXED | fitted_on("previous", minibatch_size=7), (), False, 3),
    "several seeds": (FIXED | fitted_on("previous"), (3, 8), False, 3),
    "several seeds, ppo": (FIXED | jointly("ppo-clip"), (3, 8), False, 6),
}


@pytest.mark.parametrize("case", FITS)
def test_the_value_function_is_fitted_when_and_as_often_as_it_is_said(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, seeds, before, steps = FITS[case]
    taken, step = 0, ValueFitting.step

    def counted(self: ValueFitting, config: Any) -> None:
        nonlocal taken
        taken += 1
        step(self, config)

    monkeypatch.setattr(ValueFitting, "step", counted)
    training, runs = Training(small(values), seeds=seeds), max(len(seeds), 1)
    at_estimates, at_ends = [], []
    for event in some_iterations(training, 3):
        if isinstance(event, Estimated):
            at_estimates.append(taken)
        elif isinstance(event, Updated):
            at_ends.append(taken)
    training.close()
    assert taken == 3 * runs * steps
    if not seeds:
        assert at_ends == [steps, 2 * steps, 3 * steps]
        assert at_estimates == [steps * (k + before) for k in range(3)]


# --- where an update starts from --------------------------------------------------------------------------------------

STARTS: dict[str, dict[str, Any]] = {
    "ascent": {"update": "gradient-ascent"},
    "clip": FIXED | jointly("ppo-clip"),
    "clip, shared": FIXED | PPO | {"estimator.baseline": "shared-value"},
    "penalty": FIXED | jointly("ppo-penalty"),
    "lagrangian": FIXED | jointly("ppo-lagrangian"),
    "off-policy": {"update": "off-policy", "estimator.credit": "reward-to-go", "estimator.baseline": "average"},
    "a memory": FIXED | jointly("ppo-penalty") | {"policy": {"kind": "gru", "hidden_size": 4}},
}
TEMPERATURES = (1.0, 0.6, 1.8, 1.0)


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("case", STARTS)
def test_every_update_starts_from_the_policy_that_acted(case: str, environment: str) -> None:
    """Before the first step all log-ratios are 0, and so is a divergence that is paid for: at the temperature of this
    iteration, not of an earlier one, and in the units in which observations were seen."""
    learning = {"environment.id": environment, "update.learning_rate": 0.05}
    training = Training(small(NORMALISED | STARTS[case] | learning))
    training.watched = True
    first = []
    for event in some_iterations(training, len(TEMPERATURES)):
        if isinstance(event, UpdateStep) and event.step == 1:
            first.append(event)
        elif isinstance(event, Updated) and event.iteration < len(TEMPERATURES):
            training.change("exploration.temperature", TEMPERATURES[event.iteration])
    training.close()
    assert [event.iteration for event in first] == [1, 2, 3, 4]
    for event in first:
        assert np.abs(event.log_ratios).max() < 1e-5
        assert abs(event.losses.get("penalty", 0.0)) < 1e-6


# --- the spread's limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [(), (1, 2)])
def test_a_spread_that_an_update_leaves_beyond_its_limits_is_back_when_the_next_begins(seeds: Sequence[int]) -> None:
    values = {"environment.id": "Pendulum-v1", "policy": "linear", "policy.distribution": "gaussian"}
    training = Training(small(values), seeds=seeds)
    for event in some_iterations(training, 2):
        log_std = training.learner.policies[event.run].log_std
        assert log_std is not None
        with torch.no_grad():
            if isinstance(event, Updated) and event.iteration == 1:
                log_std.fill_(30.0)
            elif isinstance(event, Estimated) and event.iteration == 2:
                assert log_std.item() == MOST_LOG_STD
    training.close()


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "sac"])
def test_whatever_learns_knows_the_mean_of_what_it_has_seen(algorithm: str) -> None:
    small = {"collection.steps": 8, "collection.environments": 2, "environment.normalize_observations": True}
    config = with_values(choose(configured(environment="CartPole-v1"), ALGORITHMS[algorithm]), small)
    training = Training(config)
    next(event for event in training if isinstance(event, Updated))
    assert training.policy.state_dict()["normalizer.mean"].abs().min() > 0.0
    training.close()
