"""The report of a run: every line whole and on disk, and one sentence where that can no longer be."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from engine.commands.report import Report, ReportError
from engine.runtime.errors import RequestError
from main import main

FULL = Path("/dev/full")
SHORT = ["train", "--preset", "cartpole", "--steps", "3000", "--device", "cpu"]
needs_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    with Report(path) as report:
        report.write({"iteration": 1})
        assert path.read_text("utf-8") == '{"iteration": 1}\n'


def test_a_file_that_cannot_be_opened_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^The report cannot be written to .*: Is a directory\.$"):
        Report(tmp_path)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in parts"])
def test_of_a_line_that_finds_no_room_nothing_stays(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.jsonl"
    with Report(path) as report:
        report.write({"iteration": 1})
        true, left = report._file, [5, 3]

        class Filling:
            """A disk that takes a few bytes more."""

            def write(self, line: memoryview) -> int:
                if not left:
                    raise OSError(28, "No space left on device")
                return true.write(line[: left.pop()])

            def __getattr__(self, name: str) -> object:
                return getattr(true, name)

        if whole:
            left.clear()
        monkeypatch.setattr(report, "_file", Filling())
        with pytest.raises(ReportError, match=r"^The report could not be written on: No space left on device; "):
            report.write({"iteration": 2})
    assert path.read_text("utf-8") == '{"iteration": 1}\n'


@needs_a_full_disk
@pytest.mark.parametrize("seeds", ["1", "2"])
def test_a_full_disk_ends_a_run_with_one_sentence(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "--seeds", seeds, "--report", str(FULL)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "The report could not be written on: No space left on device; earlier iterations are in it."


@needs_pipes
def test_a_pipe_whose_reader_leaves_ends_a_run_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)

    def read_a_line() -> None:
        with pipe.open("rb", buffering=0) as reader:
            reader.read(1)

    reader = threading.Thread(target=read_a_line)
    reader.start()
    assert main([*SHORT, "--steps", "1000000", "--report", str(pipe)]) == 1
    reader.join()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "The report could not be written on: Broken pipe; earlier iterations are in it."
