"""What ``main.py compare`` says of settings: the seeds of each as one row, and what can be said of which is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from engine.commands.shown import NONE
from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.differences import flattened, varying
from engine.runs.comparison.groups import OF_NO_SETTING, Group, groups, setting_of
from engine.runs.comparison.pairs import Improvement, mean_improvement, probability_of_improvement
from engine.runs.comparison.scores import reached, threshold_of
from engine.runs.comparison.summaries import Outcome, Summary, outcome, summary
from engine.runs.comparison.verdicts import Verdict, best_two, caveats
from engine.runs.comparison.wording import (
    counted,
    told_estimate,
    told_improvement,
    told_share,
    told_waiting,
    with_method,
)
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord
from engine.runs.selection import Judged, chosen
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.files import named, shipped
from engine.runs.sweeps.plan import fingerprint
from engine.runs.sweeps.records import ExperimentRecord, Wish
from engine.runs.sweeps.standings import Standing, standings
from engine.runtime.errors import RequestError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A setting: what is shown of it by title, those of its runs that the library has, of so many ``wanted``, and what
    they come to, None where none has begun. ``over_first`` is the probability that a run of it is better than one of
    the first setting of the same environment."""

    settings: Mapping[str, Any]
    runs: tuple[RunRecord, ...]
    wanted: int
    threshold: float | None
    summary: Summary | None = None
    over_first: Improvement | None = None

    @property
    def environment(self) -> str:
        return self.runs[0].environment if self.runs else ""

    @property
    def name(self) -> str:
        return _called(self.settings) or (f"run {self.runs[0].number}" if len(self.runs) == 1 else "all runs")


@dataclass(frozen=True)
class Settings:
    """The rows, for each environment what can be said of its two settings, or of the best two of more, and what is to
    be known beside."""

    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def of_runs(library: Library, runs: Sequence[RunRecord], threshold: float | None) -> Settings:
    """These runs, by the settings that they are seeds of.

    Raises:
        RunError: the library cannot be read.
    """
    found = groups(runs)
    rows = []
    for settings, group in zip(_settings(found), found, strict=True):
        row = _with_threshold(Row(settings, group.runs, len(group.runs), threshold))
        rows.append(_summed(row, [outcome(r, library.series(r.id, ITERATIONS), row.threshold) for r in group.runs]))
    repeated = [run for group in found for run in group.repeated]
    notes = [
        f"Run {run.number} repeats the seed of another one of its setting, and does not count." for run in repeated
    ]
    return _judged(library, rows, notes)


def of_experiment(library: Library, experiment: ExperimentRecord, threshold: float | None) -> Settings:
    """An experiment, point by point. One of its runs that failed counts as failed also where it was never recorded;
    those that were dropped do not count, and are told of.

    Raises:
        RunError: the library cannot be read.
    """
    there, by_point = {run.id: run for run in library.runs()}, dict[int, list[Standing]]()
    for each in standings(library, experiment.id):
        if each.counts:
            by_point.setdefault(each.point, []).append(each)
    rows = []
    for point, settings in enumerate(experiment.settings):
        asked = by_point.get(point, [])
        runs = tuple(there[each.run] for each in asked if each.run in there)
        row = _with_threshold(Row(settings, runs, len(asked), threshold))
        budget = max((run.budget for run in runs), default=0)
        outcomes = [
            each.outcome(budget) if threshold is None else _by_series(library, there.get(each.run), each, threshold)
            for each in asked
            if each.failed or each.run in there
        ]
        rows.append(_summed(row, outcomes))
    dropped = sum(run.wish is Wish.DROP for run in experiment.runs)
    notes = [f"{counted(dropped)} of this experiment {'was' if dropped == 1 else 'were'} dropped, and not counted."]
    return _judged(library, rows, notes if dropped else [])


def experiment_called(library: Library, name: str) -> ExperimentRecord:
    """By its number or title, or by the file or the shipped name of its sweep.

    Raises:
        RequestError: there is none, or it was not begun in this library.
    """
    experiments = Experiments(library)
    if name in shipped() or name.endswith(".toml") or Path(name).is_file():
        sweep = named(name)
        with suppress(RequestError):
            return experiments.get(fingerprint(sweep))
        raise RequestError(f"The sweep {name} was not begun in this library; `sweep {name}` begins it.")
    try:
        return experiments.find(name)
    except RequestError as error:
        why = str(error)
    with suppress(RequestError):
        library.find(name)
        why = "Name at least one more run."
    raise RequestError(f"It takes two runs to compare, or one experiment. {why}")


# --- rows -------------------------------------------------------------------------------------------------------------


def _with_threshold(row: Row) -> Row:
    """By that of its environment, where none was asked for."""
    known = row.threshold if row.threshold is not None or not row.runs else threshold_of([row.runs[0].config])
    return replace(row, threshold=known)


def _by_series(library: Library, run: RunRecord | None, standing: Standing, threshold: float) -> Outcome:
    """By another threshold than that of its environment, which was not looked for while the run trained."""
    told = standing.outcome(run.budget if run is not None else 0)
    there = None if run is None else reached(library.series(run.id, ITERATIONS), threshold)
    return replace(told, reached=there[0] if there is not None else None)


def _summed(row: Row, outcomes: Sequence[Outcome]) -> Row:
    return replace(row, summary=summary(row.name, outcomes, row.threshold) if outcomes else None)


def _settings(found: Sequence[Group]) -> list[dict[str, Any]]:
    """What is not alike in these groups, by title."""
    firsts = [group.runs[0] for group in found]
    differs = varying([(flattened(run.config), run.changes) for run in firsts])
    shown = [one for one in differs if one.path not in OF_NO_SETTING]
    return [
        {one.title: " → ".join(map(text_of, one.values[index])) for one in shown if one.values[index]}
        for index in range(len(firsts))
    ]


