"""The line beneath the plots that says what is wrong with a run, in a sentence; empty while nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.style.sentence import one_line
from app.style.theme import Theme

if TYPE_CHECKING:  # with numpy, which the window's first picture does not wait for
    from engine.analysis.doctor.rule import Finding

_HEIGHT = 24  # pixels, for text of the system's size
_DOT = 9


class Dot(QWidget):
    """That there is something to be said."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = QColor()
        self.setFixedSize(_DOT + 4, _DOT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        painter.drawEllipse(0, 0, _DOT, _DOT)
        painter.end()


class SentenceButton(QToolButton):
    """A sentence in one line that can be pressed; what does not fit of it is left out, and shown on hovering."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "quiet")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def say(self, sentence: str) -> None:
        self.setText(sentence)
        self.setAccessibleName(sentence or "Nothing is wrong")
        self.setToolTip(f"<p>{sentence}</p><p>Press to see it in its plot.</p>" if sentence else "")
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 12, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        whole, shown = self.text(), one_line(self.text(), self.fontMetrics(), self.width() - 10)
        if shown == whole:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        place = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(5, 0, -5, 0), place, shown)
        painter.end()


class FindingsLine(QWidget):
    """Always as high, so that nothing moves when it has something to say.

    Signals:
        pointed: the finding that a person wants to see in its plot.
        opened: whether all that is to be said is wanted.
    """

    pointed = Signal(object)
    opened = Signal(bool)

    def __init__(self, theme: Theme | None = None) -> None:
        super().__init__()
        self.setAccessibleName("Findings")
        self.findings: tuple[Finding, ...] = ()
        self._theme = theme
        self.mark = Dot()
        self.sentence = SentenceButton()
        self.more = QToolButton()
        self.more.setProperty("role", "more")
        self.more.setCheckable(True)
        self.more.setAccessibleName("What to try")
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sentence.clicked.connect(lambda: self.pointed.emit(self.findings[0]) if self.findings else None)
        self.more.toggled.connect(self.opened)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        for widget in (self.mark, self.sentence, self.more):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        self.show_findings(())

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Say the first of these, and how many more there are."""
        self.findings = tuple(findings)
        for widget in (self.mark, self.sentence, self.more):
            widget.setVisible(bool(findings))
        if not findings:
            self.more.setChecked(False)
            self.sentence.say("")
            return
        self.sentence.say(findings[0].sentence)
        others = len(findings) - 1
        self.more.setText("What to try ▴" if not others else f"What to try, and {others} more ▴")
        self.more.setToolTip("What this usually means, and what may help")

    def stand_at(self, left: int) -> None:
        """Begin so many pixels from the left."""
        self._layout.setContentsMargins(left, 0, 4, 0)

    def sizeHint(self) -> QSize:
        return QSize(200, self._theme.px(_HEIGHT) if self._theme is not None else _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.mark.colour = QColor(theme.warning)
        self.mark.update()
        self.updateGeometry()
