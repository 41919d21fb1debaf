"""What ``main.py compare`` writes: the tables of Compare mode, of runs and of the settings that they are seeds of."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.commands import compare_settings
from engine.commands.compare_settings import Settings, text_of
from engine.commands.output import to_stdout, writes_all
from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.curves import AXES, Axis, curve
from engine.runs.comparison.differences import Varying, flattened, varying
from engine.runs.comparison.scores import Score, common_end, score, threshold_of
from engine.runs.library import ITERATIONS, Library
from engine.runs.place import library_folder
from engine.runs.policy_differences import difference_between
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with torch
    from engine.analysis.policy_difference import PolicyDifference

_NONE = "–"


@dataclass(frozen=True)
class Compared:
    """Runs beside each other: ``scores`` are over ``axis`` as far as all go, which is ``until``."""

    runs: list[RunRecord]
    differs: list[Varying]
    scores: list[Score]
    axis: Axis
    until: float
    threshold: float | None
    difference: PolicyDifference | None = None  # of the second run's policy from the first one's, where it is known
    no_difference: str = ""  # why it is not


@dataclass(frozen=True)
class Asked:
    """How runs are to be compared; the ``threshold`` is that of their environment where it is None."""

    axis: str = "environment_steps"
    threshold: float | None = None
    statistic: str = "median"


def compared(library: Library, names: Sequence[str], axis: str, threshold: float | None = None) -> Compared:
    """The runs of these names; the ``threshold`` is that of their environment where none is given.

    Raises:
        RequestError: there is no such run, or no such axis, or only one run.
    """
    if axis not in get_args(Axis):
        raise RequestError(f"Runs are not compared over {axis}, but over {', '.join(get_args(Axis))}.")
    runs = list({run.id: run for run in map(library.find, names)}.values())
    if len(runs) < 2:
        raise RequestError("It takes two runs to compare; name at least one more.")
    over: Axis = axis  # type: ignore[assignment]
    if threshold is None:
        threshold = threshold_of([run.config for run in runs])
    series = [library.series(run.id, ITERATIONS) for run in runs]
    until = common_end([curve(one, axis=over) for one in series])
    scores = [score(one, over, until, threshold) for one in series]
    differs = varying([(flattened(run.config), run.changes) for run in runs])
    return Compared(runs, differs, scores, over, until, threshold)


def print_comparison(names: Sequence[str], asked: Asked, as_json: bool, library: Path | None) -> None:
    """Write what two runs or more, or the settings of one experiment, came to, for people or as JSON.

    Raises:
        RequestError: there is no such run or experiment, no such axis or statistic, or only one run.
        RunError: the library cannot be read, or the table cannot be written.
    """
    if asked.statistic not in STATISTICS:
        raise RequestError(f"There is no statistic {asked.statistic}; there is {', '.join(STATISTICS)}.")
    statistic: Statistic = asked.statistic
    shown: list[Any] = []
    with Library(library_folder(library)) as opened:
        if len(names) == 1:
            experiment = compare_settings.experiment_called(opened, names[0])
            settings = compare_settings.of_experiment(opened, experiment, asked.threshold)
            about = {"number": experiment.number, "title": experiment.title, "shows": experiment.sweep.shows}
            data: dict[str, Any] = {"experiment": about}
            shown += [escape(f"Experiment {experiment.number}: {experiment.title}. {experiment.sweep.shows}".strip())]
        else:
            found = _with_difference(opened, compared(opened, names, asked.axis, asked.threshold))
            settings = compare_settings.of_runs(opened, found.runs, asked.threshold)
            data = as_data(found)
            shown.append(_table(found))
            if found.difference is not None:
                shown += ["", escape(found.difference.sentence)]
    if len(names) == 1 or any(len(row.runs) > 1 for row in settings.rows):
        shown += ["", compare_settings.table(settings, statistic)]
    shown += _said(settings)
    if sys.stdout is None:
        raise RunError("There is nowhere to write the table to, for the output is closed.")
    with to_stdout():
        if as_json:
            text = json.dumps(
                data | compare_settings.as_data(settings), indent=2, ensure_ascii=not writes_all(sys.stdout)
            )
            sys.stdout.write(text + "\n")
        else:
            for each in shown:
                Console().print(each, highlight=False)


def _said(settings: Settings) -> list[str]:
    """What can be said of settings, a paragraph each."""
    sentences = [*(" ".join(one.sentences) for one in settings.verdicts), *settings.notes]
    return [line for sentence in sentences for line in ("", escape(sentence))]


def _with_difference(library: Library, found: Compared) -> Compared:
    """What the second of two runs gains over the first, where the process is known."""
    if len(found.runs) != 2:
        return replace(found, no_difference="It is that of two runs.")
    old, new = found.runs
    try:
        return replace(found, difference=difference_between(library, (old, None), (new, None)))
    except RequestError as error:
        return replace(found, no_difference=str(error))


def as_data(found: Compared) -> dict[str, Any]:
    """What is known, as JSON can say it."""
    return {
        "axis": found.axis,
        "until": found.until,
        "threshold": found.threshold,
        "runs": [
            {
                "id": run.id,
                "number": run.number,
                "title": run.label.title,
                "environment": run.environment,
                **({"bug": run.configuration["bug"]} if run.mark else {}),
                "differs": {one.path: list(one.values[index]) for one in found.differs},
                **asdict(score),
            }
            for index, (run, score) in enumerate(zip(found.runs, found.scores, strict=True))
        ],
        "performance_difference": (
            {"unknown": found.no_difference} if found.difference is None else found.difference.as_data()
        ),
    }


def _table(found: Compared) -> Table:
    """One column for each run: there may be many rows, and names are short."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for run in found.runs:
        table.add_column(
            escape(" ".join(filter(None, (run.label.title or f"run {run.number}", run.mark)))),
            justify="right",
            overflow="fold",
        )
    for one in found.differs:
        told = [" → ".join(map(text_of, values)) or _NONE for values in one.values]
        table.add_row(escape(one.title), *map(escape, told))
    table.add_section()
    until = f"{found.until:,.0f} {AXES[found.axis]}"
    rows: list[tuple[str, list[str]]] = [
        ("final mean return", [_number(score.final) for score in found.scores]),
        ("best mean return", [_number(score.best) for score in found.scores]),
        (f"mean over {until}", [_number(score.area) for score in found.scores]),
    ]
    if found.threshold is not None:
        rows += [
            (f"steps to {found.threshold:g}", [_NONE if s.steps is None else f"{s.steps:,}" for s in found.scores]),
            (
                f"seconds to {found.threshold:g}",
                [_NONE if s.seconds is None else f"{s.seconds:.1f}" for s in found.scores],
            ),
        ]
    for title, cells in rows:
        table.add_row(title, *cells)
    return table


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4g}"
