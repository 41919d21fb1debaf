"""The game of guessing a bug by the plots: what is hidden, what it could be, and how often it was guessed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PySide6.QtCore import QSettings

from engine.catalogue.methods.bugs import Bug, bugs_for
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.bugs import NO_BUG, actual_bug, hidden

_PLAYED, _RIGHT = "guess the bug/played", "guess the bug/right"
_RANDOM = random.SystemRandom()  # which no seed of a run foretells


@dataclass(frozen=True)
class Riddle:
    """A ``token`` that stands for one of the ``candidates``, by their names, or for none of them."""

    token: str
    candidates: tuple[Bug, ...]

    @property
    def answer(self) -> str:
        return actual_bug(self.token)


def candidates(config: RunConfig, environment: EnvironmentInfo) -> tuple[Bug, ...]:
    """The bugs that could be in a run of this choice."""
    return tuple(bug for bug, refused in bugs_for(config, environment) if refused is None)


def riddle(config: RunConfig, environment: EnvironmentInfo) -> Riddle:
    """One of the bugs that fit, or none, each as likely."""
    there = candidates(config, environment)
    answer = _RANDOM.choice([NO_BUG, *(bug.name for bug in there)])
    return Riddle(hidden(answer, _RANDOM.randrange(1 << 32)), there)


class Score:
    """How often a person has guessed, and how often it was right, from one time to the next."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    @property
    def played(self) -> int:
        return self._count(_PLAYED)

    @property
    def right(self) -> int:
        return self._count(_RIGHT)

    def add(self, right: bool) -> None:
        self._settings.setValue(_PLAYED, self.played + 1)
        self._settings.setValue(_RIGHT, self.right + right)

    def _count(self, name: str) -> int:
        value = str(self._settings.value(name, 0))
        return int(value) if value.isdecimal() else 0

    def __str__(self) -> str:
        return f"{self.right} of {self.played} guessed" if self.played else "not played yet"
