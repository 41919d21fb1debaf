"""What a worker process does: it steps its share of a batch's environments when asked, in memory shared with whoever
asks."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import Indices
from engine.environments.batches.picture_memory import PictureSender
from engine.environments.making import registry
from engine.environments.making.global_random import kept_in_place
from engine.environments.making.pictures import frames_per_second
from engine.runtime.errors import RequestError, RunError
from engine.runtime.shared_memory import received

COMMAND = Struct("<cqq")  # what to do, and for the first two the rows of the shared arrays that are this worker's
RESET, STEP, STATE, LOAD = b"r", b"s", b"g", b"l"  # the last is followed by the state to go on from
BEGIN = b"b"  # the only environment's episode, from the seed that comes second
BEGIN_IN = b"i"  # likewise, followed by the state that it is set to
RENDER = b"p"  # of the environment whose index comes first; the answer is the picture's size
ROOM = b"m"  # followed by memory for the last picture, and those that come
_DURING = {
    RESET: "reset",
    BEGIN: "reset",
    BEGIN_IN: "reset",
    STEP: "step",
    STATE: "state",
    LOAD: "state",
    RENDER: "render",
    ROOM: "render",
}
DONE, REFUSED, FAILED = b"0", b"1", b"2"  # what an answer begins with; the last two are followed by a sentence
_LINE = 64  # bytes, of which every array takes whole ones


class Arrays(NamedTuple):
    """What passes between a batch of n environments and its workers. A call concerns the first rows, in the order of
    its environments."""

    indices: NDArray[np.int64]  # [n]
    actions: NDArray[Any]  # [n, …]
    observations: NDArray[Any]  # [n, …]
    rewards: NDArray[np.float64]  # [n]
    terminated: NDArray[np.bool_]  # [n]
    truncated: NDArray[np.bool_]  # [n]


class Made(NamedTuple):
    """What a worker tells of the environments that it has made, in objects of Gymnasium's and numpy's own."""

    observation_space: Any
    action_space: Any
    metadata: dict[str, float]

    @property
    def row(self) -> tuple[tuple[np.dtype[Any], tuple[int, ...]], ...]:
        """The type and shape of one row of each of ``Arrays``."""
        flag: tuple[np.dtype[Any], tuple[int, ...]] = np.dtype(np.bool_), ()
        index, reward = (np.dtype(np.int64), ()), (np.dtype(np.float64), ())
        return index, _kind(self.action_space), _kind(self.observation_space), reward, flag, flag


class Share(NamedTuple):
    """The environments of one worker: the seeds of those from index ``first`` on, and the worker's ``number``.

    ``size`` is that of the whole batch, and ``render`` whether pictures are wanted.
    """

    environment: EnvironmentConfig
    seeds: tuple[int, ...]
    first: int
    number: int
    size: int
    render: bool


def bytes_of(made: Made, size: int) -> int:
    """How many bytes the arrays of ``size`` environments take."""
    return sum(_taken(dtype, (size, *shape)) for dtype, shape in made.row)


def arrays_in(memory: Any, made: Made, size: int) -> Arrays:
    """The arrays as views of shared memory."""
    offset, arrays = 0, []
    for dtype, shape in made.row:
        count = size * math.prod(shape)
        arrays.append(np.frombuffer(memory, dtype, count, offset).reshape(size, *shape))
        offset += _taken(dtype, (size, *shape))
    return Arrays(*arrays)


def progress_in(block: Any) -> NDArray[np.int64]:
    """[workers, 2]: which of its environments each worker is working on, and how many calls of environments it has
    begun."""
    return np.frombuffer(block, np.int64).reshape(-1, 2)


@kept_in_place()
def run_worker(connection: Connection, share: Share, block: Any) -> None:
    """Make the environments of ``share`` and tell what they are, take the memory that is shared, and then do as asked.

    Raises:
        EOFError, OSError: the other end of ``connection`` has been closed.
    """
    try:
        batch = GymnasiumBatch(
            share.environment, share.seeds, render=share.render, progress=progress_in(block)[share.number]
        )
        made = _described(batch)
    except RequestError as error:
        connection.send_bytes(REFUSED + str(error).encode())
        return
    except BaseException as error:
        connection.send_bytes(FAILED + str(registry.raised(share.environment.id, "making", error)).encode())
        return
    try:
        connection.send_bytes(DONE + pickle.dumps(made))
        arrays = arrays_in(received(connection, bytes_of(made, share.size)), made, share.size)
        pictures = PictureSender(connection)
        while True:
            command = connection.recv_bytes()
            try:
                answer = DONE + _done(batch, arrays, pictures, share.first, command)
            except RunError as error:
                answer = FAILED + str(error).encode()
            except BaseException as error:
                answer = FAILED + str(registry.raised(share.environment.id, _DURING[command[:1]], error)).encode()
            connection.send_bytes(answer)
    finally:
        batch.close()


def _done(batch: GymnasiumBatch, arrays: Arrays, pictures: PictureSender, first: int, command: bytes) -> bytes:
    """Do one command; the answer to it. States are pickled for the way between processes, and for no other."""
    what, low, high = COMMAND.unpack_from(command)
    if what == STATE:
        return pickle.dumps(batch.state())
    if what == LOAD:
        batch.load(pickle.loads(command[COMMAND.size :]))
        return pickle.dumps(batch.interrupted)
    if what == RENDER:
        return pictures.put(batch.render(low))
    if what == ROOM:
        return pictures.take_memory()
    if what == BEGIN:
        arrays.observations[:1] = batch.begin(high)
        return b""
    if what == BEGIN_IN:
        arrays.observations[:1] = batch.begin_in(pickle.loads(command[COMMAND.size :]))
        return b""
    rows = slice(low, high)
    indices: Indices = arrays.indices[rows] - first
    if what == STEP:
        moved = batch.step(arrays.actions[rows], indices)
        arrays.observations[rows] = moved.observations
        arrays.rewards[rows] = moved.rewards
        arrays.terminated[rows] = moved.terminated
        arrays.truncated[rows] = moved.truncated
    else:
        arrays.observations[rows] = batch.reset(indices)
    return b""


def _described(batch: GymnasiumBatch) -> Made:
    rate = frames_per_second(batch.metadata)
    metadata = {} if rate is None else {"render_fps": rate}
    return Made(_plain(batch.observation_space), _plain(batch.action_space), metadata)


def _plain(space: Any) -> Any:
    """The same space without what an environment may have added to it, and without its random numbers."""
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(int(space.n), start=int(space.start))
    if isinstance(space, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(np.array(space.nvec), start=np.array(space.start))
    if isinstance(space, spaces.MultiBinary):
        return spaces.MultiBinary(space.shape)
    return spaces.Box(np.array(space.low), np.array(space.high), dtype=space.dtype.type)


def _kind(space: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and shape of one observation or action as policies know it."""
    if isinstance(space, spaces.Discrete):
        return np.dtype(np.int64), ()
    return np.dtype(np.float32 if isinstance(space, spaces.Box) else np.int64), (math.prod(space.shape),)


def _taken(dtype: np.dtype[Any], shape: Sequence[int]) -> int:
    """Bytes, in whole lines."""
    return -(-dtype.itemsize * math.prod(shape) // _LINE) * _LINE
