"""What is written to the terminal: in characters that it has, and without a fuss where nobody reads any more."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from engine.runtime.errors import RunError, shortened

_PLAIN = "as-plain-characters"
# What stands in for signs that an old terminal lacks; for all others it is a question mark.
_SIGNS = {"–": "-", "−": "-", "—": "-", "±": "+-", "×": "x", "…": "...", "’": "'", "→": "->", "≥": ">=", "≤": "<="}


def adapt() -> None:
    """Let what has no code in the encoding of stdout and stderr be written with other signs, in place of failing."""
    codecs.register_error(_PLAIN, _replaced)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream of a test has none
        if reconfigure is not None:
            reconfigure(errors=_PLAIN)


def writes_all(stream: TextIO | None) -> bool:
    """Whether every character has a code there."""
    return (getattr(stream, "encoding", None) or "").lower().startswith("utf")


def complain(sentence: object) -> None:
    """Write one line for a person to stderr."""
    line = " ".join(map(shortened, str(sentence).split()))
    stderr = Lasting(sys.stderr)
    stderr.write("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line) + "\n")
    stderr.flush()


def say(sentence: str) -> None:
    """Write one line for a person to stdout.

    Raises:
        RunError: it cannot be written.
    """
    with to_stdout():
        if sys.stdout is not None:
            sys.stdout.write(sentence + "\n")


@contextmanager
def to_stdout() -> Iterator[None]:
    """What is written to stdout in the block is there at its end.

    Raises:
        RunError: it could not be written, so that stdout is given up; without a word where its reader has left, as
            ``head`` does, who need not be told.
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        told = "" if isinstance(error, BrokenPipeError) else f"The output could not be written: {error.strerror}."
        raise RunError(told) from None


def silence(stream: TextIO | None) -> None:
    """Let nothing more of ``stream`` go anywhere, so that what could not be written is not tried again at the end."""
    with suppress(OSError, ValueError, AttributeError):  # it is closed, or no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, cast(TextIO, stream).fileno())
        os.close(nowhere)


class Lasting:
    """A stream that is written to for a person, who may have gone: from then on what is written to it is dropped, and
    nobody is held up by it. ``None``, as of a program without a terminal, is dropped from the start."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "ascii"

    def write(self, text: str) -> int:
        self._try(lambda stream: stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(lambda stream: stream.flush())

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        return -1 if self._stream is None else self._stream.fileno()

    def _try(self, do: Callable[[TextIO], object]) -> None:
        if self._stream is None:
            return
        try:
            do(self._stream)
        except (OSError, ValueError):
            silence(self._stream)
            self._stream = None


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_SIGNS.get(sign, "?") for sign in signs), error.end
