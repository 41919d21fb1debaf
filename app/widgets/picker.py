"""A labelled choice among a few, with the sentence of the present one beneath, or on hover where room is dear."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.choice_delegate import CHOICE_ROLE, Choice, ChoiceDelegate
from app.widgets.combo import Combo
from app.widgets.sentence import Sentence, smaller
from app.widgets.swatch import Dot

_LIST_WIDTH = 340
_NAME_WIDTH = 80  # of the names beside compact pickers, so that these stand in a column


class Picker(QWidget):
    """``picked`` carries the id a person picked; what is shown as picked is set by ``show_choices`` alone.

    A ``compact`` one has its name at the left, and its sentence on hover.
    """

    picked = Signal(str)

    def __init__(self, label: str, theme: Theme, part: str = "", *, compact: bool = False) -> None:
        super().__init__()
        self._part = part
        self._compact = compact
        self._locked = ""
        self._choices: tuple[Choice, ...] = ()
        self._current: str | None = None
        self._dot = Dot()
        self.combo = _ChoiceCombo(theme)
        self.combo.setAccessibleName(label)
        self.combo.activated.connect(self._pick)
        self.sentence = Sentence()
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setFont(smaller(self._note.font()))
        self._notice = Sentence("warning")
        self._notice.hide()
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.unit // 2)
        name = QLabel(label)
        name.setBuddy(self.combo)
        self.body.addLayout(self._row(name) if compact else self._header(name))
        for widget in (self._notice,) if compact else (self.combo, self.sentence, self._notice):
            self.body.addWidget(widget)
        self.sentence.setVisible(not compact)
        self.apply_theme(theme)

    def _row(self, name: QLabel) -> QLayout:
        name.setFixedWidth(_NAME_WIDTH)
        row = QGridLayout()
        row.setHorizontalSpacing(6)
        row.setVerticalSpacing(1)
        row.setColumnStretch(2, 1)
        row.addWidget(self._dot, 0, 0)
        row.addWidget(name, 0, 1)
        row.addWidget(self.combo, 0, 2)
        row.addWidget(self._note, 1, 2, Qt.AlignmentFlag.AlignRight)
        self._note.hide()
        return row

    def _header(self, name: QLabel) -> QLayout:
        header = QHBoxLayout()
        header.setSpacing(6)
        if self._part:
            header.addWidget(self._dot)
        header.addWidget(name, 1)
        header.addWidget(self._note)
        return header

    def show_choices(self, choices: Sequence[Choice], current: str | None, otherwise: str = "") -> None:
        """Offer these; ``otherwise`` is the sentence where none of them is current."""
        choices = tuple(choices)
        if choices != self._choices:
            self._choices = choices
            self.combo.offer(choices)
        self._current = current
        self._show_current()
        chosen = next((choice for choice in choices if choice.id == current), None)
        self.sentence.set_alternatives([*(choice.sentence for choice in choices), otherwise])
        text = chosen.sentence if chosen else otherwise
        self.sentence.setText(text)
        self._note.setText(chosen.note if chosen else "")
        if self._compact:
            self._note.setVisible(bool(self._note.text()))
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
        self.setToolTip(self._locked or (self.sentence.text() if self._compact else ""))

    def apply_theme(self, theme: Theme) -> None:
        if self._part:
            self._dot.set_colour(getattr(theme, self._part))
        self.combo.delegate.theme = theme

    def _pick(self, index: int) -> None:
        self.picked.emit(self._choices[index].id)
        # The wish may have been refused; then this shows what still holds.
        self._show_current()

    def _show_current(self) -> None:
        ids = [choice.id for choice in self._choices]
        self.combo.setCurrentIndex(ids.index(self._current) if self._current in ids else -1)


class _ChoiceCombo(Combo):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.delegate = ChoiceDelegate(theme)
        self.setModel(QStandardItemModel(self))
        self.setItemDelegate(self.delegate)
        self.setPlaceholderText("Custom")

    def offer(self, choices: tuple[Choice, ...]) -> None:
        model = self.model()
        model.clear()
        for choice in choices:
            item = QStandardItem(choice.title)
            item.setData(choice, CHOICE_ROLE)
            item.setEnabled(choice.refusal is None)
            parts = (choice.title, choice.note, choice.sentence, choice.refusal)
            item.setData(". ".join(filter(None, parts)), Qt.ItemDataRole.AccessibleTextRole)
            model.appendRow(item)

    def showPopup(self) -> None:
        view, room = self.view(), self.screen().availableGeometry().width() - 40
        self.delegate.width = min(max(self.width(), _LIST_WIDTH), room)
        view.setMinimumWidth(self.delegate.width + 10)
        view.doItemsLayout()
        super().showPopup()
