"""Whether the seeds that judge a setting are those that chose it: one answer for the window, for ``compare`` and for
the report of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.commands.sweep_report import summary_of
from engine.runs.library import Library
from engine.runs.records import Reached, RunRecord
from engine.runs.selection import Judged, best_of, chosen, chosen_within
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from tests.engine.runs.libraries import opened, record
from tests.engine.runs.sweeps.sweeps import RATES, bandits

THREE = '[[vary]]\npath = "update.learning_rate"\nvalues = [0.1, 0.2, 0.3]'


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with opened(tmp_path) as found:
        yield found


def trained(library: Library, rest: str, *scores: Sequence[float]) -> ExperimentRecord:
    """An experiment whose settings came to ``scores``, seed by seed."""
    experiments, sweep = Experiments(library), bandits(rest)
    found, points = experiments.add(sweep), planned(sweep).points
    for run in found.runs:
        score = scores[run.point][run.seed - 1]
        config = points[run.point].of_seed(run.seed).model_dump(mode="json")
        reached = Reached(4, 400, 400, 1.0, score, score)
        library.begin(record(id=run.run, configuration=config, reached=reached))
    experiments.progress(found.id, [run.run for run in found.runs], Progress.FINISHED)
    return experiments.get(found.id)


def runs_of(library: Library, experiment: ExperimentRecord, point: int) -> list[RunRecord]:
    return [library.run(run.run) for run in experiment.runs if run.point == point]


def said(library: Library, experiment: ExperimentRecord, *points: int) -> tuple[str, ...]:
    return chosen(library, [Judged(f"point {point}", runs_of(library, experiment, point)) for point in points])


@pytest.mark.parametrize(
    ("scores", "best"),
    [([], ()), ([1.0, 2.0], ()), ([5.0, 5.0, 5.0], ()), ([1.0, 3.0, 2.0], (1,)), ([3.0, 1.0, 3.0], (0, 2))],
)
def test_two_settings_are_a_comparison_and_where_all_are_alike_none_is_chosen(
    scores: list[float], best: tuple[int, ...]
) -> None:
    assert best_of(scores) == best


def test_the_best_is_flagged_on_its_own_seeds_and_on_no_others(library: Library) -> None:
    """By interquartile mean, as everywhere: one seed in a thousand, which a mean would fall for, chooses nothing."""
    experiment = trained(library, f"seeds = 4\n{THREE}", (1, 2, 3, 999), (9, 9, 10, 11), (4, 5, 6, 7))
    (flag,) = said(library, experiment, 0, 1, 2)
    assert flag.startswith("‘point 1’ is the best of 3 settings of experiment 1 (Bandits), and these are the seeds")
    assert said(library, experiment, 1) == (flag,)
    (part,) = said(library, experiment, 0, 2)
    assert part.startswith("2 of the 3 settings of experiment 1 (Bandits) stand here on the seeds of all. If they were")

    again = runs_of(library, experiment, 1)[0]
    twin = library.begin(record(configuration=again.configuration))
    other = library.begin(record(configuration={**again.configuration, "seed": 77}))
    assert len(chosen(library, [Judged("twin", [twin])])) == 1  # the same setting and seed, trained once more
    assert chosen(library, [Judged("other", [other]), Judged("none", [])]) == ()
    assert chosen_within(library, experiment) == summary_of(library, experiment)["chosen"]
    assert chosen_within(library, experiment).startswith("The best of 3 settings is chosen by the seeds that judge it")
    Experiments(library).delete([experiment.id])
    assert chosen(library, [Judged("point 1", [again])]) == ()


def test_of_several_that_are_best_each_is_flagged_as_one_of_them(library: Library) -> None:
    experiment = trained(library, f"seeds = 2\n{THREE}", (500, 500), (9, 8), (500, 500))
    flags = said(library, experiment, 0, 1, 2)
    assert [flag.partition(" of 3")[0] for flag in flags] == [f"‘point {at}’ is one of the best" for at in (0, 2)]


def test_the_best_is_looked_for_in_each_environment_by_itself(library: Library) -> None:
    where = '[[vary]]\npath = "environment"\nvalues = ["Bandit-v0", "Corridor-v0"]'
    low, high = [(1, 1), (2, 2), (3, 3)], [(30, 30), (20, 20), (10, 10)]
    experiment = trained(library, f"seeds = 2\n{where}\n{THREE}", *low, *high)
    flags = said(library, experiment, *range(6))
    assert [(flag.split("’")[0], "of 3 settings" in flag) for flag in flags] == [("‘point 2", True), ("‘point 3", True)]


def test_a_part_of_an_experiments_settings_may_have_been_chosen_by_its_seeds(library: Library) -> None:
    experiment = trained(library, f"seeds = 2\n{RATES}", (1, 2), (3, 4))
    (flag,) = said(library, experiment, 0)
    assert flag.startswith("1 of the 2 settings of experiment 1 (Bandits) stands here on the seeds of all. If it was")
    assert said(library, experiment, 0, 1) == ()
    assert chosen_within(library, experiment) == ""
    dropped = [run.run for run in experiment.runs if run.point == 1]
    Experiments(library).wish_of(experiment.id, dropped, Wish.DROP)
    assert said(library, experiment, 0) == ()
