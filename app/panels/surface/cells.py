"""The cells of an environment, drawn: what each state is worth as colour and number, and the policy as arrows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.episode.action_drawings import Ink, Row, action_label, draw_rows, row_height
from app.panels.surface.cell_words import Shows, words_of, worth_of
from app.panels.surface.content import Action, Cell, draw_action_values, draw_policy, ink_on, write_value
from app.style.theme import Theme, blended, points
from engine.catalogue.spaces import Space

if TYPE_CHECKING:  # with numpy, and torch
    from engine.analysis.state_grids import StateGrid
    from engine.analysis.surfaces import Surface

_LARGEST = 96.0  # pixels that a cell is wide at most
_KEYS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_TAKEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_CORNER = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
_CENTRE = Qt.AlignmentFlag.AlignCenter


class _Place(NamedTuple):
    """Where the cells are: the corner of the first, and their side, in pixels."""

    left: float
    top: float
    side: float


class Cells(QWidget):
    """``told`` carries what the cell under the mouse, or that the arrow keys have come to, says, and ``pointed`` its
    row and column; ``chosen`` the state of one that was clicked, or taken by the enter key, in which somebody acts."""

    told = Signal(str)
    pointed = Signal(int, int)
    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Values and policy, by cell")
        self._theme = theme
        self._grid: StateGrid | None = None
        self._surface: Surface | None = None
        self._space = Space("discrete", 1)
        self._page = 0
        self._agent: tuple[int, ...] = ()
        self.pointed_at: tuple[int, int] | None = None  # the cell that is told of, by row and column
        self._shows: Shows = "values"
        self._low, self._high = 0.0, 1.0

    # --- what is shown ---

    def show_grid(self, grid: StateGrid, space: Space) -> None:
        self._grid, self._space, self._surface = grid, space, None
        self._page, self._agent, self.pointed_at = 0, (), None
        self.update()

    def show_surface(self, surface: Surface | None) -> None:
        """None is that nothing is known of the states yet."""
        self._surface = surface
        self._scale()
        self._tell()
        self.update()

    def show_as(self, shows: Shows) -> None:
        """What the colours and numbers are of."""
        if shows != self._shows:
            self._shows = shows
            self._scale()
            self.update()

    def scale_with(self, other: Cells | None) -> None:
        """Have a colour mean the same in these cells and in ``other``; what it meant alone is found anew for None."""
        self._scale()
        if other is not None:
            other._scale()
            both = [cells for cells in (self, other) if cells._surface is not None]
            low, high = (
                min((cells._low for cells in both), default=0.0),
                max((cells._high for cells in both), default=1.0),
            )
            for cells in both:
                cells._low, cells._high = low, high
            other.update()
        self.update()

    def _scale(self) -> None:
        """Between which numbers the colours are: those of all states in which somebody acts, on all pages, so that a
        colour means the same on each."""
        states = self._grid.acting if self._grid is not None else ()
        known = [value for state in states for value in self._numbers(state) if math.isfinite(value)]
        self._low, self._high = (min(known), max(known)) if known else (0.0, 1.0)

    def _numbers(self, state: int) -> list[float]:
        """What is shown of a state."""
        surface = self._surface
        if surface is None:
            return []
        if self._shows == "actions":
            found: list[float] = surface.action_values[state].tolist()
            return found
        other = {"critic": surface.critic, "best": surface.best}.get(self._shows)
        return [float((surface.values if other is None else other)[state])]

    def show_page(self, page: int) -> None:
        if page != self._page:
            self._page = page
            self._tell()
            self.update()

    def show_agent(self, states: tuple[int, ...]) -> None:
        """The state that the agent is in, or all that look like it."""
        if states != self._agent:
            self._agent = states
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 100)

    # --- drawing ---

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        grid, surface = self._grid, self._surface
        if grid is not None and grid.arms:
            self._draw_arms(painter)
        elif grid is not None:
            place = self._place()
            self._draw_names(painter, place)
            for row, cells in enumerate(grid.pages[self._page]):
                for column, state in enumerate(cells):
                    area = self._area(place, row, column)
                    self._draw_ground(painter, area, row, column, state)
                    if surface is not None and state >= 0 and grid.acts(row, column):
                        self._draw_content(painter, area, state)
            self._draw_walls(painter, place)
            self._draw_marks(painter, place)
        painter.end()

    def _place(self) -> _Place:
        grid = self._grid
        assert grid is not None
        rows, columns = len(grid.pages[0]), len(grid.pages[0][0])
        aside = self._theme.px(28) if grid.rows[1] else 0
        above = self._theme.px(32) if grid.columns[1] else 0
        side = min((self.width() - 2 - aside) / columns, (self.height() - 2 - above) / rows, self._theme.px(_LARGEST))
        side = max(side, 1.0)
        return _Place(aside + (self.width() - aside - side * columns) / 2, 1.0 + above, side)

    def _area(self, place: _Place, row: int, column: int) -> QRectF:
        return QRectF(place.left + column * place.side, place.top + row * place.side, place.side, place.side)

    def _colour(self, value: float) -> QColor | None:
        if not math.isfinite(value):
            return None
        share = 0.5 if self._high <= self._low else (value - self._low) / (self._high - self._low)
        return blended(self._theme.policy, self._theme.surface, 0.06 + 0.74 * share)

    def _ground(self, state: int) -> QColor:
        """Behind the numbers and arrows of a state."""
        numbers = self._numbers(state) if self._shows != "actions" else []
        return (self._colour(numbers[0]) if numbers else None) or QColor(self._theme.surface)

    def _draw_content(self, painter: QPainter, area: QRectF, state: int) -> None:
        grid, surface = self._grid, self._surface
        assert grid is not None
        assert surface is not None
        numbers = self._numbers(state)
        cell = Cell(area, self._ground(state), self._theme, self.font())
        chances = surface.policy[state].tolist()
        if self._shows != "actions" or not all(map(math.isfinite, numbers)):
            if self._shows != "actions" and math.isfinite(numbers[0]):
                write_value(painter, cell, numbers[0])
            draw_policy(painter, cell, chances, grid.ways, [self._letter(action) for action in range(len(chances))])
            return
        actions = [
            Action(way, value, chance, self._colour(value) or cell.ground, self._letter(action))
            for action, (way, value, chance) in enumerate(zip(grid.ways, numbers, chances, strict=True))
        ]
        draw_action_values(painter, cell, actions)

    def _draw_walls(self, painter: QPainter, place: _Place) -> None:
        """What nothing passes between two cells."""
        grid = self._grid
        assert grid is not None
        painter.setPen(QPen(QColor(self._theme.text), max(place.side / 14, 2.0)))
        for row, column in grid.walls:
            area = self._area(place, row, column)
            painter.drawLine(area.topRight(), area.bottomRight())
        painter.setPen(QPen(QColor(self._theme.text), 2.0, Qt.PenStyle.DotLine))
        for (row, column), below in grid.seams:  # between what looks alike and what does not
            area = self._area(place, row, column)
            painter.drawLine(area.bottomLeft() if below else area.topRight(), area.bottomRight())

    def _draw_ground(self, painter: QPainter, area: QRectF, row: int, column: int, state: int) -> None:
        grid, theme = self._grid, self._theme
        assert grid is not None
        inside, letter = area.adjusted(0.5, 0.5, -0.5, -0.5), grid.letter(row, column)
        if state < 0 and not letter:
            return
        painter.setPen(QPen(QColor(theme.line), 1))
        if not grid.acts(row, column):
            painter.setBrush(QColor(theme.edge if letter == "#" else theme.raised))
            painter.drawRect(inside)
            if letter != "#":
                painter.setPen(QColor(theme.muted))
                painter.setFont(self._font(0.42 * area.height()))
                painter.drawText(area, _CENTRE, letter)
            return
        ground = self._ground(state)
        painter.setBrush(ground)
        painter.drawRect(inside)
        if letter.islower():
            painter.setPen(ink_on(ground))
            painter.setFont(self._font(0.22 * area.height()))
            painter.drawText(inside.adjusted(3, 0, 0, -1), _CORNER, letter.upper())

    def _font(self, pixels: float) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(round(pixels), 1))
        return font

    def _letter(self, action: int) -> str:
        return action_label(self._space, action)[0].upper()

    @property
    def letters(self) -> list[str]:
        """What the letters in the cells stand for: actions that lead to no cell beside."""
        ways = self._grid.ways if self._grid is not None and not self._grid.arms else ()
        others = [action for action, way in enumerate(ways) if way is None]
        return [f"{self._letter(action)}: {action_label(self._space, action)}" for action in others]

    def _draw_names(self, painter: QPainter, place: _Place) -> None:
        grid = self._grid
        assert grid is not None
        painter.setPen(QColor(self._theme.muted))
        painter.setFont(self._font(min(0.5 * place.side, self._theme.px(12))))
        for column, name in enumerate(grid.columns[1]):
            area = self._area(place, 0, column)
            painter.drawText(
                area.translated(0, -place.side), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, name
            )
        there = [row for row, cells in enumerate(grid.pages[self._page]) if max(cells) >= 0]
        for row, name in ((row, grid.rows[1][row]) for row in there if grid.rows[1]):
            area = self._area(place, row, 0)
            area.setLeft(0)
            area.setRight(place.left - 4)
            painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        if grid.columns[0]:
            whole = QRectF(place.left, 0, place.side * len(grid.columns[1]), self._theme.px(16))
            painter.drawText(whole, _CENTRE, f"{grid.columns[0]} →   {grid.rows[0]} ↓")

    def _draw_marks(self, painter: QPainter, place: _Place) -> None:
        """Frames around the states just computed, the agent's, and the one that is told of."""
        grid = self._grid
        assert grid is not None
        lit = self._surface.backed_up if self._surface is not None else ()
        for state in dict.fromkeys(lit):
            self._frame(painter, place, state, QPen(QColor(self._theme.update), max(place.side / 18, 2.0)), 2.0)
        for state in self._agent:
            self._frame(painter, place, state, QPen(QColor(self._theme.marker), max(place.side / 14, 2.5)), 1.5)
        if self.pointed_at is not None and self.hasFocus():
            pen = QPen(QColor(self._theme.focus), 2.0, Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._area(place, *self.pointed_at).adjusted(3, 3, -3, -3))

    def _frame(self, painter: QPainter, place: _Place, state: int, pen: QPen, within: float) -> None:
        found = self._grid.place(state) if self._grid is not None else None
        if self._grid is not None and found is not None and found[0] == self._page and self._grid.acts(*found[1:]):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._area(place, *found[1:]).adjusted(within, within, -within, -within), 3, 3)

    def _draw_arms(self, painter: QPainter) -> None:
        """A bar for each arm, as likely as it is pulled, and beside it what it is worth."""
        plain = QFont(self.font())
        plain.setPointSizeF(points(self._theme) / self._theme.text_scale)
        ink, scale = Ink.of(self._theme, plain), self._theme.text_scale
        painter.scale(scale, scale)
        rows = [self._arm(action) for action in range(self._space.size)]
        fitting = max(int(self.height() / scale / row_height(ink)), 1)
        draw_rows(painter, ink, QRectF(0, 0, self.width() / scale, 0), rows[:fitting])

    def _arm(self, action: int) -> Row:
        surface, label = self._surface, action_label(self._space, action)
        if surface is None:
            return Row(label, None)
        worth = surface.action_values[0]
        known = bool((worth == worth).all())
        best = known and bool(worth[action] == worth.max())
        return Row(label, float(surface.policy[0, action]), value=float(worth[action]) if known else None, best=best)

    # --- what is told of a cell ---

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grid is not None and not self._grid.arms:
            self._go_to(*self._cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._grid is None or self._grid.arms or event.button() != Qt.MouseButton.LeftButton:
            return
        self._go_to(*(cell := self._cell_at(event.position())))
        if cell == self.pointed_at:
            self._choose()

    def _cell_at(self, at: QPointF) -> tuple[int, int]:
        """Row and column, which lie outside of the grid where no cell is."""
        place = self._place()
        return int((at.y() - place.top) // place.side), int((at.x() - place.left) // place.side)

    def _choose(self) -> None:
        """The cell that is told of."""
        grid = self._grid
        if grid is not None and self.pointed_at is not None and grid.acts(*self.pointed_at):
            row, column = self.pointed_at
            if (state := grid.pages[self._page][row][column]) >= 0:
                self.chosen.emit(state)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._takes(event):
            event.accept()  # before the arrow means a step of training
            return True
        return bool(super().event(event))

    def _takes(self, event: QKeyEvent) -> bool:
        return event.key() in (*_KEYS, *_TAKEN) and self._grid is not None and not self._grid.arms

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._takes(event):
            super().keyPressEvent(event)
            return
        if event.key() in _TAKEN:
            self._choose()
            return
        down, right = _KEYS[Qt.Key(event.key())]
        row, column = self.pointed_at or (-down, -right)  # at first to the first cell
        self._go_to(row + down, column + right)

    def _go_to(self, row: int, column: int) -> None:
        grid = self._grid
        assert grid is not None
        cells = grid.pages[self._page]
        if 0 <= row < len(cells) and 0 <= column < len(cells[0]) and (row, column) != self.pointed_at:
            self.point_at(row, column)
            self.pointed.emit(row, column)

    def point_at(self, row: int, column: int) -> None:
        """Tell of this cell."""
        self.pointed_at = row, column
        self._tell()
        self.update()

    def worth(self, row: int, column: int) -> str:
        """V of a cell, and empty where none is known."""
        grid = self._grid
        if grid is None or not grid.acts(row, column):
            return ""
        return worth_of(grid.pages[self._page][row][column], self._surface)

    def _tell(self) -> None:
        if self.pointed_at is not None:
            sentence = self.words(*self.pointed_at)
            self.setAccessibleDescription(sentence)
            self.told.emit(sentence)

    def words(self, row: int, column: int) -> str:
        """What is known of a cell."""
        assert self._grid is not None
        return words_of(self._grid, self._page, (row, column), self._surface, self._space)
