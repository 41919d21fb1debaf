"""What is to be minded as the numbers of an experiment are read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.models.experiment_results import Interval, SettingResult, about, tally, title_of
from app.session.experiment_words import caveat, steps_to_it
from engine.runs.sweeps.records import Progress, Wish
from engine.runs.sweeps.standings import Standing


def run(
    seed: int, final: float | None, solved: int | None = None, progress: Progress = Progress.FINISHED, steps: int = 1000
) -> Standing:
    number = None if progress is Progress.WAITING else seed
    return Standing(0, seed, f"run {seed}", progress, Wish.RUN, 1, "", number, None, steps, 10, 1.0, final, solved)


def of(*finals: Sequence[float], failed: int = 0) -> list[SettingResult]:
    """Settings whose runs came to these, and one failed run more in the first."""
    found = []
    for point, each in enumerate(finals):
        runs = [run(seed, final) for seed, final in enumerate(each, 1)]
        runs += [run(90, 1.0, progress=Progress.FAILED)] * (failed if point == 0 else 0)
        found.append(SettingResult(point, {"α": point}, tuple(runs), Interval(sum(each) / len(each), 0, 0, len(each))))
    return found


def test_what_is_to_be_minded_is_said_only_where_it_is() -> None:
    apart = of([10, 11, 12, 13, 14], [90, 91, 92, 93, 94])
    assert caveat(apart) == ""
    close = of([10, 12, 14, 16, 18], [12, 14, 16, 18, 20])
    assert caveat(close).startswith("The best two settings are not told apart yet: about ")
    few = caveat(of([10, 14], [12, 16]))
    assert few.startswith("2 seeds of each setting: intervals of so few mean little; about ")
    assert few.endswith("more would settle a difference as large as theirs.")
    assert "A run has failed" in caveat(of([10, 11, 12, 13, 14], [90, 91, 92, 93, 94], failed=1))
    many = of(*([value + each for each in range(5)] for value in (0, 100, 200, 300)))
    assert caveat(many).startswith("The best of 4 settings is chosen here by the seeds that judge it")


def test_runs_that_never_got_there_count() -> None:
    assert steps_to_it([run(1, 1.0, progress=Progress.WAITING, steps=0)]) is None
    there = [run(seed, 500.0, solved=100 * seed) for seed in (1, 2, 3)]
    found = steps_to_it(there)
    assert found is not None
    assert (found.value, found.n) == (200, 3)
    never = [run(seed, 10.0) for seed in (4, 5, 6, 7)]
    found = steps_to_it([*there, *never])
    assert found is not None
    assert (found.value, found.n) == (float("inf"), 7)
    # Of those that fail early each counts for as long as any: as many as were at risk from the beginning.
    broken = [run(seed, 10.0, progress=Progress.FAILED, steps=50) for seed in (4, 5, 6, 7)]
    assert steps_to_it([*there, *broken]) == steps_to_it([*there, *[run(s, 10.0, steps=300) for s in (4, 5, 6, 7)]])


def test_how_an_experiment_stands_is_said_in_words() -> None:
    runs = [run(1, 1.0), run(2, None, progress=Progress.TRAINING), run(3, None, progress=Progress.FAILED)]
    assert tally(runs).words == "1 of 3 runs finished, 1 training, 1 failed"
    assert [about(seconds) for seconds in (2, 61, 89.9, 1000, 7000, 200_000)] == [
        "about 5 s",
        "about 60 s",
        "about 90 s",
        "about 17 min",
        "about 1.9 h",
        "about 2 days",
    ]
    assert title_of({"Learning rate": 0.01, "Baseline": "Learned value"}) == "Learning rate 0.01, Learned value"
    assert title_of({"Baseline": "None"}) == "None"
    assert title_of({}) == "as it is"


@pytest.mark.parametrize("finals", [[[5.0, 5.0], [5.0, 5.0]], [[1.0], [2.0]]])
def test_what_does_not_vary_needs_no_power(finals: list[list[float]]) -> None:
    assert "more would" not in caveat(of(*finals))
