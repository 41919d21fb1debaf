"""What is said while something cannot be written, and once it can be again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.runtime.errors import RequestError, RunError, describe

LATER, LOST = "the run goes on, and it is tried again", "it is lost"


class Trouble:
    """Something that cannot be written: said once, and once more when it can."""

    def __init__(self, tell: Callable[[str], object], begun: str, ended: str) -> None:
        self._tell, self._begun, self._ended = tell, begun, ended
        self.is_there = False

    def begins(self, error: Exception, then: str) -> None:
        if not self.is_there:
            self.is_there = True
            self._tell(f"{self._begun}: {sentence_of(error)[:-1]}; {then}.")

    def ends(self) -> None:
        if self.is_there:
            self.is_there = False
            self._tell(self._ended)


def sentence_of(error: Exception) -> str:
    """What went wrong, for a person."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f' in {Path(error.filename).parent}' if error.filename else ''}."
    return str(error) if isinstance(error, RequestError | RunError) else f"{describe(error)}."
