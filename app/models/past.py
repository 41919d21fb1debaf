"""Which instant of its run the window shows: now, or an earlier one of which something was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from engine.reports.events import Estimated, Reweighted


@dataclass(frozen=True)
class Kept:
    """An iteration of which something was kept, and after how many environment steps it was over.

    ``whole`` says that all was kept of it that it takes to go on from there, and not its policy alone.
    """

    iteration: int
    environment_steps: int
    whole: bool = False


@dataclass(frozen=True)
class Instant:
    """A run as it was after an iteration: what that told of its batch, None where it told nothing.

    ``forks_at`` is from where the run would be forked: from there, or from the last before it of which all was kept;
    None where there is none.
    """

    at: Kept
    advantages: Estimated | None = None
    ratios: Reweighted | None = None
    forks_at: Kept | None = None


class Past(QObject):
    """Lives on the main thread; whoever shows something of a run follows it.

    Signals:
        kept_changed: something else is kept of the run.
        changed: another instant is shown.
        asked: a person wants to see the run as it was after this iteration; None is now.
        fork_asked: a person wants to go on otherwise from the instant that is shown.
    """

    kept_changed = Signal()
    changed = Signal()
    asked = Signal(object)
    fork_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.run = ""  # whose past it is, by its id
        self.kept: tuple[Kept, ...] = ()
        self.shown: Instant | None = None

    def set_kept(self, kept: Sequence[Kept]) -> None:
        """Something can be seen of these, in their order."""
        if tuple(kept) != self.kept:
            self.kept = tuple(kept)
            self.kept_changed.emit()

    def show(self, instant: Instant | None) -> None:
        """Show the run as it was; None shows it as it is."""
        if instant is not self.shown:
            self.shown = instant
            self.changed.emit()

    def neighbour(self, step: int) -> Kept | None:
        """The one that is kept so many further on than what is shown; None where that is now."""
        here = len(self.kept) if self.shown is None else self._index(self.shown.at.iteration)
        there = max(here + step, 0)
        return self.kept[there] if there < len(self.kept) else None

    def _index(self, iteration: int) -> int:
        """How many are kept before ``iteration``; what is shown may have been let go since."""
        return sum(kept.iteration < iteration for kept in self.kept)
