"""Which range an axis shows and where its ticks stand: pure functions, so that axes move rarely, and all alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ENDS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_SLACK = 1e-9
_DEEPEST = 1e-3
_SPARE = 0.02  # of a range that stays, at either end
_TOLD_APART = 1e-6


def nice_step(span: float, most: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ᵏ of which at most ``most`` fit into ``span``."""
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - _SLACK))


def nice_ticks(low: float, high: float, most: float) -> tuple[float, list[float]]:
    """The spacing and the values of about ``most`` round ticks in [low, high], but at least two: one is no scale."""
    if not high > low:
        return 1.0, []
    while True:
        step = nice_step(high - low, most)
        first, last = math.ceil(low / step - _SLACK), math.floor(high / step + _SLACK)
        if last > first:
            return step, [round(k * step, 12 - math.floor(math.log10(step))) for k in range(first, last + 1)]
        most += 1


def settled_range(current: Range | None, low: float, high: float) -> Range:
    """A range for data in [low, high] that stays as it is while the data fits it.

    ``current`` is kept while it holds the data, with a little to spare so that no dot at an end is cut in half, and the
    data fills at least a third of it. Otherwise the new range ends
    on round values with at least an eighth of the data's span to spare on either side that is not at zero, so that the
    next change is far off.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return current or (0.0, 1.0)
    if high - low < max(abs(low), abs(high)) * 1e-6 or high == low:
        half = max(abs(high) / 2, 0.5)
        low, high = (low - half, high + half) if low != 0 else (-half, half)
    span = high - low
    if current is not None:
        bottom, top = current
        before = top - bottom
        bottom, top = bottom and bottom + _SPARE * before, top and top - _SPARE * before
        if bottom <= low and high <= top and span >= before / 3:
            return current
    step = nice_step(span, 5)
    bottom = 0.0 if low == 0 else math.floor((low - span / 8) / step) * step
    top = 0.0 if high == 0 else math.ceil((high + span / 8) / step) * step
    # Data on one side of zero keeps zero as its edge rather than a strip beyond it.
    if low >= 0 and bottom < 0:
        bottom = 0.0
    if high <= 0 and top > 0:
        top = 0.0
    return bottom, top


def settled_end(current: float | None, end: float, least: float = 0.1) -> float:
    """Where an axis that starts at 0 ends so that it holds ``end``, a quarter or more further out.

    ``current`` is kept while it holds ``end`` and ``end`` lies beyond the share ``least`` of it.
    """
    if current is not None and current * least <= end <= current:
        return current
    if not (math.isfinite(end) and end > 0):
        return current or 1.0
    wanted = 1.25 * end
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in _ENDS if step * power >= wanted * (1 - _SLACK))


def view_limits(low: float, high: float) -> tuple[float, float, float]:
    """Between which values a view of data in [low, high] stays, and how little of it at least it shows.

    It goes as far beyond the data on either side as the data is wide, and not deeper than a thousandth of it, nor than
    what single precision can tell apart.
    """
    span = high - low
    depth = max(span * _DEEPEST, max(abs(low), abs(high)) * _TOLD_APART)
    return low - span, high + span, min(depth, span)


def without_plunge(values: NDArray[Any], high: float) -> float:
    """Where an axis from 0 to ``high`` ends so that an early plunge does not flatten what follows: at ten times the
    largest of the later half, but no deeper than a hundredth. What comes down to nothing is seen whole."""
    later = values[len(values) // 2 :]
    later = later[np.isfinite(later)]
    most = float(later.max()) if len(later) else math.nan
    if not most > 1e-6 * high:
        return high
    return max(0.01 * high, min(high, 10.0 * most))


def robust_bounds(values: NDArray[Any], share: float = 0.005) -> Range:
    """The least and greatest finite value, without the outermost ``share`` at either end where those lie far out.

    Far out means further beyond the rest than the rest is wide. Without finite values both are NaN.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return math.nan, math.nan
    low, high = float(values.min()), float(values.max())
    cut = int(share * len(values))
    if cut:
        ordered = np.partition(values, (cut, len(values) - 1 - cut))
        inner_low, inner_high = float(ordered[cut]), float(ordered[-1 - cut])
        span = inner_high - inner_low
        low = inner_low if inner_low - low > span else low
        high = inner_high if high - inner_high > span else high
    return low, high
