"""What a run computes twice: the same but for rounding where all is well, and seen at once where a classic mistake is
made; and nothing that is learned depends on it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.config import RunConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import with_values
from engine.config.presets import shipped
from engine.networks.optimizers import ParameterVector
from engine.policies.distributions import Beta
from engine.reports.events import Updated
from engine.training.learners import policy_gradient, value_based
from engine.training.learners.self_checks import variances
from engine.training.training import Training
from engine.values.target_network import TargetWatch
from tests.each import each
from tests.engine.support import COMPUTED_TWICE

SMALL: dict[str, dict[str, Any]] = {
    "grid-world": {"collection.episodes_per_update": 8, "environment.time_limit": 30},
    "cartpole": {"collection.episodes_per_update": 4},
    "cartpole-fast": {"collection.episodes_per_update": 8},
    "cartpole-ppo": {"collection.steps": 32, "collection.environments": 4},
    "pendulum-ppo": {"collection.steps": 64, "collection.environments": 4, "environment.time_limit": 50},
    "mountain-car-discrete": {"collection.environments": 2, "collection.steps": 16},
    "grid-world-sarsa": {"collection.steps": 64},
    "cartpole-dqn": {
        "update.replay.learning_starts": 64,
        "update.replay.minibatch_size": 32,
        "update.gradient_steps": 1,
        "estimator.n": 1,
    },
    "pendulum-sac": {"update.replay.learning_starts": 32, "update.replay.minibatch_size": 16, "collection.steps": 32},
}
SEEN = {  # which number tells of which mistake, where, and from which size on the doctor speaks of it
    "wrong-sign": ("cartpole-fast", "objective_error", 0.1),
    "mean-over-time": ("grid-world", "objective_error", 0.1),
    "discount-twice": ("grid-world", "credit_error", 0.1),
    "discount-from-the-end": ("grid-world", "credit_error", 2e-3),
    "missing-present-reward": ("grid-world", "credit_error", 0.1),
    "normalized-per-episode": ("grid-world", "credit_error", 0.1),
    "shifted-advantages": ("cartpole-ppo", "credit_error", 0.02),
    "clipped-rewards": ("pendulum-ppo", "credit_error", 0.1),
    "truncation-as-termination": ("pendulum-ppo", "cut_error", 0.01),
    "reset-observation": ("pendulum-ppo", "cut_error", 0.01),
    "clipped-log-prob": ("pendulum-ppo", "likelihood_gap", 4.0),
    "attached-baseline": ("cartpole", "value_pull", 0.1),
    "normalizer-in-evaluation": ("mountain-car-discrete", "policy_drift", 1e-4),
    "reversed-epsilon": ("grid-world-sarsa", "likelihood_gap", 2.0),
    "missing-log-det": ("pendulum-sac", "density_error", 0.1),
}


def configured(preset: str, bug: str = NO_BUG, **values: Any) -> RunConfig:
    changes = {path.replace("__", "."): value for path, value in values.items()}
    return with_values(shipped()[preset].config, {**SMALL[preset], "device": "cpu", "bug": bug, **changes})


def told(config: RunConfig, iterations: int = 6) -> list[dict[str, float]]:
    """What each of a run's first iterations tells that is defined in it."""
    training, found = Training(config), list[dict[str, float]]()
    for event in training:
        if isinstance(event, Updated):
            found.append({name: value for name, value in event.metrics.items() if value is not None})
            if len(found) == iterations:
                break
    training.close()
    return found


@each("preset", SMALL)
def test_what_is_computed_twice_agrees_where_all_is_well(preset: str) -> None:
    for one in told(configured(preset)):
        there = {name: one[name] for name in COMPUTED_TWICE.keys() & one.keys()}
        assert there or preset == "pendulum-sac"
        for name, value in there.items():
            assert abs(value) <= COMPUTED_TWICE[name], name


@each("bug", SEEN)
def test_a_classic_mistake_is_seen_by_the_number_that_tells_of_it(bug: str) -> None:
    preset, name, most = SEEN[bug]
    of_bug = [abs(one[name]) for one in told(configured(preset, bug)) if name in one]
    assert max(of_bug) > most
    if name != "cut_error":  # which only cuts by time show
        assert sum(value > 0.5 * most for value in of_bug) >= 4


