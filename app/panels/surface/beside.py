"""What another run has come to in the same process, in cells beside those of the run that is shown: a plan beside what
was learned by trial, or the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.models.runs import Run
from app.panels.surface.cells import Cells
from app.session.file_work import FileWork
from app.style.combo import Combo
from app.style.theme import Theme
from engine.config import RunConfig
from engine.config.environments import EnvironmentConfig

if TYPE_CHECKING:  # with numpy, and torch
    from engine.analysis.surfaces import Surface

SHARES = QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored  # of both cells: the room, evenly
_NOTHING = "Beside it: nothing"
_KINDS = {
    "learned": "values as learned",
    "exact": "V of its policy",
    "planned": "V as planned",
    "unknown": "its policy",
}


class Beside(QWidget):
    """``choice`` offers the runs that are drawn behind the one that is shown and are of the same process, and stands
    wherever its owner puts it. One of another family than the run that is shown is beside it by itself, until a person
    chooses.

    Signals:
        changed: other cells are shown, or none.
    """

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.choice = Combo()
        self.choice.setAccessibleName("Which other run's values stand beside")
        self.choice.setToolTip("A run whose eye is open on the shelf, and which is of the same process")
        self.choice.activated.connect(self._choose)
        self.cells = Cells(theme)
        self.cells.setAccessibleName("Values and policy of the other run, by cell")
        self.heading = QLabel()
        self.heading.setWordWrap(True)
        self.heading.setProperty("role", "muted")
        self.heading.setProperty("small", True)
        self.run: Run | None = None  # that is shown here
        self.hide()
        self._there: tuple[Run, ...] = ()
        self._chosen: str | None = None  # the run that a person has chosen, empty for none; None where nobody has
        self._folder: Path | None = None
        self._work = FileWork(self, "surface beside", "The other run's values could not be computed")
        self._work.failed.connect(self._fail)
        self.setSizePolicy(*SHARES)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit // 2)
        column.addWidget(self.heading)
        column.addWidget(self.cells, 1)
        self._offer()

    def hasHeightForWidth(self) -> bool:
        """Its height is its share of what there is, however its heading is wrapped."""
        return False

    def offer(self, runs: Sequence[Run], config: RunConfig | None, folder: Path | None) -> None:
        """Offer those of ``runs``, which the library in ``folder`` has, whose process is that of ``config``."""
        there = [] if config is None or folder is None else runs
        self._folder = folder
        self._there = tuple(run for run in there if config and same_process(run.config.environment, config.environment))
        wanted = next((run for run in self._there if run.id == self._chosen), None)
        if wanted is None and self._chosen is None and config is not None:
            wanted = next((run for run in self._there if run.config.family != config.family), None)
        self._offer()
        self._show(wanted)

    def _offer(self) -> None:
        """Put into the choice what there is."""
        ids = [self.choice.itemData(index) for index in range(self.choice.count())]
        if ids == ["", *(run.id for run in self._there)]:
            return
        self.choice.clear()
        self.choice.addItem(_NOTHING, "")
        for run in self._there:
            self.choice.addItem(f"Beside it: run {run.number}, {run.method}", run.id)
        self.choice.setVisible(bool(self._there))

    def _choose(self) -> None:
        self._chosen = self.choice.currentData()
        self._show(next((run for run in self._there if run.id == self._chosen), None))

    def _show(self, run: Run | None) -> None:
        self.choice.setCurrentIndex(0 if run is None else max(self.choice.findData(run.id), 0))
        if (self.run and self.run.id) == (run and run.id):
            return
        self.run = run
        self.setVisible(run is not None)
        self.cells.show_surface(None)  # no other run's numbers under this one's name
        if run is not None and self._folder is not None:
            self.heading.setText(f"Run {run.number}, {run.method}: its values are being read…")
            self._work.ask(partial(_kept, self._folder, run.id), partial(self._take, run))
        self.changed.emit()

    def _take(self, run: Run, surface: Surface | None) -> None:
        if self.run is None or run.id != self.run.id:
            return
        known = "of its policy nothing is known by state"
        if surface is not None:
            known = f"{_KINDS[surface.source]} · iteration {surface.iteration:,}"
        self.heading.setText(f"Run {run.number}, {run.method}: {known}")
        self.cells.show_surface(surface)
        self.changed.emit()

    def _fail(self, sentence: str) -> None:
        self.heading.setText(sentence)

    def words(self, row: int, column: int) -> str:
        """What the run that is beside says of a cell, in a few words; empty where it says nothing."""
        value = self.cells.worth(row, column) if self.run is not None else ""
        return f"run {self.run.number}: {value}" if self.run is not None and value else ""

    def apply_theme(self, theme: Theme) -> None:
        self.cells.apply_theme(theme)

    def end(self) -> None:
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)


_PROCESS = ("id", "options", "sticky_actions", "reward_offset", "reward_scale", "normalize_rewards")


def same_process(one: EnvironmentConfig, other: EnvironmentConfig) -> bool:
    """Whether states, actions, what follows from them and the rewards that learning sees are the same, whatever is done
    to what is seen of the states: then values can be compared."""
    return all(getattr(one, name) == getattr(other, name) for name in _PROCESS)


def _kept(folder: Path, run: str) -> Surface | None:
    """What is known of every state by the policy that is kept last of a run; on a thread of its own."""
    from engine.analysis.surfaces import surface_of  # with torch
    from engine.runs.library import Library
    from engine.runs.policy_differences import policy_of

    with Library(folder) as library:
        return surface_of(policy_of(library, library.run(run)))
