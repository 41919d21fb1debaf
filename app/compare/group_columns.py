"""What the seeds of each setting came to together, in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from app.compare.caveats import of_one_environment
from app.compare.columns import Column, threshold_among
from app.compare.compared import Compared
from app.style.format import NOTHING, minus, short_number
from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.curves import AXES, Axis, curve
from engine.runs.comparison.intervals import Estimate, estimate
from engine.runs.comparison.pairs import probability_of_improvement, welch
from engine.runs.comparison.scores import common_end, score
from engine.runs.comparison.summaries import Summary, outcome, summary
from engine.runs.comparison.verdicts import Verdict, verdict
from engine.runs.comparison.wording import (
    told_difference,
    told_estimate,
    told_improvement,
    told_share,
    told_waiting,
    with_method,
)

_T = TypeVar("_T")
_PAIR = 2


def summed_up(compared: Compared, threshold: float | None = None) -> list[Summary]:
    """What each group came to; the ``threshold`` is that of the one environment of all where none is given."""
    level = threshold_among(compared.runs) if threshold is None else threshold

    def make() -> list[Summary]:
        return [
            summary(group.name, [outcome(run.record, run.series, level) for run in group.runs], level)
            for group in compared.groups
        ]

    return compared.once(f"summaries {level}", make)


def verdicts(compared: Compared) -> list[Verdict]:
    """Each group but the first against that, where their returns are of one scale."""
    if not of_one_environment(compared.runs):
        return []
    first, *others = summed_up(compared)
    return compared.once("verdicts", lambda: [verdict(other, first) for other in others])


def group_columns(compared: Compared, axis: Axis) -> list[Column]:
    """A row for each group; every number with its interval, and by which method that is as its tip."""
    groups, statistic = compared.groups, compared.statistic
    runs = [run for group in groups for run in group.runs]
    until = common_end([curve(run.series, axis=axis) for run in runs])
    found = summed_up(compared)
    scores = [[score(run.series, axis, until, None) for run in group.runs] for group in groups]
    best = [_estimate([each.best for each in those], statistic) for those in scores]
    area = [_estimate([each.area for each in those], statistic) for those in scores]
    name, shared = STATISTICS[statistic], f"{short_number(until)} {AXES[axis]}"
    of_100 = "mean returns of the last 100 episodes"
    columns = [
        _text("Setting", "", [group.name for group in groups]),
        _text("Seeds", "How many runs there are; those that failed count with what they came to", _seeds(found)),
        _told(
            "Final return",
            f"The {name} of the seeds' {of_100}, with its interval",
            [each.estimates.get(statistic) for each in found],
            told_estimate,
        ),
        _told(
            "Best return", f"The {name} of the greatest that each seed has reached of its {of_100}", best, told_estimate
        ),
        _told(
            "Area", f"The {name} of the seeds' mean heights of the curve over the first {shared}", area, told_estimate
        ),
    ]
    threshold = threshold_among(runs)
    if threshold is not None:
        level = short_number(threshold, 4)
        columns += [
            _told(f"Reached {level}", "How many seeds solved it", [each.solved for each in found], told_share),
            _told(
                f"Steps to {level}",
                "The median of environment steps until it was solved. A seed that did not get there counts for as long "
                "as it was watched.",
                [each.steps for each in found],
                told_waiting,
            ),
        ]
    return [*columns, *(_against(found) if of_one_environment(runs) else ())]


def _against(found: Sequence[Summary]) -> list[Column]:
    """How each is beside the first."""
    first, *others = (each.scores for each in found)
    pairs = [(each, first) if len(each) and len(first) else None for each in others]
    if not pairs:
        return []
    return [
        _told(
            "Better than the first",
            "The probability that a run of this setting ends higher than one of the first, with its interval",
            [None, *(None if pair is None else probability_of_improvement(*pair) for pair in pairs)],
            told_improvement,
        ),
        _told(
            "Above the first",
            "By how much the mean final return is above that of the first, with its interval, by Welch's test; p is of "
            "this comparison by itself",
            [None, *(None if pair is None else welch(*pair) for pair in pairs)],
            lambda each: (f"{told_difference(each)[0]}, {_chance(each.p)}", told_difference(each)[1]),
        ),
    ]


def _chance(p: float) -> str:
    """ "p = 0.032", or "p < 0.001", below which nothing is to be read from how far."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def said_of(compared: Compared) -> str:
    """By which number and which intervals they are told: "Median with its interval: order statistics, 93.8 %, 5 runs";
    and of two settings what that settles, which of more is a page of its own."""
    statistic = compared.statistic
    told = dict.fromkeys(
        told_estimate(each.estimates[statistic])[1]
        for each in summed_up(compared)
        if statistic in each.estimates and each.n > 1
    )
    name = STATISTICS[statistic]
    said = [f"{name[:1].upper()}{name[1:]} with its interval: {'; '.join(told)}."] if told else []
    if len(compared.groups) == _PAIR:
        said += [sentence for each in verdicts(compared) for sentence in each.sentences]
    return " ".join([compared.chosen, *said] if compared.chosen else said)


def _text(title: str, help: str, cells: Sequence[str]) -> Column:
    column = Column(title, help, cells)
    column.is_number = False
    return column


def _told(title: str, help: str, found: Sequence[_T | None], words: Callable[[_T], tuple[str, str]]) -> Column:
    """Numbers in the engine's words, each with how it is known as its tip."""
    told = [None if each is None else words(each) for each in found]
    cells = [NOTHING if each is None else minus(each[0]) for each in told]
    column = Column(title, help, cells, [False] * len(told))
    column.tips = [NOTHING if each is None else with_method(each) for each in told]
    return column


def _seeds(summaries: Sequence[Summary]) -> list[str]:
    """ "5", "5, 1 failed, 2 unfinished"."""
    cells = []
    for one in summaries:
        counted = ((one.failed, "failed"), (one.unfinished, "unfinished"))
        cells.append(", ".join([str(one.n), *(f"{count} {word}" for count, word in counted if count)]))
    return cells


def _estimate(values: Sequence[float | None], statistic: Statistic) -> Estimate | None:
    known = [value for value in values if value is not None]
    return estimate(np.array(known), statistic) if known else None
