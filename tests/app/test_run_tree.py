"""Forks under the run that they come from, in whatever order the runs are."""

from __future__ import annotations

from dataclasses import replace

from app.models.run_tree import as_tree
from engine.runs.records import Origin, RunRecord
from tests.engine.runs.libraries import record


def run(id: str, parent: str = "") -> RunRecord:
    return replace(record(), id=id, origin=Origin(parent, 1, 100) if parent else None)


def test_forks_stand_under_the_run_that_they_come_from_which_the_newest_brings_up() -> None:
    runs = [run("e", "b"), run("d"), run("c", "b"), run("b", "a"), run("a")]
    assert [(each.record.id, each.rails) for each in as_tree(runs)] == [
        ("a", ()),
        ("b", (False,)),
        ("e", (False, True)),
        ("c", (False, False)),
        ("d", ()),
    ]
    assert [each.depth for each in as_tree(runs)] == [0, 1, 2, 2, 0]


def test_a_fork_whose_parent_is_not_there_and_runs_in_a_circle_stand_by_themselves() -> None:
    runs = [run("b", "gone"), run("y", "x"), run("x", "y"), run("s", "s")]
    assert [(each.record.id, each.rails) for each in as_tree(runs)] == [("b", ()), ("y", ()), ("x", ()), ("s", ())]
    assert as_tree([]) == []
