"""Numbers of a batch's steps as strips of colour, in which a person can walk about by mouse or keys and zoom; strips
beside each other move alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.panels.update.cells import Layout, Numbers, binned, reach_of
from app.style.format import short_number
from app.style.theme import Theme

_ZOOM = 1.25
_LEAST_CELLS = 4.0
_TALLEST = 44.0  # pixels of a row, beyond which a strip looks like a block
_WIDEST = 44.0
_SPAN = 54  # pixels of the scale
_WRITTEN = 34, 13  # pixels of a cell in which its number has room
_SIGNED = 7  # pixels of a cell in which a minus has room
_KEYS = {  # where the cell lies to which a key leads
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_NEARER, _FURTHER = (Qt.Key.Key_Plus, Qt.Key.Key_Equal), (Qt.Key.Key_Minus,)
_TAKEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
Window = tuple[float, float, float, float]  # first row, rows, first step, steps


class Shared:
    """What strips beside each other have in common: their layout, where a person has zoomed to, and what is under the
    mouse."""

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.window: Window | None = None
        self.hovered = -1  # a step of the batch
        self._followers: list[Callable[[], None]] = []

    def follow(self, then: Callable[[], None]) -> None:
        self._followers.append(then)

    def tell(self) -> None:
        for then in self._followers:
            then()

    def lay_out(self, layout: Layout | None) -> None:
        if layout is None or self.layout is None or layout.index.shape != self.layout.index.shape:
            self.window = None
        self.layout, self.hovered = layout, -1
        self.tell()

    @property
    def seen(self) -> Window:
        assert self.layout is not None
        return self.window or (0.0, float(self.layout.rows), 0.0, float(self.layout.longest))


class Strips(QWidget):
    """Signals:
    hovered: the batch's step under the mouse, or to which keys have led; −1 where there is none.
    chosen: a step of the batch was clicked, or taken by key.
    """

    hovered = Signal(int)
    chosen = Signal(int)

    def __init__(self, theme: Theme, shared: Shared) -> None:
        super().__init__()
        self._theme, self._shared = theme, shared
        self.title, self.symbol = "", ""
        self._cells, self._reach = np.empty((0, 0)), 1.0
        self._drawn: tuple[tuple[object, ...], QImage] | None = None
        self._held: tuple[QPointF, Window] | None = None
        self._pressed: QPointF | None = None  # where a click may have begun
        self._clicked = -1
        self._waiting = QTimer(self, singleShot=True, interval=QApplication.doubleClickInterval())
        self._waiting.timeout.connect(lambda: self.chosen.emit(self._clicked))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Steps of the batch")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(40, 40)
        shared.follow(self.update)

    def sizeHint(self) -> QSize:
        return QSize(120, 80)

    def apply_theme(self, theme: Theme) -> None:
        self._theme, self._drawn = theme, None
        self.update()

    def show_values(self, title: str, symbol: str, values: Numbers, reach: float | None = None) -> None:
        """Draw these [M] in the shared layout; ``reach`` is the size of full colour, where it is given. They are named
        by their ``title`` and ``symbol``, or by that alone where there is no room for both."""
        assert self._shared.layout is not None
        self.title, self.symbol = " ".join(filter(None, (title, symbol))), symbol
        self._cells = self._shared.layout.cells(values)
        self._reach = reach_of(values) if reach is None else reach
        self._drawn = None
        self.setAccessibleName(self.title)
        self.update()

    # --- where things are ---------------------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return QFontMetrics(self.font()).height() + 4

    @property
    def area(self) -> QRectF:
        """Where the cells are."""
        width, height = float(self.width() - 2), float(self.height() - self._line - 2)
        if self._shared.layout is None:
            return QRectF(0, self._line, width, height)
        _, rows, _, steps = self._shared.seen
        return QRectF(0, self._line, min(width, steps * _WIDEST), min(height, rows * _TALLEST))

    def step_at(self, at: QPointF) -> int:
        """The batch's step under a place, −1 where there is none."""
        layout, area = self._shared.layout, self.area
        if layout is None or not area.contains(at):
            return -1
        first, rows, start, steps = self._shared.seen
        row = int(first + (at.y() - area.top()) / area.height() * rows)
        step = int(start + (at.x() - area.left()) / area.width() * steps)
        inside = 0 <= row < layout.rows and 0 <= step < layout.longest
        return int(layout.index[row, step]) if inside else -1

    # --- drawing ------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._draw_title(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.focus), 2.0))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), self._theme.radius, self._theme.radius)
        if self._shared.layout is None or not self._cells.size:
            return
        area, (first, rows, start, steps) = self.area, self._shared.seen
        top, bottom = int(first), min(int(np.ceil(first + rows)), self._cells.shape[0])
        left, right = int(start), min(int(np.ceil(start + steps)), self._cells.shape[1])
        key = (top, bottom, left, right, area.width(), area.height())
        if self._drawn is None or self._drawn[0] != key:
            seen = binned(self._cells[top:bottom, left:right], max(int(area.height()), 1), max(int(area.width()), 1))
            self._drawn = key, self._image(seen)
        cell = QPointF(area.width() / steps, area.height() / rows)
        place = QRectF(
            area.left() + (left - start) * cell.x(),
            area.top() + (top - first) * cell.y(),
            (right - left) * cell.x(),
            (bottom - top) * cell.y(),
        )
        painter.setClipRect(area)
        painter.drawImage(place, self._drawn[1])
        self._draw_grid(painter, place, (top, bottom, left, right), cell)
        self._draw_hovered(painter, area, cell)
        painter.end()

    @property
    def scale(self) -> tuple[str, str]:
        """The numbers at both ends of the colours."""
        negative = bool((self._cells < 0).any())
        return short_number(-self._reach) if negative else "0", short_number(self._reach)

    def _draw_title(self, painter: QPainter) -> None:
        """What is drawn, and the scale of its colours."""
        line, span = self._line, self._theme.px(_SPAN)
        metrics = painter.fontMetrics()
        painter.setPen(QColor(self._theme.text))
        low, high = self.scale
        negative = low != "0"
        scale = metrics.horizontalAdvance(low) + span + metrics.horizontalAdvance(high) + 12
        room = max(self.width() - 2, 1)
        most = f"±{high}" if negative else high
        wide = metrics.horizontalAdvance(self.title) + 8.0 + metrics.horizontalAdvance(most) > room
        title = metrics.elidedText(self.symbol if wide else self.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(0, 0, room, line - 4), Qt.AlignmentFlag.AlignVCenter, title)
        x = metrics.horizontalAdvance(title) + 12.0
        if not self._cells.size:
            return
        painter.setPen(QColor(self._theme.muted))
        middle = Qt.AlignmentFlag.AlignVCenter
        if x + scale > room:  # only how much the full colour is
            painter.drawText(QRectF(x - 4, 0, room - x + 4, line - 4), middle, most)
            return
        painter.drawText(QRectF(x, 0, room, line - 4), middle, low)
        x += metrics.horizontalAdvance(low) + 4
        ramp = QLinearGradient(x, 0, x + span, 0)
        ramp.setColorAt(0.0, QColor(self._theme.negative if negative else self._theme.line))
        if negative:
            ramp.setColorAt(0.5, QColor(self._theme.line))
        ramp.setColorAt(1.0, QColor(self._theme.positive))
        painter.fillRect(QRectF(x, 3, span, line - 10), ramp)
        painter.drawText(QRectF(x + span + 4, 0, room, line - 4), middle, high)

    def _image(self, cells: Numbers) -> QImage:
        """A pixel for each cell: what is negative and what is positive in colours of their own, 0 in grey."""
        colours = [
            np.array([colour.red(), colour.green(), colour.blue()], np.float64)
            for colour in map(
                QColor, (self._theme.negative, self._theme.line, self._theme.positive, self._theme.surface)
            )
        ]
        share = np.clip(np.nan_to_num(cells / self._reach), -1.0, 1.0)[..., None]
        found = np.where(share < 0, colours[1] + share * (colours[1] - colours[0]), colours[1])
        found = np.where(share > 0, colours[1] + share * (colours[2] - colours[1]), found)
        found = np.where(np.isnan(cells)[..., None], colours[3], found)
        pixels = np.ascontiguousarray(np.full((*cells.shape, 4), 255, np.uint8))
        pixels[..., :3] = np.round(found)
        image = QImage(pixels.data, cells.shape[1], cells.shape[0], 4 * cells.shape[1], QImage.Format.Format_RGBA8888)
        return image.copy()

    def _draw_grid(self, painter: QPainter, place: QRectF, part: tuple[int, int, int, int], cell: QPointF) -> None:
        """Gaps between cells that are large enough, with their numbers or signs."""
        top, bottom, left, right = part
        if cell.y() >= 4:
            painter.setPen(QPen(QColor(self._theme.surface), 1.0))
            for row in range(top, bottom + 1):
                y = place.top() + (row - top) * cell.y()
                painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        if cell.x() < _SIGNED or cell.y() < _SIGNED:
            return
        for step in range(left, right + 1):
            x = place.left() + (step - left) * cell.x()
            painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))
        written = cell.x() >= self._theme.px(_WRITTEN[0]) and cell.y() >= self._theme.px(_WRITTEN[1])
        for row in range(top, bottom):
            for step in range(left, right):
                value = self._cells[row, step]
                if np.isnan(value):
                    continue
                at = QRectF(
                    place.left() + (step - left) * cell.x(), place.top() + (row - top) * cell.y(), cell.x(), cell.y()
                )
                if written:
                    painter.setPen(self._over(value))
                    painter.drawText(at, Qt.AlignmentFlag.AlignCenter, short_number(float(value), 2))
                elif value < 0:
                    painter.setPen(self._over(value))
                    middle, reach = at.center(), cell.x() / 4
                    painter.drawLine(middle - QPointF(reach, 0), middle + QPointF(reach, 0))

    def _over(self, value: float) -> QColor:
        """A colour that can be read on that of a cell."""
        return QColor(self._theme.window if abs(value) > 0.5 * self._reach else self._theme.text)

    def _draw_hovered(self, painter: QPainter, area: QRectF, cell: QPointF) -> None:
        layout, hovered = self._shared.layout, self._shared.hovered
        if layout is None or hovered < 0:
            return
        row, step = layout.place_of(hovered)
        first, _, start, _ = self._shared.seen
        left, top = area.left() + (step - start) * cell.x(), area.top() + (row - first) * cell.y()
        painter.setClipping(False)
        painter.setPen(QPen(QColor(self._theme.text), 2.0))
        painter.drawRect(QRectF(left - 1, top - 1, max(cell.x(), 3.0) + 1, max(cell.y(), 3.0) + 1))

    # --- what a person does -------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            pressed, (first, rows, start, steps) = self._held
            moved, area = event.position() - pressed, self.area
            self._look(
                (first - moved.y() / area.height() * rows, rows, start - moved.x() / area.width() * steps, steps)
            )
        else:
            self._hover(self.step_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed = event.position()
        if self._shared.window is not None:
            self._held = event.position(), self._shared.seen

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed, self._held = self._pressed, None, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        moved = (event.position() - pressed).manhattanLength()
        step = self.step_at(event.position())
        if step < 0 or moved >= QApplication.startDragDistance():
            return
        self._clicked = step
        if self._shared.window is None:
            self.chosen.emit(step)
        else:  # it may be the first of two, which ask for all again
            self._waiting.start()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._waiting.stop()
        self._shared.window = None
        self._shared.tell()

    def wheelEvent(self, event: QWheelEvent) -> None:
        layout, area = self._shared.layout, self.area
        if layout is None or not event.angleDelta().y():
            return
        down = min(max((event.position().y() - area.top()) / area.height(), 0.0), 1.0)
        across = min(max((event.position().x() - area.left()) / area.width(), 0.0), 1.0)
        self._zoom(layout, _ZOOM if event.angleDelta().y() < 0 else 1 / _ZOOM, (down, across))
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._takes(event):
            event.accept()  # before the key means anything to training
            return True
        return super().event(event)

    def _takes(self, event: QKeyEvent) -> bool:
        return event.key() in (*_KEYS, *_NEARER, *_FURTHER, *_TAKEN)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        layout, hovered = self._shared.layout, self._shared.hovered
        if layout is None or not self._takes(event):
            super().keyPressEvent(event)
        elif hovered < 0:  # the first cell in sight
            first, _, start, _ = self._shared.seen
            self._hover(layout.nearest(int(first), int(start)))
        elif event.key() in _TAKEN:
            self.chosen.emit(hovered)
        elif event.key() in _KEYS:
            (row, step), (down, right) = layout.place_of(hovered), _KEYS[Qt.Key(event.key())]
            self._hover(layout.nearest(row + down, step + right))
            self._bring_into_sight(layout)
        else:
            (row, step), (first, rows, start, steps) = layout.place_of(hovered), self._shared.seen
            place = (row + 0.5 - first) / rows, (step + 0.5 - start) / steps
            self._zoom(layout, 1 / _ZOOM if event.key() in _NEARER else _ZOOM, place)

    def _bring_into_sight(self, layout: Layout) -> None:
        (row, step), (first, rows, start, steps) = layout.place_of(self._shared.hovered), self._shared.seen
        down = min(max(first, row + 1 - rows), float(row))
        across = min(max(start, step + 1 - steps), float(step))
        if (down, across) != (first, start):
            self._look((down, rows, across, steps))

    def _zoom(self, layout: Layout, factor: float, place: tuple[float, float]) -> None:
        """Look at ``factor`` times as much; what lies at ``place``, in shares of height and width, stays there."""
        first, rows, start, steps = self._shared.seen
        height = min(max(rows * factor, min(_LEAST_CELLS, layout.rows)), float(layout.rows))
        width = min(max(steps * factor, min(_LEAST_CELLS, layout.longest)), float(layout.longest))
        self._look((first + place[0] * (rows - height), height, start + place[1] * (steps - width), width))

    def _look(self, wanted: Window) -> None:
        layout = self._shared.layout
        assert layout is not None
        first, rows, start, steps = wanted
        first = min(max(first, 0.0), layout.rows - rows)
        start = min(max(start, 0.0), layout.longest - steps)
        whole = rows >= layout.rows and steps >= layout.longest
        self._shared.window = None if whole else (first, rows, start, steps)
        self._shared.tell()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def _hover(self, step: int) -> None:
        if step != self._shared.hovered:
            self._shared.hovered = step
            self._shared.tell()
            self.hovered.emit(step)
