"""What each cell of a grid adds to the surrogate and to the truth, in two grids beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.compare.state_bars import told_of
from app.style.format import short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with numpy, and torch
    from engine.analysis.policy_difference import StateShare
    from engine.analysis.state_grids import StateGrid

_TITLES = "d(s) · Ā(s): where the old policy goes", "d′(s) · Ā(s): where the new one goes"
_LARGEST = 64.0  # pixels that a cell is wide at most
_LEAST_TEXT = 7.0  # pixels
_CENTRE = Qt.AlignmentFlag.AlignCenter


class ShareCells(QWidget):
    """The cells of the left grid add up to the surrogate, those of the right one to the difference itself. Gains are in
    one colour, losses in another, and what neither policy comes to in none."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._grid: StateGrid | None = None
        self._states: dict[int, StateShare] = {}
        self._largest = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What each cell adds to the surrogate and to the difference")

    @staticmethod
    def fits(grid: StateGrid | None) -> bool:
        """Whether there are cells to be shown, on one page."""
        return grid is not None and len(grid.pages) == 1 and not grid.arms

    def show_states(self, states: Sequence[StateShare], grid: StateGrid) -> None:
        self._states, self._grid = {each.state: each for each in states}, grid
        shares = [abs(share) for each in states for share in (each.old_share, each.new_share)]
        self._largest = max(shares, default=0.0) or 1.0
        self.setAccessibleDescription("; ".join(f"{s.name}: {short_number(s.new_share)}" for s in states[:6]))
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(260), self._theme.px(100))

    def areas(self) -> dict[tuple[int, int, int], QRectF]:
        """Where the cells are, by their side, 0 or 1, their row and their column."""
        grid = self._grid
        assert grid is not None
        rows, head, gap = grid.pages[0], self._head, float(self._theme.unit)
        width = (self.width() - gap) / 2.0
        side = min(width / len(rows[0]), (self.height() - head) / len(rows), self._theme.px(_LARGEST))
        return {
            (number, row, column): QRectF(number * (width + gap) + column * side, head + row * side, side, side)
            for number in (0, 1)
            for row, cells in enumerate(rows)
            for column in range(len(cells))
        }

    @property
    def _head(self) -> int:
        return self.fontMetrics().height() + self._theme.unit // 2

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        grid, painter = self._grid, QPainter(self)
        if grid is None:
            return
        width = (self.width() - self._theme.unit) / 2.0
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QColor(self._theme.muted))
        for number, title in enumerate(_TITLES):
            words = metrics.elidedText(title, Qt.TextElideMode.ElideRight, width)
            left = number * (width + self._theme.unit)
            painter.drawText(QRectF(left, 0, width, metrics.height()), int(Qt.AlignmentFlag.AlignLeft), words)
        for (number, row, column), area in self.areas().items():
            self._paint_cell(painter, area.adjusted(0.5, 0.5, -0.5, -0.5), number, (row, column))

    def _paint_cell(self, painter: QPainter, area: QRectF, number: int, place: tuple[int, int]) -> None:
        grid, theme = self._grid, self._theme
        assert grid is not None
        known, letter = self._states.get(grid.pages[0][place[0]][place[1]]), grid.letter(*place)
        painter.setPen(QPen(QColor(theme.line), 1))
        share = 0.0 if known is None else (known.old_share, known.new_share)[number]
        visits = 0.0 if known is None else (known.old_visits, known.new_visits)[number]
        colour = theme.positive if share >= 0.0 else theme.negative
        ground = blended(colour, theme.surface, 0.85 * abs(share) / self._largest)
        painter.setBrush(QColor(theme.edge) if letter == "#" else ground)
        painter.drawRect(area)
        if visits > 0.0:
            text = short_number(share, 2) if abs(share) > 1e-9 * self._largest else "0"
        else:
            text = letter if letter in "GHC" else ""
        font = QFont(self.font())
        font.setPixelSize(max(round(0.3 * area.height()), 1))
        wide = QFontMetricsF(font).horizontalAdvance(text)
        size = 0.3 * area.height() * min(1.0, 0.9 * area.width() / max(wide, 1.0))
        if text and size >= _LEAST_TEXT:
            font.setPixelSize(round(size))
            painter.setFont(font)
            painter.setPen(QColor(theme.text if visits > 0.0 else theme.muted))
            painter.drawText(area, _CENTRE, text)

    # --- what is told of a cell ---------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words(event.pos()), self)
            return True
        return bool(super().event(event))

    def words(self, at: QPoint) -> str:
        """All that is known of the cell there; empty where neither policy comes to."""
        if self._grid is None:
            return ""
        places = ((row, column) for (_, row, column), area in self.areas().items() if area.contains(at.toPointF()))
        row, column = next(places, (-1, -1))
        here = self._grid.pages[0][row][column] if row >= 0 else -1
        return told_of(self._states[here]) if here in self._states else ""
