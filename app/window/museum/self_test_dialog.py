"""The self-test in the window: the chosen algorithm, or all of them, in worlds whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QThread, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.session.failures import failure
from app.style.sentence import Sentence
from engine.catalogue.methods.entries import ALGORITHMS
from engine.mdp.probes import PROBES

if TYPE_CHECKING:  # with torch
    from engine.analysis.self_test import Outcome

_INTRODUCTION = (
    "Worlds so small that it is known what must be learned in each: where a method fails in one, that says where the "
    "mistake is. Nothing of it is kept."
)
_SIZE = (720, 560)
_COLUMNS = ("Algorithm", "Probe", "", "What came of it")


class SelfTestThread(QThread):
    """Trains in one probe after the other, until there are no more or it is to end."""

    outcome = Signal(object)
    failed = Signal(str)

    def __init__(self, algorithms: list[str], parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("self-test")
        self._algorithms, self._ending = algorithms, False

    def end(self) -> None:
        """Leave the probe that is under way, and begin no other."""
        self._ending = True

    def run(self) -> None:
        try:
            from engine.analysis.self_tests import self_tests

            for outcome in self_tests(self._algorithms, lambda: self._ending):
                self.outcome.emit(outcome)
        except BaseException as error:
            self.failed.emit(failure(error, "The self-test broke off"))


class SelfTestDialog(QDialog):
    """A row for each probe that asks something of an algorithm, as it comes; what a failure means stands beneath."""

    def __init__(self, algorithm: str | None, is_ready: Callable[[], bool], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Self-test")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._algorithm, self._is_ready = algorithm, is_ready
        self._thread: SelfTestThread | None = None
        self.outcomes: list[Outcome] = []
        introduction = QLabel(_INTRODUCTION)
        introduction.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.currentCellChanged.connect(self._explain)
        self.table.setAccessibleName("Probes")
        self.table.horizontalHeader().setFixedHeight(2 * self.fontMetrics().height())
        self.meaning, self.verdict = Sentence(), QLabel()
        self.verdict.setProperty("role", "heading")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        chosen = ALGORITHMS[algorithm].title if algorithm in ALGORITHMS else ""
        self.one_button, self.all_button = QPushButton(f"Test {chosen}"), QPushButton("Test all algorithms")
        self.one_button.setVisible(bool(chosen))
        self.stop_button = QPushButton("Stop")
        self.one_button.clicked.connect(lambda: self.begin([algorithm] if algorithm else []))
        self.all_button.clicked.connect(lambda: self.begin(list(ALGORITHMS)))
        self.stop_button.clicked.connect(self._stop)
        buttons = QHBoxLayout()
        for button in (self.one_button, self.all_button, self.stop_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(introduction)
        layout.addLayout(buttons)
        layout.addWidget(self.progress)
        layout.addWidget(self.verdict)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.meaning)
        self.resize(*_SIZE)
        self.finished.connect(lambda _result: self._stop(wait=True))
        parent.installEventFilter(self)
        self._show_state()

    def begin(self, algorithms: list[str]) -> None:
        """Test these."""
        if not self._is_ready():
            self.verdict.setText("The engine is still loading; try again in a moment.")
            return
        self._stop(wait=True)
        self.outcomes = []
        self.table.setRowCount(0)
        self.progress.setRange(0, len(algorithms))
        self.progress.setValue(0)
        self._tested = algorithms
        self._thread = SelfTestThread(algorithms, self)
        self._thread.outcome.connect(self._add)
        self._thread.failed.connect(self.verdict.setText)
        self._thread.finished.connect(self._show_state)
        self._thread.start()
        self._show_state()

    def _stop(self, wait: bool = False) -> None:
        thread = self._thread
        if thread is not None:
            thread.end()
            if wait:
                thread.wait()
                self._thread = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parent() and event.type() == QEvent.Type.Close:  # as where the program is told to quit
            self._stop(wait=True)
        return super().eventFilter(watched, event)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        row = self.table.rowCount()
        self.table.insertRow(row)
        verdict = "pass" if outcome.passed else "FAIL"
        for column, text in enumerate(
            (ALGORITHMS[outcome.algorithm].title, outcome.probe.title, verdict, outcome.found)
        ):
            self.table.setItem(row, column, item := QTableWidgetItem(text))
            font = item.font()
            font.setBold(not outcome.passed)
            item.setFont(font)
        self.progress.setValue(self._tested.index(outcome.algorithm) + 1)
        if not outcome.passed:
            self.table.setCurrentCell(row, 0)
        self._show_state()

    def _show_state(self) -> None:
        running = self._thread is not None and self._thread.isRunning()
        self.one_button.setEnabled(not running)
        self.all_button.setEnabled(not running)
        self.stop_button.setEnabled(running)
        self.progress.setVisible(running)
        failed = sum(not outcome.passed for outcome in self.outcomes)
        if self.outcomes:
            told = f"{failed} of {len(self.outcomes)} failed" if failed else f"All {len(self.outcomes)} passed"
            self.verdict.setText(f"{told} so far" if running else told)
        elif running:
            self.verdict.setText("Testing …")
        if not self.outcomes:
            self.meaning.setText(f"There are {len(PROBES)} probes, after Andy Jones, “Debugging RL”.")

    def _explain(self, row: int, *_: int) -> None:
        if 0 <= row < len(self.outcomes):
            outcome = self.outcomes[row]
            means = "" if outcome.passed else f" {outcome.probe.failure}"
            self.meaning.setText(f"{outcome.probe.world}{means}")
            self.meaning.setToolTip(escape(outcome.probe.failure))
