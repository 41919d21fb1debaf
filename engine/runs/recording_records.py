"""What the run library says of a recording: plain data, importable without numpy and without sqlite3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pydantic import ValidationError

from engine.config.environments import EnvironmentConfig
from engine.config.problems import ParameterError
from engine.config.validation import problem_of
from engine.runs.records import Label
from engine.runtime.errors import RequestError

LONGEST_NAME = 60  # characters of a dataset's name
SourceKind = Literal["person", "policy", "file"]


@dataclass(frozen=True)
class RecordingSource:
    """Where a recording comes from: a ``person`` played, a run's ``policy`` did, or it was read from a ``file``.

    Of a policy, ``run`` is its run's id, ``number`` what the run was called by, ``iteration`` after how many iterations
    the policy was as it was recorded, and ``greedy`` whether it took the most likely actions instead of sampled ones.
    ``name`` is the file's.
    """

    kind: SourceKind
    run: str = ""
    number: int | None = None
    iteration: int | None = None
    greedy: bool = False
    name: str = ""

    @property
    def words(self) -> str:
        """In a few words: "a person", "run 5, iteration 120, most likely actions", "lander.safetensors"."""
        if self.kind == "person":
            return "a person"
        if self.kind == "file":
            return self.name or "a file"
        run = f"run {self.number}" if self.number is not None else "a policy"
        at = f", iteration {self.iteration:,}" if self.iteration is not None else ""
        return f"{run}{at}, {'most likely' if self.greedy else 'sampled'} actions"


@dataclass(frozen=True)
class EpisodeRecord:
    """An episode of a recording, of ``steps`` steps, of which those from ``first`` to before ``stop`` are kept; none
    where both are the same. ``total_return`` is of these, None where no rewards are known; ``end`` is how the whole
    episode ended: "terminated", "truncated", or nothing where it was broken off."""

    steps: int
    stop: int
    first: int = 0
    total_return: float | None = None
    end: str = ""
    seed: int | None = None
    source: str = ""

    @property
    def kept(self) -> int:
        """The number of steps that are."""
        return self.stop - self.first

    @property
    def trimmed(self) -> bool:
        return self.kept < self.steps

    @property
    def end_kept(self) -> str:
        """How what is kept of it ends."""
        return self.end if self.stop == self.steps else ""


@dataclass(frozen=True)
class RecordingRecord:
    """A recording of the library: episodes in one environment, which somebody has played.

    ``id`` is its own everywhere; ``number`` counts the library's recordings from 1 and is what a person calls it by.
    ``environment`` is its configuration, as JSON can say it. ``size`` is in bytes.
    """

    id: str
    number: int
    environment: Mapping[str, Any]
    source: RecordingSource
    created: float
    episodes: tuple[EpisodeRecord, ...]
    size: int = 0
    label: Label = field(default_factory=Label)
    deleted: float | None = None

    @property
    def environment_id(self) -> str:
        return str(self.environment["id"])

    @property
    def left(self) -> tuple[EpisodeRecord, ...]:
        """The episodes of which something is kept."""
        return tuple(episode for episode in self.episodes if episode.kept)

    @property
    def steps(self) -> int:
        """Those that are kept, of all episodes."""
        return sum(episode.kept for episode in self.episodes)

    @property
    def mean_return(self) -> float | None:
        """Of the episodes of which rewards are known; None where there are none."""
        returns = [episode.total_return for episode in self.left if episode.total_return is not None]
        return sum(returns) / len(returns) if returns else None

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.label.title or f"Recording {self.number}"

    @cached_property
    def config(self) -> EnvironmentConfig:
        """Its environment.

        Raises:
            ParameterError: this version of the program knows none like it.
        """
        try:
            return EnvironmentConfig.model_validate(dict(self.environment))
        except ValidationError as error:
            raise ParameterError(problem_of(error, EnvironmentConfig)) from None


@dataclass(frozen=True)
class DatasetRecord:
    """Recordings in one environment that a person has merged under a name; ``recordings`` are their ids, in order, but
    for those that are deleted."""

    name: str
    environment: str
    recordings: tuple[str, ...]
    episodes: int
    steps: int


def require_name(name: str) -> None:
    """Raises RequestError where a dataset cannot be called so."""
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise RequestError(f"A dataset has a name of 1 to {LONGEST_NAME} characters, not {name[:80]!r}.")
