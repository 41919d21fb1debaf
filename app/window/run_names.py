"""The names of runs in the list of all: each in its place in the tree, with its last picture where there is room."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from app.plotting.run_branches import draw_branches, indent
from app.session.run_library import RunLibrary
from app.style.theme import Theme
from app.window.run_list import RUN_ROLE, Index
from app.window.run_search import FoundRuns

_ENOUGH = 240  # pixels of a name from which on it leaves room for a picture
_MOST = 400  # pictures that are kept ready


class RunNames(QStyledItemDelegate):
    """A fork stands in, with a line to the run that it was made from."""

    def __init__(self, table: QTableView, found: FoundRuns, library: RunLibrary) -> None:
        super().__init__(table)
        self.theme: Theme | None = None
        self._found, self._library = found, library
        self._pictures: dict[tuple[str, int], QPixmap] = {}  # by run and height in pixels of the screen
        library.pictured.connect(self._forget)

    def _forget(self, run: str) -> None:
        self._pictures = {key: picture for key, picture in self._pictures.items() if key[0] != run}

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setPlaceholderText("name of the run")
        editor.setMaxLength(80)
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(self._indent(index), 0, 0, 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rails = self.theme, self._found.rails(index)
        if theme is None:
            return
        whole, moved = QRectF(option.rect), QStyleOptionViewItem(option)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, option.palette.highlight())
        if rails:
            place = QRectF(whole.topLeft(), QPointF(whole.left() + indent(theme, len(rails)), whole.bottom() + 1))
            draw_branches(painter, rails, place, theme, theme.accent_text if selected else theme.muted)
        moved.rect = option.rect.adjusted(self._indent(index), 0, 0, 0)
        picture = self._picture(index, option.rect.height() - 2, painter)
        if moved.rect.width() >= theme.px(_ENOUGH) and picture is not None:
            size = picture.deviceIndependentSize()
            left = whole.right() - size.width() - 3
            painter.drawPixmap(QPointF(left, whole.center().y() - size.height() / 2), picture)
            moved.rect.setRight(int(left) - 4)
        super().paint(painter, moved, index)

    def _indent(self, index: Index) -> int:
        return indent(self.theme, len(self._found.rails(index))) if self.theme is not None else 0

    def _picture(self, index: Index, height: int, painter: QPainter) -> QPixmap | None:
        ratio = painter.device().devicePixelRatioF()
        key = index.data(RUN_ROLE).record.id, round(height * ratio)
        if key not in self._pictures:
            while len(self._pictures) >= _MOST:
                del self._pictures[next(iter(self._pictures))]
            picture = QPixmap()
            picture.loadFromData(self._library.picture(key[0]))
            if not picture.isNull():
                picture = picture.scaledToHeight(key[1], Qt.TransformationMode.SmoothTransformation)
                picture.setDevicePixelRatio(ratio)
            self._pictures[key] = picture
        picture = self._pictures[key]
        return None if picture.isNull() else picture
