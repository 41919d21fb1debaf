from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runs.executors.interface import ExecutorLostError, Order
from engine.runs.library import Library
from engine.runs.liveness import hold
from engine.runs.records import Status
from engine.runs.sweeps.conducted import is_conducted
from engine.runs.sweeps.conducting import Conductor
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runtime.errors import RequestError, RunError
from tests.engine.runs.sweeps.fake_executor import FakeExecutor
from tests.engine.runs.sweeps.sweeps import RATES, bandits


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as opened:
        yield opened


def _begun(library: Library, rest: str = f"seeds = 4\n{RATES}") -> ExperimentRecord:
    return Experiments(library).add(bandits(rest))


def _progress(library: Library, record: ExperimentRecord) -> list[str]:
    return [str(run.progress) for run in Experiments(library).runs(record.id)]


def _conduct(conductor: Conductor, executor: FakeExecutor) -> None:
    """To the end, everything finishing as soon as it has begun."""
    while conductor.step(0.0):
        executor.finish_all()


def test_seeds_of_a_point_are_one_job_and_all_are_trained_once(library: Library) -> None:
    record, executor = _begun(library), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        _conduct(conductor, executor)

    assert [job.seeds for job in executor.started] == [(1, 2, 3, 4), (1, 2, 3, 4)]
    assert [job.configuration["update"]["learning_rate"] for job in executor.started] == [0.1, 0.3]
    assert _progress(library, record) == ["finished"] * 8
    assert not is_conducted(library.folder, record.id)
    with Conductor(library, record.id, executor) as conductor:  # once more
        assert not conductor.step(0.0)
    assert len(executor.started) == 2


def test_the_last_point_is_divided_among_slots_that_would_stand_idle(library: Library) -> None:
    record, executor = _begun(library, f"seeds = 4\n{RATES.replace('0.3]', '0.2, 0.3]')}"), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        _conduct(conductor, executor)

    assert [job.seeds for job in executor.started] == [(1, 2, 3, 4), (1, 2, 3, 4), (1, 2), (3, 4)]


def test_where_seeds_go_alone_every_point_has_its_first_before_any_has_its_second(library: Library) -> None:
    memory = '[[vary]]\npath = "algorithm"\nvalues = ["q-learning", "sarsa"]'
    record, executor = _begun(library, f"seeds = 2\n{memory}"), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        _conduct(conductor, executor)

    rules = [(job.configuration["update"]["kind"], job.seeds) for job in executor.started]
    assert rules == [("q-learning", (1,)), ("sarsa", (1,)), ("q-learning", (2,)), ("sarsa", (2,))]


def test_a_run_that_fails_fails_only_itself(library: Library) -> None:
    record, executor, told = _begun(library), FakeExecutor(library), list[str]()
    with Conductor(library, record.id, executor, told.append) as conductor:
        conductor.step(0.0)
        executor.end(executor.started[0].id, Status.FAILED, "It broke.")
        _conduct(conductor, executor)

    assert _progress(library, record) == ["failed"] * 4 + ["finished"] * 4
    assert {run.reason for run in Experiments(library).runs(record.id)[:4]} == {"It broke."}
    assert told[0] == "Seed 1 of Learning rate 0.1 failed: It broke."
    with Conductor(library, record.id, executor) as conductor:  # not again of itself, but where that is wished
        assert not conductor.step(0.0)
        Experiments(library).retry(record.id, [record.runs[0].run])
        assert conductor.step(0.0)
        assert executor.started[-1].runs == (record.runs[0].run,)
        _conduct(conductor, executor)
    assert _progress(library, record)[:2] == ["finished", "failed"]


def test_what_was_not_its_own_fault_is_tried_twice_more(library: Library) -> None:
    record, executor = _begun(library, "seeds = 1"), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        while conductor.step(0.0):
            for job in list(executor.jobs):
                executor.end(job, Status.FAILED, "Its process died.", told=False, can_retry=True)

    (run,) = Experiments(library).runs(record.id)
    assert (len(executor.started), run.attempts) == (3, 3)
    assert (run.progress, run.reason) == (Progress.FAILED, "Its process died.")


def test_where_all_that_trains_is_gone_the_experiment_has_stopped_and_no_run_has_failed(library: Library) -> None:
    record, executor, told = _begun(library), FakeExecutor(library), list[str]()
    with Conductor(library, record.id, executor, told.append) as conductor:
        conductor.step(0.0)
        executor.is_lost = True
        with pytest.raises(ExecutorLostError, match=r"The cluster is gone\."):
            conductor.step(0.0)
    assert told == []
    runs = Experiments(library).runs(record.id)
    assert {(str(run.progress), run.attempts, run.reason) for run in runs} == {("stopped", 1, "")}
    executor.is_lost = False
    with Conductor(library, record.id, executor) as conductor:
        _conduct(conductor, executor)
    assert _progress(library, record) == ["finished"] * 8


def test_what_ends_without_having_finished_is_not_begun_for_ever(library: Library) -> None:
    record, executor = _begun(library, "seeds = 1"), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        while conductor.step(0.0):
            for job in list(executor.jobs):
                executor.end(job, Status.FINISHED, told=False)

    (run,) = Experiments(library).runs(record.id)
    assert (len(executor.started), run.reason) == (3, "It ended before it had finished.")


def test_what_cannot_be_started_at_all_has_failed_with_the_reason(library: Library) -> None:
    record, executor = _begun(library, "seeds = 2"), FakeExecutor(library)
    executor.refuses = "There is no cuda here."
    with Conductor(library, record.id, executor) as conductor:
        assert not conductor.step(0.0)
    assert {run.reason for run in Experiments(library).runs(record.id)} == {"There is no cuda here."}


