"""What a worker process does: it steps its share of a batch's environments when asked, in memory shared with whoever
asks."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import Indices
from engine.runtime.errors import RequestError, RunError

COMMAND = Struct("<cqq")  # what to do, and for the first two the rows of the shared arrays that are this worker's
RESET, STEP, STATE, LOAD = b"r", b"s", b"g", b"l"  # the last is followed by the state to go on from
DONE, REFUSED, FAILED = b"0", b"1", b"2"  # what an answer begins with; the last two are followed by a sentence


class Arrays(NamedTuple):
    """What passes between a batch of n environments and its k workers. A call concerns the first rows of all but the
    last, in the order of its environments; ``progress`` holds, for each worker, which of its environments it is working
    on and how many calls of environments it has begun."""

    indices: NDArray[np.int64]  # [n]
    actions: NDArray[Any]  # [n, …]
    observations: NDArray[Any]  # [n, …]
    rewards: NDArray[np.float64]  # [n]
    terminated: NDArray[np.bool_]  # [n]
    truncated: NDArray[np.bool_]  # [n]
    progress: NDArray[np.int64]  # [k, 2]


class Block(NamedTuple):
    """Shared bytes, and the array they are read as."""

    memory: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def arrays_in(blocks: Sequence[Block]) -> Arrays:
    """The arrays of ``Arrays`` as views of shared memory."""
    return Arrays(
        *(
            np.frombuffer(memory, dtype, int(np.prod(shape, dtype=np.int64))).reshape(shape)
            for memory, shape, dtype in blocks
        )
    )


class Share(NamedTuple):
    """The environments of one worker: the seeds of those from index ``first`` on, and the worker's ``number``."""

    environment: EnvironmentConfig
    seeds: tuple[int, ...]
    first: int
    number: int


def run_worker(connection: Connection, share: Share, blocks: Sequence[Block]) -> None:
    """Make the environments of ``share``, then do as asked until the other end of ``connection`` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that asks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    arrays = arrays_in(blocks)
    with suppress(EOFError, OSError):  # nobody is there any more
        try:
            batch = GymnasiumBatch(share.environment, share.seeds, progress=arrays.progress[share.number])
        except RequestError as error:
            connection.send_bytes(REFUSED + str(error).encode())
            return
        try:
            connection.send_bytes(DONE)
            while True:
                connection.send_bytes(_done(batch, arrays, share.first, connection.recv_bytes()))
        finally:
            batch.close()


def _done(batch: GymnasiumBatch, arrays: Arrays, first: int, command: bytes) -> bytes:
    """Do one command; the answer to it. States are pickled for the way between processes, and for no other."""
    what, low, high = COMMAND.unpack_from(command)
    rows = slice(low, high)
    try:
        if what == STATE:
            return DONE + pickle.dumps(batch.state())
        if what == LOAD:
            batch.load(pickle.loads(command[COMMAND.size :]))
            return DONE + pickle.dumps(batch.interrupted)
        indices: Indices = arrays.indices[rows] - first
        if what == STEP:
            moved = batch.step(arrays.actions[rows], indices)
            arrays.observations[rows] = moved.observations
            arrays.rewards[rows] = moved.rewards
            arrays.terminated[rows] = moved.terminated
            arrays.truncated[rows] = moved.truncated
        else:
            arrays.observations[rows] = batch.reset(indices)
    except RunError as error:
        return FAILED + str(error).encode()
    return DONE


def _end_with_parent() -> None:
    """A hung environment would outlive the program if it were killed, and nobody would know why the fan turns."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