def test_a_value_of_the_policys_own_network_is_drawn_to_its_targets_alone() -> None:
    shared = {"policy": "mlp", "estimator__baseline": "shared-value"}
    assert max(one["value_pull"] for one in told(configured("grid-world", **shared), 3)) == 0.0
    assert min(one["value_pull"] for one in told(configured("grid-world", "attached-baseline", **shared), 3)) > 0.1


@each("bug", ("dones-ignored", "truncation-as-termination"))
def test_targets_tell_of_ends(bug: str) -> None:
    right, wrong = (told(configured("cartpole-dqn", each), 6)[-1] for each in (NO_BUG, bug))
    assert right["ended_share"] > 0.0
    assert right["final_targets"] == pytest.approx(right["ended_share"], abs=0.05)
    assert wrong["ended_share"] > 0.0  # as it is taken, whatever is learned of it
    assert (wrong["final_targets"] == 0.0) == (bug == "dones-ignored")


def test_a_target_network_ages_only_where_nothing_renews_it() -> None:
    assert [one["target_age"] for one in told(configured("cartpole-dqn"), 5)] == [0.0] * 5
    ages = [one["target_age"] for one in told(configured("cartpole-dqn", "target-never-copied"), 5)]
    steps = [one["gradient_steps"] for one in told(configured("cartpole-dqn", "target-never-copied"), 5)]
    assert ages[-1] - ages[-2] == steps[-1] > 0.0
    seldom = configured("cartpole-dqn", update__target__every=20, update__target__rate=1.0, collection__steps=8)
    ages = [one["target_age"] for one in told(seldom, 12)]
    assert max(ages) > 0.0
    assert min(ages[-6:]) < max(ages[-6:]) <= 20.0 + 8.0


def test_the_age_of_a_target_network_is_told_by_its_numbers() -> None:
    online, target = (ParameterVector([torch.nn.Parameter(torch.full((3,), value))]) for value in (1.0, 2.0))
    watch = TargetWatch(online, target)
    assert [watch.age(5), watch.age(5), watch.age(7)] == [0, 5, 12]
    kept = watch.state()
    target.values[1] += 1e-6  # less than that is no change of a float32
    assert watch.age(3) == 0
    target.values[1] = 2.0
    watch.load(kept)
    assert watch.age(4) == 16
    online.values.copy_(target.values)
    assert watch.age(4) == 0  # it is the network that learns


def test_ends_that_never_fall_into_an_iteration_that_is_looked_at_are_looked_at() -> None:
    """As of a time limit that is over in every ninth iteration."""
    errors = dict[str, dict[int, float]]()
    for bug in (NO_BUG, "truncation-as-termination"):
        training, found = Training(configured("mountain-car-discrete", bug, **{"environment.time_limit": 9 * 16})), {}
        for event in training:
            if isinstance(event, Updated):
                found[event.iteration] = event.metrics["cut_error"]
                if event.iteration == 27:
                    break
        training.close()
        errors[bug] = {iteration: found[iteration] for iteration in (9, 18, 27)}
    assert all(error < 1e-6 for error in errors[NO_BUG].values())
    assert all(error > 2e-3 for error in errors["truncation-as-termination"].values())


def test_nothing_that_is_learned_depends_on_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def learned(preset: str) -> list[float]:
        training, count = Training(configured(preset)), 0
        for event in training:
            count += isinstance(event, Updated)
            if count == 3:
                break
        training.close()
        parameters = [part.flatten().double() for part in training.policy.state_dict().values()]
        return torch.cat(parameters).tolist()

    presets = ("cartpole", "pendulum-ppo", "mountain-car-discrete", "cartpole-dqn")
    before = [learned(preset) for preset in presets]
    monkeypatch.setattr(policy_gradient, "is_looked_at", lambda iteration: False)
    monkeypatch.setattr(policy_gradient, "ends_are_looked_at", lambda before, more: False)
    monkeypatch.setattr(value_based.StepChecks, "took", lambda self, transitions: None)
    monkeypatch.setattr(value_based.StepChecks, "told", lambda self: {})
    assert [learned(preset) for preset in presets] == before


def test_how_much_log_probabilities_vary_is_not_made_up() -> None:
    """Where it has no simple form nothing is told."""
    bounded = Beta(torch.ones(2, 1), torch.ones(2, 1), None)  # type: ignore[arg-type]
    assert variances(bounded) is None
