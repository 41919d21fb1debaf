"""``main.py compare`` of seeds: of runs that are seeds of settings, and of experiments."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import PolicyGradientConfig
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Reached, RunRecord, Status
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runs.sweeps.spec import Sweep
from main import main
from tests.engine.runs.libraries import ITERATION_COLUMNS, opened, record

RATE = "update.learning_rate"
SCORES = {0.001: (100.0, 120.0, 90.0, 110.0, 105.0), 0.01: (480.0, 490.0, 478.0, 470.0, 500.0)}


def scored(library: Library, values: Mapping[str, Any], score: float, **fields: Any) -> RunRecord:
    """A run of 200 iterations and as many episodes, whose mean return rises evenly to ``score``."""
    first = math.ceil(200 * 475 / score) if score >= 475 else None  # iteration at which it solved CartPole
    solved = (100 * first, 2.5) if first is not None else None
    made = record(values, reached=Reached(200, 20_000, 200, 5.0, score, score, solved))
    run = library.begin(replace(made, **fields))
    told = dict.fromkeys(ITERATION_COLUMNS, np.zeros(200)) | {
        name: each * np.arange(1.0, 201.0)
        for name, each in (("iteration", 1), ("environment_steps", 100), ("episodes", 1), ("mean_return", score / 200))
    }
    library.append(run.id, ITERATIONS, ITERATION_COLUMNS, np.stack(list(told.values()), axis=1))
    return run


def begun(library: Library, *rates: float, **more: Any) -> ExperimentRecord:
    """An experiment of these learning rates with 5 seeds each, of which every run has got its score."""
    vary = [{"path": RATE, "values": rates}]
    sweep = Sweep(title="Learning rates", shows="Rates matter.", config=PolicyGradientConfig(), vary=vary, **more)
    experiments = Experiments(library)
    found = experiments.add(sweep)
    for run in found.runs:
        rate = rates[run.point]
        scored(
            library, {"seed": run.seed, RATE: rate}, SCORES[rate][run.seed % 5] if rate in SCORES else 50.0, id=run.run
        )
    experiments.progress(found.id, [run.run for run in found.runs], Progress.FINISHED)
    return experiments.get(found.id)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with opened(tmp_path) as found:
        yield found


def asked(library: Library, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["compare", *words, "--json", "--library", str(library.folder)]) == 0
    return json.loads(capsys.readouterr().out)


def test_seeds_of_one_setting_are_one_row(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    for rate, scores in SCORES.items():
        for seed, score in enumerate(scores):
            scored(library, {"seed": seed, RATE: rate}, score)
    scored(library, {"seed": 0, RATE: 0.001}, 100.0)
    told = asked(library, capsys, *map(str, range(1, 12)))
    assert len(told["runs"]) == 11
    low, high = told["settings"]
    assert (low["name"], low["runs"], high["runs"]) == ("Learning rate 0.001", [2, 3, 4, 5, 11], [6, 7, 8, 9, 10])
    assert low["scores"] == pytest.approx([*SCORES[0.001][1:], 100.0])
    median = high["estimates"]["median"]
    assert (median["value"], median["n"]) == (480.0, 5)
    assert median["interval"] == {"low": 470.0, "high": 500.0, "level": 0.9375, "method": "order statistics"}
    assert (high["solved"]["count"], high["solved"]["n"], high["steps"]["steps"]) == (4, 5, 19_800.0)
    assert (high["over_first"]["probability"], high["over_first"]["n"]) == (1.0, [5, 5])
    (verdict,) = told["verdicts"]
    assert verdict["better"] == "Learning rate 0.01"
    assert any("Run 1 repeats the seed" in note for note in told["notes"])

    assert main(["compare", *map(str, range(1, 12)), "--library", str(library.folder)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "is better than ‘Learning rate 0.001’: its mean is higher by" in text


def test_an_experiment_is_compared_point_by_point(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    """By its number, its title or its file: a run that failed before it was recorded counts, one that was dropped does
    not and is told of."""
    experiments, experiment = Experiments(library), begun(library, 0.001, 0.01, seeds=5)
    of_low = [run.run for run in experiment.runs if run.point == 0]
    library.end(of_low[0], Status.FAILED, "It diverged.")
    library.forget(of_low[1])
    experiments.progress(experiment.id, of_low[:2], Progress.FAILED, "The worker died.")
    experiments.wish_of(experiment.id, of_low[2:3], Wish.DROP)
    told = asked(library, capsys, "experiment 1")
    assert told["experiment"] == {"number": 1, "title": "Learning rates", "shows": "Rates matter."}
    low, high = told["settings"]
    assert (low["wanted"], len(low["runs"]), low["failed"], low["unscored"], len(low["scores"])) == (4, 3, 2, 1, 3)
    assert low["solved"]["n"] == 4
    assert (high["wanted"], high["failed"]) == (5, 0)
    assert any("1 run of this experiment was dropped" in note for note in told["notes"])
    assert any("2 of 4 runs of ‘Learning rate 0.001’ failed" in note for note in told["notes"])
    assert asked(library, capsys, "Learning rates") == told

    assert main(["compare", "1", "--statistic", "iqm", "--library", str(library.folder)]) == 0
    text = capsys.readouterr().out
    assert "Experiment 1: Learning rates. Rates matter." in text
    assert "interquartile" in text
    assert "3 of 4" in text


def test_an_experiment_is_compared_by_what_its_records_say_and_by_another_threshold_from_what_was_told(
    library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten thousand runs nobody can wait until all that they told has been read."""
    begun(library, 0.001, 0.01, seeds=5)
    low = asked(library, capsys, "1", "--threshold", "100")["settings"][0]
    assert (low["solved"]["count"], low["steps"]["steps"]) == (4, 19_100.0)
    told = asked(library, capsys, "1", "--threshold", "475")["settings"]
    monkeypatch.setattr(Library, "series", None)
    assert asked(library, capsys, "1")["settings"] == told


