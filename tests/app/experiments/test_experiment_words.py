"""What is to be minded as the numbers of an experiment are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from app.models.experiment_results import Results, SettingResult, about, tally, title_of
from app.session.experiment_words import caveat, in_full, of_ended, steps_to_it
from engine.config import PolicyGradientConfig
from engine.runs.comparison.summaries import Summary
from engine.runs.comparison.verdicts import best_two
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runs.sweeps.spec import Sweep
from engine.runs.sweeps.standings import Standing

BUDGET = 1000


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
        runs += [run(90, each[0], progress=Progress.FAILED)] * (failed if point == 0 else 0)
        one = SettingResult(point, {"α": point}, tuple(runs), f"α {point}")
        known = of_ended(one, BUDGET, None)
        found.append(replace(one, final=known.estimates["iqm"] if known is not None else None))
    return found


def summed_up(settings: Sequence[SettingResult]) -> list[Summary]:
    return [known for one in settings if (known := of_ended(one, BUDGET, None)) is not None]


def minded(settings: Sequence[SettingResult]) -> str:
    best = best_two(summed_up(settings))
    return caveat([settings], [best] if best is not None else [])


def test_what_is_to_be_minded_is_said_only_where_it_is() -> None:
    apart = of([10, 11, 12, 13, 14], [90, 91, 92, 93, 94])
    assert minded(apart) == ""
    close = minded(of([10, 12, 14, 16, 18], [12, 14, 16, 18, 20]))
    assert close.startswith("These seeds do not tell the best two settings apart; about ")
    few = minded(of([10, 14], [12, 17]))
    assert few.startswith("2 seeds of each setting: intervals of so few mean little; about ")
    assert minded(of([10, 11, 12, 13, 14], [90, 91, 92, 93, 94], failed=1)).startswith("1 run failed")
    many = of(*([value + each for each in range(5)] for value in (0, 100, 200)))
    assert minded(many).startswith("The best of 3 settings is chosen by the seeds that judge it")
    assert minded(of([0, 1, 2, 3, 4], [100, 101, 102, 103, 104])) == ""  # two are a comparison
    assert minded(of(*[[500.0] * 5] * 3)) == ""  # of which none is chosen
    assert minded(of([5.0, 5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 5.0, 5.0])) == ""
    pair = summed_up(of([10, 12, 14, 16, 18], [12, 14, 16, 18, 20], failed=1))
    said = in_full({"Cart pole": pair})
    assert said[0].startswith("Of the two that came to most: These seeds do not tell ")
    assert any("1 of 6 runs of ‘α 0’ failed" in sentence for sentence in said)


def test_settings_in_different_environments_are_never_put_beside_each_other() -> None:
    """Returns of −100 and of 500 are of no one scale: in each environment its two best are told of."""
    easy = summed_up(of([400, 410, 420, 430, 440], [480, 485, 490, 495, 500]))
    hard = summed_up(of([-90, -91, -92, -93, -94]))
    said = in_full({"Cart pole": easy, "Acrobot": hard})
    assert [sentence[:44] for sentence in said if "came to most" in sentence] == [
        "In Cart pole, of the two that came to most: "
    ]
    assert not any("pairs" in sentence for sentence in said)


def waited(*runs: Standing) -> tuple[float | None, int] | None:
    found = steps_to_it(SettingResult(0, {}, runs), BUDGET)
    return None if found is None else (found.steps, found.n)


def test_runs_that_never_got_there_count() -> None:
    assert waited(run(1, 1.0, progress=Progress.WAITING, steps=0)) is None
    there = [run(seed, 500.0, solved=100 * seed) for seed in (1, 2, 3)]
    assert waited(*there) == (200, 3)
    assert waited(*there, *[run(seed, 10.0) for seed in (4, 5, 6, 7)]) == (None, 7)
    # One that failed early counts for as long as it was to be trained, one under way for as long as it was watched.
    assert waited(*there, *[run(seed, 10.0, progress=Progress.FAILED, steps=50) for seed in (4, 5, 6)]) == (300, 6)
    assert waited(*there, *[run(seed, 10.0, progress=Progress.TRAINING, steps=50) for seed in (4, 5, 6)]) == (200, 6)


def test_a_run_that_came_to_no_number_has_no_score() -> None:
    known = of_ended(SettingResult(0, {}, (run(1, math.inf), run(2, 5.0), run(3, None))), BUDGET, None)
    assert known is not None
    assert (known.scores.tolist(), known.n, known.unscored) == ([5.0], 3, 2)


def test_how_an_experiment_stands_is_said_in_words() -> None:
    runs = [run(1, 1.0), run(2, None, progress=Progress.TRAINING), run(3, None, progress=Progress.FAILED)]
    assert tally(runs).words == "1 of 3 runs finished, 1 training, 1 failed"
    record = ExperimentRecord("e", 1, Sweep(title="S", config=PolicyGradientConfig()), (), 0.0)
    going = Results(record, (), (), tally(runs), conducted=True, seconds_left=100.0)
    assert going.words == "1 of 3 runs finished, 1 training, 1 failed, about 2 min left."
    assert replace(going, tally=tally([run(1, 1.0)])).words == "1 of 1 runs finished."
    assert replace(going, conducted=False).words.endswith("Nobody trains it now; Go on does, from where each run was.")
    assert replace(going, record=replace(record, wish=Wish.PAUSE)).words.endswith("Paused.")
    assert [about(seconds) for seconds in (2, 61, 89.9, 1000, 7000, 200_000)] == [
        "about 5 s",
        "about 60 s",
        "about 90 s",
        "about 17 min",
        "about 1.9 h",
        "about 2 days",
    ]
    assert (
        title_of({"Learning rate": 0.01, "Baseline": "Learned value"}, {"Learning rate": "α"})
        == "α 0.01, Learned value"
    )
    assert title_of({"Baseline": "None", "Frames": 4}, {}) == "Baseline: None, Frames 4"
    assert title_of({"Baseline": "None"}, {}) == "Baseline: None"
    assert title_of({"Method": "PPO", "Frames": 4}, {}) == "PPO, Frames 4"
    assert title_of({}, {}) == "as it is"
