"""A combo box that stays put while the page is scrolled over it, and that narrow columns may squeeze."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from app.style.text import shortest_cut

_ARROW = 0.27  # of the height of a letter, half the arrow
_BESIDE_TEXT = 2  # pixels that the style leaves beside the text in its field
SHORTER = Qt.ItemDataRole.UserRole + 100
"""Of an entry, what says it in less room, as without its unit."""


class Combo(QComboBox):
    """Where there is little room for the present choice, its ``SHORTER`` text stands there, and of that as much as
    tells it apart from the other entries."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As wide as its widest entry needs in letters of any size, where it is as wide as its entries."""
        hint = super().sizeHint()
        if self.sizeAdjustPolicy() == QComboBox.SizeAdjustPolicy.AdjustToContents:
            widest = max((self.width_for(self.itemText(index)) for index in range(self.count())), default=0)
            hint.setWidth(max(hint.width(), widest))
        return hint

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    @property
    def room(self) -> int:
        """The width there is for the text of the present choice."""
        return self.width() - self._around

    def width_for(self, text: str) -> int:
        """The width in which there is room for ``text``."""
        return self.fontMetrics().horizontalAdvance(text) + self._around + 2

    @property
    def _around(self) -> int:
        """Pixels that the style keeps left and right of the text, as for the arrow."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        inside = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self)
        return self.width() - inside.width() + _BESIDE_TEXT

    @property
    def shown(self) -> str:
        """What there is room for."""
        text = self.currentText() or self.placeholderText()
        if self.fontMetrics().horizontalAdvance(text) <= self.room:
            return text
        others = {self._cut(index) for index in range(self.count()) if self.itemText(index) != text}
        cut = self._cut(self.currentIndex())
        return cut if cut not in others else self._cut(self.currentIndex(), Qt.TextElideMode.ElideMiddle)

    def _cut(self, index: int, left_out: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> str:
        text = self.itemText(index) or self.placeholderText()
        return shortest_cut(self.fontMetrics(), self.room, [text, self.itemData(index, SHORTER) or text], left_out)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().placeholderText().color(), 1.5))
        size = _ARROW * self.fontMetrics().height()
        x, y = self.width() - 10.0 - size, self.height() / 2.0
        corners = ((-size, -size / 2), (0, size / 2), (size, -size / 2))
        painter.drawPolyline(QPolygonF([QPointF(x + across, y + down) for across, down in corners]))
        painter.end()
