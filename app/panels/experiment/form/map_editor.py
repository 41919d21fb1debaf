"""A map of cells that are painted with a brush, by mouse or keyboard."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.form_rules import Legend
from app.panels.experiment.form.map_drawing import Rows, draw_map, emptiest, fitted
from app.style.theme import Theme

_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_LARGEST_CELL = 72.0
_GOOD_CELL = 26  # pixels, where there is room


class MapEditor(QWidget):
    """The left button paints with the ``brush``, the right one erases; dragging goes on with either.

    Arrows move a cursor; a cell's sign sets it, Space paints, Delete erases. Each stroke can be undone.
    """

    changed = Signal()
    brush_picked = Signal(str)  # by the keyboard

    def __init__(self, rows: Rows, legend: Legend, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows, self._legend, self._theme = rows, legend, theme
        self.brush = next((sign for sign, meaning in legend if meaning == "wall"), legend[0][0])
        self._empty = emptiest(legend)
        self._cursor = (0, 0)  # row and column
        self._stroke: str | None = None  # the sign that is being drawn while a button is down
        self._before = rows  # the map at the stroke's beginning
        self._last = (0, 0)  # the cell that the stroke reached
        self._done: list[Rows] = []  # what undo goes back to, the latest last
        self._undone: list[Rows] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 240)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._tell()

    def sizeHint(self) -> QSize:
        return QSize(max(400, _GOOD_CELL * len(self._rows[0])), max(360, _GOOD_CELL * len(self._rows)))

    # --- what holds ---

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def cursor_cell(self) -> tuple[int, int]:
        """Row and column that the keyboard is at."""
        return self._cursor

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def undo(self) -> None:
        if self._done and self._stroke is None:
            self._undone.append(self._rows)
            self._show(self._done.pop())

    def redo(self) -> None:
        if self._undone and self._stroke is None:
            self._done.append(self._rows)
            self._show(self._undone.pop())

    def set_rows(self, rows: Rows) -> None:
        """Another map, as one step that can be undone."""
        if rows != self._rows:
            self._remember(self._rows)
            self._show(rows)

    def resize_map(self, height: int, width: int) -> None:
        """Add or take off rows at the bottom and columns at the right."""
        kept = [row[:width].ljust(width, self._empty) for row in self._rows[:height]]
        self.set_rows(tuple(kept + [self._empty * width] * (height - len(kept))))

    def _remember(self, rows: Rows) -> None:
        self._done.append(rows)
        self._undone.clear()

    def _show(self, rows: Rows) -> None:
        self._rows = rows
        self._cursor = (min(self._cursor[0], len(rows) - 1), min(self._cursor[1], len(rows[0]) - 1))
        self._tell()
        self.changed.emit()

    def _set(self, cell: tuple[int, int], sign: str) -> None:
        row, column = cell
        line = self._rows[row]
        if line[column] != sign:
            line = line[:column] + sign + line[column + 1 :]
            self._show((*self._rows[:row], line, *self._rows[row + 1 :]))

    def _tell(self) -> None:
        row, column = self._cursor
        sign = self._rows[row][column]
        here = f"row {row + 1}, column {column + 1}: {dict(self._legend).get(sign, sign)}"
        self.setAccessibleName(f"Map of {len(self._rows)} × {len(self._rows[0])}, {here}")
        self.update()

    # --- the mouse ---

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is drawn."""
        place = self._place()
        side = place.width() / len(self._rows[0])
        return QRectF(place.left() + column * side, place.top() + row * side, side, side)

    def _place(self) -> QRectF:
        room = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        width = min(room.width(), _LARGEST_CELL * len(self._rows[0]))
        height = min(room.height(), _LARGEST_CELL * len(self._rows))
        centre = room.center()
        return fitted(self._rows, QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height))

    def _cell_at(self, point: QPointF) -> tuple[int, int] | None:
        place = self._place()
        side = place.width() / len(self._rows[0])
        row, column = int((point.y() - place.top()) // side), int((point.x() - place.left()) // side)
        inside = 0 <= row < len(self._rows) and 0 <= column < len(self._rows[0])
        return (row, column) if inside else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        signs = {Qt.MouseButton.LeftButton: self.brush, Qt.MouseButton.RightButton: self._empty}
        cell = self._cell_at(event.position())
        if cell is None or event.button() not in signs or self._stroke is not None:
            return
        self._stroke = signs[event.button()]
        self._cursor = self._last = cell
        self._before = self._rows
        self._set(cell, self._stroke)
        self._tell()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if self._stroke is not None and cell is not None:
            for between in _line(self._last, cell):
                self._set(between, self._stroke)
            self._cursor = self._last = cell
            self._tell()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._stroke is None:
            return
        self._stroke = None
        if self._rows != self._before:
            self._remember(self._before)
            self.changed.emit()

    # --- the keyboard ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        sign = event.text().upper()
        move = _MOVES.get(Qt.Key(event.key()))
        if move is not None:
            row, column = self._cursor[0] + move[0], self._cursor[1] + move[1]
            self._cursor = (min(max(row, 0), len(self._rows) - 1), min(max(column, 0), len(self._rows[0]) - 1))
            self._tell()
        elif event.key() == Qt.Key.Key_Space:
            self._paint_here(self.brush)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._paint_here(self._empty)
        elif sign and sign in dict(self._legend) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.brush_picked.emit(sign)
            self._paint_here(sign)
        else:
            super().keyPressEvent(event)

    def _paint_here(self, sign: str) -> None:
        row, column = self._cursor
        if self._rows[row][column] != sign:
            self._remember(self._rows)
            self._set(self._cursor, sign)

    # --- the picture ---

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_map(painter, self._place(), self._rows, self._legend, self._theme)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.mean), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.cell_rect(*self._cursor).adjusted(1, 1, -1, -1), 4, 4)
        painter.end()


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The cells from ``start`` to ``end``, without the first: a fast hand leaves no gaps."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    return [
        (round(start[0] + (end[0] - start[0]) * k / steps), round(start[1] + (end[1] - start[1]) * k / steps))
        for k in range(1, steps + 1)
    ]
