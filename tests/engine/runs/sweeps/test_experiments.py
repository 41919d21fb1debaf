from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from engine.runs.retention import clean
from engine.runs.sweeps.experiments import Experiments, effective
from engine.runs.sweeps.records import Progress, Wish
from engine.runtime.errors import RequestError
from tests.engine.runs.sweeps.sweeps import RATES, bandits


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as opened:
        yield opened


def _begin(library: Library, run: str, seed: int = 1) -> None:
    config = {**bandits().config.model_dump(mode="json"), "seed": seed}
    library.begin(RunRecord(run, 0, config, Status.FINISHED, created=0.0))


def test_the_same_sweep_is_the_same_experiment(library: Library) -> None:
    experiments = Experiments(library)
    first = experiments.add(bandits(f"seeds = 2\n{RATES}"))
    other = experiments.add(bandits(f"seeds = 3\n{RATES}"))
    renamed = bandits(f"seeds = 2\n{RATES}").model_copy(update={"title": "Another title"})
    again = experiments.add(renamed)

    assert [(run.point, run.seed) for run in first.runs] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert first.settings == ({"Learning rate": 0.1}, {"Learning rate": 0.3})
    assert (again.id, again.number, again.runs) == (first.id, 1, first.runs)
    assert [each.title for each in experiments.list()] == ["Bandits", "Another title"]
    assert not {run.run for run in first.runs} & {run.run for run in other.runs}


def test_an_experiment_goes_by_number_title_and_id(library: Library) -> None:
    experiments = Experiments(library)
    added = experiments.add(bandits())

    for name in ("1", "experiment 1", "Bandits", added.id[:6]):
        assert experiments.find(name) == added
    with pytest.raises(RequestError, match=r"no experiment 'Dice'.*there is 1 \(Bandits\)"):
        experiments.find("Dice")


def test_progress_and_wishes_are_kept_by_run_and_counted(library: Library) -> None:
    experiments = Experiments(library)
    added = experiments.add(bandits(f"seeds = 2\n{RATES}"))
    first, second, third, _ = (run.run for run in added.runs)
    before = experiments.mark()
    experiments.begun(added.id, [first, second])
    experiments.progress(added.id, [first], Progress.FINISHED)
    experiments.progress(added.id, [second], Progress.FAILED, "It broke.")
    experiments.wish_of(added.id, [third], Wish.DROP)
    runs = experiments.get(added.id).runs

    assert experiments.mark() != before
    assert [(run.progress, run.attempts, run.reason) for run in runs[:2]] == [
        (Progress.FINISHED, 1, ""),
        (Progress.FAILED, 1, "It broke."),
    ]
    assert experiments.counts() == {added.id: {Progress.FINISHED: 1, Progress.FAILED: 1, Progress.WAITING: 1}}
    experiments.retry(added.id, [first, second, third])  # what has finished is not trained again
    assert [(run.progress, run.wish, run.attempts) for run in experiments.runs(added.id)[:3]] == [
        (Progress.FINISHED, Wish.RUN, 1),
        (Progress.WAITING, Wish.RUN, 1),
        (Progress.WAITING, Wish.RUN, 0),
    ]


def test_of_two_wishes_that_for_less_counts() -> None:
    assert effective(Wish.RUN, Wish.PAUSE) == effective(Wish.PAUSE, Wish.RUN) == Wish.PAUSE
    assert effective(Wish.STOP, Wish.PAUSE) == Wish.STOP
    assert effective(Wish.RUN, Wish.RUN) == Wish.RUN


def test_deleting_takes_the_runs_that_no_other_experiment_counts_and_comes_back_whole(library: Library) -> None:
    experiments = Experiments(library)
    one, two = experiments.add(bandits("seeds = 3")), experiments.add(bandits("seeds = 4"))
    for run in one.runs:
        _begin(library, run.run, run.seed)
    experiments.take_over(two.id, {(0, 1): one.runs[0].run})
    library.delete([one.runs[1].run])  # by hand, before
    experiments.delete([one.id])

    assert [each.id for each in experiments.list()] == [two.id]
    assert [run.id for run in library.runs()] == [one.runs[0].run]
    assert experiments.of_run(one.runs[0].run) == (two.id,)
    experiments.restore([one.id])
    assert {run.id for run in library.runs()} == {one.runs[0].run, one.runs[2].run}
    experiments.delete([one.id])
    assert experiments.add(one.sweep).deleted is None
    assert len(library.runs()) == 2
    experiments.delete([one.id])
    clean(library, ["deleted"])
    assert (experiments.list(deleted=True), [run.id for run in library.runs()]) == ([], [one.runs[0].run])
