"""What stands at the foot of the design: how many runs it asks for, what they will take, and what starts them."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.experiments.where_row import ANSWERS, WhereRow
from app.models.experiment_results import span
from app.models.sweep_draft import SweepDraft
from app.session.sweep_pilot import Measured, SweepPilot
from app.session.sweep_planner import Planned, SweepPlanner
from app.style.format import short_number
from app.style.sentence import Sentence
from app.style.theme import Theme
from engine.runs.sweeps.pilot import Estimate
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError

_COUNTING = "Counting the runs…"
_MEASURING = "Measuring: some runs are trained for a few seconds…"
_UNMEASURED = "How long it takes is measured before it begins."
_BEGINS = "Run begins it."
_LONG_COST = f"About 40 s to 10 min one after the other, 250 MB on disk, 250 MB of memory for each. {_BEGINS}"
_SOON, _SMALL = 600.0, 1e9  # seconds and bytes, up to which what was asked to run begins once it is measured


class Launch(QWidget):
    """What has not been measured yet is measured as it is asked to run; where it takes long or much room, a person is
    told first.

    Signals:
    run_asked: train all runs of this Sweep.
    save_asked, copy_asked: keep this Sweep as a file, or take along the command line that trains it.
    where_changed: where runs are trained from now on is elsewhere.
    """

    where_changed = Signal()
    run_asked = Signal(object)
    save_asked = Signal(object)
    copy_asked = Signal(object)

    def __init__(self, theme: Theme, draft: SweepDraft, settings: QSettings) -> None:
        super().__init__()
        self._draft = draft
        self.where_row = WhereRow(theme, settings)
        self.planner, self.pilot = SweepPlanner(self), SweepPilot(self)
        self.sweep: Sweep | None = None  # as it is entered, where it can be trained
        self.plan: Plan | None = None
        self._estimate: tuple[Sweep, int | None, Estimate] | None = None  # measured last, in so many workers
        self._runs_then = False  # whether it is to run once it is measured
        self._problem = ""  # with what is entered
        self.count_label = QLabel()
        self.count_label.setProperty("role", "heading")
        self.count_label.setWordWrap(True)
        self.count_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.cost = Sentence("muted")
        self.cost.set_alternatives([_LONG_COST])  # so that nothing moves once it is known
        self.problem = Sentence("error")
        self.run_button = QPushButton("Run")
        self.measure_button = QPushButton("Cancel")
        width = self.measure_button.sizeHint().width()
        self.measure_button.setText("Measure")
        self.measure_button.setMinimumWidth(max(width, self.measure_button.sizeHint().width()))
        self.more_button = QToolButton()
        self.more_button.setText("Export")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setToolTip("As a file for the command line and for a cluster")
        menu = QMenu(self.more_button)
        self.save_action = menu.addAction("Save as TOML…")
        self.copy_action = menu.addAction("Save, and copy the command line…")
        self.more_button.setMenu(menu)
        self._lay_out(theme)
        self.run_button.clicked.connect(self._run)
        self.measure_button.clicked.connect(self._measure_or_not)
        self.save_action.triggered.connect(lambda: self.save_asked.emit(self.sweep))
        self.copy_action.triggered.connect(lambda: self.copy_asked.emit(self.sweep))
        self.planner.planned.connect(self._take)
        self.pilot.measured.connect(self._take_measured)
        self.where_row.changed.connect(self._move)
        draft.changed.connect(self.judge)
        self.judge()

    def _lay_out(self, theme: Theme) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.unit // 2)
        buttons.addWidget(self.run_button, 1)
        buttons.addWidget(self.measure_button)
        buttons.addWidget(self.more_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit)
        layout.setSpacing(theme.unit // 2)
        for widget in (self.count_label, self.where_row, self.cost, self.problem):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    # --- how many -----------------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Find out how many runs are asked for, or why none can be."""
        self._runs_then = False
        self.sweep = self.plan = None
        try:
            sweep = self._draft.sweep()
        except RequestError as error:
            self.planner.ask(None)
            self._show("", str(error))
        else:
            self._show(_COUNTING, "")
            self.planner.ask(sweep)

    def _take(self, found: Planned) -> None:
        self.sweep, self.plan = (found.sweep, found.plan) if found.plan is not None else (None, None)
        self._show(_counted(found.plan) if found.plan is not None else "", found.problem)

    # --- how long -----------------------------------------------------------------------------------------------------

    @property
    def estimate(self) -> Estimate | None:
        """What was measured of what is entered now."""
        known = self._estimate
        return known[2] if known is not None and known[:2] == (self.sweep, self.where_row.where.workers) else None

    def _move(self) -> None:
        """Have the runs trained where it is chosen now."""
        self._runs_then = False
        self.pilot.give_up()
        self._offer()
        self.where_changed.emit()

    def _run(self) -> None:
        if self.sweep is None or self.plan is None:
            return
        if self.estimate is not None or self.pilot.measures:
            self.pilot.give_up()
            self._runs_then = False
            self.run_asked.emit(self.sweep)
        else:
            self._runs_then = True
            self._measure()

    def _measure_or_not(self) -> None:
        self._runs_then = False
        if self.pilot.measures:
            self.pilot.give_up()
        else:
            self._measure()

    def _measure(self) -> None:
        if self.sweep is not None and self.plan is not None:
            self.pilot.ask(self.sweep, self.plan, self.where_row.where.workers)
            self._offer()

    def _take_measured(self, found: Measured) -> None:
        runs, self._runs_then = self._runs_then, False
        if found.estimate is not None:
            self._estimate = found.sweep, found.workers, found.estimate
        self._show(self.count_label.text(), found.problem if self.sweep is not None else self._problem)
        known = self.estimate
        if runs and known is not None and known.seconds[1] <= _SOON and known.disk <= _SMALL:
            self.run_asked.emit(self.sweep)

    # --- what is said -------------------------------------------------------------------------------------------------

    def _show(self, count: str, problem: str) -> None:
        self.count_label.setText(count)
        self.count_label.setVisible(bool(count))
        self._problem = problem
        self._offer()

    def _offer(self) -> None:
        known, measures = self.estimate, self.pilot.measures
        cluster, nowhere = self.where_row.is_cluster, self.where_row.problem
        unmeasured = ANSWERS if cluster else _UNMEASURED
        cost = f"{_cost(known, cluster)} {_BEGINS}" if known is not None else unmeasured
        self.cost.setText(_MEASURING if measures else cost)
        self.cost.setVisible(self.sweep is not None and not nowhere)
        self.problem.set_alternatives([_LONG_COST] if nowhere and not self._problem else [])  # it stands in place of it
        self.problem.setText(self._problem or nowhere)
        self.problem.setVisible(bool(self.problem.text()))
        self.more_button.setEnabled(self.sweep is not None)
        self.run_button.setEnabled(self.sweep is not None and not nowhere)
        self.measure_button.setEnabled(measures or self.sweep is not None)
        self.measure_button.setText("Cancel" if measures else "Measure")
        tip = "Stop measuring" if measures else "Train some of these runs for a few seconds, to know what all will take"
        self.measure_button.setToolTip(tip)
        self.run_button.setText("Run at once" if measures else "Run")
        self.run_button.setToolTip("Train all of these runs, in processes that go on when this window is closed")

    def apply_theme(self, theme: Theme) -> None:
        """Its roles are all the look it has."""


def _counted(plan: Plan) -> str:
    """ "12 settings × 5 seeds = 60 runs"."""
    settings, seeds, runs = len(plan.points), len(plan.seeds), len(plan)
    each = f"{settings:,} setting{'s' * (settings != 1)} × {seeds:,} seed{'s' * (seeds != 1)}"
    return f"{each} = {runs:,} run{'s' * (runs != 1)}".replace(",", "\u202f")


def _cost(known: Estimate, cluster: bool) -> str:
    """ "About 4–9 min with 2 at once, about 120 MB on disk, 310 MB of memory for each at once"; on a cluster, of which
    nothing was measured, that is what it would take here."""
    at_once = f"with {known.slots} at once" if known.slots > 1 else "one after the other"
    memory = f", {_bytes(known.memory)} of memory for each" if known.memory is not None else ""
    took = f"About {span(*known.seconds)} {at_once}, {_bytes(known.disk)} on disk{memory}."
    return f"Measured here: {took} A cluster trains as many at once as it has cores." if cluster else took


def _bytes(count: float) -> str:
    return f"{max(round(count / 1e6), 1)} MB" if count < 1e9 else f"{short_number(count / 1e9)} GB"
