"""All runs of the library in one list: searched, sorted, labelled, opened, drawn and deleted, however many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from PySide6.QtCore import QEvent, QItemSelectionRange, QModelIndex, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.models.run_style import style_of
from app.plotting.run_sign import HEIGHT, WIDTH, draw_run_sign
from app.session.run_library import RunLibrary
from app.style import icons
from app.style.text import as_surface, muted, search_field
from app.style.theme import Theme
from app.window.run_chips import draw_ring
from app.window.run_details import Details
from app.window.run_list import COLUMNS, RUN_ROLE, Chip, Index, numbered
from app.window.run_names import RunNames
from app.window.run_room import RunRoom
from app.window.run_search import FoundRuns

_WIDTHS = (112, 200, 130, 48, 64, 64, 72, 110, 110, 118)  # pixels of the columns, where text has the system's size
_DETAILS = 280
_ROW = 24  # pixels of the height of a row


class RunTable(QWidget):
    """What a person wishes for:

    Signals:
        opened: a run is to be shown.
        eyed: these runs are to be drawn beside the one that is shown, or no more.
        deleted: these runs are to go.
        menu_asked: what could be done with these runs is wanted, as entries of a menu.
    """

    opened = Signal(str)
    eyed = Signal(list, bool)
    deleted = Signal(list)
    menu_asked = Signal(QMenu, list)

    def __init__(self, found: FoundRuns, library: RunLibrary, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._library, self.found = library, found
        self.search = search_field("Search: environment, method, name, tag, note, seed, status …", "Search the runs")
        self.count = muted()
        self.table = _Table(self.found, library, theme)
        self.details = Details(library)
        self.room = RunRoom(library.room)
        self.open_button = self._button("Open", "Show its curves, its choice and its policy (Return)")
        self.draw_button = self._button("Draw beside", "Draw it beside the run that is shown (Ins)")
        self.delete_button = self._button("Delete", "Put it aside; it can be undone (Del)")
        self.gone_button = self._button("Deleted", "Show the runs that were deleted, which can be brought back")
        self.gone_button.setCheckable(True)
        self._lay_out(theme)
        self._wire()
        self.follow()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("small", True)
        button.setToolTip(tip)
        return button

    def _lay_out(self, theme: Theme) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.unit)
        top.addWidget(self.search, 1)
        top.addWidget(self.count)
        for button in (self.open_button, self.draw_button, self.delete_button, self.gone_button):
            top.addWidget(button)
        left = QVBoxLayout()
        left.setSpacing(theme.unit)
        left.addLayout(top)
        left.addWidget(self.table, 1)
        left.addWidget(self.room)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit // 2)
        layout.setSpacing(2 * theme.unit)
        layout.addLayout(left, 1)
        layout.addWidget(self.details)

    def _wire(self) -> None:
        self.search.textChanged.connect(self.found.search)
        self.search.returnPressed.connect(self._go_to_first)
        self.table.opened.connect(self.opened)
        self.table.eyed.connect(self.eyed)
        self.table.deleted.connect(self.deleted)
        self.table.menu_asked.connect(self.menu_asked)
        self.open_button.clicked.connect(lambda: self.opened.emit(self.table.chips()[0].record.id))
        self.draw_button.clicked.connect(self._draw)
        self.delete_button.clicked.connect(self._delete)
        self.gone_button.toggled.connect(self._show_gone)
        self._library.changed.connect(self._take_gone)
        self.table.selectionModel().selectionChanged.connect(self.follow)
        self.found.renewed.connect(self._renew)

    def _renew(self, others: bool) -> None:
        self.follow()
        if others and self.isVisible():  # else nobody sees what can go
            self.room.measure()

    def _go_to_first(self) -> None:
        self.table.setFocus()
        self.table.selectRow(0)

    def _draw(self) -> None:
        self.eyed.emit(self.table.selected(), not all(chip.drawn for chip in self.table.chips()))

    def _delete(self) -> None:
        """Delete what is selected, or bring it back."""
        if self.gone_button.isChecked():
            self._library.restore(self.table.selected())
        else:
            self.deleted.emit(self.table.selected())

    def _show_gone(self, gone: bool) -> None:
        self.found.show_instead(self._gone() if gone else None)

    def _take_gone(self) -> None:
        if self.gone_button.isChecked():
            self.found.show_instead(self._gone())

    def _gone(self) -> list[Chip]:
        """Those that were deleted."""
        return [Chip(record) for record in self._library.deleted()]

    def select(self, runs: Sequence[str]) -> None:
        """Select these, and come to the first of them."""
        self.search.clear()
        self.gone_button.setChecked(False)
        self.table.select(runs)
        self.details.title.setFocus()

    def follow(self, *_: object) -> None:
        """Offer what can be done with what is selected."""
        chips = self.table.chips()
        there, all_of, gone = self.found.rowCount(), self.found.count, self.gone_button.isChecked()
        runs = f"{all_of:,} {'run' if all_of == 1 else 'runs'}"
        self.count.setText(runs if there == all_of else f"{there:,} of {runs}")
        self.open_button.setEnabled(len(chips) == 1 and not chips[0].shown and not gone)
        self.draw_button.setEnabled(any(not chip.shown for chip in chips) and not gone)
        self.draw_button.setText("Hide" if chips and all(chip.drawn for chip in chips) else "Draw beside")
        self.delete_button.setEnabled(bool(chips))
        what = "Bring back" if gone else "Delete"
        self.delete_button.setText(f"{what} {len(chips)}" if len(chips) > 1 else what)
        self.details.show_run(chips[0].record if len(chips) == 1 and not gone else None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self.room, self.room.measure)  # what is shown is not to wait for that

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.table.apply_theme(theme)
        self.room.apply_theme(theme)
        self.details.setFixedWidth(theme.px(_DETAILS))
        self.details.apply_theme(theme)


class _Table(QTableView):
    opened = Signal(str)
    eyed = Signal(list, bool)
    deleted = Signal(list)
    menu_asked = Signal(QMenu, list)

    def __init__(self, found: FoundRuns, library: RunLibrary, theme: Theme) -> None:
        super().__init__()
        self._found = found
        self._signs, self._names = _Signs(self), RunNames(self, found, library)
        self.setModel(found)
        self.setItemDelegateForColumn(0, self._signs)
        self.setItemDelegateForColumn(1, self._names)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setDragEnabled(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.horizontalHeader().setSortIndicator(0, Qt.SortOrder.DescendingOrder)  # as they are in order already
        self.setSortingEnabled(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("All runs")
        self.setProperty("letters", False)  # they are the window's; runs are found by the search
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.doubleClicked.connect(self._open)
        self._signs.clicked.connect(self._draw)
        self.apply_theme(theme)

    def chips(self) -> list[Chip]:
        """What is selected, from the top."""
        selection = self.selectionModel().selection()
        ranges = cast("Iterable[QItemSelectionRange]", selection)  # it is a list, which its type hides
        rows = {row for some in ranges for row in range(some.top(), some.bottom() + 1)}
        return [self._found.chip(row) for row in sorted(rows)]

    def selected(self) -> list[str]:
        return [chip.record.id for chip in self.chips()]

    def select(self, runs: Sequence[str]) -> None:
        self.clearSelection()
        mode = self.selectionModel().SelectionFlag
        for run in reversed(runs):
            index = self._found.index(self._found.row_of(run), 0)
            if index.isValid():
                self.selectionModel().setCurrentIndex(index, mode.Select | mode.Rows)
                self.scrollTo(index)

    def _open(self, index: Index) -> None:
        self.opened.emit(self._found.chip(index.row()).record.id)

    def _draw(self, index: Index) -> None:
        chip = index.data(RUN_ROLE)
        self.eyed.emit([chip.record.id], not chip.drawn)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chips = self.chips()
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # what the field has left of it
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(chips) == 1:
            self.opened.emit(chips[0].record.id)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and chips:
            self.deleted.emit(self.selected())
        elif event.key() == Qt.Key.Key_Insert and chips:
            self.eyed.emit(self.selected(), not all(chip.drawn for chip in chips))
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.edit(self._found.index(self.currentIndex().row(), 1))
        else:
            super().keyPressEvent(event)

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:  # in a list, whose rows are what is selected
        rows, ends = self._found.rowCount(), QAbstractItemView.CursorAction
        if rows and action in (ends.MoveHome, ends.MoveEnd):
            row = 0 if action == ends.MoveHome else rows - 1
            return self._found.index(row, max(self.currentIndex().column(), 0))
        return super().moveCursor(action, modifiers)

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts of the window."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.selected():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.menu_asked.emit(menu, self.selected())
            menu.popup(event.globalPos())

    def apply_theme(self, theme: Theme) -> None:
        self._signs.theme = self._names.theme = theme
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, theme.px(width))
        self.verticalHeader().setDefaultSectionSize(theme.px(_ROW))
        self.horizontalHeader().setFixedHeight(theme.px(24))
        self.viewport().update()


class _Signs(QStyledItemDelegate):
    """The first column: whether a run is drawn, its look and its number; ``clicked`` where a person has clicked."""

    clicked = Signal(object)

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self.theme: Theme | None = None

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            at = event.position().toPoint().x() - option.rect.left()
            if at < option.rect.height() + 4 and event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(index)
                return True
        return False

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        chip, theme = index.data(RUN_ROLE), self.theme
        if not isinstance(chip, Chip) or theme is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, option.palette.highlight())
        ink = theme.accent_text if selected else theme.text
        rect, side = QRectF(option.rect), theme.px(13)
        eye = QRectF(rect.left() + 4, rect.center().y() - side / 2, side, side)
        if chip.shown:
            draw_ring(painter, eye, ink)
        else:
            name = "eye" if chip.drawn else "eye-off-outline"
            icons.drawn(name, color=ink if chip.drawn or selected else theme.muted).paint(painter, eye.toRect())
        sign = QRectF(eye.right() + 6, rect.center().y() - theme.px(HEIGHT) / 2, theme.px(WIDTH), theme.px(HEIGHT))
        style = style_of(chip.record.number)
        if selected:
            painter.fillRect(sign.adjusted(-2, -2, 2, 2), QColor(theme.surface))
        draw_run_sign(painter, style, style.colour(theme), sign)
        painter.setPen(QColor(ink))
        place = rect.adjusted(sign.right() + 6 - rect.left(), 0, 0, 0)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        hangs = isinstance(model := index.model(), FoundRuns) and model.rails(index)
        painter.drawText(place, flags, str(chip.record.number) if hangs else numbered(chip))
        if chip.record.label.pinned:
            pin = QRectF(rect.right() - side - 2, rect.center().y() - side / 2, side, side)
            icons.drawn("pin", color=ink).paint(painter, pin.toRect())
        painter.restore()


assert len(_WIDTHS) == len(COLUMNS)
