"""The curves of an experiment's settings on one plot, each with the band of its runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from app.models.experiment_results import SettingCurve
from app.models.run_style import style_of
from app.panels.record import PanelWidget
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.export import Table, below
from app.plotting.labels import Level
from app.plotting.marks import Band
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading, RunPoint
from app.plotting.run_lines import MANY, EndNames, RunLine, RunLines
from app.plotting.tags import Tags
from app.style.format import short_number
from app.style.text import Stage
from app.style.theme import Theme, veil

EMPTY = "The mean return of each setting appears here once its first runs have told something."
_BESIDE = 0.2, 0.4  # of the width, at least and at most, for the names beside the ends of lines
_MARGIN = 0.03  # of it, where there are none


class SettingCurves(PanelWidget):
    """Draws what it is given; ``of`` says what lines and bands are."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._curves: Sequence[SettingCurve] = ()
        self._of = ""
        self._y: Range | None = None
        self._lines, self._level = RunLines(), Level()
        self._names = EndNames(self._lines)
        self.plot = Plot(theme, "environment steps", "mean return, last 100")
        self.plot.title, self.plot.probe, self.plot.numbers = "Settings compared", self._read, self._numbers
        self._tags = Tags((self._names, self._level), ())
        self._stage = Stage(EMPTY, self.plot)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        self.apply_theme(theme)

    def show_curves(self, curves: Sequence[SettingCurve], of: str, threshold: float | None) -> None:
        """Draw these; ``of`` says what line and band are, ``threshold`` when the environment is solved."""
        if [curve.point for curve in curves] != [curve.point for curve in self._curves]:
            self._y = None
            self.plot.follow()
        self._curves, self._of = curves, of
        self._level.value = threshold
        self._level.text = f"solved: {short_number(threshold, 4)}"
        self._draw()

    def _draw(self) -> None:
        bands, lines = [], []
        for curve in self._curves:
            style = style_of(curve.point)
            known = np.isfinite(curve.middle)
            line = RunLine(str(curve.point), curve.point, curve.title, style, style.colour(self._theme))
            line.x, line.y = curve.x[known], curve.middle[known]
            lines.append(line)
            if len(self._curves) <= MANY:
                bands.append(self._band(curve, line.colour))
        self._lines.lines = lines
        self._tags.clear_of = lines
        self.plot.marks = [self._level, *bands, self._lines, self._names, self._tags]
        self.plot.bottom.set_title(f"environment steps · {self._of}" if self._of else "environment steps", "steps")
        self._settle()
        drawn = any(len(line.x) for line in lines)
        if drawn and not self._stage.filled:
            QTimer.singleShot(0, self, self._settle)  # once the plot has its place
        self._stage.fill(drawn)
        self.plot.redraw()

    def _band(self, curve: SettingCurve, colour: str) -> Band:
        band, told = Band(), np.isfinite(curve.low) & np.isfinite(curve.high)
        band.x, band.low, band.high = curve.x[told], curve.low[told], curve.high[told]
        shade = QColor(colour)
        shade.setAlphaF(veil(len(self._curves)))
        band.colour = shade
        return band

    def _settle(self) -> None:
        lines = [line for line in self._lines.lines if len(line.x)]
        if not lines:
            return
        ends = [line.x[-1] for line in lines]
        shown = [curve for curve in self._curves if np.isfinite(curve.middle).any()]
        heights = np.concatenate([part[np.isfinite(part)] for c in shown for part in (c.low, c.middle, c.high)])
        low, high = robust_bounds(heights)
        if self._level.value is not None:
            low, high = min(low, self._level.value), max(high, self._level.value)
        self._y = settled_range(self._y, low, high)
        least, most = _BESIDE
        beside = min(max(self._names.width(self.plot.letters) / max(self.plot.area.width(), 1.0), least), most)
        share = beside if len(lines) <= MANY else _MARGIN
        self.plot.set_ranges((0.0, float(max(ends)) / (1.0 - share)), self._y)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._settle)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._level.apply_theme(theme)
        self._names.apply_theme(theme)
        self._tags.apply_theme(theme)
        self.plot.apply_theme(theme)
        self._draw()
        QTimer.singleShot(0, self, self._settle)

    # --- what a person asks of it -------------------------------------------------------------------------------------

    def _read(self, pointer: Pointer) -> Reading | None:
        """All settings where the mouse is, the highest first, each with how many runs reach so far."""
        found = []
        for curve, line in zip(self._curves, self._lines.lines, strict=True):
            if not len(curve.x) or not curve.x[0] <= pointer.data_x <= curve.x[-1]:
                continue
            at = int(np.argmin(np.abs(curve.x - pointer.data_x)))
            if np.isfinite(curve.middle[at]):
                found.append((float(curve.middle[at]), curve, line, at))
        if not found:
            return None
        found.sort(key=lambda one: -one[0])
        x = float(found[0][1].x[found[0][3]])
        words = [f"{short_number(y, 4)}  {curve.title} (n = {curve.n[at]})" for y, curve, _, at in found]
        points = tuple(RunPoint(y, line.style, line.colour) for y, _, line, _ in found)
        return Reading(x, found[0][0], (f"at {x:,.0f} environment steps", *words), runs=points)

    def _numbers(self) -> Table:
        """All that is drawn."""
        return below(
            [
                Table(
                    {
                        "setting": [curve.title] * len(curve.x),
                        "environment steps": curve.x,
                        "mean return": curve.middle,
                        "low": curve.low,
                        "high": curve.high,
                        "runs": curve.n,
                    }
                )
                for curve in self._curves
            ]
        )
