"""Agents that race: which policy of a run plays, how rounds are counted, and who is ahead."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.catalogue.configured import described
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.runs.library import Library
from engine.runs.racing import Instant, Racer, policy_at, ranks, start_of
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.snapshots import last_kept, to_bytes
from engine.training.training import Training
from tests.engine.runs.libraries import keep, opened, policy_for, record


def test_returns_that_are_alike_share_a_rank_and_leave_the_next_ones_out() -> None:
    assert ranks([3.0, 7.0, 7.0, -1.0]) == [3, 1, 1, 4]
    assert ranks([]) == []


@pytest.mark.parametrize(
    ("instant", "steps"), [("last", 400), ("best", 200), (400, 400), (399, 200), (200, 200), (199, 100), (0, 100)]
)
def test_the_policy_after_so_many_steps_is_the_last_of_no_more(tmp_path: Path, instant: Instant, steps: int) -> None:
    with opened(tmp_path) as library:
        run = library.begin(record())
        environment = described(run.config.environment)
        assert environment is not None
        assert policy_at(library, run, environment, instant) is None
        for iteration, *kinds in ((1,), (2, "best"), (4, "last")):
            keep(library, run, policy_for(run.config), iteration, *(kinds or ["kept"]))
        kept = policy_at(library, run, environment, instant)
    assert kept is not None
    assert kept.environment_steps == steps


def test_two_agents_of_one_policy_see_the_same_in_a_round_and_another_beginning_in_the_next(tmp_path: Path) -> None:
    config = with_values(PolicyGradientConfig(), {"device": "cpu", "budget.environment_steps": 100})
    with Library(tmp_path) as library:
        run = library.begin(record())
        training = Training(config)
        (kept,) = SnapshotKeeper().between(training, last=True).values()
        training.close()
        library.keep_snapshot(run.id, 0, 0, to_bytes(kept))
        environment = described(run.config.environment)
        assert environment is not None
        snapshot = last_kept(library, run, environment)
    assert snapshot is not None
    racers = [Racer(snapshot, 3) for _ in range(2)]
    begun = []
    try:
        for number in (1, 2):
            for racer in racers:
                racer.begin(start_of(7, number, 0))
            while not all(racer.waits for racer in racers):
                for racer in racers:
                    racer.advance(False, render=False)
                frames = [racer.frame for racer in racers]
                assert frames[0] is not None
                assert frames[1] is not None
                if frames[0].step == 0:
                    begun.append([frame.observation.tolist() for frame in frames])  # type: ignore[union-attr]
            for racer in racers:
                racer.note()
        assert begun[0][0] == begun[0][1]
        assert begun[0] != begun[1]
        assert begun[1][0] == begun[1][1]
        assert racers[0].returns == racers[1].returns
        mean = racers[0].mean
        assert mean is not None
        assert mean.value == sum(racers[0].returns) / 2
        racers[0].forget()
        assert (racers[0].returns, racers[0].mean) == ((), None)
    finally:
        for racer in racers:
            racer.close()
