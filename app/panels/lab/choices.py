"""What a page of the Lab is asked by: sliders over round numbers, and combos, one under the other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.style.combo import Combo
from app.style.slider import Slider
from app.style.text import SteadyLabel
from app.style.theme import Theme

_WIDE = 212  # pixels of the column, for text of the system's size
_SYMBOL = 22


class Dial(QWidget):
    """A slider over ``steps``, with what it sets before it and its value behind it.

    Signals:
        changed: a person has moved it, to this value.
    """

    changed = Signal(float)

    def __init__(self, symbol: str, help: str, steps: Sequence[float], written: Callable[[float], str]) -> None:
        super().__init__()
        self._steps, self._written = list(steps), written
        self._name = QLabel(symbol)
        self.slider = Slider()
        self.slider.setAccessibleName(help.split(":")[0])
        self.setToolTip(help)
        self.slider.setMinimumWidth(40)
        self.text = SteadyLabel(max(map(written, steps), key=len), "muted")
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._name)
        row.addWidget(self.slider, 1)
        row.addWidget(self.text)
        self._take_steps(self._steps[0])
        self.slider.valueChanged.connect(self._move)

    def offer(self, steps: Sequence[float], otherwise: float) -> None:
        """Go over these from now on, and stand at the value as before, or ``otherwise`` where that is none of them."""
        value = self.value
        self._steps = list(steps)
        self._take_steps(value if value in self._steps else otherwise)

    @property
    def value(self) -> float:
        return self._steps[self.slider.value()]

    def set_value(self, value: float) -> None:
        """Stand at ``value``, which becomes one of the steps; nobody is told."""
        if value not in self._steps:
            self._steps.insert(bisect_left(self._steps, value), value)
        self._take_steps(value)

    def apply_theme(self, theme: Theme) -> None:
        self._name.setFixedWidth(theme.px(_SYMBOL))

    def _take_steps(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(self._steps) - 1)
        self.slider.setPageStep(max(len(self._steps) // 5, 1))
        self.slider.setValue(self._steps.index(value))
        self.slider.blockSignals(False)
        self._tell()

    def _move(self) -> None:
        self._tell()
        self.changed.emit(self.value)

    def _tell(self) -> None:
        self.text.setText(self._written(self.value))


class Column(QScrollArea):
    """Dials and combos in a column at the left of a page, which scrolls where it is too low for them, all but its
    head."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(theme.unit, theme.unit // 2, theme.unit + theme.unit // 2, theme.unit // 2)
        self._rows.setSpacing(theme.unit // 2)
        self._rows.addStretch(1)
        self.setWidget(inner)
        self._dials: list[Dial] = []
        self._head: QWidget | None = None
        self._theme = theme
        self.apply_theme(theme)

    def add(self, widget: QWidget, at: int | None = None) -> None:
        """Put it under the others, or before the one that is there now."""
        self._rows.insertWidget(self._rows.count() - 1 if at is None else at, widget)
        if isinstance(widget, Dial):
            self._dials.append(widget)
            self._align()

    def set_head(self, widget: QWidget) -> None:
        """Have it above all others, in sight wherever these are scrolled to."""
        self._head = beside(widget)  # what is directly in a scroll area has no frame of its own
        self._head.setParent(self)
        self._place_head()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setFixedWidth(theme.px(_WIDE))
        self._place_head()
        self._align()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_head()

    def _place_head(self) -> None:
        if self._head is not None:
            unit, high = self._theme.unit, self._head.sizeHint().height()
            self.setViewportMargins(0, unit // 2 + high, 0, 0)
            bar = self.verticalScrollBar().sizeHint().width()  # whether it is there or not, so that nothing moves
            self._head.setGeometry(unit, unit // 2, self.width() - 2 * unit - unit // 2 - bar, high)

    def _align(self) -> None:
        """All dials' sliders begin and end beneath each other."""
        widest = max((dial.text.widest for dial in self._dials), key=len, default="")
        for dial in self._dials:
            dial.apply_theme(self._theme)
            dial.text.set_widest(widest)


def combo(name: str, tip: str, entries: Sequence[tuple[str, object]] = ()) -> Combo:
    """A choice that goes by ``name``; ``entries`` are its words and what they stand for."""
    made = Combo()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    for text, data in entries:
        made.addItem(text, data)
    return made


def beside(*widgets: QWidget) -> QWidget:
    """These in one line."""
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return line


def at_both_ends(left: QWidget, right: QWidget) -> QWidget:
    """These in one line, as far from each other as it is wide."""
    line = beside(left, right)
    row = line.layout()
    assert isinstance(row, QHBoxLayout)
    row.insertStretch(1, 1)
    return line
