"""The plot of all estimators, one in each row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QResizeEvent

from app.panels.lab.estimators.asking import in_order
from app.panels.lab.estimators.measures import MEASURES, Measure
from app.panels.lab.estimators.rows import Row, Rows
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.export import Table
from app.plotting.legend import Entry
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import percent, short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.comparison import Comparison, Estimates
    from engine.analysis.lab.settings import Pair

_NAMES = 192  # pixels for the estimators' names, for text of the system's size
_LEAST_ROW = 1.05  # heights of a line of text
_MOST_FAR = 0.01  # share of estimates that may be out of sight at either end


class RowsPlot(Plot):
    """As many estimators as there is room for, the most telling first; all where it is shown large."""

    def __init__(self, theme: Theme) -> None:
        self._rows = Rows()
        self._comparison: Comparison | None = None
        self._measure: Measure = MEASURES[0]
        self._reasons: Callable[[Pair], tuple[str, ...]] = lambda pair: ()
        self._x: Range | None = None
        self._fitted = -1
        super().__init__(theme, MEASURES[0].axis, "", Margins(left=_NAMES, top=4))
        self.title = "Estimators"
        self.marks = [self._rows]
        self.left.names = ()
        self.probe, self.numbers = self._told_at, self._table

    @property
    def shown(self) -> list[str]:
        """The names of the estimators that are drawn, from the top."""
        return [row.title for row in self._rows.rows]

    def show_comparison(
        self, comparison: Comparison, measure: Measure, reasons: Callable[[Pair], tuple[str, ...]]
    ) -> None:
        """``reasons`` says why a pair's estimates may be biased."""
        if measure is not self._measure:
            self._x = None
        self._comparison, self._measure, self._reasons = comparison, measure, reasons
        self.bottom.set_title(measure.axis, measure.unit)
        self._fit_rows()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_rows") and self._comparison is not None and self._room() != self._fitted:
            self._fit_rows()

    def toggle_enlarged(self) -> None:
        super().toggle_enlarged()
        if self._comparison is not None:
            self._fit_rows()

    def apply_theme(self, theme: Theme) -> None:
        self._rows.apply_theme(theme)
        super().apply_theme(theme)
        self._entitle()

    def _room(self) -> int:
        """How many rows there is room for."""
        drawn = self.enlarged or self
        return max(int(drawn.area.height() / (_LEAST_ROW * drawn.letters.height())), 1)

    def _fit_rows(self) -> None:
        assert self._comparison is not None
        found, self._fitted = self._comparison.estimates, self._room()
        kept = {each.pair for each in found[: self._fitted]}
        order = in_order([each.pair for each in found if each.pair in kept])
        by_pair = {each.pair: each for each in found}
        self._rows.rows = [self._row(by_pair[pair]) for pair in order]
        self._rows.truth = self._comparison.truth.length if self._measure.at_truth else None
        self.left.names = [row.title for row in self._rows.rows]
        self._x = self._settled()
        count = max(len(order), 1)
        self._entitle()
        self.set_ranges(self._x, (0.5 - count, 0.5))
        self.left.picture = None  # the names are others where the range is the same
        self.left.update()
        self.redraw()

    def _row(self, estimates: Estimates) -> Row:
        measure = self._measure
        return Row(
            estimates.pair.title,
            measure.all(estimates),
            measure.mean(estimates),
            measure.interval(estimates),
            not estimates.unbiased,
            estimates,
        )

    def _settled(self) -> Range:
        ends = [0.0] if self._rows.truth is None else [0.0, self._rows.truth]
        for row in self._rows.rows:
            # The interval of a mean of two or three reaches far beyond all that it is the mean of.
            reach = row.interval if row.values is None else robust_bounds(row.values, _MOST_FAR)
            ends += [end for end in (row.mean, *reach) if np.isfinite(end)]
        return settled_range(self._x, min(ends), max(ends))

    def _entitle(self) -> None:
        comparison, theme = self._comparison, self._theme
        if comparison is None or theme is None:
            return
        truth = comparison.truth
        known = ", exact" if truth.error == 0.0 else f" ± {short_number(truth.error, 2)}"
        entries = []
        if self._measure.at_truth:
            entries.append(Entry(f"∇J {short_number(truth.length)}{known}", theme.text, "dashed"))
        if comparison.turned is not None and comparison.settings.added != 0.0:
            entries.append(Entry(turned_words(comparison.settings.added, comparison.turned)))
        entries.append(Entry("no bias seen", theme.policy, "filled"))
        entries.append(Entry("biased", theme.negative, "hatched"))
        hidden = len(comparison.estimates) - len(self._rows.rows)
        if hidden:
            entries.append(Entry(f"{hidden} more: key E"))
        self.legend.show_entries(entries)

    def _told_at(self, pointer: Pointer) -> Reading | None:
        rows = self._rows.rows
        here = [abs(float(pointer.frame.to_y(-number)) - pointer.y) for number in range(len(rows))]
        if not here or self._comparison is None:
            return None
        number = int(np.argmin(here))
        row, truth = rows[number], self._comparison.truth
        why = () if row.estimates.unbiased else self._reasons(row.estimates.pair)[-1:]
        return Reading(row.mean, float(-number), (*told(row.estimates, truth.length), *why), "")

    def _table(self) -> Table:
        found = () if self._comparison is None else self._comparison.estimates
        return Table(
            {
                "estimator": [each.pair.title for each in found],
                "mean along the gradient (reward)": [float(each.along.mean()) for each in found],
                "bias (reward)": [each.bias for each in found],
                "standard error of the bias (reward)": [each.error for each in found],
                "standard deviation along the gradient (reward)": [each.spread for each in found],
                "trace of the covariance (reward²)": [each.variance for each in found],
                "signal to noise": [each.signal_to_noise for each in found],
                "mean cosine": [float(each.cosines.mean()) for each in found],
                "time for one estimate (ms)": [1000.0 * each.seconds for each in found],
                "batches": [len(each.along) for each in found],
            }
        )


