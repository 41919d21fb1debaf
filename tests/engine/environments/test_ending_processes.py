"""Worker processes end with whoever made them, however their environments behave."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from engine.environments.batches import processes as process_batch
from engine.runtime.errors import RunError
from engine.runtime.worker_process import kill_all
from tests.engine.environments.misbehaving import EVERY, MISBEHAVING, is_alive, misbehaving, pids, wait_until_gone


def test_closing_leaves_no_process() -> None:
    batch = misbehaving("")
    batch.reset(EVERY)
    workers = pids(batch)
    assert all(map(is_alive, workers))
    batch.close()
    assert not any(map(is_alive, workers))
    batch.close()


def test_closing_lets_the_environments_close(tmp_path: Path) -> None:
    misbehaving(f"touches {tmp_path / 'closed'}", "close").close()
    assert (tmp_path / "closed").exists()


def test_closing_does_not_wait_for_an_environment_that_will_not_close(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = misbehaving("hangs", "close")
    batch.reset(EVERY)
    workers = pids(batch)
    monkeypatch.setattr(process_batch, "CLOSING", 0.2)
    with pytest.raises(
        RunError, match=rf"^{MISBEHAVING} has not closed within 0\.2 s, so its worker process was ended\.$"
    ):
        batch.close()
    batch.close()
    for pid in workers:
        wait_until_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_closing_frees_the_shared_memory_and_every_file() -> None:
    def held() -> list[str]:
        links = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
        return sorted(link for link in links if "pym-" in link)

    misbehaving("").close()  # which starts what is started only once
    gc.collect()  # whatever failures in other tests hold
    before, files = held(), len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        misbehaving("").close()
    assert held() == before
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere those that let no other thread run stay")
def test_workers_end_with_a_parent_that_is_killed_even_while_an_environment_hangs() -> None:
    program = (
        "import numpy as np, threading, time\n"
        "from engine.config.environments import EnvironmentConfig\n"
        "from engine.environments.batches.processes import ProcessBatch\n"
        f"made = EnvironmentConfig(id={MISBEHAVING!r}, options=dict(what='holds the lock', during='reset'))\n"
        "batch = ProcessBatch(made, [7, 8], 2)\n"
        "threading.Thread(target=batch.reset, args=(np.arange(2),), daemon=True).start()\n"
        "while batch._progress[0, 1] < 2: time.sleep(0.01)\n"
        "print(*[worker.process.pid for worker in batch._workers], flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = list(map(int, parent.stdout.readline().split()))
        assert len(workers) == 2
        parent.kill()
    for pid in workers:
        wait_until_gone(pid)


@pytest.mark.skipif(os.name != "posix", reason="signals are named so on POSIX systems only")
@pytest.mark.parametrize(
    ("what", "how"), [("exits", "ended with the exit status 3"), ("crashes", "was ended by the signal SIGSEGV")]
)
def test_a_worker_that_dies_while_closing_is_told_of(what: str, how: str) -> None:
    batch = misbehaving(what, "close", workers=1)
    with pytest.raises(RunError, match=rf"^{MISBEHAVING} took its worker process down in its close: it {how}\.$"):
        batch.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", ["closed", "at the end of the program"])
def test_environments_have_a_main_thread_and_may_start_processes_which_end_with_them(how: str) -> None:
    batch = misbehaving("starts a process", "making", workers=1)
    assert batch.reset(EVERY).shape == (5, 2)
    (worker,) = pids(batch)
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert children
    batch.close() if how == "closed" else kill_all()
    for pid in [worker, *map(int, children)]:
        wait_until_gone(pid)
    with suppress(RunError):  # which says how it ended
        batch.close()
