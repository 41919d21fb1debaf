"""What people read on a terminal: in any encoding, one line per complaint, and no fuss where nobody reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.commands.interrupts import Interrupts
from engine.commands.output import complain
from engine.runtime.interrupts import let_in, put_off
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


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent there to one process")
@pytest.mark.parametrize("trains", [False, True], ids=["while it loads", "while it trains"])
def test_ctrl_c_is_told_in_one_word(trains: bool) -> None:
    command = [sys.executable, "main.py", "train", "--set", "environment.stepping=processes", "--steps", "10000000"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, text=True)
    assert process.stderr is not None
    if trains:
        assert any(line.startswith("Training on ") for line in process.stderr)
    else:
        time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in told


def test_an_interrupt_that_was_swallowed_is_not_forgotten() -> None:
    with Interrupts() as interrupts:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert interrupts.came


def test_an_interrupt_is_held_back_where_it_would_break_what_is_loaded() -> None:
    loaded = []

    def load(interrupts: Interrupts) -> None:
        with interrupts.held_back():
            signal.raise_signal(signal.SIGINT)
            loaded.append("torch")

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        load(interrupts)
    assert loaded


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be put off there")
def test_an_interrupt_that_is_put_off_comes_once_someone_sees_to_it() -> None:
    told = []

    def open_a_window() -> None:
        with put_off():
            signal.raise_signal(signal.SIGINT)
            told.append("made")
            let_in()
            told.append("too late")

    with Interrupts(), pytest.raises(KeyboardInterrupt):
        open_a_window()
    assert told == ["made"]