def text_of(value: Any) -> str:
    """A parameter's value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return " × ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


# --- what can be said -------------------------------------------------------------------------------------------------


def _judged(library: Library, rows: Sequence[Row], notes: Sequence[str]) -> Settings:
    """Rows beside the first of their environment, and the two of each environment that came to most by interquartile
    mean, as in the window, beside each other."""
    firsts: dict[str, Row] = {}
    for row in rows:
        firsts.setdefault(row.environment, row)
    beside = tuple(_beside(row, firsts[row.environment]) for row in rows)
    there = [[one.summary for one in rows if one.environment == each and one.summary is not None] for each in firsts]
    verdicts = tuple(found for summaries in there if (found := best_two(summaries)) is not None)
    flagged = chosen(library, [Judged(row.name, row.runs) for row in rows])
    minded = dict.fromkeys(sentence for summaries in there for sentence in caveats(summaries))
    return Settings(beside, verdicts, (*_over_environments(rows), *flagged, *minded, *notes))


def _has_scores(row: Row) -> bool:
    return row.summary is not None and len(row.summary.scores) > 0


def _beside(row: Row, first: Row) -> Row:
    one, other = row.summary, first.summary
    if row is first or one is None or other is None or not (_has_scores(row) and _has_scores(first)):
        return row
    return replace(row, over_first=probability_of_improvement(one.scores, other.scores))


def _over_environments(rows: Sequence[Row]) -> list[str]:
    """Of settings that were trained in the same several environments, how likely each is better than the first, over
    all of these: scores of different environments are of different scales, probabilities are not."""
    by_rest: dict[str, dict[str, Row]] = {}
    for row in rows:
        if _has_scores(row):
            anywhere = replace(row.runs[0], configuration={**row.runs[0].configuration, "environment": {"id": ""}})
            by_rest.setdefault(setting_of(anywhere), {})[row.environment] = row
    said = []
    first: dict[str, Row] = {}
    for other in by_rest.values():
        first = first or other
        shared = [environment for environment in first if environment in other]
        if other is first or len(shared) < 2:
            continue
        over = mean_improvement([(_scores(other[each]), _scores(first[each])) for each in shared])
        names = [_called(_common(one, shared)) for one in (other, first)]
        probability = with_method(told_improvement(over))
        said.append(
            f"Over {len(shared)} environments, a run of ‘{names[0]}’ is better than one of ‘{names[1]}’ with "
            f"probability {probability}."
        )
    return said


def _scores(row: Row) -> Floats:
    return row.summary.scores if row.summary is not None else np.empty(0)


def _common(rows: Mapping[str, Row], environments: Sequence[str]) -> dict[str, Any]:
    """What these rows have alike of what is shown."""
    first, *others = (rows[each].settings for each in environments)
    return {title: value for title, value in first.items() if all(one.get(title) == value for one in others)}


def _called(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{title} {text_of(value)}" for title, value in settings.items())


# --- written ----------------------------------------------------------------------------------------------------------


def as_data(found: Settings) -> dict[str, Any]:
    """What is known, as JSON can say it."""
    return {
        "settings": [_row_data(row) for row in found.rows],
        "verdicts": [asdict(one) for one in found.verdicts],
        "notes": list(found.notes),
    }


def _row_data(row: Row) -> dict[str, Any]:
    known = row.summary
    data: dict[str, Any] = {
        "name": row.name,
        "settings": dict(row.settings),
        "environment": row.environment,
        "runs": [run.number for run in row.runs],
        "wanted": row.wanted,
        "threshold": row.threshold,
    }
    if known is not None:
        data |= {
            "scores": known.scores.tolist(),
            "failed": known.failed,
            "unfinished": known.unfinished,
            "unscored": known.unscored,
            "estimates": {statistic: asdict(one) for statistic, one in known.estimates.items()},
            "solved": known.solved and asdict(known.solved),
            "steps": known.steps and asdict(known.steps),
            "over_first": row.over_first and asdict(row.over_first),
        }
    return data


def table(found: Settings, statistic: Statistic) -> Table:
    """One row for each setting, told by the mean returns at the end of its runs; method, level and n stand below each
    interval."""
    thresholds = {row.threshold for row in found.rows} - {None}
    limit = f"{thresholds.copy().pop():g}" if len(thresholds) == 1 else "the threshold"
    titles = ["setting", "runs", f"{STATISTICS[statistic]} at the end"]
    titles += [f"reached {limit}", f"median steps to {limit}"] if thresholds else []
    titles += ["better than the first"] if any(row.over_first for row in found.rows) else []
    made = Table(box=None, pad_edge=False)
    for title in titles:
        widest = max(map(len, title.split()))
        made.add_column(title, min_width=widest, justify="right" if title == "runs" else "left")
    for row in found.rows:
        begun = len(row.runs)
        cells = [row.name, str(begun) if begun == row.wanted else f"{begun} of {row.wanted}"]
        one = row.summary
        told = [told_estimate(one.estimates[statistic]) if one is not None and one.estimates else None]
        if thresholds:
            told.append(told_share(one.solved) if one is not None and one.solved else None)
            told.append(told_waiting(one.steps) if one is not None and one.steps else None)
        told.append(told_improvement(row.over_first) if row.over_first else None)
        cells += [NONE if each is None else "\n".join(each) for each in told]
        made.add_row(*map(escape, cells[: len(made.columns)]))
    return made
