"""Questions that only code from elsewhere can answer, asked in a worker process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from engine.environments.making import registry
from engine.runtime.errors import RequestError
from engine.runtime.waiting import Wait, waited
from engine.runtime.worker_process import CLOSING, PERIOD, WorkerProcess, answers, end_all, loaded

MAKING = 60.0  # seconds that making an environment may take
_DONE, _REFUSED = b"0", b"1"  # what an answer begins with; the last is followed by a sentence


class Answer(NamedTuple):
    """What a question comes to, made of what ``loaded`` takes, and what is to be done once it has been told."""

    value: Any
    afterwards: Callable[[], None]


class Question(NamedTuple):
    """What is asked: what it is ``about``, the beginning of the sentence that says that it ``failed``, and the seconds
    after which it is given up where an environment's ``patience`` says that, at the least ``MAKING``."""

    about: str
    failed: str
    patience: float = 0.0


def ask_apart(question: Question, asked: Callable[..., Answer], *arguments: Any) -> Any:
    """The value of ``asked(*arguments)``, called in a worker process, where it may hang or crash.

    Raises:
        RequestError: it raises, is not answered in time, or ends the process.
        GivenUp: as ``waited``.
    """
    about, failed, patience = question
    limit, periods = max(MAKING, patience), 0
    instead = f"; if it only takes long, set environment.patience to more than {limit:g}" if patience else ""

    def idle(_: list[WorkerProcess]) -> None:
        nonlocal periods
        periods += 1
        if periods * PERIOD >= limit:
            raise RequestError(f"{failed} in a worker process within {limit:g} s{instead}.")
        waited(Wait(about, "making", periods * PERIOD, limit))

    worker = WorkerProcess(about, _answer, about, asked, arguments)
    closing = 0.0
    try:
        ((_, answer),) = answers([worker], PERIOD, idle)
        if answer is None:
            raise RequestError(f"{failed} in a worker process, which {worker.how_it_ended()}.")
        if answer.startswith(_REFUSED):
            raise RequestError(answer[1:].decode())
        closing = CLOSING
        return loaded(answer[1:])
    finally:
        end_all([worker], closing)


def _answer(connection: Connection, about: str, asked: Callable[..., Answer], arguments: tuple[Any, ...]) -> None:
    """What the worker does."""
    try:
        answer = asked(*arguments)
        told = _DONE + pickle.dumps(answer.value)
    except RequestError as error:
        connection.send_bytes(_REFUSED + str(error).encode())
        return
    except BaseException as error:
        connection.send_bytes(_REFUSED + str(registry.raised(about, "making", error)).encode())
        return
    connection.send_bytes(told)
    answer.afterwards()