def told(estimates: Estimates, length: float) -> list[str]:
    """All that is known of an estimator, in lines."""
    reach, mean = estimates.interval[1] - estimates.bias, float(estimates.along.mean())
    share = f" ({percent(abs(estimates.bias) / length)})" if length > 0.0 else ""
    bias = f"bias {short_number(estimates.bias, 2)} ± {short_number(reach, 2)}{share}"
    if estimates.aside > abs(estimates.bias) + reach:
        bias += f", {short_number(estimates.aside, 2)} with what points aside of ∇J"
    lines = [estimates.pair.title, f"mean {short_number(mean)}, {bias}"]
    if len(estimates.along) > 1:
        noise, cosine = estimates.variance**0.5, float(estimates.cosines.mean())
        uphill = percent(float((estimates.along > 0.0).mean()))
        lines += [
            f"spread {short_number(estimates.spread)} along ∇J, {short_number(noise)} in all; "
            f"signal to noise {short_number(estimates.signal_to_noise, 2)}",
            f"cosine {short_number(cosine, 2)}, {uphill} point uphill{_took(estimates)}",
        ]
    return lines


def _took(estimates: Estimates) -> str:
    return f"; {short_number(1000.0 * estimates.seconds, 2)} ms each" if np.isfinite(estimates.seconds) else ""


def turned_words(added: float, cosine: float) -> str:
    """What a constant that is added to every reward does to the gradient itself: where episodes are equally long, only
    its estimates become noisier; where they are not, the gradient points elsewhere."""
    degrees = math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
    constant = f"+{short_number(added)}" if added > 0 else short_number(added)
    return f"{constant} turns ∇J by {degrees:.0f}°" if degrees >= 0.5 else f"{constant} leaves ∇J's direction"
