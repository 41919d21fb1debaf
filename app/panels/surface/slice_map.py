"""A slice through a state space, drawn: what is known of every point, states that were visited, and the agent."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.surface.slice_drawing import (
    Disc,
    Ground,
    Label,
    Picture,
    Plane,
    Ranges,
    draw_agent,
    draw_axes,
    draw_cross,
    draw_discs,
    draw_labels,
    ticks,
)
from app.panels.surface.trail import Trail, dots
from app.plotting.colour_bar import ColourBar
from app.style.theme import Theme, points

_CLICK = 4.0  # pixels that the mouse may move within a click
_ZOOM = 0.85  # by which a range shrinks for each notch of the wheel
_STEP = 0.05  # of a range, by which an arrow key moves the cross
_KEYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
_NEARER, _FURTHER = (Qt.Key.Key_Plus, Qt.Key.Key_Equal), (Qt.Key.Key_Minus,)
_TAKEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class SliceMap(QWidget):
    """Signals:
    pointed: at which point the mouse, or the cross of the keyboard, is; None where at none.
    chosen: a point was clicked.
    moved: other ``ranges`` are to be seen.
    """

    pointed = Signal(object)
    chosen = Signal(float, float)
    moved = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._cursor = self.cursor()  # while the mouse pulls nothing
        self.setAccessibleName("Slice through the states")
        self._theme = theme
        self.ranges: Ranges = ((0.0, 1.0), (0.0, 1.0))
        self.bar: ColourBar | None = None
        self._ground: Ground | None = None
        self._labels: Sequence[Label] = ()
        self._discs: Sequence[Disc] = ()
        self._trail: Trail | None = None
        self._dots: QImage | None = None  # of the trail as it is seen now
        self._cross: tuple[float, float] | None = None
        self._pressed: QPointF | None = None
        self._panned: Ranges | None = None  # the ranges at which the mouse began to pull

    # --- what is shown ---

    def show_picture(self, picture: Picture | None, bar: ColourBar | None, labels: Sequence[Label] = ()) -> None:
        """The colours of a slice, and what they mean."""
        self._ground, self._labels = None if picture is None else Ground(picture), labels
        if bar != self.bar:
            self._dots = None  # there may be another area
        self.bar = bar
        self.update()

    def show_discs(self, discs: Sequence[Disc]) -> None:
        self._discs = discs
        self.update()

    def show_trail(self, trail: Trail | None) -> None:
        self._trail, self._dots = trail, None
        self.update()

    def show_ranges(self, ranges: Ranges) -> None:
        self.ranges, self._dots, self._cross = ranges, None, None
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme, self._dots = theme, None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 110)

    # --- where things are ---

    @property
    def plane(self) -> Plane:
        """Where the slice itself is."""
        metrics = QFontMetricsF(self._font())
        left = max(map(metrics.horizontalAdvance, ticks(self.ranges[1])[1]), default=0.0) + 8
        top, bottom = metrics.height() + 4, metrics.height() + 6
        right = 10.0 if self.bar is None else self.bar.width(metrics, self._theme)
        width, height = max(self.width() - left - right, 20.0), max(self.height() - top - bottom, 20.0)
        return Plane(QRectF(left, top, width, height), self.ranges)

    def point_at(self, place: QPointF) -> tuple[float, float] | None:
        """What a place shows; None outside of the slice."""
        plane = self.plane
        return plane.point(place) if plane.area.contains(place) else None

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(0.9 * points(self._theme))
        return font

    # --- drawing ---

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme, plane = QPainter(self), self._theme, self.plane
        painter.fillRect(self.rect(), QColor(theme.surface))
        painter.setFont(self._font())
        painter.fillRect(plane.area, QColor(theme.raised))
        painter.save()
        painter.setClipRect(plane.area)
        if self._ground is not None:
            self._ground.draw(painter, plane)
        self._draw_dots(painter, plane)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_discs(painter, plane, self._discs)
        if self._trail is not None and self._trail.playing:
            draw_agent(painter, plane, self._trail, theme)
        draw_labels(painter, plane, self._labels)
        if self._cross is not None and self.hasFocus():
            draw_cross(painter, plane, self._cross)
        painter.restore()
        edge = QColor(theme.focus if self.hasFocus() else theme.edge)
        draw_axes(painter, plane, edge, QColor(theme.muted), self.width())
        if self.bar is not None:
            self.bar.draw(painter, plane.area, theme)
            self.bar.draw_symbol(painter, QRectF(0.0, 0.0, self.width() - 4.0, plane.area.top() - 4.0), theme)
        painter.end()

    def _draw_dots(self, painter: QPainter, plane: Plane) -> None:
        trail = self._trail
        if trail is None or not len(trail.x):
            return
        ratio, area = self.devicePixelRatioF(), plane.area
        if self._dots is None:
            (left, right), (low, high) = self.ranges
            size = max(round(area.width() * ratio), 1), max(round(area.height() * ratio), 1)
            x, y = (trail.x - left) / (right - left) * size[0], (high - trail.y) / (high - low) * size[1]
            self._dots = dots(x, y, trail.seen, size, ratio)
            self._dots.setDevicePixelRatio(ratio)
        painter.drawImage(area.topLeft(), self._dots)

    # --- mouse and keyboard ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.plane.area.contains(event.position()):
            self._pressed, self._panned = event.position(), None
            self._cursor = self.cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self._point(self.point_at(event.position()))
            return
        way = event.position() - self._pressed
        if self._panned is None:
            if max(abs(way.x()), abs(way.y())) < _CLICK:
                return
            self._panned = self.ranges
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        area, (across, up) = self.plane.area, self._panned
        right = way.x() / area.width() * (across[1] - across[0])
        higher = way.y() / area.height() * (up[1] - up[0])
        self._move(((across[0] - right, across[1] - right), (up[0] + higher, up[1] + higher)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        at, panned = self.point_at(self._pressed), self._panned is not None
        self._pressed = self._panned = None
        self.setCursor(self._cursor)
        if not panned and at is not None:
            self.chosen.emit(*at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = self.point_at(event.position())
        if at is not None and event.angleDelta().y():
            self._zoom(at, _ZOOM ** (event.angleDelta().y() / 120))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._takes(event):
            event.accept()  # before the key means anything to training
            return True
        return bool(super().event(event))

    def _takes(self, event: QKeyEvent) -> bool:
        return event.key() in (*_KEYS, *_NEARER, *_FURTHER, *_TAKEN)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._takes(event):
            super().keyPressEvent(event)
            return
        across, up = self.ranges
        at = self._cross or (sum(across) / 2, sum(up) / 2)
        if event.key() in _TAKEN:
            if self._cross is not None:
                self.chosen.emit(*at)
        elif event.key() in _KEYS:
            right, higher = _KEYS[Qt.Key(event.key())]
            x, y = at[0] + right * _STEP * (across[1] - across[0]), at[1] + higher * _STEP * (up[1] - up[0])
            self._cross = min(max(x, across[0]), across[1]), min(max(y, up[0]), up[1])
            self._point(self._cross)
            self.update()
        else:
            self._zoom(at, _ZOOM if event.key() in _NEARER else 1 / _ZOOM)

    def _point(self, at: tuple[float, float] | None) -> None:
        self.pointed.emit(at)

    def _zoom(self, at: tuple[float, float], factor: float) -> None:
        (left, right), (low, high) = self.ranges
        x, y = at
        self._move(
            (
                (x + (left - x) * factor, x + (right - x) * factor),
                (y + (low - y) * factor, y + (high - y) * factor),
            )
        )

    def _move(self, ranges: Ranges) -> None:
        if all(high - low > 1e-9 * max(abs(low), abs(high), 1e-6) for low, high in ranges):
            self.ranges, self._dots = ranges, None
            self.update()
            self.moved.emit()
