"""Numbers and their intervals in words, each with its method, its level and its n."""

from __future__ import annotations

from math import floor, inf, log10

from engine.runs.comparison.intervals import Estimate
from engine.runs.comparison.pairs import Difference, Improvement
from engine.runs.comparison.proportions import Share
from engine.runs.comparison.survival import Waiting

NONE = "–"
_ROUNDING = 1e-12  # of a number, by which such that are alike may differ


def number(value: float, width: float = 0.0) -> str:
    """With two digits of an interval's ``width``, else with four of its own, as where it is no wider than rounding."""
    if abs(value) * _ROUNDING < width < inf and abs(value) < 1e9:
        return f"{value:,.{min(max(0, 1 - floor(log10(width))), 9)}f}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def with_bounds(value: float, low: float, high: float) -> str:
    """ "312 [250, 370]"."""
    width = high - low
    return f"{number(value, width)} [{number(low, width)}, {number(high, width)}]"


def percent(level: float) -> str:
    """ "95 %", "93.8 %"."""
    return f"{100 * level:.3g} %"


def counted(n: int | tuple[int, int]) -> str:
    """ "8 runs", "8 and 5 runs"."""
    if isinstance(n, tuple):
        return f"{n[0]} and {n[1]} runs"
    return "1 run" if n == 1 else f"{n} runs"


def told_estimate(of: Estimate) -> tuple[str, str]:
    """A number with its interval, and how that is known: "312 [250, 370]", "order statistics, 93.8 %, 5 runs"."""
    if of.interval is None:
        return number(of.value), counted(of.n)
    return (
        with_bounds(of.value, of.interval.low, of.interval.high),
        f"{of.interval.method}, {percent(of.interval.level)}, {counted(of.n)}",
    )


def told_share(of: Share) -> tuple[str, str]:
    """ "7 of 8 [53 %, 98 %]", "Wilson, 95 %"."""
    bounds = f"[{100 * of.low:.0f} %, {100 * of.high:.0f} %]"
    return f"{of.count} of {of.n} {bounds}", f"{of.method}, {percent(of.level)}"


def told_waiting(of: Waiting) -> tuple[str, str]:
    """ "12,300 [9,100, –]", "Brookmeyer and Crowley, 95 %, 8 runs"; where the half of them has not come there, "not
    reached", and how early it might be behind that."""
    steps, low, high = (NONE if one is None else f"{one:,.0f}" for one in (of.steps, of.low, of.high))
    how = f"{of.method}, {percent(of.level)}, {counted(of.n)}"
    if of.steps is None:
        return "not reached", how if of.low is None else f"not before {low} by {how}"
    return f"{steps} [{low}, {high}]", how


def told_difference(of: Difference) -> tuple[str, str]:
    """ "120 [40, 200]", "Welch's t-test, 95 %, 8 and 8 runs"."""
    return with_bounds(of.difference, of.low, of.high), f"{of.method}, {percent(of.level)}, {counted(of.n)}"


def told_improvement(of: Improvement) -> tuple[str, str]:
    """ "0.94 [0.70, 0.99]", "Newcombe, 95 %, 8 and 8 runs"."""
    bounds = f"{of.probability:.2f} [{of.low:.2f}, {of.high:.2f}]"
    return bounds, f"{of.method}, {percent(of.level)}, {counted(of.n)}"


def with_method(told: tuple[str, str]) -> str:
    """Both in one line: "0.94 [0.70, 0.99] (Newcombe, 95 %, 8 and 8 runs)"."""
    return f"{told[0]} ({told[1]})"
