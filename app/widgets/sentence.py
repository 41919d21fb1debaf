"""Labels of wrapped text that do not make the page jump."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
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


class Sentence(QLabel):
    """A small wrapped text. It is as tall as the tallest of its alternatives, so that it stays so when it changes."""

    def __init__(self, role: str = "muted", text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setFont(smaller(self.font()))
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._alternatives: tuple[str, ...] = ()

    def set_alternatives(self, texts: Iterable[str]) -> None:
        """The texts it may come to show."""
        self._alternatives = tuple(texts)
        self.updateGeometry()

    def heightForWidth(self, width: int) -> int:
        return max(wrapped_height(text, self.font(), width) for text in (self.text(), *self._alternatives))
