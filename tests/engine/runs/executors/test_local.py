"""Jobs in processes of this machine: side by side, ordered about, killed, and left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runs.executors import local
from engine.runs.executors.interface import Job, Order
from engine.runs.executors.local import LocalExecutor
from engine.runs.library import Library
from engine.runs.liveness import is_trained
from engine.runs.records import Status
from tests.engine.runs.executors.jobs import ENDLESS, ends, is_whole, job, said, trains, until
from tests.engine.support import configured

LEFT_BEHIND = """
import sys, time
from pathlib import Path
from engine.runs.executors.local import LocalExecutor
from tests.engine.runs.executors.jobs import ENDLESS, job
executor = LocalExecutor(1)
executor.start(job(Path(sys.argv[1]), "e", ENDLESS))
print(executor._workers[0].process.pid, flush=True)
executor.poll(600)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library")) as opened:
        yield opened


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalExecutor]:
    monkeypatch.setattr(local, "cores", lambda: 2)
    made = LocalExecutor(2)
    yield made
    made.close()


def pids(executor: LocalExecutor) -> dict[str, int]:
    """The processes by the jobs that they train."""
    return {each.job.id: each.process.pid for each in executor._workers if each.job is not None}


def test_a_process_that_dies_fails_its_job_alone_which_then_goes_on(library: Library, executor: LocalExecutor) -> None:
    endless, short, several = job(library.folder, "a", ENDLESS), job(library.folder, "b"), job(library.folder, "c")
    several = Job(several.configuration, (0, 1), ("c" * 32, "d" * 32), library.folder)
    for each in (endless, short, several):
        executor.start(each)
    trains(library, endless.id, 3)
    victim = pids(executor)[endless.id]
    os.kill(victim, signal.SIGKILL)
    ended = ends(executor, endless.id, short.id, several.id)

    assert ended[short.id].status is ended[several.id].status is Status.FINISHED
    assert all(library.run(run).status is Status.FINISHED and is_whole(library, run) for run in several.runs)
    assert ended[endless.id].status is Status.FAILED
    assert ended[endless.id].can_retry
    assert "SIGKILL" in ended[endless.id].reason
    assert library.run(endless.id).reason == ended[endless.id].reason

    saved = library.checkpoints(endless.id)[0].iteration
    executor.start(short)  # which is over already
    assert ends(executor, short.id)[short.id].status is Status.FINISHED
    executor.start(endless)  # in the process that is left, where torch is loaded
    trains(library, endless.id, saved + 1)
    assert victim not in pids(executor).values()

    executor.order(endless.id, Order.PAUSE)
    until(lambda: library.run(endless.id).status is Status.PAUSED, "the pause")
    before = library.run(endless.id).reached.iteration
    executor.order(endless.id, Order.STEP)
    until(lambda: library.run(endless.id).reached.iteration > before, "the step")
    until(lambda: library.run(endless.id).status is Status.PAUSED, "the pause after it")
    assert library.run(endless.id).reached.iteration == before + 1
    until(lambda: library.checkpoints(endless.id)[0].iteration == before + 1, "its state")
    executor.order(endless.id, Order.GO_ON)
    trains(library, endless.id, before + 2)
    executor.order(endless.id, Order.STOP)
    assert ends(executor, endless.id)[endless.id].status is library.run(endless.id).status is Status.STOPPED
    assert is_whole(library, endless.id)
    assert not is_trained(library, endless.id)

    refused = configured(environment__id="Nowhere-v0").model_dump(mode="json")
    executor.start(Job(refused, (0,), ("f" * 32,), library.folder))
    failed = ends(executor, "f" * 32)["f" * 32]
    assert failed.status is Status.FAILED
    assert "Nowhere-v0" in failed.reason
    assert not failed.can_retry

    executor.start(endless)
    trains(library, endless.id, library.run(endless.id).reached.iteration + 1)
    executor.close()
    record = library.run(endless.id)
    assert record.status is Status.INTERRUPTED
    assert library.checkpoints(record.id)[0].iteration == record.reached.iteration


def test_jobs_wait_for_cores_and_for_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Idle:
        """A process that is given jobs and never tells anything."""

        def __init__(self, _: int) -> None:
            self.job: Job | None = None

        @property
        def is_free(self) -> bool:
            return self.job is None

        def begin(self, job: Job) -> None:
            self.job = job

    monkeypatch.setattr(local, "Worker", Idle)
    monkeypatch.setattr(local, "cores", lambda: 4)
    free, heard = [1 << 20], list[str]()
    executor = LocalExecutor(tell=heard.append, free=lambda: free[0])
    assert executor.slots == 4
    assert LocalExecutor(9).slots == 4
    assert LocalExecutor(1).slots == 1
    wide = Job({}, (0,), ("0",), tmp_path, threads=3)
    for each in (wide, Job({}, (0,), ("1",), tmp_path), Job({}, (0,), ("2",), tmp_path)):
        executor.start(each)
    assert not executor._workers
    assert executor.waiting == dict.fromkeys("012", "memory")
    assert len(heard) == 1
    assert "1 MiB" in heard[0]
    assert "512 MiB" in heard[0]
    free[0] = 1 << 30
    executor.start(Job({}, (0,), ("3",), tmp_path))
    assert [each.job.id for each in executor._workers if each.job] == ["0", "1"]  # 3 threads and 1
    assert executor.waiting == dict.fromkeys("23", "a core")
    executor.order("2", Order.STOP)
    assert [(ended.job, ended.status) for ended in executor._ended] == [("2", Status.STOPPED)]
    for each in executor._workers:
        each.job = None  # as they have ended
    executor._begin()
    assert [each.job.id for each in executor._workers if each.job] == ["3"]


@pytest.mark.skipif(os.name != "posix", reason="a process is killed")
def test_who_is_left_behind_saves_what_it_trains_and_ends(library: Library) -> None:
    folder = str(library.folder)
    conductor = subprocess.Popen([sys.executable, "-c", LEFT_BEHIND, folder], stdout=subprocess.PIPE, text=True)
    with conductor:
        assert conductor.stdout is not None
        pid = int(conductor.stdout.readline())
        run = job(library.folder, "e").id
        trains(library, run, 2)
        conductor.kill()
    until(lambda: not is_alive(pid), "the end of the process that trained")
    record = said(library, run)
    assert record is not None
    assert record.status is Status.INTERRUPTED
    assert library.checkpoints(run)[0].iteration == record.reached.iteration
    assert is_whole(library, run)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
