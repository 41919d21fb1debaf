"""How far a run goes beyond its budget: bounded where episodes may be endless, and told where it is far."""

from __future__ import annotations

from typing import Any

import pytest

from engine.reports.events import Heartbeat
from engine.runtime.errors import RunError
from engine.training.training import Training
from tests.engine.support import Toy, configured, register, updates_of


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment without a time limit whose episodes never end; 400 steps at least are allowed."""
    monkeypatch.setattr("engine.collection.collector.FEWEST", 400)
    return register("Tests/Endless-v0", what="never ends")


@pytest.mark.parametrize("seeds", [(), (1, 2)], ids=["alone", "together"])
@pytest.mark.parametrize(("budget", "steps"), [(100, 404), (300, 604)])
def test_episodes_without_a_limit_are_given_up_after_twice_the_budget(
    endless: str, seeds: tuple[int, ...], budget: int, steps: int
) -> None:
    training = Training(configured(environment=endless, budget__environment_steps=budget), seeds=seeds)
    sentence = (
        rf"^Episodes of Tests/Endless-v0 have not ended after {steps} steps, where the whole run was to take {budget}; "
        r"set a time limit, which cuts them off: environment\.time_limit, .*\.$"
    )
    with pytest.raises(RunError, match=sentence):
        assert all(isinstance(event, Heartbeat) for event in training)
    training.close()


@pytest.mark.parametrize("limit", [{"environment__time_limit": 300}, {}])
def test_episodes_that_end_are_played_to_their_end_whatever_the_budget(endless: str, limit: Any) -> None:
    id = endless if limit else register("Tests/Long-v0", Toy, lengths=(90,))
    (update,) = updates_of(configured(environment=id, budget__environment_steps=10, **limit))
    taken = 4 * (300 if limit else 90)
    assert update.environment_steps == taken
    assert update.note == (
        f"{taken:,} steps were taken where 10 were asked for, since the 4 episodes of an update are played to their "
        "end."
    )


@pytest.mark.parametrize("asked", [40, 100])
def test_a_rollout_much_longer_than_the_budget_is_told_of(asked: int) -> None:
    values: Any = {"collection": "fixed-length", "collection__steps": 32, "collection__environments": 2}
    *before, last = updates_of(configured(environment="CartPole-v1", budget__environment_steps=asked, **values))
    assert all(update.note == "" for update in before)
    assert last.note == (
        "64 steps were taken where 40 were asked for, since an update takes 32 steps in each of 2 environments."
        if asked == 40
        else ""
    )
