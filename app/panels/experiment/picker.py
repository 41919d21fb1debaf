"""A choice among a few with its name at the left, and the sentence of the present one on hover or beneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from app.panels.experiment.choice_delegate import CHOICE_ROLE, Choice, ChoiceDelegate
from app.style.combo import Combo
from app.style.format import NOTHING
from app.style.sentence import Sentence, smaller
from app.style.swatch import PartSign
from app.style.theme import Theme
from engine.equations import Part

_LIST_WIDTH = 340  # pixels
NAME_WIDTH = 84  # pixels, so that all stand in a column
_ARROW_ROOM = 1.6  # of the height of a letter, at the right end of a combo box


class Picker(QWidget):
    """``picked`` carries the id a person picked; what is shown as picked is set by ``show_choices`` alone.

    The sentence stands beneath where ``tells`` and there is room for it, and on hover in any case.
    """

    picked = Signal(str)

    def __init__(self, label: str, theme: Theme, part: Part = "", *, tells: bool = False) -> None:
        super().__init__()
        self._tells = tells
        self._locked = ""
        self._choices: tuple[Choice, ...] = ()
        self._current: str | None = None
        self._sign = PartSign(part)
        self.combo = _ChoiceCombo(theme)
        self.combo.setAccessibleName(label)
        self.combo.activated.connect(self._pick)
        self.sentence = Sentence()
        self._notice = Sentence("warning")
        self._notice.hide()
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.unit // 2)
        self._name = QLabel(label)
        self._name.setBuddy(self.combo)
        self.body.addLayout(self._row())
        for widget in (self.sentence, self._notice):
            self.body.addWidget(widget)
        self.sentence.setVisible(tells)
        self.apply_theme(theme)

    def _row(self) -> QLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._sign)
        row.addWidget(self._name)
        row.addWidget(self.combo, 1)
        return row

    def set_terse(self, terse: bool) -> None:
        """Keep the sentence to the hover, since there is no room beneath."""
        self.sentence.setVisible(self._tells and not terse)

    def set_name(self, name: str) -> None:
        """Call it otherwise."""
        self._name.setText(name)
        self.combo.setAccessibleName(name)

    def show_choices(
        self, choices: Sequence[Choice], current: str | None, otherwise: str = "", placeholder: str = "Custom"
    ) -> None:
        """Offer these; ``otherwise`` and ``placeholder`` are sentence and title where none of them is current."""
        choices = tuple(choices)
        self.combo.setPlaceholderText(placeholder)
        self._choices = choices
        self.combo.offer(choices)
        self._current = current
        self._show_current()
        chosen = next((choice for choice in choices if choice.id == current), None)
        self.sentence.set_alternatives([*(choice.sentence for choice in choices), otherwise])
        text = chosen.sentence if chosen else otherwise
        self.sentence.setText(text)
        self.combo.set_note(chosen.note if chosen else "")
        self._tell()
        self.combo.setAccessibleDescription(text)

    def show_notice(self, text: str) -> None:
        """One sentence that a person should not miss, until the next."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))

    @property
    def notice(self) -> str:
        return self._notice.text()

    def set_locked(self, reason: str) -> None:
        """Lock the picker for a reason, or unlock it with an empty one."""
        self._locked = reason
        self.combo.setEnabled(not reason)
        self._tell()

    def _tell(self) -> None:
        name = self.combo.currentText() or self.combo.placeholderText().removeprefix(NOTHING)
        title = " · ".join(filter(None, (name, self.combo.note)))
        # What a locked picker says of itself may be the very reason why it is locked.
        lines = dict.fromkeys(filter(None, (title, self.sentence.text(), self._locked)))
        self.setToolTip("\n".join(lines))

    def apply_theme(self, theme: Theme) -> None:
        self._sign.apply_theme(theme)
        self._name.setFixedWidth(theme.px(NAME_WIDTH))
        self.combo.delegate.theme = theme

    def _pick(self, index: int) -> None:
        self.picked.emit(self._choices[index].id)
        # The wish may have been refused; then this shows what still holds.
        self._show_current()

    def _show_current(self) -> None:
        ids = [choice.id for choice in self._choices]
        self.combo.setCurrentIndex(ids.index(self._current) if self._current in ids else -1)


class _Offered(QAbstractListModel):
    """Choices, asked whether they can be picked once somebody looks at them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._choices: tuple[Choice, ...] = ()

    def offer(self, choices: tuple[Choice, ...]) -> None:
        if choices == self._choices:
            self._choices = choices
            if choices:
                self.dataChanged.emit(self.index(0), self.index(len(choices) - 1))
            return
        if self._choices:
            self.beginRemoveRows(QModelIndex(), 0, len(self._choices) - 1)
            self._choices = ()
            self.endRemoveRows()
        if choices:
            self.beginInsertRows(QModelIndex(), 0, len(choices) - 1)
            self._choices = choices
            self.endInsertRows()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._choices)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        can = index.isValid() and self._choices[index.row()].refusal is None
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable if can else Qt.ItemFlag.NoItemFlags

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        choice = self._choices[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return choice.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (choice.title, choice.note, choice.sentence, choice.refusal)
            return ". ".join(filter(None, parts))
        return choice if role == CHOICE_ROLE else None


class _ChoiceCombo(Combo):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.delegate = ChoiceDelegate(theme)
        self._offered = _Offered(self)
        self.setModel(self._offered)
        self.setItemDelegate(self.delegate)
        self.note = ""

    def set_note(self, note: str) -> None:
        """What stands at the right of the present choice, where there is room for both."""
        self.note = note
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        taken = painter.fontMetrics().horizontalAdvance(self.currentText()) + 3 * self.delegate.theme.unit
        right = round(_ARROW_ROOM * self.fontMetrics().height())
        painter.setFont(smaller(self.font()))
        if painter.fontMetrics().horizontalAdvance(self.note) <= self.width() - right - taken:
            painter.setPen(self.palette().placeholderText().color())
            place = self.rect().adjusted(0, 0, -right, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.note)
        painter.end()

    def offer(self, choices: tuple[Choice, ...]) -> None:
        self._offered.offer(choices)

    def showPopup(self) -> None:
        self.delegate.opened = True
        view, room = self.view(), self.screen().availableGeometry().width() - 40
        self.delegate.width = min(max(self.width(), self.delegate.theme.px(_LIST_WIDTH)), room)
        view.setMinimumWidth(self.delegate.width + 10)
        view.doItemsLayout()
        super().showPopup()

    def hidePopup(self) -> None:
        super().hidePopup()
        self.delegate.opened = False
