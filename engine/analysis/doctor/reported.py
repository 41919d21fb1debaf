"""What a run has reported, as the doctor reads it: plain arrays, whether the run trains, has ended, or was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, PlanningConfig, RunConfig

Floats = NDArray[Any]

RECENT = 100  # episodes, of which the mean return is reported
FIRST = 20  # episodes by which the policy that a run began with is known, at least
_THIRD = 0.34  # of the steps, of which the end of a run is judged
NONE: Floats = np.empty(0)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Other:
    """Another run that is drawn beside this one: its configuration and the returns of its last episodes."""

    config: RunConfig
    returns: Floats


@dataclass(frozen=True)
class Reported:
    """All that the rules may look at.

    Iterations: ``steps`` [I] are environment steps at the end of each, ``seconds`` [I] those of training, and
    ``metrics[name]`` [I] what it reported, NaN where that is not defined. After each ``fine`` of them, one is the mean
    of twice as many as before; where that is 0, each is one.
    Episodes: ``returns`` [E], undiscounted and raw, and ``ends`` [E], the run's environment steps when each ended.
    ``others`` are runs in the same environment that are drawn beside it.
    """

    config: RunConfig
    environment: EnvironmentInfo
    steps: Floats = field(default_factory=lambda: NONE)
    seconds: Floats = field(default_factory=lambda: NONE)
    metrics: Mapping[str, Floats] = field(default_factory=dict)
    returns: Floats = field(default_factory=lambda: NONE)
    ends: Floats = field(default_factory=lambda: NONE)
    others: tuple[Other, ...] = ()
    fine: int = 0

    def until(self, steps: float) -> Reported:
        """What was known once so many environment steps had been taken."""
        iterations, episodes = np.searchsorted(self.steps, steps, "right"), np.searchsorted(self.ends, steps, "right")
        return replace(
            self,
            steps=self.steps[:iterations],
            seconds=self.seconds[:iterations],
            metrics={name: column[:iterations] for name, column in self.metrics.items()},
            returns=self.returns[:episodes],
            ends=self.ends[:episodes],
        )

    # --- iterations ---------------------------------------------------------------------------------------------------

    @property
    def iterations(self) -> int:
        """How many it has come to, or how many points stand for them."""
        return len(self.steps)

    @property
    def counts(self) -> Floats:
        """How many iterations each stands for, [I]."""
        return 2.0 ** (np.arange(len(self.steps)) // self.fine) if self.fine else np.ones(len(self.steps))

    @property
    def progress(self) -> float:
        """The share of its budget that is used."""
        return float(self.steps[-1]) / max(self.config.budget.environment_steps, 1) if len(self.steps) else 0.0

    def column(self, metric: str) -> Floats:
        """A metric's values of all iterations; NaN of one that was not known yet when the run was recorded."""
        found = self.metrics.get(metric)
        return np.full(len(self.steps), np.nan) if found is None else found

    def last(self, metric: str, count: int) -> Floats:
        """What the last ``count`` iterations told of a metric, without those that told nothing; nothing at all where
        most did not, or where there are not so many yet."""
        found = self.column(metric)[-count:].astype(np.float64)
        known = found[np.isfinite(found)]
        return known if len(found) == count and 2 * len(known) > count else NONE

    def first(self, metric: str, count: int) -> Floats:
        """The first ``count`` values that were told of a metric, of twice as many iterations at most."""
        found = self.column(metric)[: 2 * count].astype(np.float64)
        return found[np.isfinite(found)][:count]

    def newest(self, metric: str, count: int) -> Floats:
        """The last ``count`` values of one that only some iterations tell, or fewer where there are no more."""
        found = self.column(metric)[-4096:].astype(np.float64)
        return found[np.isfinite(found)][-count:]

    # --- returns ------------------------------------------------------------------------------------------------------

    @property
    def plays_itself(self) -> bool:
        """Whether it learns from what its own policy does, which is blind at first."""
        return not isinstance(self.config, PlanningConfig | ImitationConfig)

    @property
    def acts_blindly(self) -> bool:
        """Whether a good part of its actions is still drawn at random, so that its returns say little of its policy."""
        share = self.newest("epsilon", 1)
        return bool(len(share) and share[-1] > 0.1)

    def before(self, episode: int) -> Floats:
        """The returns of the last ``RECENT`` episodes before this one, and of as many more as it takes to have all of
        the iterations in which they ended: of those that are begun together, the worst often end first."""
        if episode < FIRST or not len(self.steps):
            return NONE
        first = max(episode - RECENT, 0)
        iteration = int(np.searchsorted(self.steps, self.ends[first]))
        start = int(np.searchsorted(self.ends, self.steps[iteration - 1], "right")) if iteration > 0 else 0
        return self.returns[min(start, first) : episode]

    @cached_property
    def recent(self) -> Floats:
        """The returns of the last episodes; nothing where there are too few to say anything."""
        return self.before(len(self.returns))

    @cached_property
    def beginning(self) -> Floats:
        """The returns of the first episodes, played by the policy that the run began with, or hardly another: of the
        first iteration, or of as many as it takes to know their mean."""
        if len(self.returns) < 2 * FIRST or not len(self.steps):
            return NONE
        last = int(np.searchsorted(self.steps, self.ends[FIRST - 1]))
        end = self.steps[min(last, len(self.steps) - 1)]
        return self.returns[: int(np.searchsorted(self.ends, end, "right"))]

    @cached_property
    def mean_return(self) -> float:
        """Of the last episodes; NaN where there are too few."""
        return mean(self.recent)

    @cached_property
    def goal(self) -> float:
        """The mean return that is enough here: at which the environment counts as solved, or else the best that is
        known of it; NaN where neither is known."""
        info = self.environment
        if info.solved_at is not None:
            return info.solved_at
        return info.best_known.value if info.best_known is not None else math.nan

    @cached_property
    def way(self) -> float:
        """Which share of the way from where it began to its goal its mean return has come; NaN where that is not
        known."""
        return self._way_to(self.mean_return)

    def _way_to(self, mean_return: float) -> float:
        begun = mean(self.beginning)
        return (mean_return - begun) / (self.goal - begun) if self.goal > begun else math.nan

    @cached_property
    def does_well(self) -> bool:
        """Whether what it returns is as good as can be expected, so that nothing has to move any more: its mean return
        is at the goal, as far as so few episodes can tell, or has come nine tenths of the way to it."""
        found = self._lately
        if not len(found):
            return False
        return bool(mean(found) + 2.0 * error_of(found) >= self.goal or self._way_to(mean(found)) >= 0.9)

    @property
    def is_good(self) -> bool:
        """Whether it does well or is four fifths of the way to its goal, so that little is left to try and predict."""
        return self.does_well or self.way > 0.8

    def later(self, share: float) -> Floats:
        """The returns of the episodes that ended in the last ``share`` of its steps; at most 2,000, evenly."""
        found = self._ended_in_last(share)
        return found[:: 1 + len(found) // 2000]

    def _ended_in_last(self, share: float) -> Floats:
        if not len(self.ends) or not len(self.steps):
            return NONE
        now = max(float(self.steps[-1]), float(self.ends[-1]))
        return self.returns[np.searchsorted(self.ends, (1.0 - share) * now, "right") :]

    @cached_property
    def _lately(self) -> Floats:
        """The returns by which it is judged: of the last episodes, or, where these are so long that the last ``RECENT``
        reach back to when it was worse, of those that ended in the second half of the last third of its steps."""
        late = self._ended_in_last(_THIRD / 2)
        return late if FIRST <= len(late) < len(self.recent) else self.recent

    @cached_property
    def is_flat(self) -> bool:
        """Whether returns rose no more over the last third of its steps than chance explains: the mean of that third's
        second half lies at most two standard errors above the first's."""
        found = self.later(_THIRD)
        half = len(found) // 2
        return half >= FIRST and gain(found[:half], found[half:]) <= 2.0


def error_of(values: Floats) -> float:
    """The standard error of their mean; NaN of fewer than two."""
    return float(np.std(values, ddof=1, dtype=np.float64)) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def mean(values: Floats) -> float:
    """NaN of nothing."""
    return float(np.mean(values, dtype=np.float64)) if len(values) else math.nan


def median(values: Floats) -> float:
    """NaN of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def gain(before: Floats, after: Floats) -> float:
    """By how many standard errors of the difference ``after`` lies above ``before`` (Welch's t); NaN where either has
    fewer than two, infinite where neither varies and they differ."""
    if len(before) < 2 or len(after) < 2:
        return math.nan
    first, second = (np.asarray(values, np.float64) for values in (before, after))
    error = math.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    difference = float(second.mean() - first.mean())
    if error > 1e-9 * (abs(first.mean()) + abs(second.mean())):
        return difference / error
    return (
        0.0
        if abs(difference) <= 1e-6 * (abs(first.mean()) + abs(second.mean()))
        else math.copysign(math.inf, difference)
    )


def number(value: float, digits: int = 4) -> str:
    """A number as a sentence has it, of so many digits that count: "12,340", "−0.25", "3.1×10⁻⁷"."""
    if not math.isfinite(value) or value == 0.0:
        return f"{value:g}".replace("-", "−")
    size = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    places, raised = digits - 1 - size, ""
    if not -5 < size < 7:
        value, places, raised = value / 10.0**size, digits - 1, f"×10{str(size).translate(_RAISED)}"
    written = f"{round(value, places):,.{max(places, 0)}f}".replace("-", "−")
    return f"{written.rstrip('0').rstrip('.') if places > 0 else written}{raised}"


def percent(share: float, places: int = 0) -> str:
    """A share as a sentence has it: "41 %"."""
    return f"{100.0 * share:.{places}f} %"


def from_rows(
    config: RunConfig, environment: EnvironmentInfo, rows: Sequence[Mapping[str, Any]], returns: Floats, ends: Floats
) -> Reported:
    """Of the lines that ``--report`` writes, beside the episodes that ended meanwhile."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: np.array([row.get(name) for row in rows], np.float64) for name in names}
    steps, seconds = (columns.pop(name, NONE) for name in ("environment_steps", "seconds"))
    return Reported(config, environment, steps, seconds, columns, returns, ends)
