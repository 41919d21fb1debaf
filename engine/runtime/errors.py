"""The two ways a person's wish can fail; every message is one sentence saying what is wrong and what would be right."""

from __future__ import annotations

import threading
from multiprocessing import parent_process
from typing import NamedTuple

from engine.runtime.waiting import GivenUp


class Refusal(NamedTuple):
    """Why a request cannot be met, and what would do instead; written out, one sentence of both."""

    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.why}; {self.instead}."


class RequestError(ValueError):
    """The request itself was wrong: an unknown id, an impossible pair, a value out of bounds, a broken file."""


class RefusedError(RequestError):
    """What was asked for cannot work; ``refusal`` says why, and what would."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class RunError(RuntimeError):
    """A sound request failed while it ran: an environment raised, a policy turned NaN, a report ran out of disk."""


def is_interruption(error: BaseException) -> bool:
    """Whether ``error`` ends what this process is doing, so that whoever called code from elsewhere has to let it pass:
    a host gives up, or Ctrl+C was pressed, which only a program's main thread hears and worker processes do not.

    Everything else that such code raises is a failure of its own, also what is no ``Exception``: panics of Rust's,
    cancelled coroutines, ``SystemExit``.
    """
    if isinstance(error, KeyboardInterrupt):
        return parent_process() is None and threading.current_thread() is threading.main_thread()
    return isinstance(error, GivenUp)


def describe(error: BaseException) -> str:
    """An exception in a few words, without line breaks or a closing full stop."""
    try:
        text = " ".join(str(error).encode(errors="backslashreplace").decode().split()).rstrip(".")
    except BaseException:  # which exceptions from elsewhere may raise even when they are written out
        text = ""
    return f"{type(error).__name__}: {shortened(text)}" if text else type(error).__name__


def shortened(text: str) -> str:
    """``text``, cut off where it is too long for a sentence."""
    return text if len(text) <= 200 else text[:199] + "…"
