"""Who races: a row for each, with its sign, its name and what it has come to; a click takes it out or in again."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.panels.lab.landscape.marks import draw_sign
from app.style.format import short_number
from app.style.theme import Theme, tabular

_RADIUS = 7.0  # pixels, for text of the system's size


class RacerRow(QAbstractButton):
    """One of them."""

    def __init__(self, sign: str, title: str, told: str, theme: Theme) -> None:
        super().__init__()
        self.sign, self._value = sign, ""
        self._theme, self._colour = theme, "#000000"
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(title)
        self.setToolTip(f"{title}: {told}. Click to take it out, or in again.")
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_value(self, value: float | None) -> None:
        """What it has come to now."""
        text = "" if value is None else short_number(value, 3, steady=True)
        if text != self._value:
            self._value = text
            self.update()

    def apply_theme(self, theme: Theme, colour: str) -> None:
        self._theme, self._colour = theme, colour
        self.setFixedHeight(max(theme.px(20), self.fontMetrics().height() + 4))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        theme, area = self._theme, QRectF(self.rect())
        if self.hasFocus():
            painter.setPen(QColor(theme.focus))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 3.0, 3.0)
        on = self.isChecked()
        colour = self._colour if on else theme.disabled
        radius = _RADIUS * theme.text_scale
        draw_sign(painter, QPointF(radius + 2.0, area.center().y()), radius, self.sign, (colour, theme.surface))
        painter.setPen(QColor(theme.text if on else theme.disabled))
        painter.setFont(tabular(self.font()))
        words = area.adjusted(2 * radius + 9.0, 0, -3, 0)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        if on:
            painter.drawText(words, middle | int(Qt.AlignmentFlag.AlignRight), self._value)
        room = words.width() - painter.fontMetrics().horizontalAdvance(self._value if on else "") - 6
        name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(words, middle | int(Qt.AlignmentFlag.AlignLeft), name)
        painter.end()


class RacerRows(QWidget):
    """
    Signals:
        changed: a person has taken one out, or in again.
    """

    changed = Signal()

    def __init__(self, racers: Mapping[str, tuple[str, str, str]], theme: Theme) -> None:
        """
        Args:
            racers: the sign, the title and how it goes, by name.
        """
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.rows: dict[str, RacerRow] = {}
        for name, (sign, title, told) in racers.items():
            row = self.rows[name] = RacerRow(sign, title, told, theme)
            row.toggled.connect(self.changed)
            column.addWidget(row)

    def racing(self, name: str) -> bool:
        return self.rows[name].isChecked()

    def apply_theme(self, theme: Theme, colours: Mapping[str, str]) -> None:
        for name, row in self.rows.items():
            row.apply_theme(theme, colours[name])
