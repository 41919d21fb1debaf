"""One of several seeds that are trained together, taken out of them: it goes on as it would have with them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.reports.events import Updated
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.forking import forked
from engine.training.many_seeds import collectors as collecting
from engine.training.many_seeds.alone import alone
from engine.training.training import Training, resumed
from tests.engine.support import configured
from tests.engine.training.test_many_seeds import GREEDY, SEEDS, assert_alike

# The noise of actions is all that differs between a seed alone and together with others, and greedy actions have none.
KINDS: dict[str, dict[str, Any]] = {
    "whole episodes": {"collection__episodes_per_update": 2},
    "values of other episodes": {
        "collection__episodes_per_update": 2,
        "estimator__baseline__fitted_on": "independent",
    },
    "stepped one by one": {
        "collection__episodes_per_update": 2,
        "environment__stepping": "in-process",
        "environment__frame_stack": 2,
    },
    "fixed length": {"collection": {"kind": "fixed-length", "environments": 2, "steps": 30}, "update": "ppo-clip"},
}
FAR: dict[str, Any] = {"budget__environment_steps": 100_000, "update__learning_rate": 0.003}


def updates(training: Training, run: str, iterations: int) -> list[Updated]:
    """Those of one run until it has done so many."""
    found = []
    for event in training:
        if isinstance(event, Updated) and event.run == run:
            found.append(event)
            if len(found) == iterations:
                break
    return found


def in_the_middle(training: Training) -> Any:
    """A state at which the second seed is in the middle of its episodes, where there is such a thing, and of those that
    its policy learns from, where V has others."""
    for event in training:
        if isinstance(event, Updated) and event.iteration >= 3 and training.resting:
            state = training.state()
            joint, fitted = state["learner"]["collector"], state["learner"]["seed 4"].get("played for value", True)
            if not fitted:
                continue
            if "begun" not in joint or (joint["begun"][1] >= 0 and not joint["running"][2:4].all()):
                return from_bytes(to_bytes(state))
    raise AssertionError


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_goes_on_alone_as_it_does_with_the_others(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    group = Training(configured(**GREEDY | FAR | KINDS[kind]), "name", seeds=SEEDS)
    state = in_the_middle(group)
    own = alone(state, 4)
    again = forked(own, {}, "again")[0]
    assert (again.config.seed, again.updates) == (4, state["totals"][1]["iteration"])
    again = resumed(from_bytes(to_bytes(again.state())), "again")  # before it has gone on
    assert_alike(updates(again, "again", 4), updates(group, "name/4", 4))


def test_episodes_that_another_behaviour_has_begun_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    state = in_the_middle(Training(configured(**FAR | KINDS["values of other episodes"]), seeds=SEEDS))
    fork, lost = forked(alone(state, 4), {"exploration.temperature": 2.0})
    assert (lost, played_for_value(fork)) == (("The episodes under way begin anew.",), False)
    fork, lost = forked(alone(state, 4), {"update.learning_rate": 0.1})
    assert (lost, played_for_value(fork)) == ((), True)


def played_for_value(training: Training) -> bool:
    """Whether V is fitted already in the iteration under way."""
    return bool(training.state()["learner"]["played for value"])


def test_a_seed_that_is_not_among_them_is_refused() -> None:
    state = Training(configured(), seeds=SEEDS).state()
    with pytest.raises(ValueError, match=r"of the seeds \[3, 4, 9\], not of 5"):
        alone(state, 5)
