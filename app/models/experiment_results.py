"""What has come of an experiment by now, setting by setting, as numbers and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.style.format import setting
from engine.config.parameters import parameters_of
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runs.sweeps.standings import Standing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.runs.comparison.intervals import Estimate
    from engine.runs.comparison.proportions import Share
    from engine.runs.comparison.survival import Waiting

    Floats = NDArray[np.float64]

_BARE = frozenset({"none", "yes", "no", "on", "off"})  # words that say nothing of what they are of


@dataclass(frozen=True)
class SettingResult:
    """One setting: what varies there, how its runs stand, and what those that have ended came to. ``title`` is what it
    is called: "α 0.01, Learned value". ``steps`` are those
    to the threshold, of which those that are still trained are known not to be there yet."""

    point: int
    values: Mapping[str, Any]
    runs: tuple[Standing, ...]
    title: str = ""
    final: Estimate | None = None
    solved: Share | None = None
    steps: Waiting | None = None

    @cached_property
    def counted(self) -> tuple[Standing, ...]:
        return tuple(run for run in self.runs if run.counts)

    @cached_property
    def finished(self) -> tuple[Standing, ...]:
        return tuple(run for run in self.counted if run.finished)

    @cached_property
    def ended(self) -> tuple[Standing, ...]:
        """Those that are finished or have failed."""
        return tuple(run for run in self.counted if run.finished or run.failed)

    @property
    def failed(self) -> int:
        return sum(run.failed for run in self.counted)

    @property
    def done_words(self) -> str:
        """ "3 of 5, 1 failed"."""
        words = f"{len(self.finished)} of {len(self.counted)}"
        at_work = sum(run.progress is Progress.TRAINING for run in self.counted)
        more = [f"{self.failed} failed" if self.failed else "", f"{at_work} training" if at_work else ""]
        return ", ".join([words, *filter(None, more)])


def title_of(values: Mapping[str, Any], symbols: Mapping[str, str]) -> str:
    """What a setting is called by what varies there; ``symbols`` stand for titles that have one."""
    words = (
        value if _stands_alone(value) else f"{symbols.get(title, title)}{':' * isinstance(value, str)} {setting(value)}"
        for title, value in values.items()
    )
    return ", ".join(words) or "as it is"


def _stands_alone(value: Any) -> bool:
    """Whether a value says of itself what it is of, as "Learned value" does and "None" does not."""
    return isinstance(value, str) and value.lower() not in _BARE


def by_setting(record: ExperimentRecord, standings: Sequence[Standing]) -> list[SettingResult]:
    """How each setting of an experiment stands, in the order of its points."""
    runs: dict[int, list[Standing]] = {}
    for each in standings:
        runs.setdefault(each.point, []).append(each)
    symbols = {one.title: one.symbol for one in parameters_of(record.sweep.config) if one.symbol}
    return [
        SettingResult(point, values, tuple(runs.get(point, ())), title_of(values, symbols))
        for point, values in enumerate(record.settings)
    ]


@dataclass(frozen=True)
class Tally:
    """How many runs of an experiment stand how."""

    total: int
    finished: int
    failed: int
    training: int
    paused: int
    stopped: int
    dropped: int

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train."""
        return self.total > 0 and self.finished + self.failed == self.total

    @property
    def words(self) -> str:
        """ "12 of 60 runs finished, 2 training, 1 failed"."""
        more = [
            f"{count} {word}"
            for count, word in (
                (self.training, "training"),
                (self.failed, "failed"),
                (self.paused, "paused"),
                (self.stopped, "stopped"),
                (self.dropped, "dropped"),
            )
            if count
        ]
        return ", ".join([f"{self.finished} of {self.total} runs finished", *more])


def about(seconds: float) -> str:
    """A span of time in words, as exactly as it can be foreseen: "about 14 min"."""
    if seconds >= 36 * 3600:
        return f"about {seconds / 86_400:.0f} days"
    if seconds >= 5400:
        return f"about {seconds / 3600:.1f} h".replace(".0 h", " h")
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {max(5 * round(seconds / 5), 5)} s"


def span(least: float, most: float) -> str:
    """From the least to the most that something takes: "4 to 9 min", "40 s to 2 min"."""
    low, high = about(least).removeprefix("about "), about(most).removeprefix("about ")
    if low == high:
        return low
    number, unit = low.rsplit(" ", 1)
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def tally(standings: Sequence[Standing]) -> Tally:
    """Of all runs that count."""
    counted = [each for each in standings if each.counts]
    of = {progress: sum(each.progress is progress for each in counted) for progress in Progress}
    return Tally(
        len(counted),
        of[Progress.FINISHED],
        of[Progress.FAILED],
        of[Progress.TRAINING],
        of[Progress.PAUSED],
        of[Progress.STOPPED],
        len(standings) - len(counted),
    )


@dataclass(frozen=True, eq=False)
class SettingCurve:
    """A setting's line over environment steps: at each of ``x`` the ``middle`` of ``n`` runs, and the band from ``low``
    to ``high``, an interval of at least ``level`` by ``method``. NaN where there is none."""

    point: int
    title: str
    x: Floats
    middle: Floats
    low: Floats
    high: Floats
    n: NDArray[np.int64]
    level: float
    method: str


@dataclass(frozen=True, eq=False)
class Results:
    """How an experiment stands. ``final_of`` and ``curves_of`` say what the final return and the curves are, with the
    method and the level of their intervals; ``caveat`` is what is to be minded when they are read, ``sentences`` say in
    full what they tell and what not.

    ``threshold`` is the mean return at which the environment counts as solved, where all settings have one in common;
    ``conducted`` says that a process trains its runs now.
    """

    record: ExperimentRecord
    settings: tuple[SettingResult, ...]
    curves: tuple[SettingCurve, ...]
    tally: Tally
    final_of: str = ""
    curves_of: str = ""
    caveat: str = ""
    sentences: tuple[str, ...] = ()
    threshold: float | None = None
    conducted: bool = False
    seconds_left: float | None = None

    @property
    def words(self) -> str:
        """How it stands: "12 of 60 runs finished, 2 training, about 14 min left"."""
        foreseen = self.seconds_left is not None and self.conducted and not self.tally.is_over
        left = f", {about(self.seconds_left or 0.0)} left" if foreseen else ""
        return f"{self.tally.words}{left}. {self._why_not}".removesuffix(" ")

    @property
    def _why_not(self) -> str:
        """Why nothing is trained, where there is something left to train."""
        if self.tally.is_over:
            return ""
        if self.record.wish is Wish.PAUSE:
            return "Paused."
        if self.record.wish is Wish.STOP:
            return "Stopped; Go on goes on from where each run was."
        return "" if self.conducted else "Nobody trains it now; Go on does, from where each run was."
