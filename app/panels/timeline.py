"""What all plots over time share: their axis, what happened on the way, and an earlier run behind the present one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.models.axis_choice import XAxis
from app.models.history import History
from app.models.past import Instant
from app.models.run_names import told_apart
from app.models.runs import Run, difference_made
from app.plotting.axes import settled_end
from app.plotting.export import Column
from app.plotting.labels import Moment
from app.plotting.marks import Numbers
from app.plotting.traces import Trace
from app.style.format import duration, short_number
from app.style.theme import Theme
from engine.config import RunConfig
from engine.reports.events import Change, Solved

X_TITLES: dict[XAxis, str] = {
    "environment_steps": "environment steps",
    "episodes": "episodes",
    "seconds": "seconds of training",
}
_BUDGET = "budget.environment_steps"
_FORESEEABLE = 20_000_000  # environment steps; the end of a longer run is too far off to be shown from its start


def x_end(current: float | None, history: History, axis: XAxis, config: RunConfig) -> float:
    """Where the axis of a run of ``config`` ends: at its budget, so that it stands still from the start to the end.

    What has no such end known beforehand grows rarely, from ``current`` on.
    """
    last = history.last_x(axis)
    budget = next(
        (int(change.new) for change in reversed(history.changes) if change.path == _BUDGET),
        config.budget.environment_steps,
    )
    if axis == "environment_steps" and budget <= _FORESEEABLE:
        return max(float(budget), last)
    return settled_end(current, last)


def x_words(axis: XAxis, value: float) -> str:
    """A place on the axis as words: "at 61,200 environment steps"."""
    return f"after {value:.1f} s of training" if axis == "seconds" else f"at {value:,.0f} {X_TITLES[axis]}"


def x_at(history: History, axis: XAxis, steps: Numbers) -> Numbers:
    """The places on the axis after so many environment ``steps``."""
    if axis == "environment_steps" or not history.iterations:
        return steps
    known = np.append(history.steps.values, history.last_x("environment_steps"))
    column = history.episodes if axis == "episodes" else history.seconds
    there: Numbers = np.interp(
        steps, np.append(0.0, known), np.concatenate([[0.0], column.values, [history.last_x(axis)]])
    )
    return there


def cursor(instant: Instant | None, history: History, axis: XAxis, theme: Theme) -> list[Moment]:
    """Where an instant that is looked back at is; nothing where that is now."""
    if instant is None:
        return []
    x = x_at(history, axis, np.array([float(instant.at.environment_steps)]))
    return [Moment(float(x[0]), f"iteration {instant.at.iteration:,}", theme.text)]


def moments(history: History, axis: XAxis, config: RunConfig, theme: Theme) -> list[Moment]:
    """What happened on the way: every change of a parameter, and the environment's being solved."""
    marked = _changes(history.changes, axis, config, theme) if history.changes else []
    if history.solved is not None:
        marked.append(_solved(history.solved, axis, theme))
    return marked


def _changes(changes: Iterable[Change], axis: XAxis, config: RunConfig, theme: Theme) -> list[Moment]:
    texts: dict[float, list[str]] = {}
    for change in changes:
        texts.setdefault(float(getattr(change, axis)), []).append(difference_made(change, config).text)
    return [Moment(x, ", ".join(words), theme.marker, dashed=True, shape="diamond") for x, words in texts.items()]


def _solved(solved: Solved, axis: XAxis, theme: Theme) -> Moment:
    took = f"{solved.seconds:.1f} s" if solved.seconds < 60 else duration(solved.seconds)
    text = f"solved at {short_number(solved.environment_steps)} steps, {took}"
    return Moment(float(getattr(solved, axis)), text, theme.threshold, shape="star")


def curve(trace: Trace, history: History, metric: str, axis: XAxis) -> tuple[Numbers, Numbers]:
    """``metric`` over ``axis``, brought up to date with ``history`` and thinned by ``trace``, without NaN."""
    trace.update(history.metrics[metric].values, history.provisional(metric))
    means = trace.means
    known = np.isfinite(means)
    return history.iteration_x_at(axis, trace.middles[known]), means[known]


def ghost_name(ghost: Run, config: RunConfig) -> str:
    """An earlier run in few words, with what it had otherwise than ``config``: "run 1 · α 0.01"."""
    return " · ".join([f"run {ghost.number}", *told_apart(config, ghost.config)])


def iterations_table(run: str, history: History) -> dict[str, Column]:
    """The columns with which the table of any metric over time begins."""
    count = len(history.steps)
    return {
        "run": [run] * count,
        "environment steps": history.steps.values,
        "episodes": history.episodes.values,
        "training time (s)": history.seconds.values,
    }
