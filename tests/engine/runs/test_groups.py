"""Which runs are seeds of one setting."""

from __future__ import annotations

from engine.runs.comparison.groups import groups
from engine.runs.records import Origin, Reached
from tests.engine.runs.libraries import record


def test_seeds_of_one_setting_are_one_group_and_one_that_is_there_twice_counts_once() -> None:
    runs = [
        record({"seed": 1}, id="a", number=1),
        record({"seed": 1, "update.learning_rate": 0.5}, id="b", number=2),
        record({"seed": 2, "device": "cpu"}, id="c", number=3),
        record({"seed": 2}, id="d", number=4),
        record({"seed": 1}, id="e", number=5, reached=Reached(9, 10)),
    ]
    found = [([run.id for run in group.runs], [run.id for run in group.repeated]) for group in groups(runs)]
    assert found == [(["a", "d"], ["c", "e"]), (["b"], [])]


def test_what_was_changed_meanwhile_or_forked_is_another_setting() -> None:
    runs = [
        record({"seed": 1}, id="a"),
        record({"seed": 2}, id="b", changes={"update.learning_rate": 0.5}),
        record({"seed": 3}, id="c", origin=Origin("a", 2, 200)),
        record({"seed": 4}, id="d", configuration={"environment": {"id": "X"}, "seed": 4, "unknown": 1}),
        record({"seed": 5}, id="e", configuration={"environment": {"id": "X"}, "seed": 5, "unknown": 1}),
    ]
    assert [[run.id for run in group.runs] for group in groups(runs)] == [["a"], ["b"], ["c"], ["d", "e"]]
