"""Environments of Gymnasium's in worker processes, watched from outside."""

from __future__ import annotations

import ctypes
import multiprocessing
import pickle
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import require_one
from engine.environments.batches.interface import NONE, Indices, Transitions
from engine.environments.batches.picture_memory import PictureReceiver
from engine.environments.batches.worker import (
    BEGIN,
    BEGIN_IN,
    COMMAND,
    DONE,
    LOAD,
    REFUSED,
    RENDER,
    RESET,
    ROOM,
    STATE,
    STEP,
    Arrays,
    Made,
    Share,
    arrays_in,
    bytes_of,
    progress_in,
    run_worker,
)
from engine.environments.making.in_worker import MAKING
from engine.reports.frames import Image
from engine.runtime.errors import RequestError, RunError
from engine.runtime.shared_memory import SharedMemory
from engine.runtime.state import State
from engine.runtime.waiting import Wait, waited
from engine.runtime.worker_process import CLOSING, PERIOD, WorkerProcess, answers, end_all, in_words, loaded, preload

preload(run_worker.__module__)


class ProcessBatch:
    """Environments of Gymnasium's, shared out over worker processes that step them at the same time.

    Gives exactly what ``GymnasiumBatch`` gives for the same seeds. Gymnasium's own ``AsyncVectorEnv`` does not serve:
    it takes one process for each environment, steps all of them always, and cannot say which of them hangs.

    Nothing of an environment is imported or made in this process. A worker in which no call of an environment ends
    within ``environment.patience`` seconds counts as hung; its making and its first reset, step and render, in which
    some load what they need, may take ``MAKING`` seconds if that is longer. When a worker hangs or dies, all are ended.

    Args:
        render: whether the environments are made to give pictures.

    Raises:
        RequestError: the environment cannot be made.
        RunError: on construction, when making it takes too long or ends the worker; from ``reset``, ``step`` and
            ``render``, when an environment raises, gives what nothing can be learned from, hangs or ends its worker;
            from ``close``, when it hangs or ends its worker there, though all is freed.
        GivenUp: as ``waited``, wherever a worker is waited for; all are ended then.
    """

    def __init__(
        self, environment: EnvironmentConfig, seeds: Sequence[int], workers: int, *, render: bool = False
    ) -> None:
        self.size = len(seeds)
        self._id, self._patience = environment.id, environment.patience
        self.interrupted: Indices = NONE
        self._fresh = {during: np.ones(self.size, np.bool_) for during in ("making", "reset", "step", "render")}
        workers = min(workers, self.size)
        self._bounds = [self.size * number // workers for number in range(workers + 1)]
        block = multiprocessing.get_context("spawn").RawArray(ctypes.c_int64, 2 * workers)
        self._progress = progress_in(block)
        self._workers: list[WorkerProcess] = []
        self._shares: list[Share] = []
        try:
            for number, (low, high) in enumerate(pairwise(self._bounds)):
                share = Share(environment, tuple(map(int, seeds[low:high])), low, number, self.size, render)
                self._shares.append(share)
                self._workers.append(WorkerProcess(f"{self._id} {number}", run_worker, share, block))
            made = self._alike(self._wait(self._workers, "making"))
            self.observation_space, self.action_space = made.observation_space, made.action_space
            self.metadata = made.metadata
            self._arrays = self._shared(made)
            self._pictures = [PictureReceiver() for _ in self._workers]
        except BaseException:
            self._end()
            raise

    def reset(self, indices: Indices) -> NDArray[Any]:
        self._ask(RESET, indices)
        observations: NDArray[Any] = self._arrays.observations[: len(indices)].copy()
        return observations

    def begin(self, seed: int) -> NDArray[Any]:
        """As ``GymnasiumBatch.begin``."""
        require_one(self)
        self._shares = [self._shares[0]._replace(seeds=(seed,))]
        return self._first(COMMAND.pack(BEGIN, 0, seed))

    def begin_in(self, state: NDArray[Any], earlier: NDArray[Any] | None = None) -> NDArray[Any]:
        """As ``GymnasiumBatch.begin_in``."""
        require_one(self)
        return self._first(COMMAND.pack(BEGIN_IN, 0, 0) + pickle.dumps(state))

    def _first(self, command: bytes) -> NDArray[Any]:
        """Have the one environment begin an episode by ``command``; its first observation."""
        self._check_up()
        self._send(self._workers[0], command, "reset")
        self._wait(self._workers, "reset")
        self._answered("reset", np.array([0]))
        observations: NDArray[Any] = self._arrays.observations[:1].copy()
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

    def render(self, index: int) -> Image:
        """A picture of one environment, [height, width, 3], as a view of ``picture_memory.pixels_of`` it."""
        self._check_up()
        number = int(np.searchsorted(self._bounds, index, "right")) - 1
        worker, pictures = self._workers[number], self._pictures[number]
        self._send(worker, COMMAND.pack(RENDER, index - self._shares[number].first, 0), "render")
        (size,) = self._wait([worker], "render")
        self._answered("render", np.array([index]))
        try:
            memory = pictures.memory_for(size)
        except (OSError, OverflowError, ValueError):
            raise RunError(f"There is no memory for the pictures of {self._id}.") from None
        if memory is not None:
            self._send(worker, COMMAND.pack(ROOM, 0, 0), "render")
            self._give(memory, [worker], "render")
            self._wait([worker], "render")
        return pictures.picture(size)

    def state(self) -> State:
        """As ``GymnasiumBatch.state``, which may go on from it, as may any number of workers."""
        shares: list[State] = [self._loaded(answer) for answer in self._ask_all(STATE)]
        return shares[0] | {"environments": [one for share in shares for one in share["environments"]]}

    def load(self, state: Mapping[str, Any]) -> None:
        each = state.get("environments", [])
        if len(each) != self.size:
            raise ValueError(f"This is not the state of {self.size} environments of {self._id} stepped one by one.")
        shares = [pickle.dumps({"environments": each[low:high]}) for low, high in pairwise(self._bounds)]
        found = zip(self._bounds, self._ask_all(LOAD, shares), strict=False)
        self.interrupted = np.concatenate([low + self._loaded(answer) for low, answer in found])

    def close(self) -> None:
        """End the workers; those that have not closed their environments after ``CLOSING`` seconds are killed."""
        for code in self._end(CLOSING):
            if code is None:
                raise RunError(f"{self._id} has not closed within {CLOSING:g} s, so its worker process was ended.")
            if code != 0:
                raise RunError(f"{self._id} took its worker process down in its close: it {in_words(code)}.")

    def _alike(self, answers: Sequence[bytes]) -> Made:
        """What all workers have made."""
        made: list[Made] = [self._loaded(answer) for answer in answers]
        if any(other.row != made[0].row for other in made):
            raise RequestError(f"{self._id} has other spaces each time it is made; they have to stay as they are.")
        return made[0]

    def _shared(self, made: Made) -> Arrays:
        """The arrays, in memory that all workers have by now."""
        try:
            memory = SharedMemory(bytes_of(made, self.size))
        except (OSError, OverflowError, ValueError):
            numbers = made.row[2][1]
            raise RequestError(
                f"There is no memory for what {self.size} environments of {self._id} show, {numbers[0]:,} numbers each."
            ) from None
        self._give(memory, self._workers, "making")
        return arrays_in(memory.bytes, made, self.size)

    def _give(self, memory: SharedMemory, workers: Sequence[WorkerProcess], during: str) -> None:
        """Let ``workers``, and no others, have ``memory``."""
        try:
            for worker in workers:
                memory.send(worker.connection, worker.pid)
        except OSError:
            raise self._died(worker, during) from None
        finally:
            memory.close()

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
        self._wait(asked, during)
        self._answered(during, indices)

    def _ask_all(self, command: bytes, states: Sequence[bytes] = ()) -> list[bytes]:
        """The answers of all workers; each is told its own one of ``states``, if there are any."""
        self._check_up()
        for number, worker in enumerate(self._workers):
            self._send(worker, COMMAND.pack(command, 0, 0) + (states[number] if states else b""), "reset")
        return self._wait(self._workers, "reset")

    def _check_up(self) -> None:
        if not self._workers:
            raise RunError(f"{self._id} is no longer stepped, since its worker processes have ended.")

    def _answered(self, during: str, indices: Indices) -> None:
        """From now on these environments have to be quick at it."""
        fresh = self._fresh.get(during)
        if fresh is not None:
            fresh[indices] = False
            if not fresh.any():
                del self._fresh[during]

    def _send(self, worker: WorkerProcess, command: bytes, during: str) -> None:
        try:
            worker.connection.send_bytes(command)
        except OSError:
            problem = self._died(worker, during)
            self._end()
            raise problem from None

    def _wait(self, asked: list[WorkerProcess], during: str) -> list[bytes]:
        """Wait until all who were asked have answered.

        Returns:
            What their answers say, in the order of the workers.
        """
        period = min(PERIOD, self._patience / 4.0)
        watches: dict[WorkerProcess, _Watch] = {}  # from when it takes long
        problem: Exception | None = None
        said: dict[WorkerProcess, bytes] = {}

        def look(pending: list[WorkerProcess]) -> None:
            longest = Wait(self._id, during, 0.0, self._patience)
            for worker in pending:
                watch = watches.setdefault(worker, _Watch(self._progress[self._workers.index(worker)]))
                idle, limit = watch.idle_periods() * period, self._limit(worker, during)
                if idle >= limit:
                    raise self._hung(worker, during, limit)
                if idle > longest.seconds:
                    longest = Wait(self._id, during, idle, limit)
            waited(longest)

        try:
            for worker, answer in answers(asked, period, look):
                if answer is None:
                    raise self._died(worker, during)
                said[worker] = answer[1:]
                if not answer.startswith(DONE):
                    kind = RequestError if answer.startswith(REFUSED) else RunError
                    problem = problem or kind(answer[1:].decode())
        except BaseException:  # what is still to be answered would be taken for the answer to a later question
            self._end()
            raise
        if problem is not None:
            raise problem
        return [said[worker] for worker in asked]

    def _limit(self, worker: WorkerProcess, during: str) -> float:
        """How many seconds the call that a worker is in may take."""
        fresh = self._fresh.get(during)
        if fresh is None or not fresh[self._working_on(worker)]:
            return self._patience
        return max(MAKING, self._patience)

    def _hung(self, worker: WorkerProcess, during: str, limit: float) -> RunError:
        instead = f"if it only takes long, set environment.patience to more than {limit:g}."
        if during == "making":
            return RunError(f"{self._id} could not be made in a worker process within {limit:g} s; {instead}")
        return RunError(
            f"{self._named(worker)} has not answered its {during} for {limit:g} s, so its worker process was ended; "
            f"{instead}"
        )

    def _died(self, worker: WorkerProcess, during: str) -> RunError:
        how = worker.how_it_ended()
        if during == "making":
            return RunError(f"{self._id} could not be made in a worker process, which {how}.")
        return RunError(f"{self._named(worker)} took its worker process down in its {during}: it {how}.")

    def _named(self, worker: WorkerProcess) -> str:
        """The environment that a worker is working on."""
        share = self._shares[self._workers.index(worker)]
        return f"{self._id} with the seed {share.seeds[self._working_on(worker) - share.first]}"

    def _working_on(self, worker: WorkerProcess) -> int:
        number = self._workers.index(worker)
        return self._shares[number].first + int(self._progress[number, 0])

    def _loaded(self, answer: bytes) -> Any:
        try:
            return loaded(answer)
        except Exception as error:
            raise RunError(f"What {self._id} holds cannot be read outside of its worker process: {error}") from error

    def _end(self, patience: float = 0.0) -> list[int | None]:
        """End all workers; how each has ended, as ``end_all``."""
        workers, self._workers = self._workers, []
        return end_all(workers, patience)


class _Watch:
    """For how many looks in a row a worker has not begun another call."""

    def __init__(self, progress: NDArray[np.int64]) -> None:
        self._progress, self._calls, self._periods = progress, int(progress[1]), 0

    def idle_periods(self) -> int:
        calls = int(self._progress[1])
        self._periods = self._periods + 1 if calls == self._calls else 0
        self._calls = calls
        return self._periods
