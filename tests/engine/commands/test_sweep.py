from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock

from engine.runs.executors.interface import NO_RAY
from engine.runs.library import Library
from engine.runs.sweeps.conducted import LOCK, folder_of, is_conducted
from engine.runs.sweeps.detached import Where, begin_conducting, last_words
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.files import load
from engine.runs.sweeps.records import Wish
from main import main
from tests.engine.runs.sweeps.sweeps import RATES, bandits

FILE = f"""
title = "Bandits"
preset = "bandit"
seeds = 2
[set]
budget.environment_steps = 6_000
{RATES}
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without SIGKILL")
def test_a_sweep_whose_conductor_is_killed_goes_on_and_the_same_command_trains_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, report = tmp_path / "library", tmp_path / "report"
    (tmp_path / "sweep.toml").write_text(FILE)
    with Library(folder) as library:
        record = Experiments(library).add(bandits(f"seeds = 2\n{RATES}"))  # of which nothing is conducted
        record = Experiments(library).add(load(tmp_path / "sweep.toml"))
        begun = begin_conducting(folder, record.id, Where(workers=1))
        assert begun is not None
        _wait(lambda: len(library.checkpoints(record.runs[0].run)) > 0, lambda: last_words(folder, record.id))
        assert is_conducted(folder, record.id)
        begun.kill()
        begun.wait()
        kept = library.checkpoints(record.runs[0].run)[0].iteration
    arguments = ["sweep", str(tmp_path / "sweep.toml"), "--library", str(folder), "--report", str(report)]

    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert "Experiment 2, Bandits: 2 settings × 2 seeds = 4 runs" in said
    assert "4 of 4 runs have finished." in said
    with Library(folder) as library:
        runs = {run.id: run for run in library.runs()}
        assert len(runs) == 4
        gone_on = [event for event in library.events(record.runs[0].run) if event.kind == "gone on"]
        assert [event.iteration >= kept for event in gone_on] == [True]
    lines = [json.loads(line) for line in (report / "point-1-seed-2.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["environment_steps"] >= 6_000
    summary = json.loads((report / "summary.json").read_text())
    assert [(run["settings"], run["seed"]) for run in summary["runs"]] == [
        ({"Learning rate": rate}, seed) for rate in (0.1, 0.3) for seed in (1, 2)
    ]
    assert summary["counts"]["finished"] == 4

    assert main(["experiments", "list", "--library", str(folder), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["number"], one["state"], one["finished"], one["left"]) for one in listed] == [
        (2, "finished", 4, 0),
        (1, "interrupted", 0, 4),
    ]
    assert [one["go_on"] for one in listed] == [None, ["sweep", "--experiment", "1"]]
    assert main(["experiments", "list", "--library", str(folder)]) == 0
    assert "`sweep --experiment NUMBER` goes on with what is left." in capsys.readouterr().out
    assert main(["sweep", "--experiment", "Bandits", "--library", str(folder)]) == 0
    assert "4 of 4 runs have finished." in capsys.readouterr().err

    assert main(["runs", "show", "1", "--library", str(folder)]) == 0
    assert "experiment 2 (Bandits): Learning rate 0.1" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "4 runs, 4 of which have finished before." in capsys.readouterr().err
    with Library(folder) as library:
        assert {run.id: run.ended for run in library.runs()} == {id: run.ended for id, run in runs.items()}


def _wait(until: Callable[[], bool], said: Callable[[], str], seconds: float = 30.0) -> None:
    by = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < by, said()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name a sweep: a TOML file, or an experiment that ships."),
        (["baselinse"], "There is no sweep baselinse; did you mean baselines?"),
        (["nowhere.toml"], "The sweep nowhere.toml could not be read: No such file or directory."),
        (["baselines", "--workers", "2", "--ray", "auto"], "name one of them."),
        (["baselines", "--ray", "127.0.0.1:1"], "No Ray cluster can be used at 127.0.0.1:1: Connection refused."),
        (["baselines", "--ray", "junk"], "junk is no address of a Ray cluster; it is auto, or HOST:PORT."),
        (["baselines", "--report", __file__], "The report cannot be written to"),
        (["--experiment", "abc"], "There is no experiment 'abc' in the library"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--ray" in arguments and find_spec("ray") is None:
        sentence = NO_RAY
    assert main(["sweep", *arguments, "--library", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert "\n" not in said
    with Library(tmp_path) as library:  # nothing was begun
        assert Experiments(library).list() == []


def test_a_point_that_cannot_be_trained_is_named_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vary = '[[vary]]\npath = "environment"\nvalues = ["Bandit-v0", "Nowhere-v0"]'
    (tmp_path / "sweep.toml").write_text(f'title = "Where"\npreset = "bandit"\n{vary}')
    assert main(["sweep", str(tmp_path / "sweep.toml"), "--library", str(tmp_path / "library")]) == 2
    said = capsys.readouterr().err
    assert "Point 2 (Environment Nowhere-v0) cannot be trained: There is no environment Nowhere-v0" in said
    with Library(tmp_path / "library") as library:
        assert Experiments(library).list() == []


def test_a_second_driver_is_told_so_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runs.sweeps.conducting.BUSY", 0.0)
    (tmp_path / "sweep.toml").write_text(FILE)
    with Library(tmp_path / "library") as library:
        record = Experiments(library).add(load(tmp_path / "sweep.toml"))
        Experiments(library).wish(record.id, Wish.PAUSE)
        where = folder_of(library.folder, record.id)
        where.mkdir(parents=True)
        with FileLock(where / LOCK, thread_local=False):
            assert main(["sweep", str(tmp_path / "sweep.toml"), "--library", str(tmp_path / "library")]) == 2
        assert capsys.readouterr().err == (
            "This experiment is being conducted by another window or command; stop it there first.\n"
        )
        assert Experiments(library).get(record.id).wish is Wish.PAUSE
