"""What a person wants to look into: an iteration of the run that is shown, and which of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.config.environments import EnvironmentConfig

if TYPE_CHECKING:  # with torch
    from engine.analysis.beginnings import InState
    from engine.analysis.samples import Quantity


@dataclass(frozen=True)
class Bar:
    """The steps in a bar of a histogram: their ``quantity`` is from ``low`` to below ``high``; ``words`` say so. It is
    looked at after so many gradient steps of the update were ``taken``, None once it is over."""

    quantity: Quantity
    low: float
    high: float
    words: str
    taken: int | None = None


@dataclass(frozen=True)
class BatchStep:
    """One step of the batch, its ``row``-th from 0; of those from which action values learned in their update of the
    number ``taken``, where they learn from single steps."""

    row: int
    taken: int | None = None


@dataclass(frozen=True)
class EpisodeDot:
    """The steps of one episode of the run, which is its ``index``-th from 0."""

    index: int


Chosen = Bar | BatchStep | EpisodeDot


@dataclass(frozen=True)
class Wanted:
    """An iteration of the run that is shown, None for that in which the ``chosen`` episode ended, and which of its
    steps; None for all."""

    iteration: int | None
    chosen: Chosen | None = None


@dataclass(frozen=True)
class Start:
    """Where a person wants to play an episode himself: in that state of an environment."""

    environment: EnvironmentConfig
    beginning: InState


class Inspection(QObject):
    """Lives on the main thread; whoever shows something of a batch asks by it for the steps behind that.

    Signals:
        asked: a person wants to see the steps behind something (``Wanted``).
        hands_asked: a person wants to play one himself (``Start``).
    """

    asked = Signal(object)
    hands_asked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shows: list[Callable[[str], object]] = []

    def ask(self, wanted: Wanted) -> None:
        self._show("Samples")
        self.asked.emit(wanted)

    def tell_played(self) -> None:
        """An episode plays from one of the steps."""
        self._show("Agent")

    def ask_for_hands(self, start: Start) -> None:
        self._show("Play/Record")
        self.hands_asked.emit(start)

    def lead(self, show: Callable[[str], object]) -> None:
        """Have whoever can ``show`` panels by their titles show the one that a wish leads to, before it hears of that:
        it may be made only then."""
        self._shows.append(show)

    def _show(self, title: str) -> None:
        for show in self._shows:
            show(title)
