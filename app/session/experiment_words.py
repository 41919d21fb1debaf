"""What is to be minded as the numbers of an experiment are read, and what they say of runs that never got there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.models.experiment_results import Interval, SettingResult
from engine.runs.comparison.power import seeds_needed
from engine.runs.comparison.survival import median_steps, survival
from engine.runs.sweeps.standings import Standing

_FEW = 5  # runs of a setting, below which intervals mean little
_MANY = 4  # settings, from which on the best is partly so by luck


def caveat(settings: Sequence[SettingResult]) -> str:
    """In sentences; empty where nothing is to be minded."""
    said = [_of_seeds(settings)]
    failed = sum(one.failed for one in settings)
    if failed:
        runs = "A run has failed and is" if failed == 1 else f"{failed} runs have failed and are"
        said.append(f"{runs} in no final return: what is left may look better than it is.")
    told = [one for one in settings if one.final is not None]
    if len(told) >= _MANY and len(told) == len(settings):
        said.append(
            f"The best of {len(told)} settings is chosen here by the seeds that judge it: with other seeds it comes to "
            "less, as a rule."
        )
    return " ".join(filter(None, said))


def _of_seeds(settings: Sequence[SettingResult]) -> str:
    """Whether there are enough seeds, and how many it would take to settle what the best two differ by."""
    most = max((len(one.counted) for one in settings), default=0)
    few = f"{most} seed{'s' * (most != 1)} of each setting: intervals of so few mean little" if 0 < most < _FEW else ""
    more = _more_for_the_best_two(settings)
    if few:
        return f"{few}{f'; {more}' if more else ''}."
    return f"The best two settings are not told apart yet: {more}." if more else ""


def _more_for_the_best_two(settings: Sequence[SettingResult]) -> str:
    """How many more seeds would see a difference as large as that between the best two; empty where there are enough,
    or it cannot be said."""
    finals = [[run.mean_return for run in one.finished if run.mean_return is not None] for one in settings]
    best = sorted((np.array(each) for each in finals if len(each) > 1), key=lambda each: -float(each.mean()))[:2]
    if len(best) < 2:
        return ""
    spreads = float(best[0].std(ddof=1)), float(best[1].std(ddof=1))
    there = min(map(len, best))
    if not sum(spreads) > 0.0:
        return ""
    needed = seeds_needed(float(best[0].mean() - best[1].mean()), spreads)
    if needed is None:
        return "what they differ by is too small for a thousand seeds"
    return f"about {needed - there} more would settle a difference as large as theirs" if needed > there else ""


def steps_to_it(runs: Sequence[Standing]) -> Interval | None:
    """The median of the environment steps until the environment was solved, infinite where less than half of the runs
    are known to get there; None where none has begun.

    A run that is not there yet counts for as long as it was watched, and one that failed for as long as any."""
    begun = [run for run in runs if run.number is not None and run.environment_steps > 0]
    if not begun:
        return None
    longest = max(run.environment_steps for run in begun)
    reached = np.array([run.solved is not None for run in begun])
    steps = np.array([float(run.solved or (longest if run.failed else run.environment_steps)) for run in begun])
    found = median_steps(survival(steps, reached))
    if found.steps is None:
        return Interval(float("inf"), None, None, found.n)
    high = float("inf") if found.high is None else found.high
    return Interval(found.steps, found.low if found.low is not None else 0.0, high, found.n)
