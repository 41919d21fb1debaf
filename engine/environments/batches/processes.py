"""Environments of Gymnasium's in worker processes, watched from outside."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.interface import NONE, Indices, Transitions
from engine.environments.batches.worker import (
    COMMAND,
    DONE,
    LOAD,
    REFUSED,
    RESET,
    STATE,
    STEP,
    Block,
    Share,
    arrays_in,
    run_worker,
)
from engine.environments.making import registry
from engine.runtime.errors import RequestError, RunError
from engine.runtime.state import State

MAKING = 60.0  # seconds in which a worker must be up, and then each environment made
CLOSING = 1.0  # seconds in which workers that are no longer wanted may close their environments
_PERIOD = 0.1  # seconds between looks at what the workers are doing, at most
# Never fork, which would copy the locks that threads of the window and of torch hold. A fork server holds none, and has
# what takes long to import at hand; it is found on more systems than Linux, but libraries there do not outlive a fork.
_METHOD = "forkserver" if sys.platform == "linux" else "spawn"
_AT_HAND = ["gymnasium", "numpy", "pydantic"]


class _Worker(NamedTuple):
    process: BaseProcess
    connection: Connection
    share: Share


class ProcessBatch:
    """Environments of Gymnasium's, shared out over worker processes that step them at the same time.

    Gives exactly what ``GymnasiumBatch`` gives for the same seeds. Gymnasium's own ``AsyncVectorEnv`` does not serve:
    it takes one process for each environment, steps all of them always, and cannot say which of them hangs.

    A worker in which no call of an environment ends within ``environment.patience`` seconds counts as hung. When a
    worker hangs or dies, all are ended.

    Raises:
        RequestError: the environment cannot be made, here or in a worker.
        RunError: on construction, when making it in a worker takes more than ``MAKING`` seconds or ends the worker;
            from ``reset`` and ``step``, when an environment raises, gives what nothing can be learned from, hangs or
            ends its worker.
    """

    def __init__(self, environment: EnvironmentConfig, seeds: Sequence[int], workers: int) -> None:
        self.size = len(seeds)
        self._id, self._patience = environment.id, environment.patience
        self.interrupted: Indices = NONE
        context: Any = multiprocessing.get_context(_METHOD)
        if _METHOD == "forkserver":
            context.set_forkserver_preload(_AT_HAND)
        workers = min(workers, self.size)
        self._bounds = [self.size * number // workers for number in range(workers + 1)]
        made = registry.make(environment.id, environment.options, time_limit=environment.time_limit)
        self.action_space: Any = made.action_space
        blocks = _blocks(context, made, self.size, workers)
        with suppress(Exception):  # all that was wanted of it is known
            made.close()
        self._arrays = arrays_in(blocks)
        self._workers: list[_Worker] = []
        try:
            for number, (low, high) in enumerate(pairwise(self._bounds)):
                share = Share(environment, tuple(map(int, seeds[low:high])), low, number)
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=run_worker, args=(theirs, share, blocks), name=f"{self._id} {number}", daemon=True
                )
                process.start()
                theirs.close()
                self._workers.append(_Worker(process, ours, share))
            self._wait(self._workers, "making", MAKING)
        except BaseException:
            self._end(0.0)
            raise

    def reset(self, indices: Indices) -> NDArray[Any]:
        self._ask(RESET, indices)
        observations: NDArray[Any] = self._arrays.observations[: len(indices)].copy()
        return observations

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        n = len(indices)
        self._arrays.actions[:n] = actions
        self._ask(STEP, indices)
        arrays = self._arrays
        return Transitions(
            arrays.observations[:n].copy(),
            arrays.rewards[:n].copy(),
            arrays.terminated[:n].copy(),
            arrays.truncated[:n].copy(),
        )

    def state(self) -> State:
        """As ``GymnasiumBatch.state``, which may go on from it, as may any number of workers."""
        shares: list[State] = [pickle.loads(answer) for answer in self._ask_all(STATE)]
        return shares[0] | {"environments": [one for share in shares for one in share["environments"]]}

    def load(self, state: Mapping[str, Any]) -> None:
        each = state.get("environments", [])
        if len(each) != self.size:
            raise ValueError(f"This is not the state of {self.size} environments of {self._id} stepped one by one.")
        shares = [pickle.dumps({"environments": each[low:high]}) for low, high in pairwise(self._bounds)]
        found = zip(self._bounds, self._ask_all(LOAD, shares), strict=False)
        self.interrupted = np.concatenate([low + pickle.loads(answer) for low, answer in found])

    def close(self) -> None:
        """End the workers; those that have not closed their environments after ``CLOSING`` seconds are killed."""
        self._end(CLOSING)

    def _ask(self, command: bytes, indices: Indices) -> None:
        """Have every worker do its part of ``indices``; a worker with none of them is left in peace."""
        self._check_up()
        during = "step" if command == STEP else "reset"
        self._arrays.indices[: len(indices)] = indices
        rows = np.searchsorted(indices, self._bounds).tolist()
        asked = []
        for worker, (low, high) in zip(self._workers, pairwise(rows), strict=True):
            if low < high:
                self._send(worker, COMMAND.pack(command, low, high), during)
                asked.append(worker)
        self._wait(asked, during, self._patience)

    def _ask_all(self, command: bytes, states: Sequence[bytes] = ()) -> list[bytes]:
        """The answers of all workers; each is told its own one of ``states``, if there are any."""
        self._check_up()
        for number, worker in enumerate(self._workers):
            self._send(worker, COMMAND.pack(command, 0, 0) + (states[number] if states else b""), "reset")
        return self._wait(self._workers, "reset", self._patience)

    def _check_up(self) -> None:
        if not self._workers:
            raise RunError(f"{self._id} is no longer stepped, since its worker processes have ended.")

    def _send(self, worker: _Worker, command: bytes, during: str) -> None:
        try:
            worker.connection.send_bytes(command)
        except OSError:
            raise self._died(worker, during) from None

    def _wait(self, asked: list[_Worker], during: str, patience: float) -> list[bytes]:
        """Wait until all who were asked have answered; every one of them may take ``patience`` seconds a call.

        Returns:
            What their answers say, in the order of the workers.
        """
        period = min(_PERIOD, patience / 4.0)
        pending = {worker.connection: worker for worker in asked}
        watches: dict[Connection, _Watch] = {}  # from when it takes long
        problem: Exception | None = None
        answers: dict[int, bytes] = {}
        while pending:
            answered = wait(list(pending), period)
            for connection in answered:
                assert isinstance(connection, Connection)
                worker = pending.pop(connection)
                try:
                    answer = connection.recv_bytes()
                except (EOFError, OSError):
                    raise self._died(worker, during) from None
                answers[worker.share.number] = answer[1:]
                if not answer.startswith(DONE):
                    kind = RequestError if answer.startswith(REFUSED) else RunError
                    problem = problem or kind(answer[1:].decode())
            if not answered:
                for connection, worker in pending.items():
                    watch = watches.setdefault(connection, _Watch(self._arrays.progress[worker.share.number]))
                    if watch.idle_periods() * period >= patience:
                        raise self._hung(worker, during, patience)
        if problem is not None:
            raise problem
        return [answer for _, answer in sorted(answers.items())]

    def _hung(self, worker: _Worker, during: str, patience: float) -> RunError:
        named = self._named(worker)
        self._end(0.0)
        if during == "making":
            return RunError(f"{self._id} could not be made in a worker process within {patience:g} s.")
        return RunError(f"{named} has not answered its {during} for {patience:g} s, so its worker process was ended.")

    def _died(self, worker: _Worker, during: str) -> RunError:
        worker.process.join(CLOSING)  # how it ended is known a moment after its end
        how = _in_words(worker.process.exitcode)
        named = self._named(worker)
        self._end(0.0)
        if during == "making":
            return RunError(f"{self._id} could not be made in a worker process, which {how}.")
        return RunError(f"{named} took its worker process down in its {during}: it {how}.")

    def _named(self, worker: _Worker) -> str:
        """The environment that a worker is working on."""
        return f"{self._id} with the seed {worker.share.seeds[int(self._arrays.progress[worker.share.number, 0])]}"

    def _end(self, patience: float) -> None:
        """End all workers, killing those that are not done after ``patience`` seconds."""
        processes = [worker.process for worker in self._workers]
        for worker in self._workers:
            worker.connection.close()  # which tells it to end
        self._workers = []
        until = time.monotonic() + patience
        for process in processes:
            process.join(max(until - time.monotonic(), 0.0))
            if process.is_alive():
                process.kill()
        for process in processes:
            process.join(CLOSING)
            with suppress(ValueError):  # not even a kill ends what the system itself holds up
                process.close()


class _Watch:
    """For how many looks in a row a worker has not begun another call."""

    def __init__(self, progress: NDArray[np.int64]) -> None:
        self._progress, self._calls, self._periods = progress, int(progress[1]), 0

    def idle_periods(self) -> int:
        calls = int(self._progress[1])
        self._periods = self._periods + 1 if calls == self._calls else 0
        self._calls = calls
        return self._periods


def _blocks(context: Any, made: registry.Environment, size: int, workers: int) -> list[Block]:
    """Memory for the arrays of ``Arrays``. Nothing is to be unlinked: it goes with the last process that has it."""
    observation, action = _kind(made.observation_space), _kind(made.action_space)
    flag = (np.dtype(np.bool_), ())
    rows = [(np.dtype(np.int64), ()), action, observation, (np.dtype(np.float64), ()), flag, flag]
    layout = [(dtype, (size, *shape)) for dtype, shape in rows] + [(np.dtype(np.int64), (workers, 2))]
    return [
        Block(context.RawArray(ctypes.c_byte, dtype.itemsize * math.prod(shape)), shape, dtype)
        for dtype, shape in layout
    ]


def _kind(space: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and shape of one observation or action as policies know it."""
    if isinstance(space, spaces.Discrete):
        return np.dtype(np.int64), ()
    return np.dtype(np.float32 if isinstance(space, spaces.Box) else np.int64), (math.prod(space.shape),)


def _in_words(code: int | None) -> str:
    """How a process ended."""
    if code is None:
        return "no longer answers"
    if code >= 0:
        return f"ended with the exit status {code}"
    memory = ", as the system does when memory runs out" if code == -9 else ""
    return f"was ended by the signal {signal.Signals(-code).name}{memory}"
