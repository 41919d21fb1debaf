"""Runs that need not be trained again: the library has finished one of the same configuration and seed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from engine.config.migrations import VERSION as CONFIG_VERSION
from engine.runs.library import Library
from engine.runs.records import Status
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.records import ExperimentRun
from engine.runs.versions import versions


def found_again(library: Library, plan: Plan, runs: Iterable[ExperimentRun]) -> dict[tuple[int, int], str]:
    """By point and seed, the runs of the library that are what ``runs`` would become: finished, never changed or
    forked, of the same configuration and seed, and trained by the same versions of everything. Of several, the oldest.

    A run follows from its configuration and its seed, so nothing is chosen by taking one that is there already.
    """
    wanted = {_canonical(_plain(plan, run)): (run.point, run.seed) for run in runs}
    if not wanted:
        return {}
    query = (
        "SELECT id, configuration, versions FROM runs WHERE deleted IS NULL AND status = ? AND changes = '{}' "
        "AND parent IS NULL AND config_version = ? AND environment IN (SELECT value FROM json_each(?)) ORDER BY number"
    )
    environments = sorted({point.config.environment.id for point in plan.points})
    here = dict(versions())
    found: dict[tuple[int, int], str] = {}
    for row in library.execute(query, (Status.FINISHED, CONFIG_VERSION, json.dumps(environments))):
        try:
            at = wanted.get(_canonical(json.loads(row["configuration"])))
            if at is not None and at not in found and json.loads(row["versions"]) == here:
                found[at] = row["id"]
        except ValueError:  # a damaged record is none that could be taken
            continue
    return found


def _plain(plan: Plan, run: ExperimentRun) -> dict[str, Any]:
    return plan.points[run.point].of_seed(run.seed).model_dump(mode="json")


def _canonical(configuration: dict[str, Any]) -> str:
    return json.dumps(configuration, sort_keys=True)
