"""One formula, as large as there is room for."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.experiment.equation.equation_svg import Glyph, glyphs_of, svg_of
from app.style.theme import Theme
from engine.equations import Line, Term

_HIGH = 44  # pixels, for text of the system's size
_PAD = 2.0


class Formula(QWidget):
    """Shows nothing where the LaTeX is empty."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._line: Line = ()
        self._glyphs: tuple[Glyph, ...] = ()
        self._box = QRectF()
        self._drawn: QSvgRenderer | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(1, self._theme.px(_HIGH))

    def show_latex(self, latex: str) -> None:
        self.setAccessibleName(f"Formula: {latex}" if latex else "")
        self._line = (Term(latex),) if latex else ()
        self._glyphs = glyphs_of(self._line) if latex else ()
        if self._glyphs:
            left, top = min(each.left for each in self._glyphs), min(each.top for each in self._glyphs)
            right, bottom = max(each.right for each in self._glyphs), max(each.bottom for each in self._glyphs)
            self._box = QRectF(left - _PAD, top - _PAD, right - left + 2 * _PAD, bottom - top + 2 * _PAD)
        self._draw()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self._draw()

    def _draw(self) -> None:
        self._drawn = None
        if self._glyphs:
            box = self._box.left(), self._box.top(), self._box.width(), self._box.height()
            self._drawn = QSvgRenderer(QByteArray(svg_of(self._glyphs, self._line, box, self._theme)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._drawn is None:
            return
        painter = QPainter(self)
        room = QRectF(self.rect()).adjusted(self._theme.unit, 0, -self._theme.unit, 0)
        most = self._theme.text_scale * 1.1
        scale = min(room.width() / self._box.width(), room.height() / self._box.height(), most)
        width, height = scale * self._box.width(), scale * self._box.height()
        place = QRectF(room.left(), room.center().y() - height / 2, width, height)
        self._drawn.render(painter, place)
        painter.end()
