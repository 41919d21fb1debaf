"""Labels that do not move what is around them, and the words an empty panel shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QLineEdit, QScrollArea, QSizePolicy, QStackedWidget, QToolButton, QWidget

from app.style.theme import tabular

_AROUND_HINT = 12  # pixels
LEAST_TEXT = 48  # pixels of a text that is cut short
_TWO_ENDS = 12  # characters, in fewer of which two ends of a text tell less than its beginning


def as_surface(panel: QWidget) -> None:
    """Give a panel the ground that plots have, so that it is one area."""
    panel.setBackgroundRole(QPalette.ColorRole.Base)
    panel.setAutoFillBackground(True)


def set_role(widget: QWidget, role: str | None) -> None:
    """Give a widget another of the style sheet's roles, or none; a new property alone would not restyle it."""
    widget.setProperty("role", role)
    restyle(widget)


def restyle(widget: QWidget) -> None:
    """Have the style sheet look at a widget's properties once more."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()  # which a look of the same size does not ask for


def muted(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label


def search_field(words: str, name: str) -> QLineEdit:
    """A line to search by, with what clears it; ``words`` stand in it while it is empty, and it goes by ``name``."""
    field = QLineEdit()
    field.setPlaceholderText(words)
    field.setAccessibleName(name)
    field.setClearButtonEnabled(True)
    for button in field.findChildren(QToolButton):
        button.setAccessibleName("Clear the search")
    return field


def plain_tip(text: str) -> str:
    """``text``, which a person or a file has written, as a tooltip that shows every sign of it as it is."""
    return f"<qt>{'<br>'.join(map(escape, text.splitlines()))}</qt>" if "<" in text else text


def shortest_cut(metrics: QFontMetrics, room: int, texts: Sequence[str], left_out: Qt.TextElideMode) -> str:
    """The first of ``texts``, which are one thing said ever shorter, for which there is room; the last cut short where
    there is room for none."""
    fits = (text for text in texts if metrics.horizontalAdvance(text) <= room)
    return next(fits, None) or metrics.elidedText(texts[-1], left_out, room)


class SteadyLabel(QLabel):
    """A label in tabular figures that is as wide as ``widest``, so that new text neither moves nor lays out anything;
    only one that is longer widens it, for good, and nothing is cut."""

    def __init__(self, widest: str, role: str = "") -> None:
        super().__init__()
        self.widest = widest
        if role:
            self.setProperty("role", role)
        self.setFont(tabular(self.font()))
        self._fix()

    def set_widest(self, widest: str) -> None:
        """Be as wide as this from now on."""
        self.widest = widest
        self._fix()

    def setText(self, text: str) -> None:
        if len(text) > len(self.widest):
            self.set_widest(text)
        super().setText(text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fix()

    def _fix(self) -> None:
        metrics = self.fontMetrics()
        self.setFixedSize(metrics.horizontalAdvance(self.widest) + 4, metrics.height() + 2)


class ElidedLabel(QLabel):
    """One line of plain text, of which the end is left out where it does not fit, or another part where there is room
    for more than a word; ``shorter`` is shown first, which says the same in less room."""

    def __init__(self, text: str = "", left_out: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(text)
        self._left_out = left_out
        self.shorter = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(min(hint.width(), LEAST_TEXT), hint.height())

    @property
    def shown(self) -> str:
        """What there is room for."""
        room, metrics = self.contentsRect().width(), self.fontMetrics()
        little = room < _TWO_ENDS * metrics.averageCharWidth()  # where two ends are too short to tell anything
        left_out = Qt.TextElideMode.ElideRight if little else self._left_out
        return shortest_cut(metrics, room, [self.text(), self.shorter or self.text()], left_out)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.shown)
        painter.end()


class TwoLines(QLabel):
    """Plain text in one line, or in two where that is narrower than ``wide`` letters; its height follows from its width
    alone, so that new text moves nothing."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self._wide = wide
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(1, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def heightForWidth(self, width: int) -> int:
        metrics = self.fontMetrics()
        lines = 1 if width >= self._wide * metrics.averageCharWidth() else 2
        return lines * metrics.lineSpacing() + 2


class Stage(QStackedWidget):
    """Shows ``content`` once there is something to see; until then a sentence on what will appear and why not yet,
    which is scrolled where it has little room.

    Signals:
        turned: there is something to see, or no more.
    """

    turned = Signal(bool)

    def __init__(self, hint: str, content: QWidget) -> None:
        super().__init__()
        self._hint = muted(hint)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setMargin(_AROUND_HINT)
        self._hint.setMinimumSize(1, 1)
        room = QScrollArea()
        room.setWidget(self._hint)
        room.setWidgetResizable(True)
        room.setFrameShape(QScrollArea.Shape.NoFrame)
        room.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        room.setMinimumSize(1, 1)
        self.addWidget(room)
        self.addWidget(content)

    def set_hint(self, hint: str) -> None:
        self._hint.setText(hint)

    @property
    def filled(self) -> bool:
        return self.currentIndex() == 1

    def fill(self, filled: bool) -> None:
        if filled != self.filled:
            self.setCurrentIndex(int(filled))
            self.turned.emit(filled)
