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

_ARROW = 0.27  # of the height of a letter, half the arrow
_BESIDE_TEXT = 2  # pixels that the style leaves beside the text in its field


class Combo(QComboBox):
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

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        text = option.currentText or self.placeholderText()
        option.currentText = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.room)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().placeholderText().color(), 1.5))
        size = _ARROW * self.fontMetrics().height()
        x, y = self.width() - 10.0 - size, self.height() / 2.0
        corners = ((-size, -size / 2), (0, size / 2), (size, -size / 2))
        painter.drawPolyline(QPolygonF([QPointF(x + across, y + down) for across, down in corners]))
        painter.end()
