"""What the run library says of a run: plain data, importable without torch and without numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from engine.config import RunConfig
from engine.config.bugs import NO_BUG
from engine.config.validation import validated


class Status(StrEnum):
    """What a run has come to.

    ``RUNNING`` and ``PAUSED`` belong to a process that lives; where that has ended without a word, its runs are
    ``INTERRUPTED``.
    """

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ALIVE = frozenset({Status.RUNNING, Status.PAUSED})
TOGETHER = (
    "It was trained together with other seeds: with them it goes on exactly, by `resume`, and alone its actions draw "
    "other random numbers."
)
"""What is inexact of a run whose seed was one of several that were trained together."""
TOGETHER_ONCE = (
    "It was trained together with other seeds, and its networks were not kept: it can be compared, but it cannot go on."
)
"""As ``TOGETHER``, of runs that were recorded before the states of such were."""


@dataclass(frozen=True)
class Origin:
    """Where a run was forked: the run it comes from, and after how many iterations and environment steps of that. What
    the parent told up to there is told of the fork as well."""

    parent: str
    iteration: int
    environment_steps: int


@dataclass(frozen=True)
class Reached:
    """How far a run has come; ``best`` is the greatest mean return that it has reported, and ``solved`` the environment
    steps and seconds after which its environment was solved."""

    iteration: int = 0
    environment_steps: int = 0
    episodes: int = 0
    seconds: float = 0.0
    mean_return: float | None = None
    best: float | None = None
    solved: tuple[int, float] | None = None


@dataclass(frozen=True)
class Label:
    """What a person has said of a run. ``title`` is empty where the run has no name of its own."""

    title: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True)
class RunRecord:
    """A run of the library.

    ``id`` is its own everywhere; ``number`` counts the library's runs from 1 and is what a person calls it by.
    ``configuration`` is that with which it began, as JSON can say it; ``changes`` are what has become of single
    parameters since, by path. ``created`` and ``ended`` are seconds since 1970. ``inexact`` says in sentences what of
    it does not go on exactly. ``reason`` is why it failed.
    """

    id: str
    number: int
    configuration: Mapping[str, Any]
    status: Status
    created: float
    ended: float | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    origin: Origin | None = None
    reached: Reached = Reached()
    label: Label = Label()
    reason: str = ""
    inexact: tuple[str, ...] = ()
    sparkline: tuple[float, ...] = ()
    deleted: float | None = None

    @property
    def environment(self) -> str:
        """Its environment's id."""
        return str(self.configuration["environment"]["id"])

    @property
    def seed(self) -> int:
        return int(self.configuration["seed"])

    @property
    def mark(self) -> str:
        """What stands beside its name where it is made with a bug: "⚠ bug: sign of the loss"; else nothing."""
        from engine.catalogue.methods.bugs import mark_of  # seldom wanted, and records are read as the window opens

        bug = str(self.configuration.get("bug", NO_BUG))
        return "" if bug == NO_BUG else mark_of(bug)

    @property
    def budget(self) -> int:
        """The environment steps for which it is to train, with what has been changed in it since."""
        begun = self.configuration.get("budget", {}).get("environment_steps", 0)
        return int(self.changes.get("budget.environment_steps", begun))

    @cached_property
    def config(self) -> RunConfig:
        """The configuration with which it began.

        Raises:
            RequestError: this version of the program knows none like it.
        """
        return validated(self.configuration)

    @cached_property
    def config_now(self) -> RunConfig:
        """The configuration with what has been changed in it since.

        Raises:
            RequestError: this version of the program knows none like it.
        """
        from engine.config.parameters import with_values

        return with_values(self.config, dict(self.changes))


@dataclass(frozen=True)
class CheckpointRecord:
    """A state of a run on disk, after ``iteration`` iterations.

    ``kinds`` says why it is kept: it is the ``last`` or the ``best``, a run was forked from it (``fork``), or a person
    asked for it (``kept``)."""

    run: str
    iteration: int
    environment_steps: int
    created: float
    file: str
    size: int
    kinds: tuple[str, ...] = ()
    mean_return: float | None = None


@dataclass(frozen=True)
class NotedEvent:
    """Something of note that happened in a run: ``kind`` is "change", "solved", "failed", "note", "gone on",
    "forked", "diagnosis"; ``data`` holds the fields of the event it was."""

    kind: str
    iteration: int
    environment_steps: int
    episodes: int
    seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)
