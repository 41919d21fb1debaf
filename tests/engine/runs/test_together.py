"""Seeds that are trained together in the library: saved at no cost to their numbers, gone on with exactly, or taken out
of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Updated
from engine.runs import autosave, snapshot_keeper
from engine.runs.exports.export import Source
from engine.runs.exports.kept_policy import kept_policy
from engine.runs.host import recorded
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.liveness import settle
from engine.runs.recorder import Recorder
from engine.runs.records import TOGETHER, RunRecord, Status
from engine.runs.resuming import fork, resume
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.snapshots import is_whole, kept_at
from engine.training.many_seeds import collectors as collecting
from engine.training.many_seeds.alone import NOISE
from engine.training.training import Training
from tests.engine.support import configured, untimed

NAMES = {"a" * 32: 3, "b" * 32: 4, "c" * 32: 9}
CONFIG = configured(budget__environment_steps=400, collection__episodes_per_update=2)
Told = list[tuple[int, Any]]


@pytest.fixture(autouse=True)
def _in_their_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    monkeypatch.setattr(autosave, "FIRST", 0.0)  # a state is taken whenever one can be
    monkeypatch.setattr(autosave, "EVERY", 0.0)


def told_of(training: Training, recorder: Recorder) -> Iterator[tuple[int, Any]]:
    """What is told of each seed, recorded."""
    for event in training:
        recorder.put(event)
        if isinstance(event, Updated):
            recorder.between(training)
            yield training.runs[event.run], untimed(event)


def trained(training: Training, folder: Path, record: RunRecord) -> Told:
    """What a run tells that goes on to its end."""
    with recorded(training, folder, print, record) as recorder:
        return list(told_of(training, recorder))


def interrupted(folder: Path, config: RunConfig = CONFIG) -> Told:
    """What three seeds tell until a signal comes while some are in the middle of their episodes."""
    training = Training(config, seeds=tuple(NAMES.values()), names=tuple(NAMES))
    told: Told = []
    with suppress(KeyboardInterrupt), recorded(training, folder, print) as recorder:
        for one in told_of(training, recorder):
            told.append(one)
            if len(told) >= 12 and training.resting and training.updates < training.iteration:
                raise KeyboardInterrupt
    return told


@pytest.fixture
def library(library_place: Path) -> Iterator[Library]:
    with Library(library_place) as opened:
        yield opened


@pytest.mark.parametrize("fitted_on", ["previous", "independent"])
def test_seeds_that_are_saved_and_gone_on_with_are_those_in_one_go(fitted_on: str, library: Library) -> None:
    config = with_values(CONFIG, {"estimator.baseline.fitted_on": fitted_on})
    whole = Training(config, seeds=tuple(NAMES.values()))
    expected = [(whole.runs[event.run], untimed(event)) for event in whole if isinstance(event, Updated)]
    before = interrupted(library.folder, config)
    kept = {id: library.checkpoints(id) for id in NAMES}
    assert len({some[0].file for some in kept.values()}) == 1  # one file for all
    assert all(len(some) <= 12 and "last" in some[0].kinds for some in kept.values())
    record = library.run("b" * 32)
    assert (record.status, TOGETHER in record.inexact) == (Status.INTERRUPTED, True)
    again = resume(library, record, together=True)
    assert again.runs == NAMES
    after = trained(again, library.folder, record)
    assert before + after == expected
    for id, seed in NAMES.items():
        assert library.run(id).status == Status.FINISHED
        rows = library.series(id, ITERATIONS)["iteration"].tolist()
        assert rows == list(range(1, 1 + sum(whose == seed for whose, _ in expected)))
        episodes = 4 if fitted_on == "independent" else 2  # in each iteration, also where one was begun anew
        assert library.series(id, EPISODES)["iteration"].tolist() == [row for row in rows for _ in range(episodes)]


def test_what_has_used_its_budget_is_finished_whatever_becomes_of_the_others(library: Library) -> None:
    training = Training(CONFIG, seeds=tuple(NAMES.values()), names=tuple(NAMES))
    with suppress(KeyboardInterrupt), recorded(training, library.folder, print) as recorder:
        for _ in told_of(training, recorder):
            if any(totals.environment_steps >= 400 for totals in training.totals.values()):
                raise KeyboardInterrupt
    done = [totals.environment_steps >= 400 for totals in training.totals.values()]
    expected = [Status.FINISHED if one else Status.INTERRUPTED for one in done]
    assert {*expected} == {Status.FINISHED, Status.INTERRUPTED}
    assert [library.run(id).status for id in NAMES] == expected
    for id in NAMES:  # as they stand after a process was killed
        library.update(id, status=str(Status.RUNNING))
    found = settle(library)
    assert [library.run(id).status for id in NAMES] == expected
    assert {run.id for run in found} == {id for id, one in zip(NAMES, done, strict=True) if not one}


def test_one_of_them_goes_on_alone_and_the_others_without_it(library: Library) -> None:
    interrupted(library.folder)
    first, second, third = (library.run(id) for id in NAMES)
    named = resume(library, first, together=[first.id, third.id])
    assert [totals.failed for totals in named.totals.values()] == [False, True, False]
    alone = resume(library, second)
    assert (alone.config.seed, alone.inexact) == (4, (NOISE,))
    trained(alone, library.folder, second)
    assert library.run(second.id).inexact[:2] == (TOGETHER, NOISE)
    others = resume(library, first, together=True)
    assert {id: totals.failed for id, totals in others.totals.items()} == {
        first.id: False,
        second.id: True,
        third.id: False,
    }
    assert {seed for seed, _ in trained(others, library.folder, first)} == {3, 9}
    assert [library.run(id).status for id in NAMES] == [Status.FINISHED] * 3
    library.delete([first.id, second.id])
    assert resume(library, third, together=True).runs == {third.id: 9}  # with nobody left


def test_each_has_a_course_and_can_be_forked_from_every_moment_of_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)
    interrupted(library.folder)
    for id, seed in NAMES.items():
        record, environment = library.run(id), Training(CONFIG).environment
        kept = [iteration for iteration, _, _ in library.snapshots(id)]
        assert kept[: kept[-1] + 1] == list(range(len(kept)))  # of every iteration, the beginning included
        assert all(is_whole(library, id, iteration) for iteration in kept)
        first = kept_at(library, record, environment, 0)
        assert (first.policy.config.seed, first.environment_steps) == (seed, 0)
        assert first.policy.fits(kept_at(library, record, environment, 2).policy)
        training, child, lost = fork(library, record, 2, {})
        assert (child.seed, training.iteration, NOISE in lost) == (seed, 2, True)
        played = kept_at(library, record, environment, 2).policy.state
        assert all(torch.equal(tensor, played[name]) for name, tensor in training.policy.state().items())
        (reported, *_) = (event for event in training if isinstance(event, Updated))
        assert reported.iteration == 3
        training.close()


def test_what_is_kept_of_several_takes_no_more_room_and_time_than_what_is_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = Training(CONFIG, seeds=tuple(NAMES.values()), names=tuple(NAMES))
    now = iter(range(1000))
    monkeypatch.setattr(snapshot_keeper, "SAVED", 2.5)  # of seconds that pass one by one as they are looked at
    keeper = SnapshotKeeper(clock=lambda: float(next(now)))
    assert keeper.between(training).keys() == NAMES.keys()  # which says nothing of what others take
    events = (event for event in training if isinstance(event, Updated))
    taken = []
    for _ in events:
        if not training.ending:
            taken.append(keeper.between(training))
        if training.updates > 20:
            break
    assert [bool(found) for found in taken[:5]] == [True, True, True, False, False]  # all of a turn, or none
    (size, *_) = (snapshot.size for snapshot in taken[0].values())
    monkeypatch.setattr(snapshot_keeper, "MOST_BYTES", 3 * 4 * size)  # of three, four each
    keeper = SnapshotKeeper({name: [(at, at, size) for at in range(4)] for name in NAMES}, clock=lambda: 0.0)
    keeper.between(training, last=True)
    assert {name: len(course.kept) for name, course in keeper._courses.items()} == dict.fromkeys(NAMES, 3)
    training.close()


def test_one_of_them_is_forked_and_its_policy_is_kept(library: Library) -> None:
    interrupted(library.folder)
    record = library.run("b" * 32)
    policy = kept_policy(Source(library, record))
    training, child, lost = fork(library, record, None, {"update.learning_rate": 0.02})
    assert (child.seed, child.origin is not None, lost) == (4, True, (NOISE,))
    assert child.inexact == (NOISE,)
    for name, tensor in training.policy.state().items():
        assert torch.equal(tensor, policy.parameters[name])
    assert resume(library, child).config.update == training.config.update
