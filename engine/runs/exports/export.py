"""What a form is in which a run can be written out: plain data and one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.catalogue.family import Extra
from engine.runs.library import Library
from engine.runs.records import RunRecord

Which = Literal["last", "best"]


@dataclass(frozen=True)
class Source:
    """What is written out: a run of a library; where a policy is wanted, that of its ``which`` checkpoint."""

    library: Library
    run: RunRecord
    which: Which = "last"

    @property
    def name(self) -> str:
        """What a person calls the run."""
        return f"run {self.run.number}"


@dataclass(frozen=True)
class Export:
    """A form in which a run can be written out.

    ``name`` is that on the command line, ``title`` that in a menu, ``summary`` says in a sentence what it is good for.
    ``ending`` is that of its file, ".csv"; empty where it is a folder. ``extra`` has to be installed for it.
    ``write`` writes it, whole or not at all, and says in a sentence what was written. It raises a ``RequestError``
    where this run cannot be written so, and an ``OSError`` where the file cannot be written.
    """

    name: str
    title: str
    summary: str
    ending: str
    write: Callable[[Source, Path], str]
    extra: Extra | None = None

    @property
    def missing(self) -> str:
        """What to do before a run can be written so, in a sentence; empty where nothing is missing."""
        return self.extra.missing if self.extra is not None else ""


def counted(number: int, thing: str) -> str:
    """ "1 episode", "2,000 episodes"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
