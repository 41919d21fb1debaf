"""What the present choice shows: the sentence of its preset, which stays at the head of the experiment."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QTextLayout
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.offers import ChoiceName
from app.style.sentence import one_line
from app.style.text import plain_tip

LINES = 2


class Story(QWidget):
    """As tall as two lines, or one where room is dear, whatever it says; what has no room is told on hover."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._lines = "", LINES
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setProperty("small", True)

    @property
    def text(self) -> str:
        return self._text

    def show_name(self, name: ChoiceName) -> None:
        self._text = name.summary or f"{name.title}."
        edited = "Edited since it was loaded." if name.edited else ""
        self.setToolTip(plain_tip("\n".join(filter(None, (name.title, name.summary, edited)))))
        self.setAccessibleName(self._text)
        self.update()

    def set_terse(self, terse: bool) -> None:
        self._lines = 1 if terse else LINES
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, self._lines * self.fontMetrics().lineSpacing())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        step = self.fontMetrics().lineSpacing()
        for number, line in enumerate(shown_lines(self._text, self, self._lines)):
            painter.drawText(QPointF(0, number * step + self.fontMetrics().ascent()), line)
        painter.end()


def shown_lines(text: str, widget: QWidget, count: int) -> list[str]:
    """At most ``count`` lines of ``text`` in the widget's font and width, the last with an ellipsis where more would
    come."""
    layout = QTextLayout(text, widget.font())
    found: list[str] = []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(widget.width())
        start = line.textStart()
        if len(found) == count - 1:
            found.append(one_line(text[start:], widget.fontMetrics(), widget.width()))
            break
        found.append(text[start : start + line.textLength()].rstrip())
    layout.endLayout()
    return found
