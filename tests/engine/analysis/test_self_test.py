"""The self-test: right methods pass its probes, and each bug fails in the probe that is about what it breaks."""

from __future__ import annotations

import pytest

from engine.analysis.self_test import configured, probed, self_test
from engine.catalogue.methods.bugs import BUGS
from engine.config.parameters import with_values
from engine.mdp.probes import PROBES, Probe
from engine.reports.events import Updated
from engine.training.training import Training
from tests.engine.training.test_bugs import having

BY_TITLE = {probe.title: probe for probe in PROBES}
FAILS = {  # with a bug: an algorithm, and the probe in which it fails with it
    "wrong-sign": ("reinforce-causality", "action"),
    "missing-present-reward": ("reinforce-causality", "action"),
    "normalized-per-episode": ("reinforce-causality", "later reward"),
    "discount-twice": ("reinforce-learned-baseline", "discount"),
    "discount-from-the-end": ("reinforce-learned-baseline", "discount"),
    "truncation-as-termination": ("q-learning", "time limit"),
    "reset-observation": ("q-learning", "time limit"),
    "reversed-epsilon": ("q-learning", "action"),
    "shifted-advantages": ("vpg", "action"),
}


def passes(algorithm: str, probe: Probe, bug: str) -> bool:
    config = configured(algorithm, probe, bug)
    assert config is not None
    return probed(algorithm, probe, with_values(config, {"budget.environment_steps": 2000})).passed


@pytest.mark.parametrize("bug", FAILS)
def test_a_probe_fails_with_the_bug_that_it_is_about_and_passes_without(bug: str) -> None:
    algorithm, title = FAILS[bug]
    assert not passes(algorithm, BY_TITLE[title], bug)
    assert passes(algorithm, BY_TITLE[title], "none")


def test_it_tells_what_came_of_each_probe_and_ends_where_it_is_asked_to() -> None:
    outcomes = list(self_test(["value-iteration"]))
    assert [outcome.probe.title for outcome in outcomes] == [
        probe.title for probe in PROBES if configured("value-iteration", probe) is not None
    ]
    assert all(outcome.passed for outcome in outcomes)
    assert outcomes[0].found == "Values 1.00, where 1 is right."
    assert list(self_test(["value-iteration"], lambda: True)) == []


def test_probes_ask_only_for_what_is_learned() -> None:
    assert configured("reinforce", BY_TITLE["value"]) is None  # which learns no value
    assert configured("dqn", BY_TITLE["number"]) is None  # whose actions are numbered
    assert configured("ppo", BY_TITLE["undecided"]) is None  # which nobody pays for entropy
    assert all(configured(name, BY_TITLE["action"]) is None for name in ("behavioural-cloning", "dagger"))
    assert configured("value-iteration", BY_TITLE["action"], "wrong-sign") is None


def test_stale_log_probs_show_in_the_first_ratios() -> None:
    """No probe fails with them: the doctor's rule that ratios are 1 at first sees them, by this metric."""
    found = {}
    for bug in ("stale-log-probs", "none"):
        training = Training(having("stale-log-probs", bug))
        told = [event.metrics["first_ratio"] for event, _ in zip(_updates(training), range(3), strict=False)]
        found[bug] = told[-1]
        training.close()
    assert abs(found["none"] or 0.0) < 1e-6
    assert (found["stale-log-probs"] or 0.0) > 0.01


def test_shared_randomness_makes_all_episodes_of_an_iteration_the_same() -> None:
    for bug, alike in (("shared-randomness", True), ("none", False)):
        training = Training(with_values(having("shared-randomness", bug), {"environment.time_limit": 100}))
        returns = next(event.returns for event in training if hasattr(event, "returns"))
        assert (len(set(returns.tolist())) == 1) is alike
        training.close()


def _updates(training: Training) -> object:
    return (event for event in training if isinstance(event, Updated))


def test_the_table_of_probes_names_bugs_that_there_are() -> None:
    assert FAILS.keys() <= BUGS.keys()
