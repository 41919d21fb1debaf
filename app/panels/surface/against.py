"""V as it was learned against the returns that were played from the same states: on the diagonal it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF
from PySide6.QtGui import QColor, QPainter, QPen

from app.plotting.arrangement import Margins
from app.plotting.axes import settled_range
from app.plotting.export import Table
from app.plotting.marks import Dots, Frame
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.rolled_out import Returns

_NEAR = 12.0  # pixels
_NONE = np.zeros(0)


class AgainstPlot(Plot):
    def __init__(self, theme: Theme) -> None:
        self._dots, self._spreads = Dots(5.0), _Spreads()
        self._colour = ""
        self._range: tuple[float, float] | None = None
        super().__init__(theme, "mean return played (reward)", "V learned (reward)", Margins(left=64))
        self.title = "V against played returns"
        self.marks = [_Diagonal(theme), self._spreads, self._dots]
        self.probe, self.numbers = self._told_at, self._table

    def show_returns(self, returns: Returns, values: NDArray[np.float32]) -> None:
        """Show the values of n states against the returns from there."""
        x, y = returns.mean, values.astype(np.float64)
        error = np.nan_to_num(returns.error)
        self._dots.x, self._dots.y = x, y
        self._spreads.x, self._spreads.y, self._spreads.error = x, y, error
        low, high = min(float((x - error).min()), float(y.min())), max(float((x + error).max()), float(y.max()))
        self._range = settled_range(self._range, low, high)
        self.set_ranges(self._range, self._range)
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._colour = theme.policy
        self._dots.set_colour(theme.policy, 0.9)
        self._spreads.colour = theme.policy
        for mark in self.marks:
            if isinstance(mark, _Diagonal):
                mark.colour = theme.muted
        super().apply_theme(theme)

    def _told_at(self, pointer: Pointer) -> Reading | None:
        if not len(self._dots.x):
            return None
        away = pointer.distances(self._dots.x, self._dots.y)
        nearest = int(away.argmin())
        if away[nearest] > _NEAR:
            return None
        x, y, error = (float(each[nearest]) for each in (self._dots.x, self._dots.y, self._spreads.error))
        told = f"played {short_number(x)} ± {short_number(error)}", f"V {short_number(y)}"
        return Reading(x, y, told, self._colour)

    def _table(self) -> Table:
        return Table({"mean return": self._dots.x, "standard error": self._spreads.error, "V": self._dots.y})


class _Spreads:
    """A standard error to either side of each mean."""

    def __init__(self) -> None:
        self.x = self.y = self.error = _NONE
        self.colour = ""

    def paint(self, painter: QPainter, frame: Frame) -> None:
        ink = QColor(self.colour)
        ink.setAlphaF(0.55)
        painter.setPen(QPen(ink, 1.5 * frame.thickness))
        ends = frame.to_x(self.x - self.error), frame.to_x(self.x + self.error), frame.to_y(self.y)
        painter.drawLines(
            [QLineF(left, y, right, y) for left, right, y in zip(*(e.tolist() for e in ends), strict=True)]
        )


class _Diagonal:
    def __init__(self, theme: Theme) -> None:
        self.colour = theme.muted

    def paint(self, painter: QPainter, frame: Frame) -> None:
        low, high = max(frame.x[0], frame.y[0]), min(frame.x[1], frame.y[1])
        painter.setPen(QPen(QColor(self.colour), frame.thickness))
        painter.drawLine(QLineF(frame.to_x(low), frame.to_y(low), frame.to_x(high), frame.to_y(high)))


def explained(returns: Returns, values: NDArray[np.float32]) -> float | None:
    """1 − Var(G − V)/Var(G) over the states; None where all returns are alike."""
    spread = float(returns.mean.var())
    return 1.0 - float((returns.mean - values).var()) / spread if spread > 0.0 else None
