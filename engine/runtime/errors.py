"""The two ways a person's wish can fail; every message is one sentence saying what is wrong and what would be right."""

from __future__ import annotations

from typing import NamedTuple


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


def describe(error: BaseException) -> str:
    """An exception in a few words, without line breaks or a closing full stop."""
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {shortened(text)}" if text else type(error).__name__


def shortened(text: str) -> str:
    """``text``, cut off where it is too long for a sentence."""
    return text if len(text) <= 200 else text[:199] + "…"
