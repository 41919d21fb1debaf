"""The pseudo-code of one iteration, whose lines light as the work comes to them; a click looks at what one did."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.style.swatch import draw_sign
from app.style.text import plain_tip
from app.style.theme import Theme
from engine.catalogue.methods.stops import Stop
from engine.equations.pseudo_code import CodeLine

_SIDE = 22  # pixels before the words
_PAD = 6  # pixels around a line
_SIGN = 9.0


class CodeView(QWidget):
    """``chosen`` carries the stop of a line that a person wants to look at."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: tuple[CodeLine, ...] = ()
        self._lit: Stop | None = None
        self._at: Stop | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("One iteration in pseudo-code")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def lines(self) -> tuple[CodeLine, ...]:
        return self._lines

    @property
    def lit(self) -> Stop | None:
        """The stop whose line is lit."""
        return self._lit

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fix()

    def show_lines(self, lines: tuple[CodeLine, ...]) -> None:
        if lines != self._lines:
            self._lines = lines
            self._fix()

    def light(self, stop: Stop | None, at: Stop | None) -> None:
        """Light the line of what is looked at, and mark the one at which the run waits."""
        if (stop, at) != (self._lit, self._at):
            self._lit, self._at = stop, at
            text = next((line.text for line in self._lines if line.stop == stop), "")
            self.setAccessibleDescription(text)
            self.update()

    def place_of(self, stop: Stop) -> QRectF:
        """Where a line is."""
        number = next(number for number, line in enumerate(self._lines) if line.stop == stop)
        return QRectF(0, number * self._height, self.width(), self._height)

    # --- drawing ------------------------------------------------------------------------------------------------------

    @property
    def _height(self) -> int:
        return QFontMetrics(self.font()).height() + _PAD

    def _fix(self) -> None:
        """As wide as the longest line when it is lit."""
        self.ensurePolished()
        metrics = QFontMetrics(self._heavy())
        widest = max((metrics.horizontalAdvance(line.text) for line in self._lines), default=100)
        self.setFixedSize(QSize(widest + self._theme.px(_SIDE) + 2 * _PAD, max(len(self._lines), 1) * self._height + 2))
        self.update()

    def _heavy(self) -> QFont:
        font = QFont(self.font())
        font.setBold(True)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        theme, plain, heavy = self._theme, QFont(self.font()), self._heavy()
        side = theme.px(_SIDE)
        for number, line in enumerate(self._lines):
            place = QRectF(0, number * self._height, self.width() - 1, self._height)
            lit = line.stop == self._lit
            if lit:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.line))
                painter.drawRoundedRect(place.adjusted(0, 1, 0, -1), theme.radius, theme.radius)
            colour = QColor(getattr(theme, line.part or "text"))
            if line.missing:
                colour = QColor(theme.disabled)
            middle = place.center().y()
            if line.stop == self._at:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.warning))
                reach = theme.px(5)
                arrow = [QPointF(5, middle - reach), QPointF(5, middle + reach), QPointF(5 + 1.6 * reach, middle)]
                painter.drawPolygon(QPolygonF(arrow))
            elif line.part and not line.missing:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                sign = theme.px(_SIGN)
                draw_sign(painter, line.part, QRectF(5, middle - sign / 2, sign, sign))
            painter.setFont(heavy if lit else plain)
            painter.setPen(colour if lit or line.missing else QColor(theme.text))
            words = place.adjusted(side, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line.text)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.focus), 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, self.width() - 2, self.height() - 2), theme.radius, theme.radius)
        painter.end()

    # --- what a person does -------------------------------------------------------------------------------------------

    def _line_at(self, y: float) -> CodeLine | None:
        number = int(y / self._height)
        return self._lines[number] if 0 <= number < len(self._lines) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        line = self._line_at(event.position().y())
        if line is not None and not line.missing and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(line.stop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        there = [line.stop for line in self._lines if not line.missing]
        if event.key() not in moves or not there:
            super().keyPressEvent(event)
            return
        now = there.index(self._lit) if self._lit in there else 0
        self.chosen.emit(there[min(max(now + moves[Qt.Key(event.key())], 0), len(there) - 1)])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            line = self._line_at(event.pos().y())
            if line is not None:
                QToolTip.showText(event.globalPos(), plain_tip(line.missing or line.meaning), self)
            return True
        return super().event(event)
