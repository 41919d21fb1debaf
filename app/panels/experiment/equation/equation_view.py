"""The equation of the current choice, set line by line as the event loop has time for it."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.experiment.equation.equation_glossary import glossary
from app.panels.experiment.equation.equation_layout import GAP, SMALLEST, Piece, Row, fitted, height_of, lay_out
from app.panels.experiment.equation.equation_svg import Glyph, glyphs_of, svg_of
from app.style.swatch import draw_sign
from app.style.theme import Theme
from engine.equations import Line

_HEAD_START = 100  # ms
_SIGN = 6.0  # pixels
_FAINT = 0.45  # of the colour, for the lines beside the signs, which are but to show how far each goes
_OUTLINE = 3.0  # pixels around a term that is outlined
OUTLINED = 5  # pixels, the margin in which outlines have room
_SIDE_BY_SIDE = 0.7  # about what share of the height is left where short lines stand beside each other


Outlined = frozenset[tuple[Line, int]]
"""Terms by their lines and their numbers in these."""


class EquationView(QWidget):
    """Shows lines of terms as large as they fit into ``set_room``; what cannot be made to fit is taller.

    Each term has the colour of its choice, and that choice's sign beneath. While a change is being set, the equation
    before it stays in place. ``margin`` pixels are left free all around, as for outlines at its edges.
    """

    height_changed = Signal()

    def __init__(self, theme: Theme, margin: int = 0) -> None:
        super().__init__()
        self._theme, self._margin = theme, margin
        self.lines: tuple[Line, ...] = ()
        self._drawn: list[tuple[Line, tuple[Glyph, ...]]] = []  # the equation that is shown
        self._renderers: dict[Piece, QSvgRenderer] = {}
        self._rows: list[Row] = []
        self._outlined: Outlined = frozenset()
        self._lit: Outlined = frozenset()
        self._scale = 1.0  # pixels per pixel of the letters' own size
        self._room, self._bar = QSize(1, 1), 0
        self._set: dict[Line, tuple[Glyph, ...]] = {}
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

    @property
    def shows_something(self) -> bool:
        """Whether an equation is shown, be it the one before."""
        return bool(self._rows)

    def show_equation(self, lines: tuple[Line, ...]) -> None:
        if lines == self.lines:
            return
        self.lines = lines
        self.setToolTip(glossary(lines))
        self.setAccessibleDescription("; ".join("".join(term.latex for term in line) for line in lines))
        self._begin()

    def outline(self, terms: Outlined) -> None:
        """Draw a frame around these terms."""
        if terms != self._outlined:
            self._outlined = terms
            self.update()

    def light(self, terms: Outlined) -> None:
        """Lay a ground behind these terms, as what they stand for is being done."""
        if terms != self._lit:
            self._lit = terms
            self.update()

    @property
    def lit_at(self) -> QRectF | None:
        """Where the terms that are lit stand; None where none is."""
        found = [frame for piece, x, base in self._places() for frame in self._frames(piece, x, base, self._lit)]
        whole = QRectF()
        for frame in found:
            whole = whole.united(frame)
        return whole.translated(self._margin, self._margin) if found else None

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._renderers.clear()
        self._arrange()

    def set_room(self, room: QSize, bar: int) -> None:
        """How much room there is for it, and how wide the scroll bar is that takes from it where that is too little."""
        if (room, bar) != (self._room, self._bar):
            self._room, self._bar = room, bar
            self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def _begin(self) -> None:
        if self.isVisible():
            # Setting takes time, the first most of all, and the window is to be seen before that.
            self._timer.start(0 if self._set else _HEAD_START)

    def _set_next(self) -> None:
        """Set one missing line and come back for the next; when none is missing, show the whole."""
        missing = next((line for line in self.lines if line not in self._set), None)
        if missing is not None:
            self._set[missing] = glyphs_of(missing)
            self._timer.start(0)
            return
        self._drawn = [(line, self._set[line]) for line in self.lines]
        self._arrange()
        self.height_changed.emit()

    def _arrange(self) -> None:
        """Lay out what has been set in the present room."""
        size, before = self._theme.text_scale, self.height_in_use
        margins = 2 * self._margin
        width, height = max(self._room.width() - margins, 1) / size, (self._room.height() - margins) / size
        self._rows, scale = fitted(self._drawn, width, height)
        if height_of(self._rows) * scale > height:
            self._rows, scale = fitted(self._drawn, width - self._bar / size, height)
        self._scale = scale * size
        if self.height_in_use != before:
            self.updateGeometry()
        self.update()

    @property
    def height_in_use(self) -> int:
        """The height of what is shown; before anything is, of the room that it is about to fill."""
        if self._rows:
            return round(height_of(self._rows) * self._scale) + 2 * self._margin
        return min(_estimate(self.lines), max(self._room.height(), 1))

    def wanted(self, width: int) -> int:
        """The height that it would have in its full size, each line by itself."""
        size = self._theme.text_scale
        return round(size * (height_of(lay_out(self._drawn, width / size, beside=False)) or _estimate(self.lines)))

    def least(self, width: int) -> int:
        """The height into which it can be made to fit, no wider than ``width``."""
        size = self._theme.text_scale * SMALLEST
        set_already = height_of(lay_out(self._drawn, width / size, beside=True))
        return round(size * (set_already or _SIDE_BY_SIDE * _estimate(self.lines)))

    def taken(self, width: int, room: int) -> int:
        """The height that is made use of where there is so much room."""
        size = self._theme.text_scale
        rows, scale = fitted(self._drawn, width / size, room / size)
        return min(ceil(height_of(rows) * scale * size), room) if rows else room

    def first_row(self, width: int, room: int) -> int:
        """The height of the first row where there is so much room, below which nothing can be read."""
        size = self._theme.text_scale
        rows, scale = fitted(self._drawn, width / size, room / size)
        return ceil((rows[0].height + GAP) * scale * size) if rows else 0

    def whole_rows(self, limit: int) -> int:
        """The height of the rows that ``limit`` holds entirely; of the first at least."""
        total, fitting = 0.0, 0
        for row in self._rows:
            total += (row.height + GAP) * self._scale
            if not fitting or total <= limit:
                fitting = round(total)
        return fitting or limit

    def heightForWidth(self, width: int) -> int:
        return self.height_in_use

    def sizeHint(self) -> QSize:
        return QSize(240, self.height_in_use)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self._margin, self._margin)
        base = 0.0
        for row in self._rows:
            for x, piece in row.pieces:
                self._draw_light(painter, self._frames(piece, x, base + row.above, self._lit))
                place = QRectF(x, base + row.above + piece.top, piece.width, piece.bottom - piece.top)
                self._renderer(piece).render(painter, _scaled(place, self._scale))
                self._draw_outlines(painter, piece, x, base + row.above)
                self._draw_marks(painter, piece, x, base + row.height)
            base += row.height + GAP
        painter.end()

    def _places(self) -> Iterator[tuple[Piece, float, float]]:
        """Every piece with where it begins and its base line, in the letters' own size."""
        base = 0.0
        for row in self._rows:
            for x, piece in row.pieces:
                yield piece, x, base + row.above
            base += row.height + GAP

    def _frames(self, piece: Piece, x: float, base: float, terms: Outlined) -> list[QRectF]:
        """Around each stretch of these terms in a piece, on a base line at ``base``."""
        frames: list[QRectF] = []
        last = -2
        for term in sorted({glyph.term for glyph in piece.glyphs if (piece.line, glyph.term) in terms}):
            own = [glyph for glyph in piece.glyphs if glyph.term == term]
            left, top = min(glyph.left for glyph in own), min(glyph.top for glyph in own)
            right, bottom = max(glyph.right for glyph in own), max(glyph.bottom for glyph in own)
            frame = QRectF(x + left - piece.left, base + top, right - left, bottom - top)
            if term == last + 1:
                frames[-1] = frames[-1].united(frame)
            else:
                frames.append(frame)
            last = term
        around = _OUTLINE
        return [_scaled(frame, self._scale).adjusted(-around, -around, around, around) for frame in frames]

    def _draw_outlines(self, painter: QPainter, piece: Piece, x: float, base: float) -> None:
        """A frame around each stretch of terms that are outlined, on a base line at ``base``."""
        painter.setPen(QPen(QColor(self._theme.warning), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for frame in self._frames(piece, x, base, self._outlined):
            painter.drawRoundedRect(frame, 4.0, 4.0)

    def _draw_light(self, painter: QPainter, frames: list[QRectF]) -> None:
        painter.setPen(QPen(QColor(self._theme.warning), 1.0))
        painter.setBrush(QColor(self._theme.line))
        for frame in frames:
            painter.drawRoundedRect(frame, 4.0, 4.0)

    def _draw_marks(self, painter: QPainter, piece: Piece, x: float, y: float) -> None:
        """Under what stands for a choice, a line with the sign of that choice: colour alone would not tell all."""
        sign = _SIGN * self._theme.text_scale
        y = (y + GAP / 2) * self._scale - 1.0
        for part, start, end in piece.marks():
            left, right = (x + start) * self._scale, (x + end) * self._scale
            colour, middle = QColor(getattr(self._theme, part)), (left + right) / 2
            faint = QColor(colour)
            faint.setAlphaF(_FAINT)
            painter.setPen(QPen(faint, 1.0))
            for begin, finish in ((left, middle - sign), (middle + sign, right)):
                if finish > begin:
                    painter.drawLine(QRectF(begin, y, finish - begin, 0).topLeft(), QRectF(finish, y, 0, 0).topLeft())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            draw_sign(painter, part, QRectF(middle - sign / 2, y - sign / 2, sign, sign))

    def _renderer(self, piece: Piece) -> QSvgRenderer:
        if piece not in self._renderers:
            box = (piece.left, piece.top, piece.width, piece.bottom - piece.top)
            self._renderers[piece] = QSvgRenderer(QByteArray(svg_of(piece.glyphs, piece.line, box, self._theme)))
        return self._renderers[piece]


def _scaled(place: QRectF, scale: float) -> QRectF:
    return QRectF(place.x() * scale, place.y() * scale, place.width() * scale, place.height() * scale)


def _estimate(lines: tuple[Line, ...]) -> int:
    """About the height before anything is set, so that what stands beside hardly moves."""
    tall = [any(r"\sum" in term.latex or r"\frac" in term.latex for term in line) for line in lines]
    return round(sum((48 if is_tall else 19) + GAP for is_tall in tall))
