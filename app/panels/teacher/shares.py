"""Where learner and teacher are, in the cells of an environment with numbered states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app.style.format import percent
from app.style.theme import Theme
from engine.analysis.state_grids import StateGrid
from engine.experience.demonstrations import Demonstrations

if TYPE_CHECKING:  # with torch
    from engine.analysis.parting import Parting

_LARGEST = 72  # pixels of a cell's side
_HALF = 0.22  # of a cell's side: the largest disc's radius
_SEEN = 1e-9


class CellShares(QWidget):
    """In each cell a disc for the policy at the left and one for the teacher at the right, their areas by how often
    each is there. A frame is around cells of the policy's in which the teacher never was."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("States of policy and teacher, by cell")
        self.setMinimumSize(1, 1)
        self._theme = theme
        self._grid: StateGrid | None = None
        self._shares: tuple[NDArray[np.float64], NDArray[np.float64]] = (np.zeros(1),) * 2  # by observation
        self.page = 0

    def show_parting(self, parting: Parting, grid: StateGrid) -> None:
        self._grid = grid
        shown = parting.learner, parting.reference.episodes
        count = 1 + max(int(each.observations.max()) for each in shown)
        self._shares = _shares(shown[0], count), _shares(shown[1], count)
        self.setAccessibleDescription(self._words())
        self.update()

    def show_page(self, page: int) -> None:
        self.page = page
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _words(self) -> str:
        learner, teacher = self._shares
        return f"{percent(float(learner[teacher <= 0.0].sum()))} of the policy's steps are where the teacher never was"

    def _of(self, state: int) -> tuple[float, float]:
        """How often the policy and the teacher see what is seen in this state."""
        grid = self._grid
        observation = state if grid is None or not grid.seen else grid.seen[state]
        learner, teacher = self._shares
        inside = 0 <= observation < len(learner)
        return (float(learner[observation]), float(teacher[observation])) if inside else (0.0, 0.0)

    def _corner(self) -> tuple[float, float, float]:
        """Of the first cell, in pixels, and the side of one."""
        assert self._grid is not None
        rows, columns = len(self._grid.pages[0]), len(self._grid.pages[0][0])
        room = self.height() - 2 - self._above
        side = max(min((self.width() - 2) / columns, room / rows, self._theme.px(_LARGEST)), 1.0)
        return (self.width() - side * columns) / 2, self._above + 1 + (room - side * rows) / 2, side

    @property
    def _above(self) -> float:
        """Pixels in which it is said what the discs are."""
        return 1.5 * self.fontMetrics().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._grid is not None:
            self._draw_legend(painter)
            left, top, side = self._corner()
            most = max(float(each.max()) for each in self._shares)
            for row, cells in enumerate(self._grid.pages[self.page]):
                for column, state in enumerate(cells):
                    area = QRectF(left + column * side, top + row * side, side, side)
                    self._draw_cell(painter, area, state, self._grid.letter(row, column), most)
        painter.end()

    def _draw_legend(self, painter: QPainter) -> None:
        theme, metrics = self._theme, self.fontMetrics()
        line, at = float(metrics.height()), float(theme.unit)
        for words, colour in (("policy", theme.policy), ("teacher", theme.marker), (f"framed: {self._words()}", "")):
            if colour:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colour))
                painter.drawEllipse(QPointF(at + 0.35 * line, 0.6 * line), 0.32 * line, 0.32 * line)
                at += line
            painter.setPen(QColor(theme.text))
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(self.width() - at))
            painter.drawText(QPointF(at, 0.1 * line + metrics.ascent()), shown)
            at += metrics.horizontalAdvance(shown) + line

    def _draw_cell(self, painter: QPainter, area: QRectF, state: int, letter: str, most: float) -> None:
        theme = self._theme
        wall = state < 0 or letter == "#"
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(QColor(theme.raised if wall else theme.surface))
        painter.drawRect(area)
        if wall:
            return
        learner, teacher = self._of(state)
        if letter in ("S", "G", "H", "C"):
            painter.setPen(QColor(theme.muted))
            painter.drawText(
                area.adjusted(3, 1, 0, 0), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), letter
            )
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour, across in ((learner, theme.policy, 0.27), (teacher, theme.marker, 0.73)):
            if share > _SEEN:
                painter.setBrush(QColor(colour))
                radius = max(_HALF * area.width() * math.sqrt(share / most), 1.5)
                painter.drawEllipse(QPointF(area.left() + across * area.width(), area.center().y()), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if learner > _SEEN >= teacher:
            painter.setPen(QPen(QColor(theme.text), 2, Qt.PenStyle.DashLine))
            painter.drawRect(area.adjusted(2, 2, -2, -2))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and self._grid is not None:
            left, top, side = self._corner()
            row, column = int((event.pos().y() - top) // side), int((event.pos().x() - left) // side)
            cells = self._grid.pages[self.page]
            if 0 <= row < len(cells) and 0 <= column < len(cells[0]) and cells[row][column] >= 0:
                learner, teacher = map(percent, self._of(cells[row][column]))
                told = (
                    f"row {row + 1}, column {column + 1}: {learner} of the policy's steps, {teacher} of the teacher's"
                )
                QToolTip.showText(event.globalPos(), told, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)


def _shares(shown: Demonstrations, count: int) -> NDArray[np.float64]:
    counted = np.bincount(shown.observations.astype(np.int64), minlength=count)
    shares: NDArray[np.float64] = counted / max(counted.sum(), 1)
    return shares


def grid_of_numbers(count: int) -> StateGrid:
    """Of states of which it is not known how they lie: in rows, as many as there are columns."""
    side = max(math.ceil(math.sqrt(count)), 1)
    numbers = [state if state < count else -1 for state in range(side * -(-count // side))]
    rows = tuple(tuple(numbers[begin : begin + side]) for begin in range(0, len(numbers), side))
    return StateGrid((rows,), ())
