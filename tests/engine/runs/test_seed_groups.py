"""Which runs were begun at once: known of each of them, whatever becomes of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runs.host import recorded
from engine.runs.library import Library
from engine.runs.records import Status
from engine.runs.seed_groups import begin_apart, group_of
from engine.training.training import Training
from tests.engine.runs.libraries import record
from tests.engine.support import configured


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_seeds_that_have_processes_of_their_own_are_there_before_they_are_trained(library: Library) -> None:
    first = library.begin(record({"seed": 3}))
    library.update(first.id, iteration=7, status=str(Status.RUNNING))
    begin_apart(library, library.run(first.id), {"b" * 32: 4, "c" * 32: 5})
    for run in (first.id, "b" * 32, "c" * 32):
        found = group_of(library, run)
        assert found is not None
        begun, runs = found
        assert (begun.runs, begun.together) == ((first.id, "b" * 32, "c" * 32), False)
        assert [(each.number, each.seed, each.config.seed) for each in runs] == [(1, 3, 3), (2, 4, 4), (3, 5, 5)]
    second = library.run("b" * 32)
    assert (second.status, second.reached.iteration, second.versions) == (Status.INTERRUPTED, 0, first.versions)


def test_it_is_known_after_a_run_went_back_to_its_beginning_and_not_of_a_copy(library: Library) -> None:
    first = library.begin(record())
    begin_apart(library, first, {"b" * 32: 2, "c" * 32: 3})
    library.cut("b" * 32, -1)
    assert group_of(library, "b" * 32) is not None
    child = library.begin(record())
    library.copy("b" * 32, child.id, 0)
    assert group_of(library, child.id) is None
    library.delete([first.id])
    found = group_of(library, "b" * 32)
    assert found is not None
    assert [run.seed for run in found[1]] == [2, 3]
    library.delete(["c" * 32])
    assert group_of(library, "b" * 32) is None  # it is by itself


def test_of_seeds_that_are_trained_together_each_knows_the_others(library: Library) -> None:
    training = Training(configured(budget__environment_steps=50), seeds=(4, 9))
    with recorded(training, library.folder, print) as recorder:
        ids = [each.id for each in recorder.records.values()]
    for run in ids:
        found = group_of(library, run)
        assert found is not None
        assert (list(found[0].runs), found[0].together, [each.seed for each in found[1]]) == (ids, True, [4, 9])
    alone = Training(configured(budget__environment_steps=50))
    with recorded(alone, library.folder, print) as recorder:
        (run,) = recorder.records.values()
    assert group_of(library, run.id) is None
