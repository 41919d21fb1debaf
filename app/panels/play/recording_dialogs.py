"""The questions about recordings: what one or a dataset is called, and which episodes of a policy are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.style.combo import Combo
from app.style.sentence import Sentence
from engine.runs.recording_records import LONGEST_NAME, RecordingRecord
from engine.runs.records import Label

ACCEPT = "accept"  # the button by which a question is answered
_FOUND = "By this name, cloning and DAgger find it among their datasets."
_TAKEN = "There is a dataset of this name already; choose another."
_LONGEST_TITLE = 80
_MOST_EPISODES = 10_000
_LARGEST_RETURN = 1e9


class LabelDialog(QDialog):
    """What a person says of a recording."""

    def __init__(self, record: RecordingRecord, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Recording {record.number}")
        self._label = record.label
        self.title, self.tags = QLineEdit(record.label.title), QLineEdit(", ".join(record.label.tags))
        self.note = QPlainTextEdit(record.label.note)
        self.title.setMaxLength(_LONGEST_TITLE)
        self.title.setPlaceholderText(f"Recording {record.number}")
        self.title.selectAll()
        self.tags.setPlaceholderText("landed, by the lecturer")
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(4 * self.fontMetrics().lineSpacing())
        self.note.setProperty("role", "field")
        form = QFormLayout()
        form.setSpacing(8)
        for words, field in (("Name", self.title), ("Tags", self.tags), ("Note", self.note)):
            field.setAccessibleName(f"{words} of the recording")
            form.addRow(words, field)
        _finish(self, form, "Keep")

    @property
    def label(self) -> Label:
        """As it is typed now."""
        tags = tuple(dict.fromkeys(tag.strip() for tag in self.tags.text().split(",") if tag.strip()))
        title, note = self.title.text().strip(), self.note.toPlainText().strip()
        return Label(title, note, tags, self._label.pinned)


def new_name(stem: str, taken: Sequence[str]) -> str:
    """What a new dataset may be called, of the environment ``stem``."""
    known = {name.casefold() for name in taken}  # whose capitals alone differ is easily taken for another
    names = (f"my {stem}", *(f"my {stem} {number}" for number in range(2, 10_000)))
    return next(name for name in names if name.casefold() not in known)[:LONGEST_NAME]


class DatasetDialog(QDialog):
    """What a dataset is to be called, at first ``proposed``; ``taken`` are the names of others, the shipped ones among
    them."""

    def __init__(
        self, proposed: str, taken: Sequence[str], parent: QWidget, title: str = "New dataset", words: str = "Make it"
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._taken = frozenset(taken)
        self.named = QLineEdit(proposed)
        self.named.setMaxLength(LONGEST_NAME)
        self.named.selectAll()
        self.named.setAccessibleName("Name of the dataset")
        self.tell = Sentence(text=_FOUND)
        self.tell.set_alternatives((_FOUND, _TAKEN))
        form = QFormLayout()
        form.setSpacing(8)
        form.addRow("Name", self.named)
        column = _finish(self, form, words)
        column.insertWidget(1, self.tell)
        self.named.textChanged.connect(lambda _text: self._check())

    def _check(self) -> None:
        accept = self.findChild(QPushButton, ACCEPT)
        assert accept is not None
        accept.setEnabled(bool(self.name) and self.name not in self._taken)
        self.tell.setText(_TAKEN if self.name in self._taken else _FOUND)

    @property
    def name(self) -> str:
        """As it is typed now."""
        return self.named.text().strip()


class RunChoice(NamedTuple):
    """A run that can be recorded: its id, what it is called, and the iterations of which its policy is kept."""

    id: str
    words: str
    iterations: tuple[int, ...]


class RecordDialog(QDialog):
    """Which policy, how many episodes, and which of them."""

    def __init__(self, runs: Sequence[RunChoice], iteration: int | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Record a policy")
        self._runs = runs
        self.run_box, self.iteration_box = Combo(), Combo()
        for run in runs:
            self.run_box.addItem(run.words, run.id)
        self.episodes = QSpinBox()
        self.episodes.setRange(1, _MOST_EPISODES)
        self.episodes.setValue(10)
        self.sampled, self.greedy = QRadioButton("sampled, as in training"), QRadioButton("the most likely ones")
        self.greedy.setChecked(True)
        self.limited = QCheckBox("only with a return of at least")
        self.at_least = QDoubleSpinBox()
        self.at_least.setRange(-_LARGEST_RETURN, _LARGEST_RETURN)
        self.at_least.setDecimals(2)
        self.at_least.setEnabled(False)
        self.limited.toggled.connect(self.at_least.setEnabled)
        self.run_box.currentIndexChanged.connect(lambda _index: self._fill_iterations(None))
        self.tell = Sentence(
            text="Each episode begins from a seed of its own, so that it can be shown again. Where a return is asked "
            "for, at most 20 episodes are played for each that is wanted."
        )
        self._fill_iterations(iteration)
        form = QFormLayout()
        form.setSpacing(8)
        actions, least = QVBoxLayout(), QHBoxLayout()
        for button in (self.greedy, self.sampled):
            actions.addWidget(button)
        least.addWidget(self.limited)
        least.addWidget(self.at_least, 1)
        form.addRow("Policy of", self.run_box)
        form.addRow("as it was", self.iteration_box)
        form.addRow("Episodes", self.episodes)
        form.addRow("Actions", actions)
        form.addRow("", least)
        for widget, words in (
            (self.run_box, "Run whose policy is recorded"),
            (self.iteration_box, "Iteration of the policy"),
            (self.episodes, "Number of episodes"),
            (self.at_least, "Least return"),
        ):
            widget.setAccessibleName(words)
        column = _finish(self, form, "Record")
        column.insertWidget(1, self.tell)
        self.setMinimumWidth(50 * self.fontMetrics().averageCharWidth())

    def _fill_iterations(self, wanted: int | None) -> None:
        run = self._runs[self.run_box.currentIndex()]
        self.iteration_box.clear()
        self.iteration_box.addItem("last", None)
        for iteration in reversed(run.iterations):
            self.iteration_box.addItem(f"after iteration {iteration:,}", iteration)
        self.iteration_box.setCurrentIndex(max(self.iteration_box.findData(wanted), 0) if wanted is not None else 0)

    @property
    def run(self) -> str:
        """The id of the run that is chosen."""
        return str(self.run_box.currentData())

    @property
    def iteration(self) -> int | None:
        """After how many iterations; None is the last."""
        found: int | None = self.iteration_box.currentData()
        return found

    @property
    def wanted(self) -> tuple[int, bool, float | None]:
        """How many episodes, whether greedy, and of which return at least."""
        least = self.at_least.value() if self.limited.isChecked() else None
        return self.episodes.value(), self.greedy.isChecked(), least


def _finish(dialog: QDialog, form: QFormLayout, words: str) -> QVBoxLayout:
    """Put ``form`` and the buttons into ``dialog``."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    accept = QPushButton(words)
    accept.setObjectName(ACCEPT)
    accept.setProperty("role", "primary")
    accept.setDefault(True)
    buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(16, 16, 16, 16)
    column.setSpacing(16)
    column.addLayout(form)
    column.addWidget(buttons)
    return column
