"""The runs that are compared, with what they have told: read from the library a little at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from PySide6.QtCore import QObject, QTimer

from app.compare.looks import Looks
from app.models.run_names import name_beside, names_apart
from app.models.run_style import RunStyle, style_of
from app.session.allowance import Allowance
from app.session.run_library import RunLibrary
from engine.reports.metrics import METRICS
from engine.runs.comparison.aggregates import Statistic
from engine.runs.comparison.curves import RETURN
from engine.runs.comparison.differences import Flattened, Varying, flattened, varying
from engine.runs.comparison.groups import OF_NO_SETTING, Group, groups, setting_of
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord, Status
from engine.runs.series import Series
from engine.runtime.errors import RequestError, RunError

NOT_TICKED = "No run is ticked."
_SEEDS = 3  # of one setting, from which on they stand together
_TOLD = 3  # runs that are named in one line
_FEW = 2  # differences, all of which the name of a run tells
_SLICE = 0.02  # seconds of reading, after which the window has its turn
_OFTEN, _SELDOM = 0.4, 2.0  # seconds from one look at what runs go on to tell to the next, the latter where that takes
# more than the window may take for it
_TOTALS = ("iteration", "environment_steps", "episodes", "seconds", "gradient_steps", RETURN)


_T = TypeVar("_T")


@dataclass(frozen=True)
class ComparedRun:
    """A run and the columns of its iterations that are compared; ``number`` is the library's, and so is its look.

    ``reading`` is another number whenever ``series`` has been read anew.
    """

    record: RunRecord
    name: str
    series: Series
    reading: int = 0

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def title(self) -> str:
        """What it is called where there is little room: "5 · baseline: none"."""
        return f"{self.record.number} · {self.name}"

    @property
    def style(self) -> RunStyle:
        return style_of(self.record.number)

    @property
    def counts_gradient_steps(self) -> bool:
        """Whether it is known how many it had taken when."""
        name = "gradient_steps"
        return name in self.series.columns and bool(np.isfinite(self.series[name]).any())


@dataclass(frozen=True)
class ComparedGroup:
    """Runs that are seeds of one setting, one of each; ``repeated`` are others of these seeds. ``name`` and ``style``
    tell the setting from the others."""

    name: str
    runs: tuple[ComparedRun, ...]
    style: RunStyle
    repeated: tuple[ComparedRun, ...] = ()

    @property
    def id(self) -> str:
        return self.runs[0].id

    @property
    def title(self) -> str:
        """What it is called where there is little room: "baseline: none · 5 seeds, 1 failed"."""
        count, failed = len(self.runs), sum(run.record.status is Status.FAILED for run in self.runs)
        seeds = "1 seed" if count == 1 else f"{count} seeds"
        return f"{self.name} · {seeds}" + (f", {failed} failed" if failed else "")


class Compared(QObject):
    """Follows which runs of the library are shown, and what they tell, while it is ``watched``.

    It reads a little at a time, and each of those who ``follow`` has a turn of the event loop of its own, so that none
    of many runs keeps the window from answering.
    """

    def __init__(self, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.metric = RETURN
        self.runs: tuple[ComparedRun, ...] = ()
        self.groups: tuple[ComparedGroup, ...] = ()
        self.chosen = ""  # what is to be said where they may have been chosen by the seeds that judge them
        self.differing: tuple[Varying, ...] = ()
        self.statistic: Statistic = "median"
        self._made: dict[str, Any] = {}
        self._wish: bool | None = None  # whether seeds are to stand together, where a person has said so
        self._settings: dict[tuple[str, str], str] = {}
        self._looks = Looks()
        self._points: dict[str, int] = {}  # of an experiment, by the run that is a seed of it
        self._read: dict[str, _Read] = {}
        self._readings = 0  # that have been made of all
        self._flattened: dict[str, Flattened] = {}
        self._watched = self._stale = False
        self._followers: list[Callable[[], object]] = []
        self._due: list[Callable[[], object]] = []  # those that have not heard of the latest yet
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._take_turn)
        self._allowance, self._looked = Allowance(), 0.0
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._look)
        library.changed.connect(self._look_soon)
        library.shown_changed.connect(self._look)

    @property
    def words(self) -> str:
        """Which runs are compared: "run 5: baseline: none · run 4: baseline: learned value"."""
        if self.together and len(self.groups) <= _TOLD:
            return "; ".join(group.title for group in self.groups)
        if len(self.runs) > _TOLD:
            return f"{len(self.runs)} runs beside each other"
        return " · ".join(f"run {run.record.number}: {run.name}" for run in self.runs) or NOT_TICKED

    def follow(self, tell: Callable[[], object]) -> None:
        """Have ``tell`` called when there are other runs, or they have told more."""
        self._followers.append(tell)

    def set_watched(self, watched: bool) -> None:
        self._watched = watched
        if watched:
            self._look()
        else:
            self._timer.stop()
            self._later.stop()

    def choose(self, metric: str) -> None:
        """Read this metric along with the mean return."""
        if metric != self.metric:
            self.metric = metric
            self._look()

    @property
    def together(self) -> bool:
        """Whether the seeds of a setting are one curve and one row; until a person says, where there are enough."""
        most = max((len(group.runs) for group in self.groups), default=0)
        return most >= _SEEDS if self._wish is None else self._wish

    @property
    def looks(self) -> dict[str, RunStyle]:
        """By which look each run is known where the seeds of a setting have one."""
        groups = self.groups if self.together else ()
        return {run.id: group.style for group in groups for run in (*group.runs, *group.repeated)}

    def style(self, run: ComparedRun) -> RunStyle:
        """By which look a run is known: its own, or that of its setting."""
        return self.looks.get(run.id, run.style)

    def put_together(self, together: bool) -> None:
        """Have the seeds of a setting be one curve and one row, or each run by itself."""
        before, self._wish = self.together, together
        if together != before:
            self._tell_all()

    def choose_statistic(self, statistic: Statistic) -> None:
        """Tell what several seeds come to by this number."""
        if statistic != self.statistic:
            self.statistic = statistic
            self._tell_all()

    def once(self, what: str, make: Callable[[], _T]) -> _T:
        """What is made of the groups for several who show it; it is made once for what they have told by now."""
        if what not in self._made:
            self._made[what] = make()
        found: _T = self._made[what]
        return found

    def _tell_all(self) -> None:
        self._due = list(self._followers)
        self._timer.start()

    @property
    def is_reading(self) -> bool:
        """Whether there is something that not all who follow have been told yet."""
        return self._timer.isActive()

    def _look(self) -> None:
        self._stale = True
        if self._watched:
            self._looked = time.monotonic()
            self._later.stop()
            self._timer.start()

    def _look_soon(self) -> None:
        """Look at what runs have told meanwhile, but not more often than the window has time for."""
        self._stale = True
        if self._watched and not self._later.isActive():
            every = _OFTEN if self._allowance.is_left() else _SELDOM
            self._later.start(max(round(1000 * (self._looked + every - time.monotonic())), 0))

    def _take_turn(self) -> None:
        if self._due:
            self._due.pop(0)()
        elif self._stale:
            self._read_on()
        if not self._due and not self._stale:
            self._timer.stop()

    def _read_on(self) -> None:
        """Read what is missing, as far as the time goes; tell of all once nothing is."""
        began, library = time.monotonic(), self.library.library
        records = [record for run in self.library.shown if (record := self.library.record(run)) is not None]
        for record in records:
            mark = record.reached.iteration, record.reached.seconds, self.metric
            known = self._read.get(record.id)
            if library is not None and (known is None or known.mark != mark):
                if time.monotonic() - began > _SLICE:
                    return
                self._readings += 1
                series = _more(library, record.id, self.metric, known)
                self._read[record.id] = _Read(mark, series, self._readings)
            if record.id not in self._flattened:
                self._flattened[record.id] = _flattened(record)
        self._stale = False
        self._tell(records)

    def _tell(self, records: Sequence[RunRecord]) -> None:
        self._read = {record.id: self._read[record.id] for record in records if record.id in self._read}
        self._flattened = {record.id: self._flattened[record.id] for record in records}
        there = [record for record in records if record.id in self._read]
        differing = varying([(self._flattened[record.id], record.changes) for record in there])
        beside = names_apart(there, differing)
        found = groups(there, self._setting)
        settings = self._names_of(found)
        if len(differing) > _FEW and len(found) > 1:  # of a run all is told by the name of its setting and its seed
            of_setting = ((record, name) for group, name in zip(found, settings, strict=True) for record in group.runs)
            told = {record.id: f"{name} · seed {record.seed}" for record, name in of_setting if not record.label.title}
            beside |= told
        runs = tuple(
            ComparedRun(
                record,
                beside.get(record.id) or self.library.name(record),
                self._read[record.id].series,
                self._read[record.id].reading,
            )
            for record in there
        )
        if [_told(run) for run in runs] != [_told(run) for run in self.runs]:
            others = {run.id for run in runs} != {run.id for run in self.runs}
            if others:
                self._points = self._points_of([run.id for run in runs])
            self.runs, self.differing = runs, tuple(differing)
            self.groups = self._grouped(runs, found, settings)
            self.chosen = self._chosen() if others else self.chosen
            self._made.clear()
            self._due = list(self._followers)

    def _points_of(self, runs: Sequence[str]) -> dict[str, int]:
        """Which points of experiments these are seeds of."""
        from engine.runs.sweeps.experiments import Experiments

        library = self.library.library
        try:
            return {} if library is None else Experiments(library).points(runs)
        except (RequestError, RunError):  # of which the window is told by whoever shows experiments
            return {}

    def _chosen(self) -> str:
        from engine.runs.selection import Judged, chosen

        library = self.library.library
        judged = [Judged(group.name, [run.record for run in group.runs]) for group in self.groups]
        try:
            return "" if library is None else " ".join(chosen(library, judged))
        except (RequestError, RunError):  # of which the window is told by whoever shows experiments
            return ""

    def _names_of(self, found: Sequence[Group]) -> list[str]:
        """What each setting is called among the others."""
        first = [self._without_name(group) for group in found]
        flat = [(self._flattened[record.id], record.changes) for record in first]
        names = names_apart(first, [one for one in varying(flat) if one.path not in OF_NO_SETTING])
        return [names.get(record.id) or name_beside(record, None) for record in first]

    def _grouped(
        self, runs: Sequence[ComparedRun], found: Sequence[Group], names: Sequence[str]
    ) -> tuple[ComparedGroup, ...]:
        by_id = {run.id: run for run in runs}
        several = {self._setting(group.runs[0]): group.runs[0] for group in found if len(group.runs) > 1}
        wanted = {setting: self._points.get(first.id, first.number) for setting, first in several.items()}
        looks = self._looks.of(wanted, [style_of(group.runs[0].number) for group in found if len(group.runs) == 1])
        return tuple(
            ComparedGroup(
                name,
                tuple(by_id[run.id] for run in group.runs),
                looks.get(self._setting(group.runs[0])) or style_of(group.runs[0].number),
                tuple(by_id[run.id] for run in group.repeated),
            )
            for name, group in zip(names, found, strict=True)
        )

    def _without_name(self, group: Group) -> RunRecord:
        """The first run of a group, whose own name is not that of several."""
        first = group.runs[0]
        return first if len(group.runs) == 1 else replace(first, label=replace(first.label, title=""))

    def _setting(self, record: RunRecord) -> str:
        key = record.id, str(record.changes)
        if key not in self._settings:
            self._settings[key] = setting_of(record)
        return self._settings[key]


@dataclass(frozen=True)
class _Read:
    """What was read of a run when it stood at ``mark``: its iteration, its seconds, and which metric was wanted."""

    mark: tuple[int, float, str]
    series: Series
    reading: int


def _told(run: ComparedRun) -> tuple[object, ...]:
    """What a run is told from itself by at another time."""
    return run.record, run.name, run.reading


def _more(library: Library, run: str, metric: str, known: _Read | None) -> Series:
    """What a run has told, of which only what is new is read, unless it has gone back to tell otherwise."""
    import numpy as np

    if known is not None and known.mark[2] == metric and len(known.series):
        new = _columns(library, run, metric, since=len(known.series) - 1)
        if new.columns == known.series.columns and np.array_equal(new.rows[:1], known.series.rows[-1:], equal_nan=True):
            return Series(new.columns, np.concatenate([known.series.rows, new.rows[1:]]))
    return _columns(library, run, metric)


def _columns(library: Library, run: str, metric: str, since: int = 0) -> Series:
    """The few that are compared: all would take much memory where runs are many."""
    try:
        series = library.series(run, ITERATIONS, since)
    except RunError:  # of which the window is told by whoever reads the library's runs
        return _nothing()
    kept = [name for name in dict.fromkeys((*_TOTALS, metric)) if name in series.columns]
    return Series(tuple(kept), series.rows[:, [series.columns.index(name) for name in kept]])


def _nothing() -> Series:
    import numpy as np

    return Series((), np.empty((0, 0)))


def _flattened(record: RunRecord) -> Flattened:
    """Its configuration; of one that this version of the program cannot read, nothing."""
    try:
        return flattened(record.config)
    except RequestError:
        return {}


def offered(runs: Sequence[ComparedRun]) -> list[str]:
    """The metrics of which these runs may have curves: what every method reports, and what theirs do."""
    from engine.catalogue.methods.reported import diagnosed

    found = {RETURN, "mean_length"}
    for run in runs:
        try:
            found.update(diagnosed(run.record.config))
        except RequestError:
            continue
    return [name for name in METRICS if name in found]
