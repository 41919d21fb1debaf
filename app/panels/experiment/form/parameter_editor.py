"""Editors for one value each. They propose what a person enters; only the configuration says whether it holds."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.models.form_rules import Legend
from app.style.combo import Combo
from app.style.parameter_text import meaning, shown
from app.style.text import set_role
from app.style.theme import Theme
from engine.config.parameters import Parameter

_AROUND = 20  # pixels of a field that are not its words


class Editor(QWidget):
    """The base of all editors: ``proposed`` carries what was entered, ``set_value`` shows what holds."""

    proposed = Signal(object)

    def __init__(self, field: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(field)

    def set_value(self, value: Any) -> None:
        raise NotImplementedError

    def set_legend(self, legend: Legend) -> None:
        """What signs in the value stand for."""

    def set_wrong(self, wrong: bool) -> None:
        """Mark what was entered as refused."""

    def commit(self) -> None:
        """Propose what has been entered so far."""

    def apply_theme(self, theme: Theme) -> None:
        """Take the theme's colours, where the palette does not say."""


class TextEditor(Editor):
    """Free text for numbers and lists of numbers, with the unit behind it. Escape brings back what holds.

    A ``legend`` names the number that an empty field stands for, and what is meant by it.
    """

    def __init__(self, parameter: Parameter, legend: Legend = ()) -> None:
        self._line = UnitLineEdit(parameter.unit)
        super().__init__(self._line)
        self._type = parameter.type
        self._value: Any = None
        self._seen = ""
        self._line.editingFinished.connect(self.commit)
        self._line.escaped.connect(self._restore)
        self._blank = ""
        if parameter.type is tuple:
            self._line.setPlaceholderText("none")
        self.set_legend(legend)

    def set_legend(self, legend: Legend) -> None:
        for sign, meant in legend:
            self._blank = sign
            self._line.setPlaceholderText(meant)

    def set_value(self, value: Any) -> None:
        self._value, self._seen = value, self._shown(value)
        self._line.setText(self._seen)
        self._line.setCursorPosition(0)

    def set_wrong(self, wrong: bool) -> None:
        set_role(self._line, "invalid" if wrong else None)

    def commit(self) -> None:
        # Leaving the field after Return says the same thing a second time.
        if self._line.text() != self._seen:
            self._seen = self._line.text()
            self.proposed.emit(meaning(self._seen.strip() or self._blank, self._type))

    def _restore(self) -> None:
        if self._line.text() != self._shown(self._value):
            self._line.setText(self._shown(self._value))
            self.commit()

    def _shown(self, value: Any) -> str:
        text = shown(value)
        return "" if text == self._blank else text


class UnitLineEdit(QLineEdit):
    """A line edit with its unit in muted text at the right end, where both have room: the number is never cut by it."""

    escaped = Signal()

    def __init__(self, unit: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit = unit
        self.textChanged.connect(self._measure)
        self._measure()

    @property
    def shows_unit(self) -> bool:
        """Whether there is room for the unit beside the text."""
        return self.textMargins().right() > 0

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            self.selectAll()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._measure()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self._unit) + 4 if self._unit else 0
        fits = metrics.horizontalAdvance(self.text()) + width + _AROUND <= self.width()
        self.setTextMargins(0, 0, width if fits else 0, 0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.shows_unit:
            return
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        where = QRect(0, 0, self.width() - 9, self.height())
        painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)
        painter.end()


class ChoiceEditor(Editor):
    """One of a fixed few."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        self._combo = Combo()
        super().__init__(self._combo, parent)
        self._combo.addItems(parameter.choices)
        self._combo.textActivated.connect(lambda text: self.proposed.emit(text))

    def set_value(self, value: Any) -> None:
        self._combo.setCurrentText(str(value))


class _NamesDelegate(QStyledItemDelegate):
    """Writes beside each name what it stands for."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        meant = index.data(Qt.ItemDataRole.ToolTipRole)
        if meant:
            option.text = f"{option.text}  ·  {meant}"


class _NameCombo(Combo):
    """Its list is as wide as what stands in it, as far as the screen is."""

    escaped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_NamesDelegate(self))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def showPopup(self) -> None:
        view, room = self.view(), self.screen().availableGeometry().width() // 2
        view.setMinimumWidth(min(view.sizeHintForColumn(0) + 2 * _AROUND, room))
        super().showPopup()


class NameEditor(Editor):
    """A name: one of those that a ``legend`` lists, each with what it stands for, or any other that is typed."""

    def __init__(self, legend: Legend, parent: QWidget | None = None) -> None:
        self._combo = _NameCombo()
        self._combo.setEditable(True)
        self._combo.setInsertPolicy(Combo.InsertPolicy.NoInsert)
        completer = self._combo.completer()
        if completer is not None:  # else what is typed becomes the first name that differs in capitals alone
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        super().__init__(self._combo, parent)
        self._value = ""
        self._combo.textActivated.connect(lambda text: self._propose())
        self._combo.escaped.connect(lambda: self.set_value(self._value))
        line = self._combo.lineEdit()
        if line is not None:
            line.setPlaceholderText("none")
            line.editingFinished.connect(self._propose)
        self.set_legend(legend)

    def set_legend(self, legend: Legend) -> None:
        typed = self._combo.currentText()
        self._combo.blockSignals(True)
        self._combo.clear()
        for row, (name, meant) in enumerate(legend):
            self._combo.addItem(name)
            self._combo.setItemData(row, meant, Qt.ItemDataRole.ToolTipRole)
        self._combo.blockSignals(False)
        self.set_value(self._value)
        if self._combo.hasFocus():  # a person may be at it
            self._combo.setEditText(typed)

    def set_value(self, value: Any) -> None:
        self._value = str(value)
        exactly = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive
        self._combo.setCurrentIndex(self._combo.findText(self._value, exactly))
        self._combo.setEditText(self._value)

    def set_wrong(self, wrong: bool) -> None:
        set_role(self._combo, "invalid" if wrong else None)

    def commit(self) -> None:
        self._propose()

    def _propose(self) -> None:
        text = self._combo.currentText().strip()
        if text != self._value:
            self._value = text
            self.proposed.emit(text)


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._box = QCheckBox()
        super().__init__(self._box, parent)
        self._box.clicked.connect(lambda: self.proposed.emit(self._box.isChecked()))

    def set_value(self, value: Any) -> None:
        self._box.setChecked(bool(value))
