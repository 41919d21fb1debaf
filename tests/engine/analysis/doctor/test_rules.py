"""Every rule sees its fault in a history made up for it, and nothing in the same history without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.analysis.doctor.reported import Other, Reported
from engine.analysis.doctor.rule import findings_of, offered
from engine.analysis.doctor.rules import RULES, findings
from engine.config.bugs import NO_BUG
from engine.config.parameters import with_values
from engine.reports.metrics import METRICS
from tests.each import each
from tests.engine.analysis.doctor.histories import ITERATIONS, configured, flat, healthy, returned, told

RISING = np.linspace(0.0, 1.0, ITERATIONS)


RARELY = np.where(np.arange(ITERATIONS) % 4 == 0, 1.0, np.nan)  # what is told in every fourth iteration alone


def _ppo(reported: Reported) -> Reported:
    return configured(reported, update="ppo-clip", estimator__credit="gae")


def _cloning(reported: Reported) -> Reported:
    values = {"update": "behavioural-cloning", "imitation.dataset": "expert"}
    cloned = replace(reported, config=with_values(reported.config, values))
    return told(cloned, agreement=0.95, majority_share=0.5, teacher_return=450.0, held_out_loss=0.1, training_loss=0.1)


def _dqn(reported: Reported) -> Reported:
    learned = configured(reported, update="dqn")
    rising = 1.0 + 60.0 * RISING
    ends = {"target_age": 400.0 * (RISING * 37.0 % 1.0), "ended_share": 0.02, "final_targets": 0.03}
    numbers = {"first_value": rising + 2.0, "discounted_return": rising, "estimate_mean": rising, "replay_age": 40_000}
    return told(learned, gradient_steps=100, td_error_size=1.0, **ends, **numbers)


def _spiked(reported: Reported) -> Reported:
    kl = np.full(ITERATIONS, 0.01)
    kl[-5] = 1.5
    rises_and_falls = np.concatenate([np.linspace(20.0, 400.0, 1400), np.full(200, 60.0)])
    return told(returned(_ppo(reported), rises_and_falls), approx_kl=kl)


def _copied(reported: Reported) -> Reported:
    draw = np.random.default_rng(3)
    return returned(reported, np.repeat(draw.uniform(20.0, 60.0, ITERATIONS), 8))


def _off_policy(reported: Reported) -> Reported:
    return configured(reported, update="off-policy", estimator__baseline="average")


_RISE = np.linspace(20.0, 400.0, 1600)
RISEN = {"values-worse-than-none": _RISE, "advantages-off-centre": _RISE, "learned-by-heart": np.full(1600, 490.0)}
_LATE_FALL = np.concatenate([np.linspace(20.0, 400.0, 800), np.full(800, 25.0)])
_NOISE = 4.0 * np.random.default_rng(5).standard_normal(1600)

FAULTS: dict[str, Callable[[], Reported]] = {
    "values-worse-than-none": lambda: told(flat(healthy()), explained_variance=-0.6),
    "values-unlike-returns": lambda: told(
        flat(healthy()), first_value=4.0 + 0.1 * RISING, discounted_return=16.0 + np.sin(60.0 * RISING)
    ),
    "values-learn-nothing": lambda: told(flat(healthy()), explained_variance=0.01),
    "values-out-of-scale": lambda: told(healthy(), explained_variance=0.0, value_loss=1e6),
    "advantages-off-centre": lambda: told(flat(healthy()), advantage_mean=30.0, advantage_std=10.0),
    "kl-spikes": lambda: _spiked(healthy()),
    "steps-too-long": lambda: told(flat(_ppo(healthy())), approx_kl=0.4),
    "kl-zero": lambda: told(flat(_ppo(healthy())), approx_kl=1e-7),
    "much-clipped": lambda: told(_ppo(healthy()), clip_fraction=0.6),
    "ratios-outside": lambda: told(_ppo(healthy()), largest_ratio=4.0),
    "other-at-first": lambda: told(_ppo(healthy()), first_ratio=0.3),
    "gradients-explode": lambda: told(healthy(), grad_norm=np.exp(20.0 * RISING)),
    "gradients-vanish": lambda: told(flat(healthy()), grad_norm=np.exp(-20.0 * RISING)),
    "entropy-gone": lambda: told(flat(healthy()), entropy=0.001),
    "no-policy-forming": lambda: told(flat(healthy()), entropy=0.693),
    "no-signal": lambda: told(flat(healthy()), advantage_std=0.0),
    "advantage-outliers": lambda: told(healthy(), largest_advantage=30.0),
    "truncations-as-ends": lambda: told(healthy(), surprise_at_limit=-8.0 + 0.5 * np.sin(40.0 * RISING)),
    "observations-out-of-scale": lambda: told(healthy(), observation_scale=800.0),
    "dead-units": lambda: told(healthy(), dead_units=0.95),
    "saturated-units": lambda: told(flat(healthy()), saturated_units=0.95),
    "values-run-away": lambda: told(_dqn(healthy()), estimate_mean=np.exp(12.0 * RISING)),
    "values-overestimated": lambda: told(_dqn(flat(healthy())), first_value=100.0, discounted_return=9.0),
    "values-too-low": lambda: told(_dqn(healthy()), first_value=5.0, discounted_return=60.0),
    "errors-of-values-grow": lambda: told(_dqn(flat(healthy())), td_error_size=np.exp(6.0 * RISING)),
    "target-never-renewed": lambda: configured(_dqn(healthy()), update__target__every=1_000_000),
    "replay-too-young": lambda: told(_dqn(flat(healthy())), replay_age=200.0),
    "actions-unlike-policy": lambda: told(healthy(), likelihood_gap=RARELY * (4.0 + np.sin(9.0 * RISING))),
    "policy-changed-meanwhile": lambda: told(healthy(), policy_drift=RARELY * 2e-4),
    "log-probs-unlike-density": lambda: told(configured(healthy(), update="sac"), density_error=0.7),
    "credit-unlike-rewards": lambda: told(healthy(), credit_error=RARELY * 0.006),
    "objective-unlike-sum": lambda: told(healthy(), objective_error=RARELY * 0.3),
    "value-moved-otherwise": lambda: told(healthy(), value_pull=RARELY * 0.4),
    "ends-ignored": lambda: told(_dqn(healthy()), ended_share=0.02, final_targets=0.0),
    "learned-by-heart": lambda: told(
        _cloning(healthy()), held_out_loss=0.1 + np.abs(RISING - 0.2), training_loss=1.0 - RISING
    ),
    "most-frequent-action": lambda: told(_cloning(healthy()), agreement=0.5),
    "strays": lambda: flat(_cloning(healthy())),
    "slower": lambda: replace(healthy(), seconds=np.cumsum(np.where(RISING < 0.7, 0.5, 5.0))),
    "too-few-seeds": lambda: replace(healthy(), others=(Other(_ppo(healthy()).config, np.full(100, 300.0)),)),
    "copied-episodes": lambda: _copied(healthy()),
    "few-episodes-count": lambda: told(_off_policy(healthy()), effective_sample_size=1.2),
    "worse-than-at-first": lambda: returned(healthy(), np.where(np.arange(1600) < 200, 60.0, 10.0) + _NOISE),
    "forgotten": lambda: returned(healthy(), _LATE_FALL + _NOISE),
    "reward-too-sparse": lambda: returned(healthy(environment="MountainCar-v0"), -200.0),
    "no-better-than-random": lambda: flat(healthy()),
    "cannot-repeat": lambda: returned(
        healthy(), np.where(np.random.default_rng(4).random(1600) < 0.2, 490.0, 25.0) + _NOISE
    ),
    "equally-long": lambda: told(flat(healthy()), mean_length=np.where(RISING < 0.3, 20.0 + 9.0 * RISING, 9.0)),
}


def test_every_rule_has_a_fault() -> None:
    assert set(FAULTS) == {rule.name for rule in RULES}


@each("name", FAULTS)
def test_a_fault_is_seen(name: str) -> None:
    reported = FAULTS[name]()
    found = {finding.rule.name: finding for finding in findings(reported)}
    assert name in found, f"only {sorted(found)}"
    sentence = found[name].sentence
    assert sentence.endswith(".")
    assert not sentence[0].islower()
    assert any(letter.isdigit() for letter in sentence)


def test_nothing_is_seen_where_all_is_well() -> None:
    learned = told(_ppo(healthy()), approx_kl=0.01, clip_fraction=0.1)
    batches = told(learned, largest_ratio=0.4, first_ratio=1e-7)
    solved = returned(told(healthy(), explained_variance=-2.0, entropy=0.0, grad_norm=1e-9), 500.0)
    weighed = told(_off_policy(healthy()), effective_sample_size=12.0)
    for reported in (healthy(), learned, batches, solved, weighed, _dqn(healthy()), _cloning(healthy())):
        assert not findings(reported)


def _exact(reported: Reported) -> Reported:
    """As runs tell what they compute twice: by chance in actions, and but for rounding in all else."""
    draw = np.random.default_rng(7)
    rounding = dict.fromkeys(("credit_error", "cut_error", "objective_error", "value_pull"), RARELY * 3e-7)
    drawn = RARELY * draw.normal(0.0, 1.0, ITERATIONS)
    return told(reported, policy_drift=RARELY * 0.0, likelihood_gap=drawn, density_error=5e-7, **rounding)


def test_rounding_and_chance_are_no_mistakes() -> None:
    for reported in (_exact(healthy()), _exact(_ppo(healthy())), _exact(_dqn(healthy()))):
        assert not findings(reported)
    assert not findings(_exact(configured(_dqn(healthy()), update="sac")))


def seen_in(reported: Reported) -> set[str]:
    return {found.rule.name for found in findings_of(RULES, reported)}


def test_a_look_that_is_off_by_chance_is_not_enough() -> None:
    once = np.where(np.arange(ITERATIONS) == 196, 30.0, 0.0)
    assert "actions-unlike-policy" not in seen_in(told(healthy(), likelihood_gap=RARELY * once))
    both_ways = np.where(np.arange(ITERATIONS) % 8 == 0, 9.0, -4.0)
    assert "actions-unlike-policy" not in seen_in(told(healthy(), likelihood_gap=RARELY * both_ways))


def test_what_stands_in_for_a_rest_is_seen_in_credit_and_in_targets() -> None:
    now_and_then = np.where(np.arange(ITERATIONS) == 184, 0.02, 1e-8)
    assert "truncations-as-ends" in seen_in(told(healthy(), cut_error=RARELY * now_and_then))
    cut = told(_dqn(healthy()), ended_share=0.0, final_targets=0.01)
    assert "truncations-as-ends" in seen_in(cut)
    assert "truncations-as-ends" not in seen_in(told(cut, final_targets=0.0))
    assert "truncations-as-ends" not in seen_in(told(cut, final_targets=1.0))  # all values are 0 as yet
    assert "truncations-as-ends" not in seen_in(told(cut, ended_share=np.where(RISING < 0.1, 0.01, 0.0)))


def test_episodes_that_have_just_become_as_long_as_they_may_be_are_not_all_alike_for_the_worse() -> None:
    """As of a run with few episodes in an iteration, whose mean of a hundred is far behind."""
    stuck = FAULTS["equally-long"]()
    returns = np.where(np.arange(len(stuck.returns)) < len(stuck.returns) - 15, stuck.returns, 500.0)
    assert "equally-long" in seen_in(stuck)
    assert "equally-long" not in seen_in(replace(stuck, returns=returns))


def test_what_is_half_way_to_its_goal_is_still_on_it() -> None:
    """As of an actor-critic that stood at 290 of 475 for a while."""
    good = np.random.default_rng(4).random(1600) < 0.2
    for others, stuck in ((160.0, True), (225.0, False)):
        returns = np.where(np.arange(1600) < 200, 25.0, np.where(good, 490.0, others))
        assert ("cannot-repeat" in seen_in(returned(healthy(), returns + _NOISE))) == stuck


def test_what_is_said_of_the_last_hundred_is_judged_by_them() -> None:
    """As of an actor-critic of which fewer, longer episodes end, lately the worse of them."""
    run = healthy()
    late, numbers = run.ends / run.steps[-1], np.arange(1600)
    for before, speaks in ((340.0, False), (200.0, True)):
        good = np.where((late > 0.83) & (numbers // 7 % 4 == 0), 490.0, np.where(late > 0.83, 150.0, before))
        returns = np.where(numbers < 200, 25.0, good) + _NOISE
        kept = (late < 0.66) | (numbers % 7 == 0)
        few = replace(run, returns=returns[kept], ends=run.ends[kept])
        assert ("cannot-repeat" in seen_in(few)) == speaks


def test_ends_are_missed_only_where_some_were_to_be_expected() -> None:
    ignored = FAULTS["ends-ignored"]()
    assert "ends-ignored" not in seen_in(told(ignored, ended_share=1e-5))
    assert "ends-ignored" not in seen_in(told(ignored, gradient_steps=0.01))
    assert "ends-ignored" not in seen_in(told(ignored, final_targets=np.where(RISING > 0.95, 1e-3, 0.0)))


def test_a_target_network_is_looked_at_and_not_its_settings() -> None:
    dqn = configured(_dqn(healthy()), update__target__every=500)
    assert "target-never-renewed" not in seen_in(dqn)
    standing = told(dqn, target_age=100.0 * np.arange(ITERATIONS))
    assert "target-never-renewed" in seen_in(standing)
    assert "target-never-renewed" not in seen_in(standing.until(10_000.0))  # its second turn may still come
    assert "target-never-renewed" not in seen_in(told(dqn, target_age=1400.0))  # not since it was looked at


def test_nothing_is_said_before_enough_is_known() -> None:
    for fault in FAULTS.values():
        assert not findings(fault().until(3000.0))


def test_what_was_known_then_is_all_that_counts() -> None:
    """A fault that comes late is not seen before it is there."""
    reported = told(healthy(), observation_scale=np.where(RISING < 0.5, 1.0, 800.0))
    assert not findings(reported.until(100_000.0))
    assert [each.rule.name for each in findings(reported)] == ["observations-out-of-scale"]


def test_what_is_seen_now_and_then_is_not_said_before_it_lasts() -> None:
    """Of so many looks at so many rules some see something by chance."""
    for begins, lasts in ((0.1, 1), (0.5, 2)):  # two hundredths of some hundred iterations are two
        late = told(healthy(), observation_scale=np.where(begins > RISING, 1.0, 800.0))
        then = [late.until(float(steps)) for steps in late.steps]
        first = next(k for k in range(ITERATIONS) if seen_in(then[k]))
        said = next(k for k in range(ITERATIONS) if findings(then[k]))
        assert said - first == lasts


@each("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_all_that_it_has_to(rule: object) -> None:
    assert rule.panel in ("Returns", "Signal", "Diagnostics")
    assert set(rule.curves) <= set(METRICS)
    assert rule.curves or rule.panel != "Diagnostics"
    assert "Here:" in rule.source
    assert rule.meaning.endswith(".")
    reported = FAULTS[rule.name]()
    tries = offered(next(found for found in findings(reported) if found.rule is rule), reported)
    assert tries, "nothing is said of what to try"
    for change in tries:
        assert with_values(reported.config, change.values) != reported.config or change.words.endswith(".")


@each("rule", RULES, ids=lambda rule: rule.name)
def test_a_run_that_is_made_with_a_bug_is_to_be_trained_without_it_first(rule: object) -> None:
    reported = FAULTS[rule.name]()
    if not hasattr(reported.config, "bug"):
        return
    faulty = configured(reported, bug="wrong-sign")
    first, *others = offered(next(found for found in findings(faulty) if found.rule is rule), faulty)
    assert first.values == {"bug": NO_BUG}
    assert all("bug" not in each.values for each in others)


def test_a_point_that_stands_for_several_iterations_counts_as_many() -> None:
    rare = FAULTS["target-never-renewed"]()
    assert "target-never-renewed" in {finding.rule.name for finding in findings(rare)}
    late = replace(rare, fine=len(rare.steps) // 20)  # the last points stand for a million each
    assert "target-never-renewed" not in {finding.rule.name for finding in findings(late)}
    assert late.counts[:: rare.iterations // 20].tolist()[:4] == [1.0, 2.0, 4.0, 8.0]


@each("name", ["values-worse-than-none", "advantages-off-centre", "learned-by-heart", "ratios-outside"])
def test_nothing_is_said_of_what_does_no_harm(name: str) -> None:
    """Returns that rise outrun a value, those at their goal want nothing mended, and one ratio is outside at times."""
    fault = FAULTS[name]()
    steady = np.where(np.arange(ITERATIONS) % 10 == 0, 0.1, 4.0)
    well = told(fault, largest_ratio=steady) if name == "ratios-outside" else returned(fault, RISEN[name])
    assert name not in {found.rule.name for found in findings(well)}


def test_a_value_that_comes_nearer_is_late_and_nothing_is_wrong_with_it() -> None:
    """As in a short run of MountainCar, where all that is left of the training goes into catching up."""
    late = told(
        flat(healthy()), advantage_mean=-30.0 * np.exp(-2.0 * RISING), advantage_std=15.0 * np.exp(-2.0 * RISING)
    )
    assert "advantages-off-centre" not in {found.rule.name for found in findings(late)}
