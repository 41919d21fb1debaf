"""What the seeds of each setting came to together, in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from app.compare.columns import Column, threshold_among
from app.compare.compared import ComparedGroup
from app.style.format import NOTHING, percent, short_number
from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.curves import AXES, Axis, curve
from engine.runs.comparison.intervals import Estimate, estimate
from engine.runs.comparison.scores import Score, common_end, score
from engine.runs.records import Status

Told = Callable[[Score], float | None]


def group_columns(groups: Sequence[ComparedGroup], axis: Axis, statistic: Statistic) -> list[Column]:
    """A row for each; numbers are in returns, with their intervals, and how many seeds where these are not all."""
    runs = [run for group in groups for run in group.runs]
    until = common_end([curve(run.series, axis=axis) for run in runs])
    threshold = threshold_among(runs)
    scores = [[score(run.series, axis, until, threshold) for run in group.runs] for group in groups]

    def told(title: str, help: str, of: Told) -> Column:
        estimates = [_estimate(those, of, statistic) for those in scores]
        pairs = zip(estimates, scores, strict=True)
        return Column(title, help, [_cell(found, len(those)) for found, those in pairs], [False] * len(groups))

    name, shared = STATISTICS[statistic], f"{short_number(until)} {AXES[axis]}"
    of_100 = "mean returns of the last 100 episodes"
    return [
        _text("Setting", "", [group.title for group in groups]),
        _text("Seeds", "How many runs there are; those that failed count with what they came to", _seeds(groups)),
        told("Final return", f"The {name} of the seeds' {of_100}, with its interval", _final),
        told("Best return", f"The {name} of the greatest that each seed has reached of its {of_100}", _best),
        told("Area", f"The {name} of the seeds' mean heights of the curve over the first {shared}", _area),
    ]


def said_of(groups: Sequence[ComparedGroup], statistic: Statistic) -> str:
    """By which number and which intervals they are told: "Median of the seeds with its interval: 94 % of 5 by order
    statistics."."""
    intervals = {}
    for n in sorted({len(group.runs) for group in groups if len(group.runs) > 1}):
        found = estimate(np.arange(n, dtype=np.float64), statistic).interval
        if found is not None:
            intervals[n] = found
    if not intervals:
        return ""
    levels = ", ".join(f"{percent(found.level)} of {n} seeds" for n, found in intervals.items())
    name, method = STATISTICS[statistic], next(iter(intervals.values())).method
    return f"{name[:1].upper()}{name[1:]} of the seeds with its interval: {levels}, by {method}."


def _text(title: str, help: str, cells: Sequence[str]) -> Column:
    column = Column(title, help, cells)
    column.is_number = False
    return column


def _seeds(groups: Sequence[ComparedGroup]) -> list[str]:
    """ "5", "5, 1 failed, 2 train"."""
    cells = []
    for group in groups:
        statuses = [run.record.status for run in group.runs]
        counted = ((Status.FAILED, "failed"), (Status.RUNNING, "train"))
        more = [f"{statuses.count(status)} {word}" for status, word in counted if status in statuses]
        cells.append(", ".join([str(len(statuses)), *more]))
    return cells


def _final(found: Score) -> float | None:
    return found.final


def _best(found: Score) -> float | None:
    return found.best


def _area(found: Score) -> float | None:
    return found.area


def _estimate(scores: Sequence[Score], of: Told, statistic: Statistic) -> Estimate | None:
    known = [value for one in scores if (value := of(one)) is not None]
    return estimate(np.array(known), statistic) if known else None


def _cell(found: Estimate | None, seeds: int) -> str:
    """ "187 [178, 206]", with "of 4" where it is not of all."""
    if found is None:
        return NOTHING
    inside = found.interval
    said = [short_number(found.value, 4)]
    if inside is not None:
        said.append(f"[{short_number(inside.low)}, {short_number(inside.high)}]")
    if found.n != seeds:
        said.append(f"of {found.n}")
    return " ".join(said)
