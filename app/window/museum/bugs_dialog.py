"""The museum: every classic bug with its right and its wrong line, to be switched on in the next run."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
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
from app.models.run_state import ACTIVE, LOCKED, RunState
from app.session.run_controller import RunController
from app.style.sentence import Sentence
from app.window.museum.bug_text import capitalised, told
from engine.catalogue.methods.bugs import BUGS, Bug, bugs_for, marked
from engine.config.bugs import NO_BUG, bug_in

_INTRODUCTION = (
    "Mistakes that many have made. Switch one on, and the next run is made with it: whatever tells of the run says so. "
    "Everything else stays as it is chosen."
)
_SIZE = (760, 560)


class BugsDialog(QDialog):
    """A list and a page; what does not fit the present choice can be read, and says why it cannot be switched on."""

    def __init__(self, experiment: Experiment, controller: RunController, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Museum of bugs")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._experiment, self._controller = experiment, controller
        self.list, self.page, self.why = QListWidget(), QTextBrowser(), Sentence("warning")
        self.list.setAccessibleName("Bugs")
        self.page.setAccessibleName("What is wrong")
        for bug in BUGS.values():
            item = QListWidgetItem(capitalised(bug.title))
            item.setData(Qt.ItemDataRole.UserRole, bug)
            self.list.addItem(item)
        self.list.currentItemChanged.connect(self._tell)
        self.on_button, self.off_button = QPushButton("Switch on"), QPushButton("Switch off")
        self.on_button.clicked.connect(self._switch_on)
        self.off_button.clicked.connect(lambda: self._put(NO_BUG))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.off_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.on_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        introduction = QLabel(_INTRODUCTION)
        introduction.setWordWrap(True)
        both = QHBoxLayout()
        both.addWidget(self.list, 2)
        both.addWidget(self.page, 3)
        layout = QVBoxLayout(self)
        layout.addWidget(introduction)
        layout.addLayout(both, 1)
        layout.addWidget(self.why)
        layout.addWidget(buttons)
        self.resize(*_SIZE)
        experiment.changed.connect(self._refresh)
        controller.state_changed.connect(self._refresh)
        self._refresh()
        self.list.setCurrentRow(next((row for row, bug in enumerate(BUGS) if bug == bug_in(experiment.config)), 0))

    def choose(self, bug: str) -> None:
        """Show the page of a bug."""
        self.list.setCurrentRow(list(BUGS).index(bug))

    def _bug(self) -> Bug | None:
        item = self.list.currentItem()
        bug = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return bug if isinstance(bug, Bug) else None

    def _refresh(self, _state: RunState | None = None) -> None:
        config = self._experiment.config
        self._refusals = {bug.name: why for bug, why in bugs_for(config, self._experiment.environment)}
        for row in range(self.list.count()):
            item = self.list.item(row)
            bug = item.data(Qt.ItemDataRole.UserRole)
            switched_on = bug.name == bug_in(config)
            item.setText(f"{'⚠ ' if switched_on else ''}{capitalised(bug.title)}")
            fits = self._refusals[bug.name] is None
            item.setForeground(self.palette().text() if fits else self.palette().placeholderText())
        self._tell()

    def _tell(self, *_: object) -> None:
        bug = self._bug()
        if bug is None:
            return
        self.page.setHtml(told(bug))
        locked, refused = self._controller.state in ACTIVE, self._refusals[bug.name]
        mark = marked(self._experiment.config)
        is_on = bug.name == bug_in(self._experiment.config)
        on = f"{mark} is switched on for the next run." if mark else ""
        self.why.setText(LOCKED if locked else f"{on} {str(refused) if refused else ''}".strip())
        self.on_button.setEnabled(not locked and refused is None and not is_on)
        self.off_button.setEnabled(not locked and bool(mark))

    def _switch_on(self) -> None:
        bug = self._bug()
        if bug is not None:
            self._put(bug.name)

    def _put(self, bug: str) -> None:
        reason = self._experiment.set_value("bug", bug)
        self._tell()
        if reason:
            self.why.setText(reason)