def test_a_setting_chosen_on_the_seeds_that_judge_it_is_flagged(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(library, 0.5, 0.01, 0.001, seeds=5)
    told = asked(library, capsys, "1")
    flags = [note for note in told["notes"] if "seeds that chose it" in note]
    assert len(flags) == 1
    assert flags[0].startswith("‘Learning rate 0.01’ is the best of 3 settings of experiment 1 (Learning rates)")
    assert len(told["verdicts"]) == 1  # of the best two
    others = [scored(library, {"seed": seed, RATE: 0.01}, 480.0 + seed) for seed in (71, 72)]
    fresh = asked(library, capsys, *(str(run.number) for run in others), "1", "2")
    assert not [note for note in fresh["notes"] if "seeds that chose it" in note]
    assert [note for note in fresh["notes"] if note.startswith("1 of the 3 settings of experiment 1")]
    again = scored(library, {"seed": 2, RATE: 0.01}, 478.0)  # the same setting and seed, trained once more
    told = asked(library, capsys, str(again.number), "1")
    assert [note for note in told["notes"] if "seeds that chose it" in note]


def test_settings_meet_within_environments_and_never_across(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    for environment, scale in (("CartPole-v1", 1.0), ("Acrobot-v1", -5.0)):
        for rate, scores in SCORES.items():
            for seed, score in enumerate(scores[:3]):
                scored(library, {"seed": seed, RATE: rate, "environment": environment}, scale * score)
    told = asked(library, capsys, *map(str, range(1, 13)))
    assert [row["over_first"] and row["over_first"]["probability"] for row in told["settings"]] == [None, 1, None, 0]
    assert len(told["verdicts"]) == 2
    over = [note for note in told["notes"] if note.startswith("Over 2 environments")]
    assert len(over) == 1
    assert "‘Learning rate 0.01’ is better than one of ‘Learning rate 0.001’ with probability 0.50 [" in over[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["9"], "It takes two runs to compare, or one experiment. There is no experiment '9'"),
        (["baselines"], "was not begun in this library; `sweep baselines` begins it."),
        (["1", "2", "--statistic", "mode"], "There is no statistic mode; there is median, iqm, mean."),
    ],
)
def test_what_is_no_experiment_is_said(
    library: Library, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *words, "--library", str(library.folder)]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
