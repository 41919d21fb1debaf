"""What the runs of an experiment's settings came to, and what is to be minded as that is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.models.experiment_results import SettingResult
from engine.runs.comparison.summaries import Outcome, Summary, summary
from engine.runs.comparison.survival import Waiting, median_steps, survival
from engine.runs.comparison.verdicts import FEW, Verdict, caveats, verdict
from engine.runs.sweeps.standings import Standing

_MANY = 4  # settings, from which on the best is partly so by luck


def outcome(run: Standing, budget: int) -> Outcome:
    """What a run has come to by now."""
    steps = max(run.environment_steps, budget) if run.failed else run.environment_steps
    return Outcome(run.mean_return, run.solved, steps, run.failed, unfinished=not (run.failed or run.finished))


def of_ended(one: SettingResult, budget: int, threshold: float | None) -> Summary | None:
    """What those runs of a setting came to that are finished or have failed; None where there is none."""
    outcomes = [outcome(run, budget) for run in one.ended]
    return summary(one.title, outcomes, threshold) if outcomes else None


def steps_to_it(one: SettingResult, budget: int) -> Waiting | None:
    """The median of the environment steps until the environment was solved, of all runs that have begun; None where
    none has."""
    begun = [outcome(run, budget) for run in one.counted if run.number is not None and run.environment_steps > 0]
    if not begun:
        return None
    steps = np.array([float(each.steps if each.reached is None else each.reached) for each in begun])
    return median_steps(survival(steps, np.array([each.reached is not None for each in begun])))


def best_two(summaries: Sequence[Summary]) -> Verdict | None:
    """What can be said of the two settings that came to most; None where there are no two."""
    told = [one for one in summaries if "iqm" in one.estimates]
    best = sorted(told, key=lambda one: -one.estimates["iqm"].value)[:2]
    return verdict(best[0], best[1]) if len(best) == 2 else None


def in_full(summaries: Sequence[Summary], best: Verdict | None) -> tuple[str, ...]:
    """All that can be said, in sentences."""
    said = [f"Of the two that came to most: {sentence}" for sentence in best.sentences[:1]] if best is not None else []
    return (*said, *(best.sentences[1:] if best is not None else ()), *caveats(summaries))


def caveat(settings: Sequence[SettingResult], best: Verdict | None) -> str:
    """What is to be minded first, in few words; empty where nothing is."""
    said = [_of_seeds(settings, best)]
    failed = sum(one.failed for one in settings)
    if failed:
        said.append(f"{failed} run{'s' * (failed != 1)} failed; what such a run came to by then counts.")
    told = [one for one in settings if one.final is not None]
    if len(told) >= _MANY and len(told) == len(settings):
        chosen = f"The best of {len(told)} settings is chosen by the seeds that judge it"
        said.append(f"{chosen}: with others it may come to less.")
    return " ".join(filter(None, said))


def _of_seeds(settings: Sequence[SettingResult], best: Verdict | None) -> str:
    """Whether there are enough seeds, and how many it would take to settle what the best two differ by."""
    most = max((len(one.counted) for one in settings), default=0)
    more = ""
    if best is not None and best.better is None and best.seeds is not None and best.difference is not None:
        missing = max(best.seeds, FEW) - min(best.difference.n)
        more = f"about {missing} more would settle a difference such as that of the best two" if missing > 0 else ""
    if 0 < most < FEW:
        few = f"{most} seed{'s' * (most != 1)} of each setting: intervals of so few mean little"
        return f"{few}; {more}." if more else f"{few}."
    return f"These seeds do not tell the best two settings apart; {more}." if more else ""
