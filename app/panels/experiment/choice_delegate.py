"""How a choice looks in an opened list: its title and a note, its sentence, and why it cannot be picked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.style.sentence import smaller, wrapped_height
from app.style.theme import Theme

CHOICE_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Choice:
    """One line of a picker. What takes longer to know is found once somebody looks at the line: ``refuse`` says why it
    cannot be picked now, ``measure`` how large it is."""

    id: str
    title: str
    sentence: str
    refuse: Callable[[], str | None] = field(default=lambda: None, compare=False)
    measure: Callable[[], str] = field(default=lambda: "", compare=False)

    @cached_property
    def refusal(self) -> str | None:
        return self.refuse()

    @cached_property
    def note(self) -> str:
        return self.measure()


class ChoiceDelegate(QStyledItemDelegate):
    """Paints choices on several wrapped lines in a list of ``width`` pixels, once it is ``opened``: a closed list,
    which nobody sees, is laid out with every new font as well."""

    width = 320
    opened = False

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        if not self.opened:
            return QSize(self.width, option.fontMetrics.height())
        choice: Choice = index.data(CHOICE_ROLE)
        height = option.fontMetrics.height() + 2
        for text in self._sentences(choice):
            height += wrapped_height(text, smaller(option.font), self._text_width()) + 2
        return QSize(self.width, height + 2 * self.theme.unit - 2)

    def _text_width(self) -> int:
        return self.width - 2 * self.theme.unit

    def _sentences(self, choice: Choice) -> tuple[str, ...]:
        return (choice.sentence, choice.refusal) if choice.refusal else (choice.sentence,)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        choice: Choice = index.data(CHOICE_ROLE)
        theme, unit = self.theme, self.theme.unit
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.focus), 2))
            painter.setBrush(QColor(theme.surface))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1, 1, -1, -1), theme.radius, theme.radius)
        box = QRect(option.rect.left() + unit, option.rect.top() + unit - 1, self._text_width(), option.rect.height())
        self._paint_title(painter, box, option.font, choice)
        box.translate(0, option.fontMetrics.height() + 2)
        painter.setFont(smaller(option.font))
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
        for text, colour in zip(self._sentences(choice), (theme.muted, theme.warning), strict=False):
            painter.setPen(QColor(colour))
            painter.drawText(box, flags, text)
            box.translate(0, wrapped_height(text, painter.font(), box.width()) + 2)
        painter.restore()

    def _paint_title(self, painter: QPainter, box: QRect, font: QFont, choice: Choice) -> None:
        heavier = QFont(font)
        heavier.setWeight(QFont.Weight.DemiBold)
        painter.setFont(heavier)
        painter.setPen(QColor(self.theme.muted if choice.refusal else self.theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, choice.title)
        painter.setFont(smaller(font))
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, choice.note)
