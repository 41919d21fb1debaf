"""Labels of wrapped text that do not make the page jump."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


def smaller(font: QFont) -> QFont:
    """The font one step down."""
    result = QFont(font)
    if font.pointSizeF() > 0:
        result.setPointSizeF(font.pointSizeF() * 0.9)
    else:
        result.setPixelSize(round(font.pixelSize() * 0.9))
    return result


def wrapped_height(text: str, font: QFont, width: int) -> int:
    flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
    return QFontMetrics(font).boundingRect(0, 0, width, 10_000, flags, text).height()


def one_line(text: str, metrics: QFontMetrics, width: int) -> str:
    """What fits of ``text``: cut where a line could be wrapped, within a word only where not even one has room."""
    words = text.split(" ")
    lines = (text, *(" ".join([*words[:count], "…"]) for count in range(len(words) - 1, 0, -1)))
    fitting = (line for line in lines if metrics.horizontalAdvance(line) <= width)
    return next(fitting, metrics.elidedText(text, Qt.TextElideMode.ElideRight, width))


class Sentence(QLabel):
    """A small wrapped text. It is as tall as the tallest of its alternatives, so that it stays so when it changes.

    Where room is dear it keeps to one line, of which what does not fit is left out.
    """

    def __init__(self, role: str = "muted", text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("small", True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._alternatives: tuple[str, ...] = ()
        self._one_line = False

    def set_alternatives(self, texts: Iterable[str]) -> None:
        """The texts it may come to show."""
        self._alternatives = tuple(texts)
        self.updateGeometry()

    def set_one_line(self, one_line: bool) -> None:
        self._one_line = one_line
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        if self._one_line:
            return self.fontMetrics().height()
        return max(wrapped_height(text, self.font(), width) for text in (self.text(), *self._alternatives))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._one_line:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        text = one_line(self.text(), self.fontMetrics(), self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)
        painter.end()
