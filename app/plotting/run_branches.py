"""The lines that lead from a run in a list to those that were forked from it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from app.style.theme import Theme

_STEP = 14  # pixels by which a fork stands further in, where text has the system's size
_MOST = 6  # steps; what was forked from one fork after the other stands no further in


def indent(theme: Theme, depth: int) -> int:
    """By how many pixels a run stands in that comes from so many others, one from the other."""
    return theme.px(_STEP) * min(depth, _MOST)


def draw_branches(painter: QPainter, rails: Sequence[bool], place: QRectF, theme: Theme, colour: str) -> None:
    """Draw the lines of a row whose run is a ``Branch`` with these ``rails``.

    Args:
        place: the whole height of the row, from where runs begin that come from no other; ``indent`` wide.
    """
    step, middle = theme.px(_STEP), place.center().y()
    painter.setPen(QPen(QColor(colour), max(1.0, theme.px(1))))
    shown = rails[-_MOST:]
    for column, goes_on in enumerate(shown):
        x = place.left() + (column + 0.5) * step
        is_own = column == len(shown) - 1
        if goes_on or is_own:
            painter.drawLine(QLineF(x, place.top(), x, place.bottom() if goes_on else middle))
        if is_own:
            painter.drawLine(QLineF(x, middle, x + 0.4 * step, middle))
