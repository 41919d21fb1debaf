"""One row of what varies: what it goes through, as ticks, as values or as a range."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.experiments.fields import Counter, give_sign, line, small_button
from app.models.varied_rows import MOST_COUNT, VariedRow, Way, varied_of
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.parameter_text import symbol
from app.style.sentence import Sentence
from app.style.text import set_role
from app.style.theme import Theme
from engine.runtime.errors import RequestError

_FEW = 8  # choices, which stand beside each other
_LISTED = 6  # of more, without scrolling
_WAYS: dict[Way, str] = {"values": "values", "linear": "range", "log": "log range"}


class RowFrame(QFrame):
    """What every row has: its name, what removes it, and a sentence on what is wrong with it.

    Signals:
        edited: the VariedRow as it was entered.
        removed: it is not to vary.
    """

    edited = Signal(object)
    removed = Signal()

    def __init__(self, theme: Theme, row: VariedRow) -> None:
        super().__init__()
        self.row = row
        self._name = QLabel()
        self._name.setTextFormat(Qt.TextFormat.RichText)
        self._name.setWordWrap(True)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.remove_button = small_button(f"{row.called} is not to vary")
        self.remove_button.clicked.connect(self.removed)
        self._complaint = Sentence("error")
        self._complaint.hide()
        self.head = QHBoxLayout()
        self.head.setSpacing(theme.unit // 2)
        self.head.addWidget(self._name, 1)
        self.head.addWidget(self.remove_button)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, theme.unit)
        self.body.setSpacing(theme.unit // 2)
        self.body.addLayout(self.head)
        self.body.addWidget(self._complaint)

    def put(self, widget: QWidget) -> None:
        """Put a widget beneath its name."""
        self.body.insertWidget(self.body.count() - 1, widget)

    def take(self, row: VariedRow) -> None:
        """Take what was entered, and say what is wrong with it."""
        self.row = row
        self.judge()
        self.edited.emit(row)

    def judge(self) -> None:
        try:
            varied_of(self.row)
        except RequestError as error:
            self.complain(str(error).removeprefix(f"{self.row.called}: "))
        else:
            self.complain("")

    def complain(self, sentence: str) -> None:
        """Say beneath it what is wrong; nothing where nothing is."""
        self._complaint.setText(sentence[:1].upper() + sentence[1:])
        self._complaint.setVisible(bool(sentence))

    @property
    def complaint(self) -> str:
        return "" if self._complaint.isHidden() else self._complaint.text()

    def apply_theme(self, theme: Theme) -> None:
        give_sign(self.remove_button, "close", theme)
        variable = self.row.variable
        name = f"<b>{escape(self.row.called)}</b>"
        if variable is not None and variable.symbol:
            name += f"&nbsp;<span style='color:{theme.muted}'>{symbol(variable.symbol)}</span>"
        self._name.setText(name)
        if variable is not None:
            tip = "".join(f"<p>{escape(part)}</p>" for part in (variable.help, variable.path) if part)
            self._name.setToolTip(tip)


class ChoicesRow(RowFrame):
    """Ticks what a choice is to be: beside each other where they are few, else in a list."""

    def __init__(self, theme: Theme, row: VariedRow) -> None:
        super().__init__(theme, row)
        assert row.variable is not None
        self.boxes: list[QCheckBox] = []
        self.list: QListWidget | None = None
        if len(row.variable.choices) <= _FEW:
            self.put(self._beside(theme))
        else:
            self.put(self._listed())
        self.apply_theme(theme)
        self.judge()

    def _beside(self, theme: Theme) -> QWidget:
        assert self.row.variable is not None
        place = QWidget()
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        place.setSizePolicy(policy)
        flow = Flow(theme.unit)
        flow.setContentsMargins(0, 0, 0, 0)
        for value, title in self.row.variable.choices:
            box = QCheckBox(title)
            box.setChecked(value in self.row.ticked)
            box.setAccessibleName(f"{self.row.called}: {title}")
            box.clicked.connect(self._tick)
            self.boxes.append(box)
            flow.addWidget(box)
        place.setLayout(flow)
        return place

    def _listed(self) -> QWidget:
        assert self.row.variable is not None
        self.list = QListWidget()
        self.list.setAccessibleName(self.row.called)
        self.list.setProperty("ticks", True)
        for value, title in self.row.variable.choices:
            item = QListWidgetItem(title, self.list)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if value in self.row.ticked else Qt.CheckState.Unchecked)
        first = next((at for at, (value, _) in enumerate(self.row.variable.choices) if value in self.row.ticked), 0)
        self.list.scrollToItem(self.list.item(first))
        self.list.itemChanged.connect(self._tick)
        return self.list

    def _tick(self) -> None:
        assert self.row.variable is not None
        choices = self.row.variable.choices
        if self.list is not None:
            items = (self.list.item(at) for at in range(self.list.count()))
            on = [item.checkState() is Qt.CheckState.Checked for item in items]
        else:
            on = [box.isChecked() for box in self.boxes]
        ticked = tuple(value for (value, _), is_on in zip(choices, on, strict=True) if is_on)
        self.take(replace(self.row, ticked=ticked))

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        if self.list is not None:
            self.list.setFixedHeight(_LISTED * max(self.list.sizeHintForRow(0), theme.px(18)) + 6)


class NumbersRow(RowFrame):
    """Values between commas, or a range."""

    def __init__(self, theme: Theme, row: VariedRow) -> None:
        super().__init__(theme, row)
        called, number = row.called, row.variable is not None and row.variable.is_number
        self.way = Combo()
        self.way.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self.way.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.way.setAccessibleName(f"{called}: values or a range")
        for way, title in _WAYS.items():
            self.way.addItem(title, way)
        self.way.setCurrentIndex(self.way.findData(row.way))
        self.way.setVisible(number)
        self.head.insertWidget(1, self.way)
        words = "values, such as 0.001, 0.01, 0.1" if number else "values, such as 64; 64, 64; none"
        self.values = line(f"{called}: values", words)
        self.values.setText(row.values)
        self.low = line(f"{called}: lowest value", "from")
        self.high = line(f"{called}: highest value", "to")
        self.low.setText(row.low)
        self.high.setText(row.high)
        self.count = Counter(f"{called}: how many values", 2, MOST_COUNT)
        self.count.setValue(row.count)
        self.count.setSuffix(" values")
        self._range = QWidget()
        grid = QGridLayout(self._range)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.unit // 2)
        for place, widget in enumerate((self.low, QLabel("to"), self.high, self.count)):
            grid.addWidget(widget, 0, place)
        for place in (0, 2):
            grid.setColumnStretch(place, 1)
        self.put(self.values)
        self.put(self._range)
        for field in (self.values, self.low, self.high):
            field.textEdited.connect(self._take)
        self.way.activated.connect(self._take)
        self.count.valueChanged.connect(self._take)
        self._show_way()
        self.apply_theme(theme)
        self.judge()

    def set_sampled(self, sampled: bool) -> None:
        """Whether points are drawn from a range, which then has no number of values."""
        self.count.setVisible(not sampled)

    def _show_way(self) -> None:
        ranged = self.row.way != "values"
        self.values.setVisible(not ranged)
        self._range.setVisible(ranged)

    def _take(self) -> None:
        way = cast(Way, self.way.currentData())
        row = replace(self.row, values=self.values.text(), way=way, low=self.low.text(), high=self.high.text())
        self.take(replace(row, count=self.count.value()))
        self._show_way()

    def judge(self) -> None:
        super().judge()
        role = "invalid" if self.complaint else None
        for field in (self.values, self.low, self.high):
            if field.property("role") != role:
                set_role(field, role)
