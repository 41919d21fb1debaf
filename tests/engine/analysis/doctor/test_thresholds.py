"""Every rule speaks right beyond its threshold, and is silent right before it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.analysis.doctor.reported import Other, Reported
from engine.analysis.doctor.rules import RULES
from tests.each import each
from tests.engine.analysis.doctor.histories import EPISODES_EACH, ITERATIONS, configured, flat, healthy, returned, told
from tests.engine.analysis.doctor.test_rules import (
    RARELY,
    RISING,
    _cloning,
    _dqn,
    _off_policy,
    _ppo,
    seen_in,
)

EPISODES = ITERATIONS * EPISODES_EACH
NUMBERED = np.arange(EPISODES)
NOISE = 4.0 * np.random.default_rng(5).standard_normal(EPISODES)
Make = Callable[[Any], Reported]


def of(metric: str, base: Callable[[Reported], Reported] = lambda reported: reported, **others: Any) -> Make:
    """A run in which a metric comes to a number, and else all is well or as ``others`` say."""
    return lambda value: told(base(healthy()), **{metric: value, **others})


def growing(metric: str, base: Callable[[Reported], Reported], **others: Any) -> Make:
    """The same with exp(value · share of the run)."""
    return lambda value: told(base(healthy()), **{metric: np.exp(value * RISING), **others})


def _flat_ppo(reported: Reported) -> Reported:
    return flat(_ppo(reported))


def _flat_dqn(reported: Reported) -> Reported:
    return _dqn(flat(reported))


def _spiked(height: float) -> Reported:
    kl = np.where(np.arange(ITERATIONS) == ITERATIONS - 5, height, 0.01)
    falls = np.where(NUMBERED < EPISODES - 200, np.linspace(20.0, 460.0, EPISODES), 60.0)
    return told(returned(_ppo(healthy()), falls), approx_kl=kl)


def _seeds(count: int) -> Reported:
    own = healthy()
    others = [Other(configured(own, seed=100 + k).config, np.full(100, 300.0)) for k in range(1, count)]
    others += [Other(configured(_ppo(own), seed=k).config, np.full(100, 300.0)) for k in range(count)]
    return replace(own, others=tuple(others))


def _sometimes(every: int, usual: Any, then: float, environment: str = "CartPole-v1") -> Reported:
    return returned(healthy(environment=environment), np.where(NUMBERED % every == every // 2, then, usual))


# What is just enough, and what is not.
NEAR: dict[str, tuple[Make, Any, Any]] = {
    "values-worse-than-none": (of("explained_variance", flat), -0.11, -0.09),
    "values-learn-nothing": (of("explained_variance", flat), 0.04, 0.06),
    "values-out-of-scale": (of("value_loss", explained_variance=0.0), 20.5**2, 19.5**2),
    "values-unlike-returns": (
        lambda short: told(flat(healthy()), first_value=16.0 * (1.0 - short), discounted_return=16.0),
        0.31,
        0.29,
    ),
    "advantages-off-centre": (of("advantage_mean", flat, advantage_std=10.0), 20.5, 19.5),
    "kl-spikes": (_spiked, 0.21, 0.19),
    "steps-too-long": (of("approx_kl", _flat_ppo), 0.11, 0.09),
    "kl-zero": (of("approx_kl", _flat_ppo), 0.9e-5, 1.1e-5),
    "much-clipped": (of("clip_fraction", _ppo), 0.41, 0.39),
    "ratios-outside": (of("largest_ratio", _ppo), math.log(10.5), math.log(9.5)),
    "other-at-first": (of("first_ratio", _ppo), 0.011, 0.009),
    "gradients-explode": (growing("grad_norm", lambda reported: reported), 6.6, 6.0),
    "gradients-vanish": (growing("grad_norm", flat), -10.6, -9.8),
    "entropy-gone": (of("entropy", flat), 0.019 * math.log(2.0), 0.021 * math.log(2.0)),
    "no-policy-forming": (of("entropy", flat), 0.991 * math.log(2.0), 0.989 * math.log(2.0)),
    "no-signal": (of("advantage_std", flat, advantage_mean=1.0), 1.9e-6, 2.1e-6),
    "advantage-outliers": (of("largest_advantage"), math.sqrt(310.0), math.sqrt(290.0)),
    "truncations-as-ends": (of("surprise_at_limit"), -1.3, -1.1),
    "observations-out-of-scale": (of("observation_scale"), 51.0, 49.0),
    "dead-units": (of("dead_units"), 0.91, 0.89),
    "saturated-units": (of("saturated_units", flat), 0.81, 0.79),
    "values-run-away": (growing("estimate_mean", _dqn), 6.9, 6.5),
    "values-overestimated": (of("first_value", _flat_dqn, discounted_return=9.0), 23.0, 22.0),
    "values-too-low": (of("first_value", _dqn, discounted_return=60.0), 17.5, 18.5),
    "errors-of-values-grow": (growing("td_error_size", _flat_dqn), 3.5, 3.2),
    "target-never-renewed": (lambda every: configured(_dqn(healthy()), update__target__every=every), 20_001, 20_000),
    "replay-too-young": (of("replay_age", _flat_dqn), 990.0, 1010.0),
    "actions-unlike-policy": (lambda gap: told(healthy(), likelihood_gap=RARELY * gap), 2.2, 2.05),
    "policy-changed-meanwhile": (lambda drift: told(healthy(), policy_drift=RARELY * drift), 1.1e-5, 0.9e-5),
    "log-probs-unlike-density": (of("density_error", lambda reported: configured(reported, update="sac")), 0.011, 9e-3),
    "credit-unlike-rewards": (lambda error: told(healthy(), credit_error=RARELY * error), 1.1e-3, 0.9e-3),
    "objective-unlike-sum": (lambda error: told(healthy(), objective_error=RARELY * error), 1.1e-3, 0.9e-3),
    "value-moved-otherwise": (lambda pull: told(healthy(), value_pull=RARELY * pull), 0.051, 0.049),
    "ends-ignored": (of("final_targets", _dqn, ended_share=0.02), 0.0, 1e-4),
    "learned-by-heart": (
        lambda rise: told(
            _cloning(healthy()), held_out_loss=0.1 + rise * np.maximum(RISING - 0.2, 0.0), training_loss=1.0 - RISING
        ),
        0.068,
        0.058,
    ),
    "most-frequent-action": (of("agreement", _cloning), 0.505, 0.515),
    "strays": (of("agreement", lambda reported: flat(_cloning(reported))), 0.91, 0.89),
    "slower": (lambda wait: replace(healthy(), seconds=np.cumsum(np.where(RISING < 0.7, 0.5, wait))), 1.3, 1.2),
    "too-few-seeds": (_seeds, 2, 3),
    "copied-episodes": (
        lambda copies: returned(
            healthy(), np.repeat(np.random.default_rng(3).uniform(20.0, 60.0, EPISODES), copies)[:EPISODES]
        ),
        3,
        2,
    ),
    "few-episodes-count": (
        of(
            "effective_sample_size",
            lambda reported: configured(_off_policy(reported), collection__episodes_per_update=20),
        ),
        1.9,
        2.1,
    ),
    "worse-than-at-first": (lambda later: returned(healthy(), np.where(NUMBERED < 200, 60.0, later) + NOISE), 53, 57),
    "forgotten": (
        lambda later: returned(
            healthy(), np.where(NUMBERED < EPISODES // 2, np.linspace(20.0, 780.0, EPISODES), later) + NOISE
        ),
        130.0,
        190.0,
    ),
    "reward-too-sparse": (lambda every: _sometimes(every, -200.0, -150.0, "MountainCar-v0"), 125, 60),
    "no-better-than-random": (
        lambda gain: returned(healthy(), 25.0 + NOISE + np.where(NUMBERED < 400, 0.0, gain)),
        0.0,
        6.0,
    ),
    "cannot-repeat": (lambda every: _sometimes(every, 25.0 + NOISE, 490.0), 12, 40),
    "equally-long": (
        lambda odd: told(
            flat(healthy()),
            mean_length=np.where(RISING < 0.3, 20.0 + 9.0 * RISING, np.where(np.arange(ITERATIONS) == odd, 10.0, 9.0)),
        ),
        ITERATIONS - 11,
        ITERATIONS - 10,
    ),
}


def test_every_rule_has_its_threshold_looked_at_from_both_sides() -> None:
    assert NEAR.keys() == {rule.name for rule in RULES}


@each("name", NEAR)
def test_right_beyond_a_threshold_something_is_said_and_right_before_it_nothing(name: str) -> None:
    make, enough, too_little = NEAR[name]
    assert name in seen_in(make(enough))
    assert name not in seen_in(make(too_little))


@each("rule", {"entropy-gone": {"entropy": 0.001}, "values-worse-than-none": {"explained_variance": -1.0}}.items())
def test_what_is_nearly_there_is_right_to_be_certain_and_hard_to_predict(rule: tuple[str, dict[str, float]]) -> None:
    begun, goal = 20.0, 475.0
    for way, speaks in ((0.79, True), (0.81, False)):
        returns = np.where(NUMBERED < EPISODES // 5, begun, begun + way * (goal - begun)) + NOISE
        assert (rule[0] in seen_in(told(returned(healthy(), returns), **rule[1]))) == speaks


def test_what_does_well_lately_does_so_however_far_back_a_hundred_episodes_reach() -> None:
    """As of a pole that stands for a thousand steps: few episodes end, and of the last hundred half had fallen."""
    begun = told(healthy(), explained_variance=-1.0)
    late = begun.ends > 0.66 * begun.steps[-1]
    kept = ~late | (NUMBERED % 10 == 0)
    for lately, speaks in ((100.0, True), (490.0, False)):
        returns = np.where(late, lately, 25.0) + NOISE
        few = replace(begun, returns=returns[kept], ends=begun.ends[kept])
        assert few.mean_return < 300.0
        assert ("values-worse-than-none" in seen_in(few)) == speaks
        assert few.is_good != speaks
    nearly = replace(begun, returns=np.where(late, 440.0, 25.0)[kept], ends=begun.ends[kept])
    assert nearly.does_well  # nine tenths of the way are as good as the goal


def test_a_large_batch_is_judged_by_its_own_episodes_and_by_none_before_it() -> None:
    """Of which there are more than are looked at of all that ended late."""
    begun = told(healthy(), explained_variance=-1.0)
    many = 1500
    ends = np.repeat(begun.steps, many)
    for lately in (np.full(many, 490.0), np.full(many, 25.0)):
        before = np.full(len(ends) - many, 515.0 - lately[0])
        run = replace(begun, returns=np.concatenate([before, lately]), ends=ends)
        assert len(run.recent) == many
        assert run.does_well == (lately[0] > 400.0)


def test_values_that_are_late_where_all_is_well_are_not_told_of() -> None:
    late = {"first_value": 3.0, "discounted_return": 16.0}
    assert "values-unlike-returns" in seen_in(told(flat(healthy()), **late))
    well = returned(healthy(), np.full(EPISODES, 490.0) + NOISE)
    assert "values-unlike-returns" not in seen_in(told(well, **late))
