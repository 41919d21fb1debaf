"""All runs of the library in one list: searched, sorted, labelled, opened, drawn and deleted, however many."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRectF, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.models.run_names import method_title
from app.models.run_style import style_of
from app.plotting.run_sign import HEIGHT, WIDTH, draw_run_sign
from app.session.run_library import RunLibrary
from app.style import icons
from app.style.text import as_surface, muted
from app.style.theme import Theme
from app.window.run_chips import draw_ring
from app.window.run_details import Details
from app.window.run_list import COLUMNS, RUN_ROLE, SORT_ROLE, STATUS_WORDS, Chip, Index, RunList, numbered
from app.window.run_room import RunRoom
from engine.catalogue.environments import ENVIRONMENTS
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_WIDTHS = (112, 200, 130, 48, 64, 64, 72, 110, 110, 118)  # pixels of the columns, where text has the system's size
_DETAILS = 250
_WORDS = re.compile(r"(?:run|seed) \d+|\S+")  # of a search: a number goes with what it is one of


class RunTable(QWidget):
    """What a person wishes for:

    Signals:
        opened: a run is to be shown.
        eyed: a run is to be drawn beside the one that is shown, or no more.
        deleted: these runs are to go.
        menu_asked: what could be done with these runs is wanted, as entries of a menu.
    """

    opened = Signal(str)
    eyed = Signal(str, bool)
    deleted = Signal(list)
    menu_asked = Signal(QMenu, list)

    def __init__(self, runs: RunList, library: RunLibrary, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self.found = FoundRuns(runs)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search: environment, method, name, tag, note, seed, status …")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search the runs")
        self.count = muted()
        self.table = _Table(self.found, theme)
        self.details = Details(library)
        self.room = RunRoom(library.room)
        self.open_button = self._button("Open", "Show its curves, its choice and its policy (Return)")
        self.draw_button = self._button("Draw beside", "Draw it beside the run that is shown (Ins)")
        self.delete_button = self._button("Delete", "Put it aside; it can be undone (Del)")
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
        for button in (self.open_button, self.draw_button, self.delete_button):
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
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._go_to_first)
        self.table.opened.connect(self.opened)
        self.table.eyed.connect(self.eyed)
        self.table.deleted.connect(self.deleted)
        self.table.menu_asked.connect(self.menu_asked)
        self.open_button.clicked.connect(lambda: self.opened.emit(self.table.chips()[0].record.id))
        self.draw_button.clicked.connect(self._draw)
        self.delete_button.clicked.connect(lambda: self.deleted.emit(self.table.selected()))
        self.table.selectionModel().selectionChanged.connect(self.follow)
        self.found.dataChanged.connect(self.follow)
        self.found.rowsRemoved.connect(self.room.measure)
        for signal in (self.found.rowsInserted, self.found.rowsRemoved, self.found.modelReset):
            signal.connect(self.follow)

    def _search(self, text: str) -> None:
        self.found.search(text)
        self.follow()

    def _go_to_first(self) -> None:
        self.table.setFocus()
        self.table.selectRow(0)

    def _draw(self) -> None:
        chips = self.table.chips()
        drawn = all(chip.drawn for chip in chips)
        for chip in chips:
            self.eyed.emit(chip.record.id, not drawn)

    def select(self, runs: Sequence[str]) -> None:
        """Select these, and come to the first of them."""
        self.search.clear()
        self.table.select(runs)
        self.details.title.setFocus()

    def follow(self, *_: object) -> None:
        """Offer what can be done with what is selected."""
        chips = self.table.chips()
        there, all_of = self.found.rowCount(), self.found.sourceModel().rowCount()
        self.count.setText(f"{there:,} of {all_of:,} runs" if there != all_of else f"{all_of:,} runs")
        self.open_button.setEnabled(len(chips) == 1 and not chips[0].shown)
        self.draw_button.setEnabled(any(not chip.shown for chip in chips))
        self.draw_button.setText("Hide" if chips and all(chip.drawn for chip in chips) else "Draw beside")
        self.delete_button.setEnabled(bool(chips))
        self.delete_button.setText(f"Delete {len(chips)}" if len(chips) > 1 else "Delete")
        self.details.show_run(chips[0].record if len(chips) == 1 else None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.room.measure()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.table.apply_theme(theme)
        self.room.apply_theme(theme)
        self.details.setFixedWidth(theme.px(_DETAILS))


class FoundRuns(QSortFilterProxyModel):
    """Those of a list in which every word of a search is found."""

    def __init__(self, runs: RunList) -> None:
        super().__init__(runs)
        self.runs = runs
        self._words: tuple[str, ...] = ()
        self.setSourceModel(runs)
        self.setSortRole(SORT_ROLE)
        self.sort(0, Qt.SortOrder.DescendingOrder)

    def search(self, text: str) -> None:
        self.beginFilterChange()
        self._words = tuple(_WORDS.findall(text.casefold()))
        self.endFilterChange()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        if not self._words:
            return True
        chip = self.runs.index(row, 0).data(RUN_ROLE)
        text = searched(chip.record)
        return all((f"{word} " if word[-1].isdecimal() else word) in text for word in self._words)


def searched(record: RunRecord) -> str:
    """All that a run is found by, in small letters."""
    label, where = record.label, record.environment
    words = [f"run {record.number}", label.title, label.note, *label.tags, where, STATUS_WORDS[record.status]]
    words += [f"seed {record.seed}", ENVIRONMENTS[where].title if where in ENVIRONMENTS else ""]
    words += ["solved" if record.reached.solved else "", "pinned" if label.pinned else ""]
    return f"{' '.join([*words, *_choices(record)])} ".casefold()


_METHODS: dict[tuple[str, ...], str] = {}  # what the method of these choices is called


def _choices(record: RunRecord) -> tuple[str, ...]:
    """The choices that make the method of a run, and what that is called."""
    chosen = record.configuration
    parts = (chosen.get("update"), chosen.get("policy"), *chosen.get("estimator", {}).values())
    kinds = tuple(str(part.get("kind", "")) for part in parts if isinstance(part, dict))
    if kinds not in _METHODS:  # looked up once, since that takes long for thousands
        try:
            _METHODS[kinds] = method_title(record.config)
        except RequestError:
            _METHODS[kinds] = ""
    return (*kinds, _METHODS[kinds])


class _Table(QTableView):
    opened = Signal(str)
    eyed = Signal(str, bool)
    deleted = Signal(list)
    menu_asked = Signal(QMenu, list)

    def __init__(self, found: FoundRuns, theme: Theme) -> None:
        super().__init__()
        self._found = found
        self._signs = _Signs(self)
        self.setModel(found)
        self.setItemDelegateForColumn(0, self._signs)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setDragEnabled(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.DescendingOrder)
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
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._found.index(row, 0).data(RUN_ROLE) for row in rows]

    def selected(self) -> list[str]:
        return [chip.record.id for chip in self.chips()]

    def select(self, runs: Sequence[str]) -> None:
        self.clearSelection()
        mode = self.selectionModel().SelectionFlag
        for run in reversed(runs):
            index = self._found.mapFromSource(self._found.runs.index(self._found.runs.row_of(run), 0))
            if index.isValid():
                self.selectionModel().setCurrentIndex(index, mode.Select | mode.Rows)
                self.scrollTo(index)

    def _open(self, index: Index) -> None:
        self.opened.emit(self._found.index(index.row(), 0).data(RUN_ROLE).record.id)

    def _draw(self, index: Index) -> None:
        chip = index.data(RUN_ROLE)
        self.eyed.emit(chip.record.id, not chip.drawn)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chips = self.chips()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(chips) == 1:
            self.opened.emit(chips[0].record.id)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and chips:
            self.deleted.emit(self.selected())
        elif event.key() == Qt.Key.Key_Insert:
            for chip in chips:
                self.eyed.emit(chip.record.id, not chip.drawn)
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.edit(self._found.index(self.currentIndex().row(), 1))
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts of the window."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.selected():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.menu_asked.emit(menu, self.selected())
            menu.popup(event.globalPos())

    def apply_theme(self, theme: Theme) -> None:
        self._signs.theme = theme
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, theme.px(width))
        self.verticalHeader().setDefaultSectionSize(theme.px(22))
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
        painter.drawText(place, flags, numbered(chip))
        if chip.record.label.pinned:
            pin = QRectF(rect.right() - side - 2, rect.center().y() - side / 2, side, side)
            icons.drawn("pin", color=ink).paint(painter, pin.toRect())
        painter.restore()


assert len(_WIDTHS) == len(COLUMNS)
