"""The equation of the current choice, set line by line as the event loop has time for it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QRectF, QSize, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.experiment.equation.equation_glossary import glossary
from app.panels.experiment.equation.equation_svg import svg_of
from app.style.theme import Theme
from engine.equations import Line

_GAP = 8
_INDENT = 24
_HEAD_START = 100  # ms


@dataclass(frozen=True)
class _Row:
    renderer: QSvgRenderer
    indent: int

    @property
    def width(self) -> int:
        return self.indent + self.renderer.defaultSize().width()

    @property
    def height(self) -> int:
        return self.renderer.defaultSize().height()


class EquationView(QWidget):
    """Shows lines of terms. While a change is being set, the equation before it stays in place."""

    height_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.lines: tuple[Line, ...] = ()
        self._pieces: dict[Line, QSvgRenderer] = {}
        self._rows: list[_Row] = []
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._set_next)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Equation of the current choice")

    @property
    def is_up_to_date(self) -> bool:
        """Whether what is shown is what was asked for, with nothing left to set."""
        return not self._timer.isActive()

    def show_equation(self, lines: tuple[Line, ...]) -> None:
        if lines == self.lines:
            return
        self.lines = lines
        self.setToolTip(glossary(lines))
        self.setAccessibleDescription("; ".join("".join(term.latex for term in line) for line in lines))
        self._begin()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._pieces.clear()
        self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._begin()

    def _begin(self) -> None:
        if self.isVisible():
            # Setting takes time, the first most of all, and the window is to be seen before that.
            self._timer.start(0 if self._pieces else _HEAD_START)

    def _set_next(self) -> None:
        """Set one missing piece and come back for the next; when none is missing, show the whole."""
        missing = self._compose()
        if missing is None:
            return
        self._pieces[missing] = QSvgRenderer(QByteArray(svg_of(missing, self._theme)))
        self._timer.start(0)

    def _compose(self) -> Line | None:
        """Lay the lines out in the present width, or return the first piece that has yet to be set for that."""
        rows: list[_Row] = []
        for line in self.lines:
            rest, indent = line, 0
            while rest:
                # The longest beginning that fits; a single term is scaled instead.
                for count in _breaks(rest):
                    if rest[:count] not in self._pieces:
                        return rest[:count]
                    row = _Row(self._pieces[rest[:count]], indent)
                    if row.width <= self.width():
                        break
                rows.append(row)
                rest, indent = rest[count:], _INDENT
        taller = _height(rows, 1.0) != _height(self._rows, 1.0)
        self._rows = rows
        if taller:
            self.updateGeometry()
            self.height_changed.emit()
        self.update()
        return None

    def _scale(self, width: int) -> float:
        return min(1.0, width / max((row.width for row in self._rows), default=1))

    def heightForWidth(self, width: int) -> int:
        if not self._rows:
            return _estimate(self.lines)
        return _height(self._rows, self._scale(width))

    def whole_rows(self, width: int, limit: int) -> int:
        """The height of the rows that ``limit`` holds entirely; of the first at least."""
        scale, total, fitting = self._scale(width), 0.0, 0
        for row in self._rows:
            total += row.height * scale
            if not fitting or total <= limit:
                fitting = round(total)
            total += _GAP
        return fitting or limit

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240 if not self.width() else self.width()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale, y = self._scale(self.width()), 0.0
        for row in self._rows:
            size = row.renderer.defaultSize()
            row.renderer.render(painter, QRectF(row.indent * scale, y, size.width() * scale, size.height() * scale))
            y += row.height * scale + _GAP
        painter.end()


def _breaks(line: Line) -> list[int]:
    """How many terms may stand on one row, most first: none begins with what closes a bracket."""
    return [
        count
        for count in range(len(line), 0, -1)
        if count == len(line) or not line[count].latex.lstrip("\\, ").startswith((")", "]"))
    ]


def _height(rows: list[_Row], scale: float) -> int:
    return round(sum(row.height * scale + _GAP for row in rows)) - (_GAP if rows else 0)


def _estimate(lines: tuple[Line, ...]) -> int:
    """About the height before anything is set, so that what stands below hardly moves."""
    tall = [any(r"\sum" in term.latex or r"\frac" in term.latex for term in line) for line in lines]
    return sum(48 if is_tall else 19 for is_tall in tall) + _GAP * max(len(lines) - 1, 0)
