"""What has come of the library's experiments: one of them at a time, its curves, its settings and its runs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.experiments.runs_table import RunsTable
from app.experiments.setting_curves import SettingCurves
from app.experiments.settings_table import SettingsTable
from app.models.experiment_results import Results
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.format import with_minus
from app.style.sentence import Sentence
from app.style.text import Stage, as_surface, muted
from app.style.theme import Theme
from engine.runs.sweeps.records import Progress, Wish

EMPTY = (
    "Experiments appear here: many runs in which something varies, each setting with several seeds. Choose at the left "
    "what varies, or start from a ready experiment, and press Run."
)
_NOTHING_TO_SAY = "What can be said of the settings, and what cannot, appears here once runs of two of them have ended."
_LOWER = 0.46  # the share of the height that the tables have


class ResultsPanel(QWidget):
    """Signals:
    chosen: the id of the experiment that is to be shown.
    wished: a Wish for the whole experiment, or for the runs of these ids where there are any.
    retry_asked, compare_asked: ids of runs that are to be tried again, or opened in Compare.
    anew_asked: the points of settings that are to be trained with other seeds.
    again_asked, delete_asked: the design of the experiment is wanted at the left; it is to be deleted.
    """

    chosen = Signal(str)
    wished = Signal(object, list)
    retry_asked = Signal(list)
    compare_asked = Signal(list)
    anew_asked = Signal(list)
    again_asked = Signal()
    delete_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self.results: Results | None = None
        self.list = Combo()
        self.list.setAccessibleName("Experiments")
        self.list.setToolTip("The experiments of the library, the newest first")
        self.list.activated.connect(lambda row: self.chosen.emit(self.list.itemData(row)))
        self.state = muted()
        self.state.setWordWrap(True)
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.shows = Sentence("")
        self.caveat = Sentence("warning")
        self.final_of = Sentence("muted")
        self.curves = SettingCurves(theme)
        self.settings, self.runs = SettingsTable(theme), RunsTable(theme)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        settings = self._with_buttons(self.settings, self._setting_buttons(), theme, self.final_of)
        self.tabs.addTab(settings, "Settings")
        self.tabs.addTab(self._with_buttons(self.runs, self._run_buttons(), theme), "Runs")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setMargin(theme.unit)
        scroll = QScrollArea()
        scroll.setWidget(self.words)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setAccessibleName("What can be said")
        scroll.setProperty("role", "scrolled")
        self.tabs.addTab(scroll, "In words")
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._curves_place = QWidget()
        self._curves_layout = QVBoxLayout(self._curves_place)
        self._curves_layout.setContentsMargins(0, 0, 0, 0)
        self._curves_layout.addWidget(self.curves)
        self.taken = False  # whether the curves are elsewhere
        self._split.addWidget(self._curves_place)
        self._split.addWidget(self.tabs)
        self._split.setChildrenCollapsible(False)
        self._shared_out = False
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.unit, theme.unit, theme.unit, 0)
        column.setSpacing(theme.unit // 2)
        column.addLayout(self._head(theme))
        for widget in (self.state, self.shows, self.caveat):
            column.addWidget(widget)
        column.addWidget(self._split, 1)
        self.stage = Stage(EMPTY, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stage)
        self.tabs.currentChanged.connect(lambda _tab: self._fill())
        for table in (self.settings, self.runs):
            table.opened.connect(lambda table=table: self.compare_asked.emit(self.runs_of(table)))
            table.selectionModel().selectionChanged.connect(self._offer)
        self.apply_theme(theme)
        self._offer()

    def _head(self, theme: Theme) -> QHBoxLayout:
        self.go_button, self.stop_button = QPushButton("Pause"), QPushButton("Stop")
        self.stop_button.setToolTip("Save all runs that train, and stop; Go on goes on from there")
        self.more_button = QToolButton()
        self.more_button.setText("More")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more_button)
        self.again_action = menu.addAction("Show its design at the left")
        self.delete_action = menu.addAction("Delete")
        self.more_button.setMenu(menu)
        self.go_button.clicked.connect(self._pause_or_go_on)
        self.stop_button.clicked.connect(lambda: self.wished.emit(Wish.STOP, []))
        self.again_action.triggered.connect(lambda: self.again_asked.emit())
        self.delete_action.triggered.connect(lambda: self.delete_asked.emit())
        head = QHBoxLayout()
        head.setSpacing(theme.unit)
        head.addWidget(self.list, 1)
        for button in (self.go_button, self.stop_button, self.more_button):
            head.addWidget(button)
        return head

    def _with_buttons(
        self, table: QWidget, buttons: Sequence[QPushButton], theme: Theme, words: QWidget | None = None
    ) -> QWidget:
        place = QWidget()
        column = QVBoxLayout(place)
        column.setContentsMargins(0, 0, 0, theme.unit // 2)
        column.setSpacing(theme.unit // 2)
        column.addWidget(table, 1)
        if words is not None:
            column.addWidget(words)
        row = QWidget()
        flow = Flow(theme.unit // 2)
        flow.setContentsMargins(0, 0, 0, 0)
        for button in buttons:
            flow.addWidget(button)
        row.setLayout(flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        row.setSizePolicy(policy)
        column.addWidget(row)
        return place

    def _setting_buttons(self) -> list[QPushButton]:
        self.compare_settings = QPushButton("Open in Compare")
        self.compare_settings.setToolTip("See the runs of the selected settings beside each other; of all, if none is")
        self.compare_settings.clicked.connect(lambda: self.compare_asked.emit(self.runs_of(self.settings)))
        self.anew_button = QPushButton("Again with other seeds")
        self.anew_button.setToolTip(
            "Design an experiment with only the selected settings, on seeds that have not judged them yet"
        )
        self.anew_button.clicked.connect(lambda: self.anew_asked.emit(self.settings.chosen))
        return [self.compare_settings, self.anew_button]

    def _run_buttons(self) -> list[QPushButton]:
        self.compare_runs = QPushButton("Open in Compare")
        self.pause_runs, self.stop_runs = QPushButton("Pause"), QPushButton("Stop")
        self.drop_runs, self.retry_runs = QPushButton("Drop"), QPushButton("Try again")
        self.compare_runs.setToolTip("See the selected runs beside each other; all of them, if none is")
        self.go_on_runs = QPushButton("Go on")
        self.drop_runs.setToolTip("Neither train them any more nor count them in the results; Go on counts them again")
        self.compare_runs.clicked.connect(lambda: self.compare_asked.emit(self.runs_of(self.runs)))
        self.retry_runs.clicked.connect(lambda: self.retry_asked.emit(self.runs_of(self.runs)))
        wishes = {
            self.go_on_runs: Wish.RUN,
            self.pause_runs: Wish.PAUSE,
            self.stop_runs: Wish.STOP,
            self.drop_runs: Wish.DROP,
        }
        for button, wish in wishes.items():
            button.clicked.connect(lambda _=False, wish=wish: self.wished.emit(wish, self.runs_of(self.runs)))
        return [self.compare_runs, *wishes, self.retry_runs]

    # --- what is shown ------------------------------------------------------------------------------------------------

    def show_list(self, titles: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer these experiments, each by id and title."""
        self.stage.fill(bool(titles))
        if [self.list.itemData(row) for row in range(self.list.count())] != [id for id, _ in titles]:
            self.list.clear()
            for id, title in titles:
                self.list.addItem(title, id)
        for row, (_, title) in enumerate(titles):  # in its place, since the list may be open
            if self.list.itemText(row) != title:
                self.list.setItemText(row, title)
        self.list.setCurrentIndex(self.list.findData(chosen))

    def show_results(self, results: Results) -> None:
        """Show how an experiment stands."""
        record, before = results.record, self.results
        if before is None or before.record.id != record.id:  # of which other rows are meant
            for table in (self.settings, self.runs):
                table.clearSelection()
                table.scrollToTop()
        self.results = results
        self.state.setText(results.words)
        for sentence, text in ((self.shows, record.sweep.shows), (self.caveat, results.caveat)):
            sentence.setText(text)
            sentence.setVisible(bool(text))
        self.final_of.setText(results.final_of)
        said = "\n\n".join(results.sentences) or _NOTHING_TO_SAY
        self.words.setText(with_minus(said))
        self.curves.show_curves(results.curves, results.curves_of, results.threshold)
        self._fill()

    def _fill(self) -> None:
        """Show the table that can be seen; the other one waits until it can."""
        results = self.results
        if results is not None and self.tabs.currentIndex() == 0:
            self.settings.show_results(results.settings, results.final_of, results.threshold)
        elif results is not None and self.tabs.currentIndex() == 1:
            self.runs.show_results(results.settings, results.record.sweep.config.budget.environment_steps)
        self._offer()

    def runs_of(self, table: QWidget) -> list[str]:
        """The runs that are selected in a table, or those of the settings that are; where none is, all that count."""
        if table is self.runs and self.runs.chosen:
            return self.runs.chosen_runs
        settings = self.results.settings if self.results is not None else ()
        chosen = set(self.settings.chosen) if table is self.settings else set()
        return [run.run for one in settings if one.point in chosen or not chosen for run in one.counted]

    def _offer(self) -> None:
        """Offer what can be done now."""
        chosen = set(self.runs.chosen_runs)
        runs = [run for one in (self.results.settings if self.results else ()) for run in one.runs if run.run in chosen]
        every = [run for one in (self.results.settings if self.results else ()) for run in one.counted]
        begun = any(run.number is not None for run in runs or every)
        open_ones = [run for run in runs if not run.finished and not run.failed]
        self.compare_runs.setEnabled(begun)
        self.pause_runs.setEnabled(any(run.wish is Wish.RUN for run in open_ones))
        self.stop_runs.setEnabled(any(run.wish in (Wish.RUN, Wish.PAUSE) for run in open_ones))
        self.go_on_runs.setEnabled(any(run.wish is not Wish.RUN for run in runs))
        self.drop_runs.setEnabled(any(run.wish is not Wish.DROP for run in runs))
        self.retry_runs.setEnabled(any(run.progress is Progress.FAILED for run in runs))
        self.compare_settings.setEnabled(any(run.number is not None for run in every))
        self.anew_button.setEnabled(bool(self.settings.chosen))
        if self.results is None:
            return
        over, wish = self.results.tally.is_over, self.results.record.wish
        goes = wish is Wish.RUN and self.results.conducted
        self.go_button.setText("Pause" if goes else "Go on")
        self.go_button.setToolTip("Pause all runs" if goes else "Go on with all that is not finished")
        self.go_button.setEnabled(not over)
        self.stop_button.setEnabled(not over and self.results.conducted)

    def _pause_or_go_on(self) -> None:
        if self.results is not None:
            goes = self.results.record.wish is Wish.RUN and self.results.conducted
            self.wished.emit(Wish.PAUSE if goes else Wish.RUN, [])

    # --- the curves elsewhere, as in front of a room ------------------------------------------------------------------

    def take(self) -> QWidget:
        """Take the curves out of their place, into which ``hold`` puts them back."""
        self._curves_layout.removeWidget(self.curves)
        self.curves.setParent(None)
        self.taken = True
        return self.curves

    def hold(self, widget: QWidget) -> None:
        self._curves_layout.addWidget(widget)
        widget.show()
        self.taken = False

    # --- what Qt calls ------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shared_out:
            self._shared_out = True
            lower = round(_LOWER * self.height())
            self._split.setSizes([max(self.height() - lower, 1), lower])

    def apply_theme(self, theme: Theme) -> None:
        self.curves.apply_theme(theme)
        self.settings.apply_theme(theme)
        self.runs.apply_theme(theme)
        if self.results is not None:
            self.show_results(self.results)