def test_a_whole_experiment_pauses_in_its_place_and_goes_on(library: Library) -> None:
    record, executor, experiments = _begun(library), FakeExecutor(library), Experiments(library)
    with Conductor(library, record.id, executor) as conductor:
        conductor.step(0.0)
        experiments.wish(record.id, Wish.PAUSE)
        assert conductor.step(0.0)
        assert _progress(library, record) == ["paused"] * 8
        experiments.wish(record.id, Wish.RUN)
        conductor.step(0.0)
        assert _progress(library, record) == ["training"] * 8
        assert [order for _, order in executor.orders] == [Order.PAUSE] * 2 + [Order.GO_ON] * 2
        experiments.wish(record.id, Wish.STOP)
        conductor.step(0.0)
        assert not conductor.step(0.0)
    assert _progress(library, record) == ["stopped"] * 8


def test_one_of_several_seeds_pauses_and_the_others_go_on_together(library: Library) -> None:
    record, executor, experiments = _begun(library), FakeExecutor(library, slots=1), Experiments(library)
    first, second = record.runs[:2]
    with Conductor(library, record.id, executor) as conductor:
        conductor.step(0.0)
        experiments.wish_of(record.id, [first.run], Wish.PAUSE)
        experiments.wish_of(record.id, [second.run], Wish.DROP)
        conductor.step(0.0)
        conductor.step(0.0)
        assert executor.jobs[record.runs[2].run].seeds == (3, 4)
        assert _progress(library, record)[:4] == ["paused", "stopped", "training", "training"]
        experiments.wish_of(record.id, [first.run], Wish.RUN)
        _conduct(conductor, executor)
    assert _progress(library, record) == ["finished", "stopped", *["finished"] * 6]


def test_an_experiment_that_was_deleted_is_stopped(library: Library) -> None:
    record, executor = _begun(library), FakeExecutor(library)
    with Conductor(library, record.id, executor) as conductor:
        conductor.step(0.0)
        Experiments(library).delete([record.id])
        conductor.step(0.0)
        assert not conductor.step(0.0)
    assert not executor.jobs
    assert library.runs() == []


def test_only_one_conducts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runs.sweeps.conducting.BUSY", 0.0)
    record, executor = _begun(library), FakeExecutor(library)
    with Conductor(library, record.id, executor):
        assert is_conducted(library.folder, record.id)
        with pytest.raises(RequestError, match="being conducted by another"), Conductor(library, record.id, executor):
            raise AssertionError


def test_after_a_conductor_was_killed_another_goes_on_from_what_there_is(library: Library) -> None:
    """Of eight runs four had finished without its having been noted, two have a state of both, one has none, and one is
    still trained."""
    record, executor = _begun(library), FakeExecutor(library)
    killed = Conductor(library, record.id, executor)
    killed.__enter__()
    killed.step(0.0)
    done, other = executor.started
    executor.end(done.id, Status.FINISHED)
    executor.end(other.id, Status.STOPPED)
    library.execute("DELETE FROM checkpoints WHERE run IN (?, ?)", other.runs[2:])
    assert killed._lock is not None
    killed._lock.release()
    training = hold(library, other.runs[3])

    executor, told = FakeExecutor(library), list[str]()
    with Conductor(library, record.id, executor, told.append) as conductor:
        conductor.step(0.0)
        assert _progress(library, record)[:4] == ["finished"] * 4
        assert sorted(job.seeds for job in executor.started) == [(1, 2)]
        conductor.step(0.0)
        assert told == [
            "Seed 4 of Learning rate 0.3 is still trained by another process; it goes on here once that has ended."
        ]
        training.release()
        _conduct(conductor, executor)
    assert sorted(job.seeds for job in executor.started) == [(1, 2), (3,), (4,)]
    assert _progress(library, record) == ["finished"] * 8


def test_a_finished_run_of_the_same_configuration_and_seed_is_taken_over(library: Library) -> None:
    executor = FakeExecutor(library)
    for rest in (f"seeds = 2\n{RATES}", f"seeds = 3\n{RATES}"):
        with Conductor(library, (record := _begun(library, rest)).id, executor) as conductor:
            _conduct(conductor, executor)

    assert [job.seeds for job in executor.started] == [(1, 2), (1, 2), (3,), (3,)]
    assert _progress(library, record) == ["finished"] * 6
    assert len({run.run for run in Experiments(library).runs(record.id)}) == 6


def test_a_finished_run_that_was_removed_for_good_is_trained_anew(library: Library) -> None:
    record, executor = _begun(library, "seeds = 1"), FakeExecutor(library)
    for _ in range(2):
        with Conductor(library, record.id, executor) as conductor:
            _conduct(conductor, executor)
        library.forget(record.runs[0].run)

    assert len(executor.started) == 2


def test_what_cannot_be_written_is_noted_later(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    record, executor, told = _begun(library, "seeds = 1"), FakeExecutor(library), list[str]()
    with Conductor(library, record.id, executor, told.append) as conductor:
        conductor.step(0.0)
        executor.finish_all()
        with monkeypatch.context() as patched:
            patched.setattr(Experiments, "progress", _full)
            conductor.step(0.0)
            assert conductor.step(0.0)
        monkeypatch.setattr("engine.runs.sweeps.conducting.time.monotonic", lambda: 1e12)
        assert not conductor.step(0.0)
    assert _progress(library, record) == ["finished"]
    assert told[0].startswith("What becomes of this experiment cannot be noted now: The disk is full;")
    assert told[1] == "What becomes of this experiment is noted again."


def _full(*_: object) -> None:
    raise RunError("The disk is full.")
