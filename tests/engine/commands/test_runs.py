"""``main.py runs``, ``resume`` and ``fork``: what they say, and that a run goes on as if it had never been away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config.bugs import NO_BUG, hidden
from engine.config.parameters import with_values
from engine.runs.library import ITERATIONS, Library
from engine.runs.liveness import hold
from engine.runs.records import Label, Status
from main import main
from tests.engine.runs.libraries import ITERATION_COLUMNS, filled, opened
from tests.engine.runs.recorded import begun, saved, trained
from tests.engine.support import TIMINGS
from tests.engine.training.going_on import reports
from tests.engine.training.test_state import FIXED, method

Capture = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def told(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with opened(tmp_path) as library:
        first = filled(library, {"seed": 1})
        library.label(first.id, Label("the first", "with a note", ("good",)))
        filled(library, {"seed": 2}, status=Status.FAILED, reason="It broke.")
        return library.folder


def test_runs_are_listed_for_programs_and_for_people(folder: Path, capsys: Capture) -> None:
    assert run("runs", "list", "--json", "--library", folder) == 0
    second, first = told(capsys)
    assert (first["number"], first["title"], first["seed"], first["status"]) == (1, "the first", 1, "finished")
    assert (second["environment_steps"], second["mean_return"], second["parent"]) == (300, 22.5, None)
    assert run("runs", "list", "--library", folder) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows if row[:3].strip().isdigit()] == ["2", "1"]
    assert "REINFORCE" in "".join(rows)


def test_a_library_without_runs_says_so(tmp_path: Path, capsys: Capture) -> None:
    assert run("runs", "list", "--library", tmp_path) == 0
    assert "no runs yet" in capsys.readouterr().out
    assert run("runs", "list", "--json", "--library", tmp_path) == 0
    assert told(capsys) == []


def test_a_run_is_shown_for_programs_and_for_people(folder: Path, capsys: Capture) -> None:
    assert run("runs", "show", "the first", "--json", "--library", folder) == 0
    first = told(capsys)
    assert first["configuration"]["seed"] == 1
    assert first["note"] == "with a note"
    assert first["events"]
    assert run("runs", "show", 2, "--library", folder) == 0
    assert "failed: It broke." in " ".join(capsys.readouterr().out.split())


def faulty(folder: Path, **values: str) -> Path:
    """A library with a run whose credit is not what its rewards add up to, but for its first iterations."""
    with opened(folder) as library:
        run_id = filled(library, values).id
        numbers = np.full((60, len(ITERATION_COLUMNS)), np.nan)
        numbers[:, 0] = numbers[:, 1] = numbers[:, 3] = 4.0 + np.arange(60)
        numbers[:, 1] *= 100.0
        numbers[:, ITERATION_COLUMNS.index("credit_error")] = 0.006
        library.append(run_id, ITERATIONS, ITERATION_COLUMNS, numbers)
    return folder / "library"


def test_what_the_doctor_sees_in_a_run_is_shown(tmp_path: Path, capsys: Capture) -> None:
    folder = faulty(tmp_path)
    assert run("runs", "show", 1, "--json", "--library", folder) == 0
    (found,) = told(capsys)["findings"]
    assert found["rule"] == "credit-unlike-rewards"
    assert run("runs", "show", 1, "--library", folder) == 0
    assert found["sentence"] in " ".join(capsys.readouterr().out.split())


def test_of_a_run_whose_bug_is_to_be_guessed_the_doctor_says_nothing(tmp_path: Path, capsys: Capture) -> None:
    folder = faulty(tmp_path, bug=hidden(NO_BUG, 7))
    assert run("runs", "show", 1, "--json", "--library", folder) == 0
    assert told(capsys)["findings"] == []


def test_deleting_can_be_undone(folder: Path, capsys: Capture) -> None:
    assert run("runs", "delete", 1, 2, "--library", folder) == 0
    assert "Deleted 2 runs; `runs restore 1 2` undoes it." in capsys.readouterr().out
    capsys.readouterr()
    assert run("runs", "show", 1, "--library", folder) == 2
    assert capsys.readouterr().err == "Run 1 was deleted; `runs restore 1` brings it back.\n"
    assert run("runs", "restore", "run 1", "--library", folder) == 0
    assert "Brought back run 1." in capsys.readouterr().out
    assert run("runs", "restore", 1, "--library", folder) == 2
    assert "There is no deleted run 1; deleted are 2." in capsys.readouterr().err


def test_a_run_that_is_being_trained_is_not_deleted_nor_gone_on_with(folder: Path, capsys: Capture) -> None:
    with Library(folder) as library, hold(library, library.find("1").id):
        assert run("runs", "delete", 1, "--library", folder) == 2
        assert "Run 1 is being trained" in capsys.readouterr().err
        assert len(library.runs()) == 2


def test_what_can_go_is_offered_and_goes_when_it_is_named(folder: Path, capsys: Capture) -> None:
    run("runs", "delete", 1, "--library", folder)
    assert run("runs", "clean", "--library", folder) == 0
    offered = capsys.readouterr().out
    assert "of 4 GB: " in offered
    assert "`runs clean deleted` removes 1 deleted run: " in offered
    assert run("runs", "clean", "all", "--budget", "500MB", "--library", folder) == 0
    done = capsys.readouterr().out
    assert done.startswith("Removed 1 deleted run, which frees ")
    assert "of 500 MB: " in done
    assert run("runs", "restore", 1, "--library", folder) == 2
    assert run("runs", "clean", "curves", "--library", folder) == 2
    assert "There is nothing called 'curves' to remove; there is deleted, between" in capsys.readouterr().err
    assert run("runs", "clean", "--budget", "1 GiB", "--library", folder) == 2
    assert "for example 8GB" in capsys.readouterr().err


# --- resume and fork --------------------------------------------------------------------------------------------------


@pytest.fixture
def going(tmp_path: Path) -> tuple[Path, list[dict[str, float | None]]]:
    """A library with a run of 2 of 5 iterations, with a checkpoint after each, and what all 5 report."""
    config = with_values(method("ppo", "mlp", FIXED), {"budget.environment_steps": 200})
    with Library(tmp_path / "library") as library:
        training, _ = begun(library, config)
        rows = trained(library, training, 1)
        saved(library, training, "kept")
        rows += trained(library, training, 1)
        saved(library, training)
        return library.folder, rows + reports(training, 9)


def reported(path: Path) -> list[dict[str, float | None]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: row[name] for name in row if name not in TIMINGS} for row in rows]


def test_a_run_is_resumed_and_reports_what_it_would_have(
    going: tuple[Path, list[dict[str, float | None]]], tmp_path: Path, capsys: Capture
) -> None:
    folder, wanted = going
    report = tmp_path / "report.jsonl"
    assert run("resume", 1, "--report", report, "--library", folder) == 0
    assert "Run 1 goes on after 80 steps." in capsys.readouterr().err
    assert reported(report) == wanted[2:]
    with Library(folder) as library:
        (record,) = library.runs()
        assert (record.status, record.reached.iteration) == (Status.FINISHED, 5)
        iterations = library.series(record.id, "iterations")["iteration"].tolist()
    assert iterations == [1, 2, 3, 4, 5]


def test_a_run_is_forked_at_a_checkpoint_with_something_changed(
    going: tuple[Path, list[dict[str, float | None]]], tmp_path: Path, capsys: Capture
) -> None:
    folder, wanted = going
    report = tmp_path / "report.jsonl"
    fork = ["fork", 1, "--at", 79, "--report", report, "--library", folder]
    assert run(*fork) == 0
    assert "Run 2 is forked from run 1 after 40 steps." in capsys.readouterr().err
    assert reported(report) == wanted[1:]
    report.unlink()
    assert run(*fork, "--set", "update.learning_rate=0.5", "--steps", 120) == 0
    first, second = reported(report)
    assert first["grad_norm"] == wanted[1]["grad_norm"]
    assert first["approx_kl"] != wanted[1]["approx_kl"]
    assert second["environment_steps"] == 120
    assert run("runs", "list", "--json", "--library", folder) == 0
    third, other, parent = told(capsys)
    assert third["parent"] == other["parent"] == parent["id"]


def test_a_run_that_another_process_trains_is_forked_and_not_resumed(
    going: tuple[Path, list[dict[str, float | None]]], capsys: Capture
) -> None:
    folder, _ = going
    with Library(folder) as library, hold(library, library.find("1").id):
        assert run("resume", 1, "--library", folder) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line == "This run is being trained by another window or command; stop it there, or fork it here."
        assert run("fork", 1, "--library", folder) == 0
        assert [record.status for record in library.runs()] == [Status.FINISHED, Status.STOPPED]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["resume", 9], "There is no run '9'"),
        (["resume", 1, "--steps", 80], "has taken 80 steps already; say with --steps how many"),
        (["fork", 1, "--at", 3], "no checkpoint by 3 steps; it has them after 40, 80 steps"),
        (["fork", 1, "--set", "policy=tabular"], "needs discrete states"),
        (["fork", 1, "--set", "learning_rate"], "--set takes KEY=VALUE"),
        (["fork", 1, "--steps", 70], "make it longer"),
        (["fork", 1, "--set", "update.learning_rate=-1"], "update.learning_rate cannot be -1: it should be greater"),
        (["fork", 1, "--set", "nothing.here=3"], "There is no parameter nothing.here for this choice; there is"),
        (["resume", ""], "There is no run ''"),
        (["runs", "show", 9], "There is no run '9'"),
        (["runs"], "Missing command"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    going: tuple[Path, list[dict[str, float | None]]], arguments: list[Any], sentence: str, capsys: Capture
) -> None:
    library = [] if arguments == ["runs"] else ["--library", going[0]]
    assert run(*arguments, *library) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert sentence in line
    with Library(going[0]) as opened:
        assert len(opened.runs()) == 1
