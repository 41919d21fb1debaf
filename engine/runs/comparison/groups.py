"""Runs that are seeds of one setting, which are one group of a comparison."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.runs.comparison.curves import Curve
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_NEAR = 0.9  # of the longest curve, from where on one counts as having come as far
OF_NO_SETTING = ("seed", "device")  # what of a configuration makes no other setting


@dataclass(frozen=True)
class Group:
    """Seeds of one setting.

    ``runs`` are one of each seed: that which has come furthest, of those that have come as far the newest. The others
    of these seeds are ``repeated``: they tell nothing of what another seed would come to.
    """

    runs: tuple[RunRecord, ...]
    repeated: tuple[RunRecord, ...] = ()


def setting_of(run: RunRecord) -> str:
    """What a run has, but for its seed and its device, as a text that is the same for all seeds of one setting.

    What was changed while it trained belongs to it, and so does the run that it was forked from: forks of one run have
    their beginning in common, so that they are no seeds beside it.
    """
    try:
        configuration = run.config.model_dump(mode="json")
    except RequestError:  # of a version of the program that this one does not know
        configuration = dict(run.configuration)
    known = {name: value for name, value in configuration.items() if name not in OF_NO_SETTING}
    origin = None if run.origin is None else [run.origin.parent, run.origin.iteration]
    return json.dumps([known, dict(run.changes), origin], sort_keys=True, default=str)


def groups(runs: Sequence[RunRecord], of: Callable[[RunRecord], str] = setting_of) -> list[Group]:
    """The settings of these runs, each where its first run stands, with their seeds in the order of the runs; ``of``
    tells the setting of a run."""
    settings: dict[str, list[RunRecord]] = {}
    for run in runs:
        settings.setdefault(of(run), []).append(run)
    return [_group(members) for members in settings.values()]


def _group(runs: Sequence[RunRecord]) -> Group:
    chosen: dict[int, RunRecord] = {}
    for run in runs:
        other = chosen.get(run.seed)
        if other is None or _reach(run) > _reach(other):
            chosen[run.seed] = run
    kept = {run.id for run in chosen.values()}
    return Group(tuple(run for run in runs if run.id in kept), tuple(run for run in runs if run.id not in kept))


def _reach(run: RunRecord) -> tuple[int, int]:
    return run.reached.environment_steps, run.number


def least_of(curves: Sequence[Curve]) -> float:
    """The share of a group's ``curves`` that is to be known where they are shown as one: all of them where all come
    about as far, as the last iterations of seeds end at different places; else the half."""
    ends = [curve.end for curve in curves if len(curve)]
    return 1.0 if ends and min(ends) >= _NEAR * max(ends) else 0.5
