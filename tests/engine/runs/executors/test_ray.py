"""Jobs on a real Ray cluster of several nodes on this machine: a driver and a node are killed in mid-run."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from engine.runs.executors.interface import Order
from engine.runs.executors.ray import RayExecutor
from engine.runs.library import Library
from engine.runs.liveness import is_trained
from engine.runs.records import Status
from engine.runs.sweeps.experiments import Experiments
from engine.runtime.errors import RequestError
from tests.engine.runs.executors.jobs import ENDLESS, PATIENCE, ends, is_whole, job, said, trains, until

DRIVER = """
import sys
from pathlib import Path
from engine.runs.executors.ray import RayExecutor
from tests.engine.runs.executors.jobs import ENDLESS, job
executor = RayExecutor(sys.argv[1])
executor.start(job(Path(sys.argv[2]), "a", ENDLESS))
while True:
    executor.poll(600)
"""


SWEEP = """
title = "Endless"
preset = "cartpole-reinforce"
seeds = 1
[set]
budget.environment_steps = 50_000_000
[[vary]]
path = "update.learning_rate"
values = [0.001, 0.002]
"""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that trains nothing, and one node."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300}  # a node is known to be lost
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 80 << 20, "_system_config": soon}
    made = Cluster(True, head_node_args=head)
    try:
        made.first = made.add_node(num_cpus=1, object_store_memory=80 << 20)
        yield made
    finally:
        made.shutdown()


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra cluster is not installed")
def test_runs_outlive_their_driver_and_their_node(cluster: Any, tmp_path: Path) -> None:
    heard: list[str] = []
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, cluster.address, str(tmp_path)])
    with ExitStack() as stack, Library(tmp_path) as library:
        a, b = job(tmp_path, "a", ENDLESS), job(tmp_path, "b", ENDLESS)
        trains(library, a.id, 3)
        assert is_trained(library, a.id)
        driver.kill()
        driver.wait()
        cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        executor = RayExecutor(cluster.address, heard.append)
        stack.callback(executor.close)
        assert executor.slots == 2
        saved = library.checkpoints(a.id)[0].iteration
        executor.start(a)
        executor.start(b)

        def train_on(run: str, iteration: int) -> None:
            until(lambda: not executor.poll(0.05) and has_come(library, run, iteration), f"{run} at {iteration}")

        train_on(a.id, saved + 1)
        train_on(b.id, 2)
        (gone_on,) = [event for event in library.events(a.id) if event.kind == "gone on"]
        assert gone_on.iteration == saved
        assert is_whole(library, a.id)

        cluster.remove_node(cluster.first, allow_graceful=False)
        until(lambda: not executor.poll(0.05) and bool(heard), "the loss of the node")
        lost = next(placed.job.id for placed in executor._placed.values() if placed.waits)
        kept = next(placed.job.id for placed in executor._placed.values() if not placed.waits)
        assert len(heard) == 1
        assert lost[:8] in heard[0]
        saved = library.run(lost).reached.iteration
        assert saved == library.checkpoints(lost)[0].iteration
        assert is_trained(library, lost)
        executor.order(kept, Order.STOP)  # which makes room
        assert ends(executor, kept)[kept].status is library.run(kept).status is Status.STOPPED
        train_on(lost, saved + 1)
        assert library.events(lost)[-1].kind == "gone on"
        assert library.events(lost)[-1].iteration == saved

        executor.order(lost, Order.PAUSE)
        until(lambda: not executor.poll(0.05) and library.run(lost).status is Status.PAUSED, "the pause")
        before = library.run(lost).reached.iteration
        executor.order(lost, Order.STEP)
        train_on(lost, before + 1)
        until(lambda: not executor.poll(0.05) and library.run(lost).status is Status.PAUSED, "the pause after a step")
        assert library.run(lost).reached.iteration == before + 1
        executor.order(lost, Order.GO_ON)
        executor.close()
        record = library.run(lost)
        assert record.status is Status.INTERRUPTED
        assert not is_trained(library, lost)
        assert library.checkpoints(lost)[0].iteration == record.reached.iteration
        assert is_whole(library, lost)
        assert is_whole(library, kept)
        assert library.checkpoint_file(library.checkpoints(lost)[0]).is_file()


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra cluster is not installed")
def test_a_cluster_that_is_shut_down_stops_the_experiment_and_fails_no_run(cluster: Any, tmp_path: Path) -> None:
    """In a process of its own, which Ray would end without a word a minute later."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    asked = ["sweep", str(tmp_path / "sweep.toml"), "--library", str(tmp_path / "library")]
    program = [sys.executable, "-c", "import sys, main; sys.exit(main.main())"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        driver = subprocess.Popen([*program, *asked, "--ray", cluster.address], stderr=file, stdout=file)
    try:
        with Library(tmp_path / "library") as library:
            until(lambda: any(library.checkpoints(run.id) for run in library.runs()), "a state of a run")
            for node in (cluster.first, cluster.head_node):
                node.kill_all_processes(check_alive=False, allow_graceful=True)
            assert driver.wait(PATIENCE) == 1
            said = " ".join(log.read_text().split())
            assert f"The Ray cluster at {cluster.address} is gone; what it has told is kept, and the same" in said
            assert "failed:" not in said
            assert "Traceback" not in said
            experiments = Experiments(library)
            (experiment,) = experiments.list()
            runs = experiments.runs(experiment.id)
            assert {str(run.progress) for run in runs} == {"stopped", "waiting"}
            assert max(run.attempts for run in runs) == 1
            (begun,) = library.runs()
            assert begun.status is Status.INTERRUPTED
            assert not is_trained(library, begun.id)
            assert library.checkpoints(begun.id)
    finally:
        driver.kill()
        driver.wait()


def has_come(library: Library, run: str, iteration: int) -> bool:
    record = said(library, run)
    return record is not None and record.reached.iteration >= iteration and bool(library.checkpoints(run))


def test_an_address_at_which_nobody_is_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(RequestError, match=rf"No Ray cluster can be used at 127.0.0.1:{port}: .*refused"):
        RayExecutor(f"127.0.0.1:{port}")
    assert time.monotonic() - began < 30.0  # Ray waits for minutes


def test_without_ray_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RequestError, match=r"needs Ray, which is not installed; pip install"):
        RayExecutor("auto")
