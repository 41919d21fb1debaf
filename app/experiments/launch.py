"""What stands at the foot of the design: how many runs it asks for, what they will take, and what starts them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.models.sweep_draft import SweepDraft
from app.session.sweep_planner import Planned, SweepPlanner
from app.style.sentence import Sentence
from app.style.theme import Theme
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError

_COUNTING = "Counting the runs…"


class Launch(QWidget):
    """Signals:
    run_asked: train all runs of this Sweep.
    save_asked, copy_asked: keep this Sweep as a file, or take along the command line that trains it.
    """

    run_asked = Signal(object)
    save_asked = Signal(object)
    copy_asked = Signal(object)

    def __init__(self, theme: Theme, draft: SweepDraft) -> None:
        super().__init__()
        self._draft = draft
        self.planner = SweepPlanner(self)
        self.sweep: Sweep | None = None  # as it is entered, where it can be trained
        self.plan: Plan | None = None
        self.count_label = QLabel()
        self.count_label.setProperty("role", "heading")
        self.count_label.setWordWrap(True)
        self.count_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.problem = Sentence("error")
        self.run_button = QPushButton("Run")
        self.run_button.setProperty("role", "main")
        self.run_button.setToolTip("Train all of these runs")
        self.more_button = QToolButton()
        self.more_button.setText("Take along")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setToolTip("As a file for the command line and for a cluster")
        menu = QMenu(self.more_button)
        self.save_action = menu.addAction("Save as TOML…")
        self.copy_action = menu.addAction("Copy the command line…")
        self.more_button.setMenu(menu)
        self.run_button.clicked.connect(lambda: self.run_asked.emit(self.sweep))
        self.save_action.triggered.connect(lambda: self.save_asked.emit(self.sweep))
        self.copy_action.triggered.connect(lambda: self.copy_asked.emit(self.sweep))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.unit)
        buttons.addWidget(self.run_button, 1)
        buttons.addWidget(self.more_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit)
        layout.setSpacing(theme.unit // 2)
        layout.addWidget(self.count_label)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.planner.planned.connect(self._take)
        draft.changed.connect(self.judge)
        self.judge()

    def judge(self) -> None:
        """Find out how many runs are asked for, or why none can be."""
        try:
            sweep = self._draft.sweep()
        except RequestError as error:
            self.planner.ask(None)
            self._show("", str(error))
            return
        self._show(_COUNTING, "")
        self.planner.ask(sweep)

    def _take(self, found: Planned) -> None:
        self.sweep, self.plan = (found.sweep, found.plan) if found.plan is not None else (None, None)
        self._show(_counted(found.plan) if found.plan is not None else "", found.problem)
        self._offer()

    def _show(self, count: str, problem: str) -> None:
        if count in ("", _COUNTING):
            self.sweep = self.plan = None
        self.count_label.setText(count)
        self.count_label.setVisible(bool(count))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._offer()

    def _offer(self) -> None:
        for widget in (self.run_button, self.more_button):
            widget.setEnabled(self.sweep is not None)

    def apply_theme(self, theme: Theme) -> None:
        """Its roles are all the look it has."""


def _counted(plan: Plan) -> str:
    """ "12 settings × 5 seeds = 60 runs"."""
    settings, seeds, runs = len(plan.points), len(plan.seeds), len(plan)
    each = f"{settings:,} setting{'s' * (settings != 1)} × {seeds:,} seed{'s' * (seeds != 1)}"
    return f"{each} = {runs:,} run{'s' * (runs != 1)}".replace(",", "\u202f")
