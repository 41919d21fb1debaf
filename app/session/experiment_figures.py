"""What has come of an experiment, read and worked out on a thread of its own: only what is new, and what follows from
it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.models.experiment_results import Results, SettingCurve, SettingResult, by_setting, tally
from app.models.run_names import environment_title
from app.session.experiment_words import caveat, in_full, of_ended, steps_to_it
from app.session.grid_curves import POINTS, GridCurves
from engine.config import RunConfig
from engine.runs.comparison.bands import band
from engine.runs.comparison.curves import Curve
from engine.runs.comparison.scores import threshold_of
from engine.runs.comparison.summaries import Summary
from engine.runs.comparison.verdicts import best_two
from engine.runs.comparison.wording import percent
from engine.runs.library import Library
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.records import ExperimentRecord
from engine.runs.sweeps.spec import Sweep
from engine.runs.sweeps.standings import Standing, standings
from engine.runtime.errors import RequestError

_SEEN, _LEAST_SEEN = 60, 5.0  # looks, and seconds, by which a pace is known


@dataclass
class Figures:
    """Those of one experiment."""

    record: ExperimentRecord
    threshold: float | None = field(init=False)
    _points: tuple[RunConfig, ...] = field(init=False)  # of each setting, where these differ in environment or budget
    _curves: GridCurves = field(init=False)
    _drawn: dict[int, SettingCurve] = field(default_factory=dict, init=False)
    _counted: dict[int, tuple[str, ...]] = field(default_factory=dict, init=False)  # runs that a line was drawn of
    _pace: Pace = field(default_factory=lambda: Pace(), init=False)
    _known: dict[int, tuple[tuple[Standing, ...], Summary]] = field(default_factory=dict, init=False)  # by point

    def __post_init__(self) -> None:
        self._points = _configurations(self.record.sweep)
        self.threshold = threshold_of(self._points or [self.record.sweep.config])
        self._curves = GridCurves(float(self.record.sweep.config.budget.environment_steps))

    def read(self, library: Library, record: ExperimentRecord, conducted: bool) -> Results:
        """All that is known by now.

        Raises:
            RunError: the library cannot be read.
        """
        self.record = record
        runs = standings(library, record.id)
        settings = tuple(self._with_numbers(one) for one in by_setting(record, runs))
        environments: dict[str, list[SettingResult]] = {}
        for one in settings:
            environments.setdefault(self._environment(one.point), []).append(one)
        summaries = {
            name: [self._known[one.point][1] for one in those if one.point in self._known]
            for name, those in environments.items()
        }
        pairs = [pair for those in summaries.values() if (pair := best_two(those)) is not None]
        fresh = {run.run for run in runs if run.number is not None and self._read(library, run)}
        for one in settings:
            self._draw(one, fresh)
        curves = tuple(self._drawn[one.point] for one in settings if one.point in self._drawn)
        said = caveat(list(environments.values()), pairs), in_full(summaries)
        of = (_final_of(settings), _curves_of(curves), *said)
        left = self._pace.left(runs, self.record.sweep.config.budget.environment_steps) if conducted else None
        return Results(
            record, settings, curves, tally(runs), *of, threshold=self.threshold, conducted=conducted, seconds_left=left
        )

    def _read(self, library: Library, run: Standing) -> bool:
        return self._curves.read(library, run.run, (run.iteration, run.environment_steps))

    def _with_numbers(self, one: SettingResult) -> SettingResult:
        """With what its runs came to, which is worked out once for the same ones."""
        budget = self._of(one.point).budget.environment_steps
        if self._known.get(one.point, (None,))[0] != one.ended:
            found = of_ended(one, budget, self.threshold)
            if found is None:
                self._known.pop(one.point, None)
            else:
                self._known[one.point] = one.ended, found
        steps = None if self.threshold is None else steps_to_it(one, budget)
        if one.point not in self._known:
            return replace(one, steps=steps)
        found = self._known[one.point][1]
        return replace(one, final=found.estimates.get("iqm"), solved=found.solved, steps=steps)

    def _of(self, point: int) -> RunConfig:
        """The configuration of a setting, as far as its environment and its budget go."""
        return self._points[point] if self._points else self.record.sweep.config

    def _environment(self, point: int) -> str:
        return environment_title(self._of(point).environment.id)

    def _draw(self, one: SettingResult, fresh: set[str]) -> None:
        counted = tuple(run.run for run in one.counted if run.number is not None)
        if not counted or (self._counted.get(one.point) == counted and fresh.isdisjoint(counted)):
            return
        self._counted[one.point] = counted
        found = band([self._curve(run) for run in counted], points=POINTS)
        level = float(np.nanmin(found.level)) if np.isfinite(found.level).any() else float("nan")
        self._drawn[one.point] = SettingCurve(
            one.point, one.title, found.x, found.value, found.low, found.high, found.n, level, found.method
        )

    def _curve(self, run: str) -> Curve:
        heights = self._curves.heights(run)
        told = np.isfinite(heights)
        return Curve(self._curves.grid[told], heights[told])


@dataclass
class Pace:
    """How fast the runs of an experiment get on, all together, over the last minute or so."""

    _seen: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SEEN))

    def left(self, runs: Sequence[Standing], budget: int) -> float | None:
        """The seconds until all that are wanted are trained; None where that cannot be told yet."""
        now, done = time.monotonic(), sum(run.environment_steps for run in runs)
        self._seen.append((now, done))
        began, before = self._seen[0]
        if now - began < _LEAST_SEEN or done <= before:
            return None
        open_ones = [run for run in runs if run.counts and not run.finished and not run.failed]
        missing = sum(max(budget - run.environment_steps, 0) for run in open_ones)
        return missing * (now - began) / (done - before)


def _final_of(settings: Sequence[SettingResult]) -> str:
    """What the final return is, with the methods of its intervals."""
    intervals = [one.final.interval for one in settings if one.final is not None and one.final.interval is not None]
    methods = " or ".join(dict.fromkeys(f"{each.method}, {percent(each.level)}" for each in intervals))
    interval = f", with its interval over these seeds ({methods})" if methods else ""
    return (
        "Final return: the mean return of the last 100 episodes of each run that has ended; of a setting the "
        f"interquartile mean of its runs{interval}."
    )


def _curves_of(curves: Sequence[SettingCurve]) -> str:
    """What lines and bands are: "median of the runs, band: its 94 % interval (order statistics)"."""
    levels = sorted({round(100 * curve.level) for curve in curves if np.isfinite(curve.level)})
    if not levels:
        return "median of the runs"
    level = f"{levels[0]}" if len(levels) == 1 else f"{levels[0]}–{levels[-1]}"
    return f"median of the runs, band: its {level} % interval ({curves[0].method})"


def _configurations(sweep: Sweep) -> tuple[RunConfig, ...]:
    """Those of all settings, where environment or budget varies; none where they are those of the sweep, or it cannot
    be trained any more."""
    settings = [setting for varied in sweep.vary for setting in varied.settings]
    paths = [*(varied.path for varied in sweep.vary), *(path for setting in settings for path in setting.set)]
    if not any(path.startswith(("environment", "budget")) for path in paths):
        return ()
    try:
        return tuple(point.config for point in planned(sweep).points)
    except RequestError:
        return ()
