"""``main.py recordings``: from a run's policy to a dataset in a file, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.runs.library import Library
from engine.runs.recordings import Recordings
from main import main
from tests.engine.runs.libraries import filled, keep, policy_for

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library with a run that can be recorded."""
    with Library(tmp_path / "library") as library:
        run = filled(library, {"environment.time_limit": 30})
        keep(library, run, policy_for(run.config))
    return tmp_path / "library"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_runs_policy_becomes_a_dataset_in_a_file(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    def told(*arguments: object) -> str:
        assert run("recordings", *arguments, "--library", folder) == 0
        return capsys.readouterr().out

    assert "There are no recordings yet" in told("list")
    assert told("record", 1, "--episodes", 3, "--greedy").startswith("Recorded 3 episodes. Recording 1: mean return ")
    at_least = told("record", 1, "--episodes", 2, "--at-least", 9, "--iteration", 3, "--seed", 5)
    assert at_least.startswith("Recorded 2 episodes with a return of at least 9, of ")
    assert "run 1, iteration 3, sampled actions" in told("show", 2)
    assert told("merge", "mine", 1, 2).startswith("mine has 2 recordings in CartPole-v1 now, 5 episodes of ")
    assert "; `recordings trim 1 1 0 " in told("trim", 1, 1, 0, 2)
    file = tmp_path / "mine.safetensors"
    assert told("export", "mine", file).startswith("Wrote 5 episodes of ")
    assert told("import", file) == "Kept as recording 3, 5 episodes in CartPole-v1.\n"
    assert told("delete", 3, 1) == "Deleted 2 recordings; `recordings restore 3 1` undoes it.\n"
    assert told("restore", 3) == "Brought back recording 3.\n"
    listed = json.loads(told("list", "--json"))
    assert [each["number"] for each in listed["recordings"]] == [3, 2]
    assert listed["datasets"] == [
        {"name": "mine", "environment": "CartPole-v1", "recordings": [2], "episodes": 2}
        | {"steps": listed["recordings"][1]["steps"]}
    ]
    assert "mine" in told("list")
    assert json.loads(told("show", 2, "--json"))["datasets"] == ["mine"]
    with Library(folder) as library:
        assert Recordings(library).get(Recordings(library).ids()[0]).source.greedy is False


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("record", 7), "There is no run '7'"),
        (("record", 1, "--at-least", 1000), "None of 20 episodes had a return of at least 1000"),
        (("record", 1, "--iteration", 2), "Nothing was kept of iteration 2"),
        (("show", 7), "There is no recording '7'"),
        (("restore", 7), "There is no deleted recording '7'"),
        (("export", 7, "file"), "There is no recording '7'"),
        (("merge", "mine", 7), "There is no recording '7'"),
        (("import", __file__), "There is no configuration in test_recordings.py"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    folder: Path, capsys: Capture, arguments: tuple[object, ...], why: str
) -> None:
    assert run("recordings", *arguments, "--library", folder) == 2
    assert why in capsys.readouterr().err
