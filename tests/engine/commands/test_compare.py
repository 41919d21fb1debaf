"""``main.py compare``: what differs between runs and what each came to, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from tests.engine.runs.libraries import filled, keep, opened, policy_for


@pytest.fixture
def folder(tmp_path: Path) -> str:
    with opened(tmp_path) as library:
        filled(library, {"seed": 1})
        filled(library, {"seed": 2, "update.learning_rate": 0.5})
        return str(library.folder)


def test_runs_are_compared_as_json(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["compare", "1", "run 2", "--axis", "seconds", "--threshold", "0.2", "--json", "--library", folder]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["axis"], told["until"], told["threshold"]) == ("seconds", 0.75, 0.2)
    one, other = told["runs"]
    assert one["differs"] == {"seed": [1], "update.learning_rate": [0.01]}
    assert other["differs"] == {"seed": [2], "update.learning_rate": [0.5]}
    assert one["final"] == pytest.approx(1 / 6)
    assert one["best"] == pytest.approx(1 / 5)
    assert one["steps"] is None  # for want of 100 episodes
    assert "not known as tables" in told["performance_difference"]["unknown"]


def test_what_the_policy_of_one_run_gains_over_another_is_told_where_the_process_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path) as library:
        for seed in (1, 2):
            run = filled(library, {"seed": seed, "environment": "Corridor-v0", "policy": "tabular"})
            keep(library, run, policy_for(run.config, seed))
    both = ["compare", "1", "2", "--library", str(tmp_path / "library")]
    assert main([*both, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["performance_difference"]
    assert told["difference"] == pytest.approx(told["lemma"])
    assert told["difference"] == pytest.approx(told["new_return"] - told["old_return"])
    assert told["guaranteed"] <= told["surrogate"]
    assert main(both) == 0
    assert told["sentence"][:20] in capsys.readouterr().out


def test_the_table_names_what_differs_and_nothing_else(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "1", "2", "--library", folder]) == 0
    rows = [line.split("  ")[0].strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert set(rows[1:3]) == {"Seed", "Learning rate"}
    assert rows[3:8] == [
        *("final mean return", "best mean return", "mean over 300 environment steps"),
        *("steps to 475", "seconds to 475"),
    ]
    assert rows[8].startswith("One seed of each does not tell ‘Learning rate 0.01’")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["1"], "It takes two runs"),
        (["1", "9"], "There is no run '9'"),
        (["1", "2", "--axis", "days"], "not compared over days"),
    ],
)
def test_what_cannot_be_compared_is_said(
    folder: str, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments, "--library", folder]) == 2
    assert sentence in capsys.readouterr().err
