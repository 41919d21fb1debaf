"""What a plot's lines and bars are, in a row above its data, which no text covers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.plotting.marks import DASHES, hatched, pen_of
from app.style.theme import Theme, tabular

# In heights of a line of text:
_SAMPLE = 0.85  # what stands before the words
_SPACE = 0.35  # between that and the words
_BELOW = 0.6  # between the last row and the plot, whose topmost label stands out by half its height
_APART = 0.9  # between two entries


@dataclass(frozen=True)
class Entry:
    """Words on what is drawn, with a ``sample`` of it in ``colour`` before them, or without one: a line that stands
    upright at a place of the axis, or a curve that runs along it. ``shorter`` are words for where these have no
    room."""

    text: str
    colour: str = ""
    sample: Literal["filled", "hatched", "line", "dashed", "curve", "thin curve"] | None = None
    shorter: str = ""

    @property
    def before(self) -> float:
        """How much stands before the words, in heights of a line."""
        return _SAMPLE + _SPACE if self.sample else 0.0


class Legend(pg.GraphicsWidget):
    """Entries one beside the other, in as many rows as they need.

    Signals:
        height_changed: it needs more or less room.
    """

    height_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._theme: Theme | None = None
        self._font = QFont()
        self._metrics = QFontMetricsF(self._font)
        self._rows = 0
        self._most = math.inf
        self.setFixedHeight(0)
        self.hide()

    @property
    def entries(self) -> Sequence[Entry]:
        return self._entries

    def show_entries(self, entries: Sequence[Entry]) -> None:
        if len(entries) != len(self._entries):
            self._rows = 0
        if entries != self._entries:
            self._entries = entries
            self.setVisible(bool(entries))
            self._fit()
            self.update()

    def limit(self, height: float) -> None:
        """Leave out the last rows where they would need more than this."""
        if height != self._most:
            self._most = height
            self._fit()

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, tabular(font)
        self._metrics = QFontMetricsF(self._font)
        self._rows = 0
        self._fit()
        self.update()

    @property
    def words(self) -> list[str]:
        """What is written of each entry."""
        room = self.size().width()
        return [
            entry.shorter if entry.shorter and self._width(entry, entry.text) > room else entry.text
            for entry in self._entries
        ]

    def _width(self, entry: Entry, words: str) -> float:
        return entry.before * self._metrics.height() + self._metrics.horizontalAdvance(words) + 1

    def places(self) -> list[QRectF]:
        """Where each entry stands that has room."""
        line = self._metrics.height()
        room = max(self.size().width(), 1.0)
        widths = [min(self._width(entry, words), room) for entry, words in zip(self._entries, self.words, strict=True)]
        height = line + 2
        return [
            QRectF(left, row * height, width, height)
            for (row, left), width in zip(in_rows(widths, room, _APART * line), widths, strict=True)
            if row < self._most_rows
        ]

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._rows = 0
        self._fit()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._theme is None:
            return
        painter.setFont(self._font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for entry, said, place in zip(self._entries, self.words, self.places(), strict=False):
            if entry.sample is not None:
                _paint_sample(painter, entry, place, self._theme)
            words = place.adjusted(entry.before * self._metrics.height(), 0, 0, 0)
            text = self._metrics.elidedText(said, Qt.TextElideMode.ElideRight, words.width() + 1)
            painter.setPen(QColor(self._theme.text))
            painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)

    @property
    def _most_rows(self) -> int:
        line = self._metrics.height()
        return (
            max(int((self._most - _BELOW * line) / (line + 2)), 1) if math.isfinite(self._most) else len(self._entries)
        )

    def _fit(self) -> None:
        """Be as high as the rows are. Numbers that grow shorter again do not move the plot back."""
        places = self.places()
        line = self._metrics.height()
        needed = round(places[-1].bottom() / (line + 2)) if places else 0
        self._rows = max(min(self._rows, self._most_rows), needed)
        wanted = self._rows * (line + 2) + _BELOW * line if self._rows else 0.0
        if wanted != self.maximumHeight():
            self.setFixedHeight(wanted)
            self.height_changed.emit()


def in_rows(widths: Sequence[float], room: float, apart: float) -> list[tuple[int, float]]:
    """The row and the left edge of each, in as few rows of the width ``room`` as keep their order, ``apart`` from each
    other."""
    places: list[tuple[int, float]] = []
    row, left = 0, 0.0
    for width in widths:
        if left > 0 and left + width > room:
            row, left = row + 1, 0.0
        places.append((row, left))
        left += width + apart
    return places


def _paint_sample(painter: QPainter, entry: Entry, place: QRectF, theme: Theme) -> None:
    side = _SAMPLE * (place.height() - 2)
    box = QRectF(place.left(), place.center().y() - side / 2, side, side)
    if entry.sample == "filled":
        painter.fillRect(box, QColor(entry.colour))
    elif entry.sample == "hatched":
        for brush in hatched(entry.colour, theme.surface):
            painter.fillRect(box, brush)
    elif entry.sample in ("curve", "thin curve"):
        painter.setPen(pen_of(entry.colour, 3.0 if entry.sample == "curve" else 1.0))
        painter.drawLine(QLineF(box.left(), box.center().y(), box.right(), box.center().y()))
    else:
        pen = pen_of(entry.colour, 2.0 if entry.sample == "line" else 1.0)
        if entry.sample == "dashed":
            pen.setDashPattern(DASHES)
        painter.setPen(pen)
        painter.drawLine(QLineF(box.center().x(), box.top() - 1, box.center().x(), box.bottom() + 1))
