"""The dialog in which a map is drawn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeySequence, QPainter, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.form_rules import Legend
from app.panels.experiment.form.map_drawing import Rows, draw_cell
from app.panels.experiment.form.map_editor import MapEditor
from app.style.sentence import Sentence
from app.style.text import set_role
from app.style.theme import Theme, tabular
from engine.config.parameters import Parameter

SMALLEST, LARGEST = 2, 20  # rows or columns
_HINT = "Paint with the left button, erase with the right; or move with the arrows and press a cell's key."
_ICON = 20  # pixels


class MapDialog(QDialog):
    """Edits a copy of the map; ``applied`` carries it once a person wants it.

    Args:
        parameter: the map that holds.
        legend: what its signs stand for.
        judge: why a map will not do, as a sentence; None where it will.
    """

    applied = Signal(object)

    def __init__(
        self,
        parameter: Parameter,
        legend: Legend,
        theme: Theme,
        judge: Callable[[Rows], str | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(parameter.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._default, self._judge, self._theme = parameter.default, judge, theme
        self.editor = MapEditor(parameter.value, legend, theme)
        self.brushes = {sign: self._brush(sign, meaning) for sign, meaning in legend}
        self.heights, self.widths = Count("Rows", "row", theme), Count("Columns", "column", theme)
        self.undo_button, self.redo_button = _quiet("Undo"), _quiet("Redo")
        self.default_button = QPushButton("Default map")
        self.cancel_button, self.apply_button = QPushButton("Cancel"), QPushButton("Apply")
        self.verdict = Sentence()
        self._arrange(theme)
        self._wire()
        self.brushes[self.editor.brush].setChecked(True)
        self._follow()
        self.resize(self.sizeHint())
        self.editor.setFocus()

    def _brush(self, sign: str, meaning: str) -> QToolButton:
        button = QToolButton()
        button.setText(meaning.capitalize())
        button.setIcon(_icon(sign, meaning, self._theme, self.devicePixelRatioF()))
        button.setIconSize(QSize(self._theme.px(_ICON), self._theme.px(_ICON)))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setToolTip(f"Paint {meaning}; its key is {sign}")
        button.setProperty("role", "segment")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: setattr(self.editor, "brush", sign))
        return button

    def _arrange(self, theme: Theme) -> None:
        unit = theme.unit
        brushes = QFrame()
        brushes.setProperty("role", "segments")
        side_by_side = QHBoxLayout(brushes)
        side_by_side.setContentsMargins(0, 0, 0, 0)
        side_by_side.setSpacing(0)
        self._group = QButtonGroup(self)
        for button in self.brushes.values():
            self._group.addButton(button)
            side_by_side.addWidget(button)
        above = QHBoxLayout()
        above.addWidget(brushes)
        above.addStretch(1)
        size = QHBoxLayout()
        size.setSpacing(unit)
        size.addWidget(self.heights)
        size.addSpacing(unit)
        size.addWidget(self.widths)
        size.addStretch(1)
        size.addWidget(self.undo_button)
        size.addWidget(self.redo_button)
        below = QHBoxLayout()
        below.setSpacing(unit)
        below.addWidget(self.default_button)
        below.addStretch(1)
        below.addWidget(self.cancel_button)
        below.addWidget(self.apply_button)
        self.apply_button.setProperty("role", "primary")
        self.apply_button.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * unit, 2 * unit, 2 * unit, 2 * unit)
        column.setSpacing(unit)
        column.addLayout(above)
        column.addWidget(self.editor, 1)
        column.addLayout(size)
        column.addWidget(self.verdict)
        column.addLayout(below)
        self.verdict.set_alternatives([f"{_HINT}\n"])  # two lines, so that nothing jumps

    def _wire(self) -> None:
        self.editor.changed.connect(self._follow)
        self.editor.brush_picked.connect(self._pick_brush)
        self.heights.stepped.connect(lambda by: self._resize(by, 0))
        self.widths.stepped.connect(lambda by: self._resize(0, by))
        self.default_button.clicked.connect(lambda: self.editor.set_rows(self._default))
        self.undo_button.clicked.connect(self.editor.undo)
        self.redo_button.clicked.connect(self.editor.redo)
        QShortcut(QKeySequence.StandardKey.Undo, self, self.editor.undo)
        QShortcut(QKeySequence.StandardKey.Redo, self, self.editor.redo)
        self.cancel_button.clicked.connect(self.reject)
        self.apply_button.clicked.connect(self._apply)

    def _pick_brush(self, sign: str) -> None:
        self.editor.brush = sign
        self.brushes[sign].setChecked(True)

    def _resize(self, higher: int, wider: int) -> None:
        rows = self.editor.rows
        self.editor.resize_map(len(rows) + higher, len(rows[0]) + wider)

    def _follow(self) -> None:
        """Show what is to be said of the map as it is drawn now."""
        rows = self.editor.rows
        self.heights.show_count(len(rows))
        self.widths.show_count(len(rows[0]))
        problem = self._judge(rows)
        self.verdict.setText(problem or _HINT)
        set_role(self.verdict, "error" if problem else "muted")
        self.apply_button.setEnabled(problem is None)
        self.default_button.setEnabled(rows != self._default)
        self.undo_button.setEnabled(self.editor.can_undo)
        self.redo_button.setEnabled(self.editor.can_redo)

    def _apply(self) -> None:
        rows = self.editor.rows
        self.accept()
        self.applied.emit(rows)


class Count(QWidget):
    """How many rows or columns there are, between a button that takes the last one off and one that adds another."""

    stepped = Signal(int)

    def __init__(self, name: str, one: str, theme: Theme) -> None:
        super().__init__()
        self.fewer = _step("−", f"Take off the last {one}", theme)
        self.more = _step("+", f"Add a {one} at the end", theme)
        self._count = QLabel()
        self._count.setFont(tabular(self._count.font()))
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._count.setFixedWidth(theme.px(24))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (QLabel(name), self.fewer, self._count, self.more):
            layout.addWidget(widget)
        self.fewer.clicked.connect(lambda: self.stepped.emit(-1))
        self.more.clicked.connect(lambda: self.stepped.emit(1))

    def show_count(self, count: int) -> None:
        self._count.setText(str(count))
        self.fewer.setEnabled(count > SMALLEST)
        self.more.setEnabled(count < LARGEST)


def _step(sign: str, tip: str, theme: Theme) -> QToolButton:
    button = QToolButton()
    button.setText(sign)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFixedSize(theme.px(28), theme.px(28))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _quiet(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button


def _icon(sign: str, meaning: str, theme: Theme, ratio: float) -> QIcon:
    side = theme.px(_ICON)
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_cell(painter, QRectF(0, 0, side, side), sign, meaning, theme)
    painter.end()
    return QIcon(pixmap)
