"""The shelf's runs as chips in a row: each with its look, what it is called, what it came to and its course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.models.run_state import STATUS_WORDS
from app.models.run_style import style_of
from app.plotting.run_sign import HEIGHT, WIDTH, draw_run_sign
from app.style import icons
from app.style.format import short_number
from app.style.sentence import smaller
from app.style.theme import Theme, load_theme
from app.window.run_list import RUN_ROLE, Chip, Index, RunList, numbered
from engine.runs.records import ALIVE, Status

LEAST = 168  # pixels that a chip needs, where text has the system's size
_COURSE = 40  # pixels of a course
_ICON = 15
_GAP = 6
_RING = 2  # pixels around all chips, for the focus
Part = Literal["eye", "pin", ""]


class RunChips(QListView):
    """What a person wishes for:

    Signals:
        opened: a run is to be shown.
        eyed: a run is to be drawn beside the one that is shown, or no more.
        pinned: a run is to be kept on the shelf, or no more.
        deleted: these runs are to go.
        menu_asked: what could be done with these runs is wanted, as entries of a menu.
    """

    opened = Signal(str)
    eyed = Signal(str, bool)
    pinned = Signal(str, bool)
    deleted = Signal(list)
    menu_asked = Signal(QMenu, list)

    def __init__(self, runs: RunList) -> None:
        super().__init__()
        self.runs = runs
        self._painter = ChipPainter(self)
        self.setModel(runs)
        self.setItemDelegate(self._painter)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setMouseTracking(True)
        self.setAccessibleName("Runs")
        self.setProperty("letters", False)  # they are the window's, and find no run
        self.setProperty("role", "chips")  # of which the current one has the ring
        for changed in (runs.modelReset, runs.rowsInserted, runs.rowsRemoved):
            changed.connect(self._follow_count)
        self._follow_count()
        self._painter.clicked.connect(self._click)
        self.doubleClicked.connect(self._open)

    def _follow_count(self, *_: object) -> None:
        """Nothing is to be had from the keyboard where there is no chip."""
        there = self.runs.rowCount() > 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if there else Qt.FocusPolicy.NoFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid():  # else nothing would show where the keyboard is
            self.setCurrentIndex(self.runs.index(0, 0))

    def selected(self) -> list[str]:
        """The runs that are selected."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self._chip(self.runs.index(row, 0)).record.id for row in rows]

    def _chip(self, index: Index) -> Chip:
        chip = index.data(RUN_ROLE)
        assert isinstance(chip, Chip)
        return chip

    def _click(self, index: Index, part: Part) -> None:
        chip = self._chip(index)
        if part == "eye":
            self.eyed.emit(chip.record.id, not chip.drawn)
        elif part == "pin":
            self.pinned.emit(chip.record.id, not chip.record.label.pinned)

    def _open(self, index: Index) -> None:
        at = self.viewport().mapFromGlobal(self.cursor().pos())
        if index.isValid() and not self._painter.part_at(at, self.visualRect(index)):
            self.opened.emit(self._chip(index).record.id)

    def come_to(self, run: str) -> None:
        """Have a run in view."""
        row = self.runs.row_of(run)
        if row >= 0:
            self.scrollTo(self.runs.index(row, 0))

    def edit_name(self, run: str) -> None:
        """Have a person type the name of a run."""
        row = self.runs.row_of(run)
        if row >= 0:
            self.setCurrentIndex(self.runs.index(row, 0))
            self.edit(self.runs.index(row, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.currentIndex()
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # what the field has left of it
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current.isValid():
            self.opened.emit(self._chip(current).record.id)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.selected():
            self.deleted.emit(self.selected())
        elif event.key() == Qt.Key.Key_Insert and current.isValid():
            self._click(current, "eye")
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts of the window."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.selected():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        self.menu_asked.emit(menu, self.selected())
        at = event.globalPos()
        if event.reason() != QContextMenuEvent.Reason.Mouse:
            at = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft())
        menu.popup(at)

    # --- the room there is --------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        self._painter.theme = theme
        self.setFixedHeight(self._painter.height(self.font()) + 2 * _RING)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As many whole chips as there is room for."""
        least, room = self._painter.theme.px(LEAST), self.viewport().width()
        self._painter.width = max(room // max(room // least, 1), 1)
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._painter.theme.px(LEAST), self.height())

    def sizeHint(self) -> QSize:
        return QSize(4 * self._painter.theme.px(LEAST), self.height())


class ChipPainter(QStyledItemDelegate):
    """Paints a chip, and says on which part of it a person has clicked."""

    clicked = Signal(object, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = load_theme("dark")
        self.width = LEAST

    def height(self, font: QFont) -> int:
        """Of a chip: two lines of small text."""
        return 2 * QFontMetrics(smaller(font)).height() + self.theme.unit

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self.width, self.height(option.font))

    # --- where its parts are ------------------------------------------------------------------------------------------

    def _eye(self, box: QRect) -> QRect:
        side = self.theme.px(_ICON)
        return QRect(box.left() + self.theme.px(_GAP), box.top() + (box.height() // 2 - side) // 2 + 1, side, side)

    def _pin(self, box: QRect) -> QRect:
        side = self.theme.px(_ICON)
        left = box.right() - self.theme.px(_GAP) - side
        return QRect(left, box.top() + (box.height() // 2 - side) // 2 + 1, side, side)

    def part_at(self, at: QPoint, box: QRect) -> Part:
        """What of a chip is there."""
        parts: tuple[tuple[Part, QRect], ...] = (("eye", self._eye(box)), ("pin", self._pin(box)))
        return next((part for part, place in parts if place.adjusted(-4, -4, 4, 4).contains(at)), "")

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            part = self.part_at(event.position().toPoint(), option.rect)
            if part and event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(index, part)
                return True
        return False

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setPlaceholderText("name of the run")
        editor.setMaxLength(80)
        return editor

    # --- how it looks -------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        chip, model = index.data(RUN_ROLE), index.model()
        if not isinstance(chip, Chip) or not isinstance(model, RunList):
            return
        theme = self.theme
        box = option.rect.adjusted(0, 0, -theme.px(_GAP), 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        edge = theme.focus if focused or selected else theme.text if chip.shown else theme.line
        width = 3.0 if focused else 1.5 if selected or chip.shown else 1.0
        painter.setPen(QPen(QColor(edge), width))
        painter.setBrush(QColor(theme.raised if selected or hovered else theme.surface))
        inset = max(width / 2, 1.0)
        painter.drawRoundedRect(QRectF(box).adjusted(inset, inset, -inset, -inset), theme.radius, theme.radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_eye(painter, box, chip)
        pinned = chip.record.label.pinned
        room = self._pin(box).left() if pinned or hovered else box.right()
        self._paint_rest(painter, (box, room), chip, model.name_of(chip.record), smaller(option.font))
        if pinned or hovered:
            self._paint_pin(painter, box, pinned)
        painter.restore()

    def _paint_pin(self, painter: QPainter, box: QRect, pinned: bool) -> None:
        theme, pin = self.theme, self._pin(box)
        painter.fillRect(pin.adjusted(-2, 2, 1, 1), QColor(theme.raised if not pinned else theme.surface))
        name, colour = ("pin", theme.text) if pinned else ("pin-outline", theme.muted)
        icons.drawn(name, color=colour).paint(painter, pin)

    def _paint_eye(self, painter: QPainter, box: QRect, chip: Chip) -> None:
        theme, eye = self.theme, self._eye(box)
        if chip.shown:  # as on the row of the run
            side = float(theme.px(12))
            place = QRectF(0, 0, side, side)
            place.moveCenter(QRectF(eye).center())
            draw_ring(painter, place, theme.text)
        else:
            name, colour = ("eye", theme.text) if chip.drawn else ("eye-off-outline", theme.muted)
            icons.drawn(name, color=colour).paint(painter, eye)
        sign = QRectF(0, 0, theme.px(WIDTH) * 0.8, theme.px(HEIGHT) * 0.8)
        sign.moveCenter(QPointF(QRectF(eye).center().x() + 1, box.bottom() - box.height() / 4))
        style = style_of(chip.record.number)
        draw_run_sign(painter, style, style.colour(theme), sign)

    def _paint_rest(self, painter: QPainter, place: tuple[QRect, int], chip: Chip, name: str, font: QFont) -> None:
        """Within a box, with the upper line no further right than a place of it."""
        theme, record = self.theme, chip.record
        box, end = place
        metrics = QFontMetrics(font)
        gap, elided = theme.px(_GAP), Qt.TextElideMode.ElideRight
        left, right = self._eye(box).right() + 2 * gap, box.right() - gap
        upper = QRect(left, box.top() + 3, right - left, box.height() // 2 - 2)
        lower = QRect(left, box.top() + box.height() // 2, right - left, box.height() // 2 - 3)
        upper.setRight(min(right, end - gap // 2))
        painter.setFont(font)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.text))
        painter.drawText(upper, flags, metrics.elidedText(f"{numbered(chip)} · {name}", elided, upper.width()))
        beside = theme.px(_COURSE) + gap // 2 if len(record.sparkline) > 1 else 0
        words, beside = told_whole(in_short(chip, name), metrics, lower.width(), beside)
        if beside:
            course = QRectF(right - theme.px(_COURSE), lower.top() + 2, theme.px(_COURSE), lower.height() - 4)
            _paint_course(painter, course, record.sparkline, style_of(record.number).colour(theme))
        lower.setRight(right - beside)
        painter.setFont(font)
        painter.setPen(QColor(theme.error if record.status is Status.FAILED else theme.muted))
        painter.drawText(lower, flags, metrics.elidedText(words, elided, lower.width()))


def in_short(chip: Chip, name: str) -> list[str]:
    """What it came to, in a few characters, the least important last: ["195", "training", "seed 1"]; of a ``name`` that
    says the seed, that is not said again, and "" stands for it."""
    record = chip.record
    told = record.reached.mean_return
    words = [short_number(told, 4)] if told is not None and not chip.awaits else []
    if chip.awaits:
        words.append(chip.awaits)
    elif record.status in (Status.FAILED, Status.INTERRUPTED, *ALIVE):
        words.append(STATUS_WORDS[record.status])
    seed = f"seed {record.seed}"
    return [*words, "" if name.endswith(seed) else seed]


def told_whole(words: Sequence[str], metrics: QFontMetrics, room: int, beside: int) -> tuple[str, int]:
    """As many of the words as are whole in so many pixels, and what is left ``beside`` them for the course of the run:
    first the last word gives way, then the course, and what is said before the last but one, which is the state."""
    shorter, state = words[:-1] or words, words[-2:-1] or words
    for kept, course in ((words, beside), (shorter, beside), (shorter, 0), (state, 0)):
        text = " · ".join(filter(None, kept))
        if metrics.horizontalAdvance(text) <= room - course:
            return text, course
    return state[0], 0


def _paint_course(painter: QPainter, place: QRectF, course: Sequence[float], colour: str) -> None:
    low, high = min(course), max(course)
    span = high - low or 1.0
    step = place.width() / (len(course) - 1)
    points = [
        QPointF(place.left() + i * step, place.bottom() - (y - low) / span * place.height())
        for i, y in enumerate(course)
    ]
    painter.setPen(QPen(QColor(colour), 1.2))
    painter.drawPolyline(QPolygonF(points))


def draw_ring(painter: QPainter, place: QRectF, colour: str) -> None:
    """A ring around a dot: the run that is shown."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colour), 1.5))
    painter.drawEllipse(place.adjusted(1, 1, -1, -1))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    reach = place.width() / 4
    painter.drawEllipse(place.center(), reach, reach)
    painter.setBrush(Qt.BrushStyle.NoBrush)
