"""The self-test of several algorithms side by side, on as many cores as there are."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from engine.analysis.self_test import Outcome, never, self_test
from engine.catalogue.methods.entries import ALGORITHMS
from engine.mdp.probes import PROBES
from engine.runtime.cores import cores
from engine.runtime.errors import RunError
from engine.runtime.threads import compute_on_one_thread
from engine.runtime.worker_process import PERIOD, WorkerProcess, end_all

_PROBES = {probe.id: probe for probe in PROBES}


def self_tests(algorithms: Iterable[str] = tuple(ALGORITHMS), ends: Callable[[], bool] = never) -> Iterator[Outcome]:
    """As ``self_test``, and in its order; each algorithm in one of as many processes as there are cores.

    Raises:
        RunError: one of these processes has ended.
    """
    names = list(algorithms)
    count = min(cores(), len(names))
    if count < 2:
        yield from self_test(names, ends)
        return
    workers = [WorkerProcess(f"self-test {number}", _work) for number in range(1, count + 1)]
    waiting, busy, told = deque(names), dict[Connection, tuple[WorkerProcess, str]](), dict[str, list[Outcome]]()

    def give(worker: WorkerProcess) -> None:
        if waiting:
            busy[worker.connection] = worker, waiting.popleft()
            with suppress(OSError):  # of one that has ended, which is told when it is listened to
                worker.connection.send_bytes(busy[worker.connection][1].encode())

    try:
        for worker in workers:
            give(worker)
        for name in names:
            while name not in told:
                if ends():
                    return
                for connection in wait(list(busy), PERIOD):
                    assert isinstance(connection, Connection)
                    worker, about = busy.pop(connection)
                    told[about] = _heard(worker, about)
                    give(worker)
            yield from told[name]
    finally:
        end_all(workers, 0.0)


def _heard(worker: WorkerProcess, algorithm: str) -> list[Outcome]:
    try:
        answer = json.loads(worker.connection.recv_bytes())
    except (EOFError, OSError) as error:
        raise RunError(f"The process that tested {algorithm} {worker.how_it_ended()}.") from error
    return [Outcome(algorithm, _PROBES[probe], passed, found) for probe, passed, found in answer]


def _work(connection: Connection) -> None:
    """What a process does: test one algorithm after the other, as they are asked for."""
    compute_on_one_thread()
    while True:
        outcomes = self_test([connection.recv_bytes().decode()])
        connection.send_bytes(json.dumps([(each.probe.id, each.passed, each.found) for each in outcomes]).encode())
