"""What the runs of an experiment's settings came to, and what is to be minded as that is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.models.experiment_results import SettingResult
from engine.runs.comparison.summaries import Summary, summary
from engine.runs.comparison.survival import Waiting, median_steps, survival
from engine.runs.comparison.verdicts import FEW, Verdict, best_two, caveats
from engine.runs.selection import best_of, brief


def of_ended(one: SettingResult, budget: int, threshold: float | None) -> Summary | None:
    """What those runs of a setting came to that are finished or have failed; None where there is none."""
    outcomes = [run.outcome(budget) for run in one.ended]
    return summary(one.title, outcomes, threshold) if outcomes else None


def steps_to_it(one: SettingResult, budget: int) -> Waiting | None:
    """The median of the environment steps until the environment was solved, of all runs that have begun; None where
    none has."""
    begun = [run.outcome(budget) for run in one.counted if run.number is not None and run.environment_steps > 0]
    if not begun:
        return None
    steps = np.array([float(each.steps if each.reached is None else each.reached) for each in begun])
    return median_steps(survival(steps, np.array([each.reached is not None for each in begun])))


def in_full(environments: Mapping[str, Sequence[Summary]]) -> tuple[str, ...]:
    """All that can be said, in sentences, of the settings in each environment: returns of different ones are of
    different scales."""
    said: list[str] = []
    for environment, summaries in environments.items():
        best = best_two(summaries)
        where = f"In {environment}, of" if len(environments) > 1 else "Of"
        said += [f"{where} the two that came to most: {best.sentences[0]}", *best.sentences[1:]] if best else []
        said += [sentence for sentence in caveats(summaries) if sentence not in said]
    return tuple(said)


def caveat(environments: Sequence[Sequence[SettingResult]], pairs: Sequence[Verdict]) -> str:
    """What is to be minded first, in few words, of the settings in each environment and of the best two in each; empty
    where nothing is."""
    settings = [one for those in environments for one in those]
    said = [_of_seeds(settings, next((pair for pair in pairs if pair.better is None), None))]
    failed = sum(one.failed for one in settings)
    if failed:
        said.append(f"{failed} run{'s' * (failed != 1)} failed; what such a run came to by then counts.")
    for those in environments:
        finals = [one.final.value for one in those if one.final is not None]
        if len(finals) == len(those) and best_of(finals):
            said.append(brief(len(finals)))
            break
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
