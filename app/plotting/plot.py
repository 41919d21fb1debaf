"""The one themed plot that every panel uses: quiet axes, a grid, marks painted in one go, and a view a person can move.

Each plot is its own graphics view, so that new data repaints nothing else, and it is assembled from pyqtgraph's parts
without its ``PlotItem``, whose menus take longer to make than the rest of the window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QGraphicsRectItem

from app.plotting.arrangement import TICK_PIXELS, Arrangement, Margins, Parts
from app.plotting.axes import Range
from app.plotting.corner import Corner
from app.plotting.enlarged import Enlarged, area_of
from app.plotting.export import Sheet, Table
from app.plotting.legend import Legend
from app.plotting.marks import Frame, Grid, Mark, pen_of
from app.plotting.picking import Pick
from app.plotting.plot_menu import Offer, copy_numbers, make_menu
from app.plotting.readout import Pointer, Probe, Reading, Readout
from app.plotting.view import Axis, Canvas, View
from app.style.theme import Theme, blended, points

_ENLARGED = 1.35  # times the size of the text
_FAR_OFF = 1.3  # times the size of the text, from which on lines are thicker, too


class Plot(pg.GraphicsView):
    """A plot of marks. Ranges are set by the panel, and left alone once a person has moved the view.

    What a panel gives it besides: ``title`` and ``run`` say what is drawn and whose it is, ``measured`` what the
    vertical axis measures where that has no title, ``probe`` reads out what is under the mouse, ``pick`` is where a
    click leads, and ``numbers`` are all that is drawn, as a table.

    Signals:
        x_moved: a person has moved the view in x, to this range; None when it follows the panel again.
    """

    x_moved = Signal(object)

    def __init__(self, theme: Theme, x_title: str, y_title: str, margins: Margins | None = None) -> None:
        super().__init__(background=None)
        margins = margins or Margins()
        self._theme: Theme | None = None
        self._font, self._thickness = QFont(), 1.0
        self.marks: list[Mark] = []
        self.run = self.measured = ""
        self.probe: Probe | None = None
        self.pick: Pick | None = None
        self.numbers: Callable[[], Table] | None = None
        self._grid = Grid()
        self._ranges: tuple[Range, Range] = (0.0, 1.0), (0.0, 1.0)
        self._free = False, False  # whether a person has moved the view in x, and in y
        self._mouse: QPointF | None = None
        self._corner: Corner | None = None
        self._enlarged: Enlarged | None = None
        self._copy: Plot | None = None  # what is drawn there
        self._source: Plot | None = None  # of which this is the copy
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)  # which a graphics view does without doing anything with them
        self.setMinimumSize(1, 1)

        self._view = View()
        self.legend = Legend()
        self.bottom = Axis("bottom", x_title, TICK_PIXELS[0])
        self.left = Axis("left", y_title, margins.tick_height, margins.most_ticks)
        self.arrangement = Arrangement(Parts(self._view, self.left, self.bottom, self.legend), margins)
        self.setCentralItem(self.arrangement)
        self._canvas = Canvas(self._view, self.paint_marks)
        self._readout = Readout(self._read)
        self._ring = QGraphicsRectItem()
        self._ring.hide()
        for item in (self._readout, self._ring):
            self.scene().addItem(item)
        self._view.everything_asked.connect(self.follow)
        self._view.moved.connect(self._moved_by_hand)
        self._view.clicked.connect(self._pick_at)
        self.viewport().setMouseTracking(True)
        self.apply_theme(theme)

    # --- what the panel does ---

    @property
    def following(self) -> bool:
        """Whether both ranges are those that the panel wants."""
        return not any(self._free)

    @property
    def ranges(self) -> tuple[Range, Range]:
        """The ranges in x and y that the panel wants; what is seen differs once a person has moved the view."""
        return self._ranges

    @property
    def seen(self) -> tuple[Range, Range]:
        """The ranges in x and y that are on screen."""
        x, y = self._view.viewRange()
        return (x[0], x[1]), (y[0], y[1])

    @property
    def area(self) -> QRectF:
        """Where the data is, in pixels of this widget."""
        return QRectF(self._view.mapRectToScene(self._view.rect()))

    @property
    def letters(self) -> QFontMetricsF:
        """The measures of the text that marks write."""
        return QFontMetricsF(self._font)

    @property
    def title(self) -> str:
        """What is drawn, for a person who cannot see it too."""
        return str(self.accessibleName())

    @title.setter
    def title(self, title: str) -> None:
        self.setAccessibleName(title)

    @property
    def heading(self) -> str:
        """What is drawn, and whose it is."""
        return " · ".join(part for part in (self.title, self.run) if part)

    def set_ranges(self, x: Range, y: Range) -> None:
        """What the view shows while it follows, and returns to when it is asked for everything."""
        if (x, y) != self._ranges:
            self._ranges = x, y
            self._view.limit(x, y)
            self._show_ranges()

    def follow(self) -> None:
        """Show everything again, and from now on."""
        was_free, self._free = self._free, (False, False)
        self._show_ranges()
        self._place_corner()
        if was_free[0]:
            self.x_moved.emit(None)

    def take_x(self, x: Range | None) -> None:
        """Show this range in x, as a person has asked another plot to; None follows the panel again."""
        self._free = x is not None, self._free[1]
        self._show_ranges()
        if x is not None:
            self._view.setRange(xRange=x, padding=0.0, disableAutoRange=False)
        self._place_corner()

    def show_bottom(self, shown: bool) -> None:
        """Whether the horizontal axis is drawn; plots above each other share the lowest one's."""
        if shown != self.bottom.isVisible():
            self.bottom.show() if shown else self.bottom.hide()

    def redraw(self) -> None:
        """The marks have changed."""
        self._canvas.redraw()
        if self._mouse is not None:
            self._readout.update()
        if self._copy is not None:
            self._draw_copy(self._copy)

    def apply_theme(self, theme: Theme) -> None:
        if theme is self._theme:
            return
        self._theme = theme
        self._thickness = theme.text_scale if theme.text_scale >= _FAR_OFF else 1.0
        self._font = QApplication.font()
        self._font.setPointSizeF(points(theme))
        self.setBackground(theme.surface)
        self._canvas.ground = theme.surface
        self._ring.setPen(pen_of(theme.focus, 2.0))
        self._grid.pen = QPen(blended(theme.line, theme.surface, 0.6), 1.0)
        for part in (self.left, self.bottom, self.legend, self._readout):
            part.apply_theme(theme, self._font)
        self.arrangement.apply_theme(theme, self._font)
        if self._corner is not None:
            self._corner.apply_theme(theme)
            self._place_corner()
        if self._enlarged is not None and self._copy is not None:
            self._enlarged.apply_theme(theme.scaled(_ENLARGED))
            self._copy.apply_theme(theme.scaled(_ENLARGED))
        self.redraw()

    # --- what a person does ---

    @property
    def enlarged(self) -> Plot | None:
        """The same plot where it is shown large."""
        return self._copy

    @property
    def seen_large(self) -> bool:
        """Whether it can be seen where it is shown large."""
        return self._copy is not None and self._copy.isVisible()

    def toggle_enlarged(self) -> None:
        """Show it in the whole of its window, or in its place again."""
        if self._source is not None:
            self._source.shrink()
        elif self._enlarged is not None:
            self.shrink()
        else:
            self._enlarge()

    def shrink(self) -> None:
        """Show it in its place alone."""
        if self._enlarged is not None:
            self._enlarged.hide()
            self._enlarged.deleteLater()
            self._enlarged = self._copy = None
            self.setFocus()

    def _enlarge(self) -> None:
        assert self._theme is not None
        larger = self._theme.scaled(_ENLARGED)
        margins = Margins(left=max(84, self.arrangement.left))
        copy = Plot(larger, self.bottom.labelText, self.measured or self.left.labelText, margins)
        copy.marks, copy.probe, copy.numbers, copy._source = self.marks, self.probe, self.numbers, self
        copy.pick = self.pick
        self._copy, self._enlarged = copy, Enlarged(area_of(self), copy)
        self._enlarged.closed.connect(self.shrink)
        self._enlarged.apply_theme(larger)
        self._draw_copy(copy)

    def _draw_copy(self, copy: Plot) -> None:
        """Show there what is shown here."""
        assert self._enlarged is not None
        self._enlarged.set_heading(self.heading)
        copy.title, copy.run = self.title, self.run
        copy.bottom.set_title(self.bottom.labelText, *self.bottom.shorter)
        if not self.measured:
            copy.left.set_title(self.left.labelText, *self.left.shorter)
        copy.left.highest, copy.left.names = self.left.highest, self.left.names
        copy.legend.show_entries(self.legend.entries)
        if (colours := self.arrangement.colour_bar) is not None:
            copy.arrangement.show_colours(colours)
        copy.set_ranges(*self.ranges)
        copy.redraw()

    def _offer(self) -> Offer:
        """What can be taken along."""
        assert self._theme is not None
        return Offer(self, self.numbers, Sheet(self, self.heading, self._theme, self._font))

    def _moved_by_hand(self, in_x: bool, in_y: bool) -> None:
        self._free = self._free[0] or in_x, self._free[1] or in_y
        self._place_corner()
        if in_x:
            self.x_moved.emit(self.seen[0])

    # --- what Qt and pyqtgraph call ---

    def paint_marks(self, painter: QPainter, rect: QRectF, vector: bool = False) -> None:
        frame = self._frame(rect, vector)
        _, self._grid.x_ticks = self.bottom.ticks(*frame.x, rect.width())
        _, self._grid.y_ticks = self.left.ticks(*frame.y, rect.height())
        painter.setFont(self._font)
        self._grid.paint(painter, frame)
        for mark in self.marks:
            mark.paint(painter, frame)

    def _frame(self, rect: QRectF, vector: bool = False) -> Frame:
        x, y = self.seen
        return Frame(rect, x, y, self.devicePixelRatioF(), vector, self._thickness)

    def _pointer(self, place: QPointF | None) -> Pointer | None:
        frame = self._frame(self.area)
        return Pointer(frame, place.x(), place.y()) if place is not None and frame.rect.contains(place) else None

    def _read(self) -> tuple[Reading, Frame] | None:
        if self.probe is None or (pointer := self._pointer(self._mouse)) is None:
            return None
        return None if (reading := self.probe(pointer)) is None else (reading, pointer.frame)

    def _pick_at(self, place: QPointF | None) -> None:
        """Go where a click there leads, or to what all that is shown leads to."""
        pointer = self._pointer(place)
        if self.pick is not None:
            (self._source or self).shrink()
            self.pick.at(pointer)

    @property
    def reading(self) -> Reading | None:
        """What is read out now."""
        return told[0] if (told := self._read()) is not None else None

    def _point_at(self, place: QPointF | None) -> None:
        """Read out what is at ``place``, or nothing."""
        self._mouse = place
        reading = place is not None and self.probe is not None
        if reading != self._canvas.kept:
            self._canvas.kept = reading
            self._readout.setVisible(reading)
        if reading:
            self._readout.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point_at(event.position())

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._place_corner(under_mouse=True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)
        self._place_corner(under_mouse=False)

    def _place_corner(self, under_mouse: bool | None = None) -> None:
        """Show the buttons that are of use now."""
        hovered = self.underMouse() if under_mouse is None else under_mouse
        if self._corner is None and (hovered or not self.following):
            assert self._theme is not None
            self._corner = Corner(self, self._theme)
            self._corner.everything_asked.connect(self.follow)
            self._corner.enlargement_asked.connect(self.toggle_enlarged)
        if self._corner is not None:
            enlarge = hovered and self._source is None
            beside = self.arrangement.button_beside(self.width()) if enlarge else None
            self._readout.avoid = self._corner.show_at(self.area, beside, everything=not self.following)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        enlarge = "Back to its place" if self._source is not None else "Enlarge"
        menu = make_menu(self._offer(), (enlarge, "E", self.toggle_enlarged), ("Show all", "A", self.follow))
        if self.pick is not None:
            self.pick.offer_in(menu, self._pointer(QPointF(event.pos())))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
        event.accept()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_readout") and not self.closed:  # pyqtgraph calls this while it is being made, and closed
            whole = QRectF(self.viewport().rect())
            self._readout.cover(whole)
            self.arrangement.fit(whole)
            self._ring.setRect(whole.adjusted(1, 1, -1, -1))
            self._place_corner()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self._ends_enlargement(event):
            event.accept()  # before Escape means something to all of the window
            return True
        return bool(super().event(event))

    def _ends_enlargement(self, event: QEvent) -> bool:
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        return escape and self._source is not None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers()
        if plain and event.key() == Qt.Key.Key_A:
            self.follow()
        elif self._ends_enlargement(event) or (plain and event.key() == Qt.Key.Key_E):
            self.toggle_enlarged()
        elif plain and event.key() == Qt.Key.Key_Return:
            self._pick_at(self._mouse)
        elif event.matches(QKeySequence.StandardKey.Copy):
            copy_numbers(self._offer())
        else:
            event.ignore()
            return
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ring.show()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.closed:
            self._ring.hide()

    def render(self, *arguments: Any) -> None:
        """Paint elsewhere than on the screen, where there is no focus."""
        self._ring.hide()
        super().render(*arguments)
        self._ring.setVisible(self.hasFocus())

    def _show_ranges(self) -> None:
        """Show what the panel wants, where a person has not moved the view."""
        x, y = (None if free else wanted for free, wanted in zip(self._free, self._ranges, strict=True))
        if x is not None or y is not None:
            self._view.setRange(xRange=x, yRange=y, padding=0.0, disableAutoRange=False)
