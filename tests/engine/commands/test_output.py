"""What people read on a terminal: in any encoding, one line per complaint, and no fuss where nobody reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.commands.interrupts import PATIENCE, Interrupts, interrupted
from engine.commands.output import complain
from engine.reports.events import Updated
from engine.runs.library import Library
from engine.runs.records import Status
from engine.runtime.interrupts import ENDS, let_in, put_off
from main import TRACEBACK, main

ROOT = Path(__file__).parents[3]


def run(*arguments: str, **others: Any) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | others.pop("variables", {})
    command = [sys.executable, "main.py", *arguments]
    others = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | others
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60, **others)


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252:strict"}])
def test_a_list_is_written_in_the_characters_that_there_are(variables: dict[str, str]) -> None:
    done = run("list", "environments", variables=variables)
    assert (done.returncode, done.stderr) == (0, b"")
    done.stdout.decode(variables["PYTHONIOENCODING"].partition(":")[0])


def test_json_says_the_same_in_any_encoding() -> None:
    plain = run("list", "presets", "--json", variables={"PYTHONIOENCODING": "ascii"})
    assert json.loads(plain.stdout) == json.loads(run("list", "presets", "--json").stdout.decode())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [("list", "environments", "--json"), ("--help",)], ids=" ".join)
def test_output_that_finds_no_room_is_told_in_one_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (1, b"The output could not be written: No space left on device.\n")


@pytest.mark.parametrize("arguments", [("list", "environments"), ("list", "environments", "--json"), ("--help",)])
def test_a_reader_that_has_left_need_not_be_told(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run(*arguments, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("two\nlines \x1b[31m", "two lines \N{REPLACEMENT CHARACTER}[31m\n"),
        ("w" * 5000, "w" * 199 + "…\n"),
    ],
)
def test_a_complaint_is_one_line_that_does_nothing_to_a_terminal(
    sentence: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    complain(sentence)
    assert capsys.readouterr().err == line


def test_what_nobody_foresaw_is_one_sentence_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.commands.listing.listing", lambda what: 1 / 0)
    monkeypatch.delenv(TRACEBACK, raising=False)
    assert main(["list", "presets"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Something unexpected happened: ZeroDivisionError: division by zero; ")
    assert told.count("\n") == 1
    monkeypatch.setenv(TRACEBACK, "1")
    main(["list", "presets"])
    assert "Traceback" in capsys.readouterr().err


def test_who_takes_another_python_is_told_which_to_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(_what: str) -> None:
        raise ModuleNotFoundError("No module named 'tomli_w'", name="tomli_w")

    monkeypatch.setattr("engine.commands.listing.listing", lacking)
    assert main(["list", "presets"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("The Python that runs this lacks the package tomli_w; ")
    assert told.endswith(".venv/bin/python main.py.\n")


@pytest.fixture
def trains() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begins to train in a process of its own, which is not left behind, whatever comes of the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "main.py", "train", "--steps", "10000000", *arguments]
        begun.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, text=True))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent there to one process")
def test_ctrl_c_while_it_loads_is_told_in_one_sentence(trains: Callable[..., subprocess.Popen[str]]) -> None:
    process = trains()
    loaded = Path(f"/proc/{process.pid}/maps")
    while loaded.exists() and "torch" not in loaded.read_text():
        assert process.poll() is None
        time.sleep(0.01)
    if not loaded.exists():
        time.sleep(0.3)  # as nothing tells how far it is
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1] in ("Interrupted.", "Interrupted before the first iteration had ended.")
    assert "Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent there to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_learned_before_a_signal_is_told_stands_in_the_report_and_is_saved(
    trains: Callable[..., subprocess.Popen[str]], tmp_path: Path, library_place: Path, number: int
) -> None:
    report = tmp_path / "report.jsonl"
    process = trains("--set", "environment.stepping=processes", "--report", str(report))
    while not report.exists() or report.read_bytes().count(b"\n") < 2:
        assert process.poll() is None
        time.sleep(0.05)
    for _ in range(3):  # by someone who is impatient
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        time.sleep(0.02)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in told
    last = json.loads(report.read_text().splitlines()[-1])
    episodes = min(last["episodes"], 100)
    assert told.splitlines()[-1] == (
        f"Interrupted after {last['environment_steps']:,} steps; "
        f"the mean return of the last {episodes} episodes was {last['mean_return']:.1f}."
    )
    with Library(library_place) as library:
        (record,) = library.runs()
        assert record.status is Status.INTERRUPTED
        assert record.reached.iteration == library.checkpoints(record.id)[0].iteration == last["iteration"]


HANGING = """
import gymnasium, sys, time
class Hangs(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    def reset(self, seed=None, options=None):
        print("hangs", file=sys.stderr, flush=True)
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass
gymnasium.register("Hangs-v0", Hangs)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent there to one process")
def test_what_does_not_let_itself_be_interrupted_is_left(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    command = [sys.executable, "main.py", "train", "--environment", "hanging:Hangs-v0"]
    command += ["--set", "environment.stepping=in-process"]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(tmp_path)}
    )
    assert process.stderr is not None
    assert any(line == "hangs\n" for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE + 20)
    assert process.returncode == 143
    assert told.splitlines()[-1] == "Interrupted before the first iteration had ended."


def test_an_interrupt_that_was_swallowed_is_not_forgotten(heard_again: None) -> None:
    with Interrupts() as interrupts:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        signal.raise_signal(signal.SIGTERM)  # which raises nothing any more
    assert interrupts.status == 130


def test_an_interrupt_is_held_back_where_it_would_break_what_is_loaded(heard_again: None) -> None:
    loaded = []

    def load(interrupts: Interrupts) -> None:
        with interrupts.held_back():
            signal.raise_signal(signal.SIGINT)
            loaded.append("torch")

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        load(interrupts)
    assert loaded


@pytest.mark.parametrize(
    ("episodes", "mean", "reached"),
    [
        (0, None, "no episode had ended"),
        (1, 21.0, "the return of the last episode was 21.0"),
        (12, 21.04, "the mean return of the last 12 episodes was 21.0"),
        (1234, -482.0, "the mean return of the last 100 episodes was -482.0"),
    ],
)
def test_how_far_a_run_had_come_is_said(episodes: int, mean: float | None, reached: str) -> None:
    latest = Updated(iteration=3, environment_steps=61_440, episodes=episodes, metrics={"mean_return": mean})
    assert interrupted(latest) == f"Interrupted after 61,440 steps; {reached}."


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be put off there")
@pytest.mark.parametrize("number", ENDS)
def test_a_signal_that_is_put_off_comes_once_someone_sees_to_it(number: int, heard_again: None) -> None:
    told = []

    def open_a_window() -> None:
        with put_off():
            signal.raise_signal(number)
            told.append("made")
            let_in()
            told.append("too late")

    with Interrupts(), pytest.raises(KeyboardInterrupt):
        open_a_window()
    assert told == ["made"]
