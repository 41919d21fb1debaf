"""The form in which an experiment is designed: what its runs have in common, what varies, and the seeds."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.experiments.fields import Counter, heading, line
from app.experiments.settings_row import SettingsRow
from app.experiments.start_menu import StartButton
from app.experiments.variable_search import VariableSearch
from app.experiments.varied_row import ChoicesRow, NumbersRow, RowFrame
from app.models.run_names import environment_title, method_title
from app.models.sweep_draft import DESIGNS, SEEDS, SweepDraft, seeds_of
from app.models.varied_rows import VariedRow
from app.style.combo import Combo
from app.style.sentence import Sentence
from app.style.text import as_surface
from app.style.theme import Theme
from engine.config import RunConfig
from engine.runs.sweeps.spec import MOST_RUNS, Design
from engine.runtime.errors import RequestError

NOTHING_VARIES = "Nothing varies yet: all runs are the same but for their seeds."


class DesignForm(QScrollArea):
    """Keeps the draft as it is entered.

    Signals:
    train_asked: a row wants what is chosen in the Train mode as another named setting; which row.
    """

    train_asked = Signal(int)

    def __init__(self, theme: Theme, draft: SweepDraft) -> None:
        super().__init__()
        self.draft, self._theme = draft, theme
        self.rows: list[RowFrame] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows what has the focus in it
        self.setAccessibleName("The design of the experiment")
        inner = QWidget()
        as_surface(inner)
        self.start_button = StartButton()
        self.common = Sentence("muted")
        self.title_line = line("Title of the experiment", "", "What the experiment is called")
        self.shows_line = line("What it is to show", "What it is to show, in a sentence")
        self.search = VariableSearch(lambda: draft.variables)
        self.search.chosen.connect(draft.add)
        self.nothing = Sentence("muted", NOTHING_VARIES)
        self._rows_place = QWidget()
        self._rows = QVBoxLayout(self._rows_place)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._seeds_complaint = Sentence("error")
        self._seeds_complaint.hide()
        self._make_choices()
        self._lay_out(inner, theme)
        self.setWidget(inner)
        draft.rebuilt.connect(self._rebuild)
        draft.changed.connect(self._follow)
        self._rebuild()
        self._follow()

    def _make_choices(self) -> None:
        self.design_box = Combo()
        self.design_box.setAccessibleName("Design")
        self.design_box.setToolTip("Which of all combinations are tried")
        for design, title in DESIGNS.items():
            self.design_box.addItem(title, design)
        self.points_box = Counter("How many points are drawn", 1, MOST_RUNS)
        self.points_box.setSuffix(" points")
        self.seeds_box = Combo()
        self.seeds_box.setEditable(True)
        self.seeds_box.setInsertPolicy(Combo.InsertPolicy.NoInsert)
        self.seeds_box.setAccessibleName("Seeds of each setting")
        self.seeds_box.setToolTip("How many, from the configuration's own on, or which: 1, 2, 7")
        self.seeds_box.addItems([str(count) for count in SEEDS])
        self.design_box.activated.connect(self._choose_design)
        self.points_box.valueChanged.connect(lambda points: self.draft.set(points=points))
        self.seeds_box.editTextChanged.connect(lambda text: self.draft.set(seeds=text))
        self.title_line.textEdited.connect(lambda text: self.draft.set(title=text))
        self.shows_line.textEdited.connect(lambda text: self.draft.set(shows=text))

    def _lay_out(self, inner: QWidget, theme: Theme) -> None:
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        layout.setSpacing(theme.unit)
        layout.addWidget(self.start_button)
        for widget in (self.common, self.title_line, self.shows_line, heading("What varies"), self.search):
            layout.addWidget(widget)
        layout.addWidget(self.nothing)
        layout.addWidget(self._rows_place)
        form = QFormLayout()
        form.setHorizontalSpacing(theme.unit)
        form.setVerticalSpacing(theme.unit)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._points_label = QLabel("")
        form.addRow("Design", self.design_box)
        form.addRow(self._points_label, self.points_box)
        form.addRow("Seeds ×", self.seeds_box)
        layout.addLayout(form)
        layout.addWidget(self._seeds_complaint)
        layout.addStretch(1)
        self._form = form
        for field in (self.title_line, self.shows_line):
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def add_train(self, config: RunConfig, row: int) -> None:
        """Add what is chosen in the Train mode to the named settings of a row."""
        self.draft.add_setting(row, config, method_title(config))

    # --- following the draft ------------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Make a row for each of the draft's; a person may be at work in one of the old."""
        for row in self.rows:
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [self._made(row, place) for place, row in enumerate(self.draft.rows)]
        for widget in self.rows:
            self._rows.addWidget(widget)
        self.nothing.setVisible(not self.rows)
        draft = self.draft
        self.common.setText(_in_common(draft.config))
        for field, text in ((self.title_line, draft.title), (self.shows_line, draft.shows)):
            if field.text() != text:
                field.setText(text)
                field.setCursorPosition(0)
        self.design_box.setCurrentIndex(self.design_box.findData(draft.design))
        self.points_box.setValue(draft.points)
        if self.seeds_box.currentText() != draft.seeds:
            self.seeds_box.setEditText(draft.seeds)
        if self.rows:
            QTimer.singleShot(0, self, self._show_last)

    def _show_last(self) -> None:
        if self.rows:
            self.ensureWidgetVisible(self.rows[-1], 0, 0)

    def _made(self, row: VariedRow, place: int) -> RowFrame:
        widget: RowFrame
        if row.variable is None:
            widget = SettingsRow(self._theme, row)
            widget.train_asked.connect(lambda: self.train_asked.emit(place))
        elif row.variable.choices:
            widget = ChoicesRow(self._theme, row)
        else:
            widget = NumbersRow(self._theme, row)
        widget.edited.connect(lambda edited: self.draft.set_row(place, edited))
        widget.removed.connect(lambda: self.draft.remove(place))
        return widget

    def _follow(self) -> None:
        draft = self.draft
        self.title_line.setPlaceholderText(draft.suggested_title)
        self.points_box.setVisible(draft.sampled)
        self._points_label.setVisible(draft.sampled)
        for row in self.rows:
            if isinstance(row, NumbersRow):
                row.set_sampled(draft.sampled)
        try:
            seeds_of(draft.seeds)
        except RequestError as error:
            self._seeds_complaint.setText(str(error).removeprefix("Seeds: ").capitalize())
            self._seeds_complaint.show()
        else:
            self._seeds_complaint.hide()

    def _choose_design(self) -> None:
        self.draft.set(design=cast(Design, self.design_box.currentData()))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for row in self.rows:
            row.apply_theme(theme)


def _in_common(config: RunConfig) -> str:
    """What all runs have in common, in a few words."""
    steps = f"{config.budget.environment_steps:,}".replace(",", "\u202f")
    return f"{method_title(config)} · {environment_title(config.environment.id)} · {steps} environment steps each"
