"""Questions that only code from elsewhere can answer, asked in a worker process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from engine.environments.making import registry
from engine.runtime.errors import RequestError
from engine.runtime.waiting import Wait, waited
from engine.runtime.worker_process import CLOSING, PERIOD, WorkerProcess, answers, end_all, loaded, preload

preload("gymnasium", "numpy", "pydantic")

MAKING = 60.0  # seconds that making an environment may take, and then its first answer of each kind
_DONE, _REFUSED, _DOING = b"0", b"1", b"2"  # what a message begins with; the last two are followed by words


class Answer(NamedTuple):
    """What a question comes to, made of what ``loaded`` takes, and what is to be done once it has been told."""

    value: Any
    afterwards: Callable[[], None]


class Question(NamedTuple):
    """What is asked: what it is ``about``, the beginning of the sentence that says that it ``failed`` at once, and the
    seconds for each part of it where an environment's ``patience`` says that, at the least ``MAKING``."""

    about: str
    failed: str
    patience: float = 0.0


def ask_in_worker(question: Question, asked: Callable[..., Answer], *arguments: Any) -> Any:
    """The value of ``asked(doing, *arguments)``, called in a worker process, where it may hang or crash.

    ``doing`` is to be called with a word for what comes next, when it is no longer "making"; time begins anew then.

    Raises:
        RequestError: it raises, is not answered in time, or ends the process.
        GivenUp: as ``waited``.
    """
    worker = WorkerProcess(question.about, _answer, question.about, asked, arguments)
    closing = 0.0
    try:
        doing = "making"
        while (answer := _next_message(worker, question, doing)).startswith(_DOING):
            doing = answer[1:].decode()
        if answer.startswith(_REFUSED):
            raise RequestError(answer[1:].decode())
        closing = CLOSING
        return loaded(answer[1:])
    finally:
        end_all([worker], closing)


def _next_message(worker: WorkerProcess, question: Question, doing: str) -> bytes:
    about, failed, patience = question
    limit, periods = max(MAKING, patience), 0

    def idle(_: list[WorkerProcess]) -> None:
        nonlocal periods
        periods += 1
        if periods * PERIOD >= limit:
            what = (
                f"{failed} in a worker process within {limit:g} s"
                if doing == "making"
                else f"{about} has not answered its {doing} for {limit:g} s"
            )
            instead = f"; if it only takes long, set environment.patience to more than {limit:g}" if patience else ""
            raise RequestError(f"{what}{instead}.")
        waited(Wait(about, doing, periods * PERIOD, limit))

    ((_, message),) = answers([worker], PERIOD, idle)
    if message is not None:
        return message
    how = worker.how_it_ended()
    if doing == "making":
        raise RequestError(f"{failed} in a worker process, which {how}.")
    raise RequestError(f"{about} took its worker process down in its {doing}: it {how}.")


def _answer(connection: Connection, about: str, asked: Callable[..., Answer], arguments: tuple[Any, ...]) -> None:
    """What the worker does."""
    try:
        answer = asked(lambda doing: connection.send_bytes(_DOING + doing.encode()), *arguments)
        told = _DONE + pickle.dumps(answer.value)
    except RequestError as error:
        connection.send_bytes(_REFUSED + str(error).encode())
        return
    except BaseException as error:
        connection.send_bytes(_REFUSED + str(registry.raised(about, "making", error)).encode())
        return
    connection.send_bytes(told)
    answer.afterwards()
