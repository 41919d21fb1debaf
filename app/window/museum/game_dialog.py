"""Guess the bug: a run trains with a hidden bug, or with none, and the plots alone tell which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.models.experiment import Experiment
from app.models.run_state import ACTIVE, ENDED, LOCKED, RunAction, RunState
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.style.sentence import Sentence
from app.window.museum.bug_text import capitalised, told
from app.window.museum.guessing import Riddle, Score, candidates, riddle
from engine.catalogue.methods.bugs import BUGS, Bug
from engine.config.bugs import NO_BUG

_RULES = (
    "One of {count} bugs that fit what is chosen is hidden in a run of it, or none. It trains from the seed that is "
    "chosen; look at its plots for as long as you like, then say what it is."
)
_UNDER_WAY = "A run is under way: stop it to begin."
_NOTHING_FITS = "No bug of the museum fits what is chosen; choose a method that learns from rewards it experiences."
_NONE = "No bug at all"
_UNREAD = (
    "<p>Click one of them to read what it does and how it is seen. What it was stands here once you have guessed.</p>"
)
_SIZE = (420, 620)


class GameDialog(QDialog):
    """Stands beside the window, which goes on working; what is hidden is told nowhere before the guess."""

    def __init__(
        self,
        experiment: Experiment,
        controller: RunController,
        library: RunLibrary,
        settings: QSettings,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Guess the bug")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._experiment, self._controller, self._library = experiment, controller, library
        self.score = Score(settings)
        self._riddle: Riddle | None = None
        self._run = ""  # the one in which it is hidden
        self._revealed = False
        self._then: Callable[[], object] | None = None  # what is to be done once no run trains
        self.told, self.answers, self.page, self.counted = Sentence(""), QListWidget(), QTextBrowser(), QLabel()
        self.told.setProperty("small", False)
        self.told.set_alternatives([f"{_RULES.format(count=len(BUGS))} {_UNDER_WAY}"])  # so that no button moves
        self.page.setHtml(_UNREAD)
        self.answers.setAccessibleName("What it could be")
        self.page.setAccessibleName("What is known of it")
        self.counted.setProperty("role", "muted")
        self.begin_button, self.guess_button = QPushButton("Hide a bug and train"), QPushButton("This is it")
        self.hint_button, self.beside_button = QPushButton("Ask the doctor"), QPushButton("Train it without")
        self.hint_button.setToolTip("What the doctor has to say of the run: a hint")
        self.beside_button.setToolTip("Train the same without the bug, from the same seed; the other stays behind it")
        for button, do in (
            (self.begin_button, self.begin),
            (self.guess_button, self.guess),
            (self.hint_button, self._ask_the_doctor),
            (self.beside_button, self._train_beside),
        ):
            button.clicked.connect(do)
            button.setAutoDefault(False)
        self.answers.currentItemChanged.connect(self._show_page)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for button in (self.begin_button, self.beside_button):
            upper.addWidget(button)
        for button in (self.guess_button, self.hint_button):
            lower.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.told)
        layout.addLayout(upper)
        layout.addWidget(self.answers, 2)
        layout.addLayout(lower)
        layout.addWidget(self.page, 3)
        layout.addWidget(self.counted)
        self.resize(*_SIZE)
        self.finished.connect(self._leave)
        controller.state_changed.connect(self._follow)
        experiment.changed.connect(self._refresh)
        self._refresh()

    # --- what a person does -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Hide a bug, or none, and train."""
        if self._controller.state in ACTIVE:
            return
        self._experiment.set_value("bug", NO_BUG)
        found = riddle(self._experiment.config, self._experiment.environment)
        if self._experiment.set_value("bug", found.token) is not None:
            return
        self._riddle, self._revealed, self._run = found, False, ""
        self.page.setHtml(_UNREAD)
        self._controller.start(self._experiment.config, self._experiment.plain)
        self._refresh()

    def guess(self) -> None:
        """Say whether the answer that is chosen is right, and what it was."""
        item = self.answers.currentItem()
        if self._riddle is None or item is None or self._revealed:
            return
        guessed, answer = item.data(Qt.ItemDataRole.UserRole), self._riddle.answer
        right = guessed == answer
        self.score.add(right)
        self._revealed = True
        name = BUGS[answer].title if answer in BUGS else "no bug"
        head = "<h3>Right!</h3>" if right else f"<h3>No: it was {escape(name)}.</h3>"
        body = told(BUGS[answer]) if answer in BUGS else "<p>Nothing was wrong with this run.</p>"
        self._name_run(name)
        self._refresh()
        self.page.setHtml(head + body + self._findings())

    def _ask_the_doctor(self) -> None:
        self.page.setHtml(self._findings())

    def _train_beside(self) -> None:
        """The same run as it should be, once this one has stopped."""
        self._then = self._begin_beside
        if self._controller.state in ACTIVE:
            self._controller.stop()
        else:
            self._follow(self._controller.state)

    def _begin_beside(self) -> None:
        self._experiment.set_value("bug", NO_BUG)
        self._controller.start(self._experiment.config, self._experiment.plain)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _follow(self, state: RunState) -> None:
        shown = self._controller.shown
        if self._riddle is not None and not self._run and shown is not None:
            self._run = shown.run.id if shown.config.model_dump().get("bug") == self._riddle.token else ""
        if self._then is not None and state in ENDED and self._controller.allows(RunAction.START):
            then, self._then = self._then, None
            then()
        self._refresh()

    def _refresh(self) -> None:
        guessing = self._riddle is not None and not self._revealed
        active = self._controller.state in ACTIVE
        there = self._riddle.candidates if self._riddle is not None else self._offered()
        wanted = [NO_BUG, *(bug.name for bug in there)]
        if [self._name(row) for row in range(self.answers.count())] != wanted:
            self.answers.clear()
            for name in wanted:
                item = QListWidgetItem(capitalised(BUGS[name].title) if name in BUGS else _NONE)
                item.setData(Qt.ItemDataRole.UserRole, name)
                self.answers.addItem(item)
        first = f" {_UNDER_WAY}" if active and not guessing else ""
        self.told.setText(_RULES.format(count=len(there)) + first if there else _NOTHING_FITS)
        self.begin_button.setEnabled(bool(there) and not active)
        self.begin_button.setToolTip(LOCKED if active else "")
        self.begin_button.setText("Hide another and train" if self._revealed else "Hide a bug and train")
        self.guess_button.setEnabled(guessing and self.answers.currentItem() is not None)
        self.hint_button.setEnabled(guessing and bool(self._run))
        beside = self._revealed and self._riddle is not None and self._riddle.answer != NO_BUG
        self.beside_button.setEnabled(beside)
        self.counted.setText(f"Score: {self.score}")

    def _offered(self) -> tuple[Bug, ...]:
        return candidates(self._experiment.config, self._experiment.environment)

    def _name(self, row: int) -> object:
        return self.answers.item(row).data(Qt.ItemDataRole.UserRole)

    def _show_page(self, *_: object) -> None:
        item = self.answers.currentItem()
        name = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.guess_button.setEnabled(self._riddle is not None and not self._revealed and item is not None)
        if name in BUGS:
            self.page.setHtml(told(BUGS[name]))
        elif name is not None:
            self.page.setHtml("<p>If it is this, nothing is wrong: the run comes to what its method comes to.</p>")

    def _findings(self) -> str:
        """What the doctor sees in the run."""
        from app.models.reported import reported  # with numpy
        from engine.analysis.doctor.rules import findings

        shown = self._controller.shown
        if shown is None or shown.run.id != self._run:
            return ""
        found = findings(reported(shown.run, shown.config))
        if not found:
            return "<p><b>The doctor</b> sees nothing that is surely wrong.</p>"
        return "<p><b>The doctor says:</b></p>" + "".join(f"<p>{escape(each.sentence)}</p>" for each in found)

    def _name_run(self, title: str) -> None:
        """What was hidden is no secret any more."""
        record = self._library.record(self._run)
        if record is not None:
            self._library.label(self._run, replace(record.label, title=title))

    def _leave(self, _result: int) -> None:
        """The next run is made without what was hidden."""
        if self._riddle is not None:
            self._experiment.set_value("bug", NO_BUG)
