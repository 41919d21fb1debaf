"""The command line: what it prints, what it writes, and the status it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS, EXTRAS
from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.reports.metrics import METRICS
from main import main

Capture = pytest.CaptureFixture[str]
SHORT = ["train", "--preset", "cartpole", "--steps", "600", "--device", "cpu"]


def test_training_ends_with_0_and_a_summary(capsys: Capture) -> None:
    assert main(SHORT) == 0
    assert "steps/s" in capsys.readouterr().err


def test_a_report_line_per_iteration_has_every_metric(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    main([*SHORT, "--report", str(report)])
    rows = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [row["iteration"] for row in rows] == list(range(1, len(rows) + 1))
    assert set(rows[-1]) == {"iteration", "environment_steps", "episodes", "seconds", *METRICS}
    assert rows[-1]["environment_steps"] >= 600


def test_solving_is_told_and_is_no_line_of_the_report(tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "report.jsonl"
    assert main(["train", "--preset", "cartpole-fast", "--steps", "200000", "--report", str(report)]) == 0
    (sentence,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("Solved after "))
    assert sentence.endswith(", at least 475.")
    assert all("iteration" in json.loads(line) for line in report.read_text("utf-8").splitlines())


def test_a_report_is_appended_to(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    report.write_text("{}\n")
    main([*SHORT, "--report", str(report)])
    assert report.read_text("utf-8").startswith("{}\n{")


def test_the_same_seed_reports_the_same(tmp_path: Path) -> None:
    def rows(name: str, seed: int) -> list[dict[str, float]]:
        main([*SHORT, "--seed", str(seed), "--report", str(tmp_path / name)])
        lines = (tmp_path / name).read_text("utf-8").splitlines()
        timed = ("seconds", "steps_per_second")
        return [{key: value for key, value in json.loads(line).items() if key not in timed} for line in lines]

    assert rows("a", 3) == rows("b", 3) != rows("c", 4)


@pytest.mark.parametrize("what", ["environments", "policies", "algorithms", "presets"])
def test_lists_name_what_there_is(what: str, capsys: Capture) -> None:
    assert main(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(row["id"] and row["title"] for row in rows)


def test_a_list_for_people_has_a_line_per_entry(capsys: Capture) -> None:
    assert main(["list", "algorithms"]) == 0
    assert "reinforce-causality" in capsys.readouterr().out


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_trained_by_its_name(algorithm: str, tmp_path: Path) -> None:
    """With an MLP, but for those that come with another policy of their own."""
    report = tmp_path / "report.jsonl"
    environment = "Pendulum-v1" if algorithm in ("td3", "ddpg") else "Corridor-v0"  # these climb with the action
    arguments = ["--environment", environment, "--algorithm", algorithm, "--device", "cpu"]
    if "policy" not in ALGORITHMS[algorithm].values:
        arguments += ["--policy", "mlp"]
    for setting in {"behavioural-cloning": ["dataset=own"], "dagger": ["teacher=optimal"]}.get(algorithm, []):
        arguments += ["--set", f"imitation.{setting}"]
    assert main(["train", *arguments, "--steps", "1", "--report", str(report)]) == 0
    (row,) = (json.loads(line, parse_constant=_refuse) for line in report.read_text("utf-8").splitlines())
    assert set(row) == {"iteration", "environment_steps", "episodes", "seconds", *METRICS}


def _refuse(number: str) -> None:
    raise AssertionError(f"{number} is no JSON")


@pytest.mark.parametrize(("policy", "environment"), [("gru", "CartPolePositions-v0"), ("tabular", "FrozenLake-v1")])
def test_every_policy_is_trained_by_its_name(policy: str, environment: str) -> None:
    assert main(["train", "--environment", environment, "--policy", policy, "--steps", "1", "--device", "cpu"]) == 0


@pytest.mark.parametrize(
    ("what", "names"), [("policies", POLICIES), ("algorithms", ALGORITHMS), ("environments", ENVIRONMENTS)]
)
def test_a_list_names_all_that_the_catalogue_has(what: str, names: dict[str, Any], capsys: Capture) -> None:
    main(["list", what, "--json"])
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == list(names)


def test_the_list_says_how_to_install_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("engine.commands.listing.missing_extra", lambda family: EXTRAS.get(family))
    main(["list", "environments"])
    assert '".[mujoco]"' in " ".join(capsys.readouterr().out.split())


def test_the_distribution_follows_the_action_space() -> None:
    assert main(["train", "--environment", "Pendulum-v1", "--policy", "mlp", "--steps", "1", "--device", "cpu"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--environment", "CartPol-v1"], "did you mean CartPole-v1?"),
        (["train", "--set", "environment.hidden=[0,1,2,3]"], "nothing left to see"),
        (["train", "--environment", "FrozenLake-v1", "--set", "environment.options.is_slipery=false"], "is_slippery"),
        (["train", "--policy", "tabular"], "discrete states"),
        (["train", "--policy", "cnn"], "looks at images"),
        (["train", "--algorithm", "exact-gradient"], "finitely many states"),
        (["train", "--environment", "Taxi-v4", "--algorithm", "sarsa", "--policy", "mlp"], "the tabular policy"),
        (["train", "--environment", "Acrobot-v1", "--algorithm", "sarsa"], "use DQN"),
        (["train", "--algorithm", "rloo", "--set", "collection=fixed-length"], "collect whole episodes"),
        (["train", "--policy", "mpl"], "did you mean mlp?"),
        (["train", "--algorithm", "reinforc"], "did you mean reinforce?"),
        (["train", "--preset", "cartpol"], "did you mean cartpole?"),
        (["train", "--preset", "missing.toml"], "could not be read"),
        (["train", "--steps", "many"], "--steps"),
        (["train", "--steps", "0"], "environment_steps"),
        (["train", "--set", "update.learning_rat=1"], "did you mean update.learning_rate?"),
        (["train", "--set", "update.learning_rate=-1"], "greater than 0"),
        (["train", "--set", "update.learning_rate"], "KEY=VALUE"),
        (["train", "--report", "/nowhere/report.jsonl"], "cannot be written"),
        (["train", "--library", "main.py"], "cannot be opened"),
        (["--library", "main.py"], "cannot be opened"),
        (["train", "--bogus"], "--bogus"),
        (["list", "things"], "environments"),
        (["bogus"], "bogus"),
        (["--preset", "cartpol"], "did you mean cartpole?"),
        (["--theme", "pink"], "dark"),
        (["--size", "big"], "1280x800"),
        (["--size", "²x²"], "1280x800"),
        (["--size", "0x99999"], "16384"),
        (["--seconds", "inf"], "1,000,000"),
        (["--seconds", "nan"], "1,000,000"),
        (["train", "--preset", ""], "without a name"),
        (["train", "--steps", "9" * 5000], "--steps"),
        (["train", "--set", "seed=" + "9" * 5000], "too large"),
        (["train", "--set", "seed=" + "[" * 3000], "whole number"),
        (["train", "--set", "seed=" + "[" * 900 + "]" * 900], "nested too deeply"),
        (["train", "--set", "environment.options.x=" + "[" * 900 + "]" * 900], "nested too deeply"),
        (["--screenshot", "picture.png"], "--seconds"),
        (["--screenshot", "picture.xyz", "--seconds", "1"], ".png"),
        (["--screenshot", "/nowhere/picture.png", "--seconds", "1"], "exists"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_status_2(arguments: list[str], words: str, capsys: Capture) -> None:
    assert main(arguments) == 2
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1


def test_no_display_names_the_headless_command(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "python main.py train" in capsys.readouterr().err


def test_a_display_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    assert main([]) == 2
    assert "display :4711 does not answer" in capsys.readouterr().err


def test_a_run_that_fails_ends_with_1(capsys: Capture) -> None:
    arguments = ["--environment", "Pendulum-v1", "--policy", "mlp", "--steps", "100000"]
    for setting in ("optimizer=sgd", "learning_rate=10", "hidden_sizes=[]"):
        arguments += ["--set", f"estimator.baseline.{setting}"]
    assert main([*SHORT, *arguments]) == 1
    assert "learning rate" in capsys.readouterr().err
