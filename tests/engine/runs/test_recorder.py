"""What a run tells stands in the library: every number as it was told, whatever it is that trains."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.reports.events import Collected, Event, Updated
from engine.runs import recorder as recording
from engine.runs.autosave import Autosave, Taken
from engine.runs.host import recorded
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.liveness import hold, is_trained, settle
from engine.runs.recorder import Recorder
from engine.runs.records import RunRecord, Status
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.told import Told
from engine.runtime.errors import RequestError, RunError
from engine.training.training import Training
from tests.engine.support import configured


def trained(training: Training, folder: Path, said: list[str] | None = None) -> list[Event]:
    """All that ``training`` tells, recorded."""
    events: list[Event] = []
    with recorded(training, folder, (said if said is not None else []).append) as recorder:
        for event in training:
            events.append(event)
            recorder.put(event)
            if isinstance(event, Updated):
                recorder.between(training)
    return events


def test_every_number_that_was_told_is_read_as_it_was_told(library_place: Path) -> None:
    events = trained(Training(configured(budget__environment_steps=600), "mine"), library_place)
    updates = [event for event in events if isinstance(event, Updated)]
    collected = [event for event in events if isinstance(event, Collected)]
    with Library(library_place) as library:
        record = library.run("mine")
        iterations, episodes = library.series("mine", ITERATIONS), library.series("mine", EPISODES)
    reported = [[np.nan if value is None else value for value in update.report().values()] for update in updates]
    np.testing.assert_array_equal(iterations.rows[:, : len(reported[0])], np.array(reported, np.float64))
    assert iterations.columns[: len(reported[0])] == tuple(updates[0].report())
    np.testing.assert_array_equal(episodes["return"], np.concatenate([each.returns for each in collected]))
    np.testing.assert_array_equal(episodes["end"], np.concatenate([each.ends for each in collected]))
    last = updates[-1]
    assert (record.number, record.status, record.device) == (1, Status.FINISHED, "cpu")
    assert record.config == configured(budget__environment_steps=600)
    assert (record.reached.iteration, record.reached.environment_steps) == (last.iteration, last.environment_steps)
    assert record.reached.best == max(update.metrics["mean_return"] for update in updates)
    assert record.versions["torch"].startswith("2.")
    assert len(record.sparkline) > 1


def test_each_of_several_seeds_is_a_run_of_its_own(library_place: Path) -> None:
    events = trained(Training(configured(budget__environment_steps=300), seeds=(4, 7)), library_place)
    with Library(library_place) as library:
        found = {record.seed: record for record in library.runs()}
        assert {seed: record.status for seed, record in found.items()} == {4: Status.FINISHED, 7: Status.FINISHED}
        for seed in (4, 7):
            told = [event.iteration for event in events if isinstance(event, Updated) and event.run == f"run/{seed}"]
            assert list(library.series(found[seed].id, ITERATIONS)["iteration"]) == told


def test_seeds_that_are_trained_together_are_known_to_be_trained_by_one_lock(library_place: Path) -> None:
    recorder = Recorder(library_place, print)
    recorder.begin(Training(configured(), seeds=(4, 7, 9)))
    with Library(library_place) as library:
        runs = [record.id for record in library.runs()]
        assert [is_trained(library, run) for run in runs] == [True] * 3
        assert len(recorder._locks) == 1
        recorder.end(Status.STOPPED)
        assert [is_trained(library, run) for run in runs] == [False] * 3


def test_no_state_is_kept_before_all_that_led_to_it(library_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, gone_on, write, seen = threading.Event(), threading.Event(), Told.write, list[tuple[int, float]]()

    def slowly(told: Told, library: Library) -> None:
        write(told, library)
        writing.set()
        assert gone_on.wait(60.0)

    def looked_at(library: Library, ids: Mapping[str, str], taken: Taken) -> None:
        seen.append((taken.iteration, library.series("mine", ITERATIONS)["iteration"][-1]))

    monkeypatch.setattr(Told, "write", slowly)
    monkeypatch.setattr(recording, "keep", looked_at)
    training = Training(configured(), "mine")
    recorder = Recorder(library_place, print)
    recorder.begin(training)
    for event in training:
        recorder.put(event)
        if isinstance(event, Updated) and event.iteration == 1:
            recorder._wake.set()
            assert writing.wait(60.0)
        elif isinstance(event, Updated):
            recorder.save(training)  # while the first iteration is being written
            break
    gone_on.set()
    recorder.end(Status.STOPPED)
    assert seen == [(2, 2.0)]


def test_a_change_is_noted_and_is_what_holds_since(library_place: Path) -> None:
    training = Training(configured(budget__environment_steps=300), "mine")
    training.change("update.learning_rate", 0.125)
    trained(training, library_place)
    with Library(library_place) as library:
        (event,) = [event for event in library.events("mine") if event.kind == "change"]
        assert (event.iteration, event.data["path"], event.data["new"]) == (1, "update.learning_rate", 0.125)
        assert library.run("mine").config_now == training.config


@pytest.mark.parametrize(("error", "status"), [(RunError("It broke."), "failed"), (KeyboardInterrupt(), "interrupted")])
def test_what_breaks_a_run_off_is_its_status(library_place: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), recorded(Training(configured(), "mine"), library_place, print):
        raise error
    with Library(library_place) as library:
        assert (library.run("mine").status, library.run("mine").reason) == (status, str(error))


def test_a_run_whose_process_has_ended_without_a_word_is_interrupted_and_a_living_one_is_not(
    library_place: Path,
) -> None:
    with Library(library_place) as library:
        of_this = configured().model_dump(mode="json")
        dead, alive = (
            library.begin(RunRecord(name, 0, of_this, Status.RUNNING, created=1.0)).id for name in ("dead", "alive")
        )
        lock = hold(library, alive)
        assert [record.id for record in settle(library)] == [dead]
        assert (library.run(dead).status, library.run(alive).status) == (Status.INTERRUPTED, Status.RUNNING)
        assert is_trained(library, alive)
        lock.release()
        assert not is_trained(library, alive)


def test_a_run_is_trained_in_one_place_at_a_time(library_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runs.liveness._PATIENCE", 0.05)
    training = Training(configured(), "mine")
    first, second = Recorder(library_place, print), Recorder(library_place, print)
    record = first.begin(training)
    with pytest.raises(RequestError, match="being trained"):
        second.begin(training, record)
    first.end(Status.STOPPED)
    assert second.begin(training, record) is not None
    second.end(Status.FINISHED)


def test_while_the_library_cannot_be_written_the_run_goes_on_and_nothing_is_missing_afterwards(
    library_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "EVERY", 0.01)
    monkeypatch.setattr(recording, "RETRY", 0.0)
    said: list[str] = []
    training = Training(configured(budget__environment_steps=1500), "mine")
    reach, failures = Library.reach, [RunError("The disk is full.")] * 3

    def fails(*arguments: object) -> None:
        if failures:
            raise failures.pop()
        reach(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Library, "reach", fails)
    events = trained(training, library_place, said)
    with Library(library_place) as library:
        told = [event.iteration for event in events if isinstance(event, Updated)]
        assert list(library.series("mine", ITERATIONS)["iteration"]) == told
    assert said == [
        "What this run tells cannot be recorded now: The disk is full; the run goes on, and it is tried again.",
        "What this run tells is recorded again, and nothing of it is missing.",
    ]


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Library, "reach"),
        (SnapshotKeeper, "write"),
        (SnapshotKeeper, "between"),
        (Autosave, "between"),
        (recording, "keep"),
        (recording, "make_room"),
    ],
)
def test_a_mistake_of_the_program_while_recording_ends_nothing_and_costs_no_later_number(
    library_place: Path, monkeypatch: pytest.MonkeyPatch, owner: object, method: str
) -> None:
    monkeypatch.setattr(recording, "EVERY", 0.01)
    monkeypatch.setattr(recording, "RETRY", 0.0)
    works, failures = getattr(owner, method), [MemoryError()]

    def fails(*arguments: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return works(*arguments, **named)

    monkeypatch.setattr(owner, method, fails)
    said: list[str] = []
    events = trained(Training(configured(budget__environment_steps=1500), "mine"), library_place, said)
    assert not failures
    with Library(library_place) as library:
        told = [event.iteration for event in events if isinstance(event, Updated)]
        assert list(library.series("mine", ITERATIONS)["iteration"]) == told
        assert library.run("mine").status is Status.FINISHED
        assert not is_trained(library, "mine")
    assert len([sentence for sentence in said if "cannot be" in sentence]) == (method != "make_room")


def test_a_run_goes_on_though_its_end_is_still_being_written(
    library_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runs.liveness._PATIENCE", 0.0)
    monkeypatch.setattr(recording, "PATIENCE", 0.0)
    training = Training(configured(), "mine")
    first, second = Recorder(library_place, print), Recorder(library_place, print)
    record = first.begin(training)
    first.end(Status.STOPPED)
    assert second.begin(training, record, held=True) is not None
    monkeypatch.setattr(recording, "PATIENCE", 10.0)
    second.end(Status.FINISHED)
    with Library(library_place) as library:
        assert library.run("mine").status is Status.FINISHED


def test_that_a_run_which_was_held_goes_on_is_noted(library_place: Path) -> None:
    training = Training(configured(), "mine")
    recorder = Recorder(library_place, print)
    record = recorder.begin(training)
    recorder.end(Status.STOPPED)
    again = Recorder(library_place, print)
    again.begin(training, record, held=True)
    again.end(Status.STOPPED)
    with Library(library_place) as library:
        assert [event.kind for event in library.events("mine")] == ["gone on"]


def test_a_library_that_cannot_be_opened_is_told_and_the_run_goes_on(library_place: Path) -> None:
    library_place.mkdir()
    other = sqlite3.connect(library_place / "library.sqlite3")
    other.execute("CREATE TABLE things (name)")
    other.commit()
    other.close()
    said: list[str] = []
    training = Training(configured(budget__environment_steps=300), "mine")
    assert isinstance(trained(training, library_place, said)[-1], Updated)
    (sentence,) = said
    assert sentence.startswith("This run is not recorded: ")
