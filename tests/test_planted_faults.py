"""Planting faults: one that has no place any more is told, one that is caught is told by which test, and none stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.benchmarks import faults
from tests.benchmarks.fault_table import FAULTS, Fault
from tests.benchmarks.faults import Found, PlantingError, first_failure, planted, require_sound, tried

SOUND = "def double(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2\n"
TESTS = "from code_of import double\n\n\ndef test_double():\n    assert double(3) == 6\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "code_of.py").write_text(SOUND, "utf-8")
    (tmp_path / "test_of.py").write_text(TESTS, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # which takes longer than these tests
    return tmp_path


def fault(old: str, new: str, file: str = "code_of.py", tests: str = "test_of.py") -> Fault:
    return Fault("made up", "Nothing.", file, old, new, (tests,))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (fault("3 * x", "4 * x"), "0 times"),
        (fault("return", "yield"), "2 times"),
        (fault("2 * x", "3 * x", file="gone.py"), "no file"),
    ],
)
def test_a_fault_without_one_place_is_told(root: Path, one: Fault, why: str) -> None:
    with pytest.raises(PlantingError, match=why):
        planted(one, root)
    assert (root / "code_of.py").read_text("utf-8") == SOUND


def test_a_fault_is_caught_or_missed_and_taken_out_again(root: Path) -> None:
    caught, missed = tried(fault("2 * x", "3 * x"), root), tried(fault("x / 2", "x / 3"), root)
    assert (caught.caught_by, missed.caught_by) == ("test_of.py::test_double", None)
    assert (root / "code_of.py").read_text("utf-8") == SOUND
    with pytest.raises(PlantingError, match="pytest ended with"):
        first_failure(root, ["no_such_test.py"])


def test_a_test_that_fails_anyhow_tells_nothing(root: Path) -> None:
    found = Found(fault("2 * x", "3 * x"), "test_of.py::test_double", 0.0)
    require_sound([], root)
    (root / "code_of.py").write_text(SOUND.replace("2 * x", "5 * x"), "utf-8")
    with pytest.raises(PlantingError, match=r"test_of.py::test_double fails without any fault"):
        require_sound([found], root)


def test_a_table_that_is_out_of_date_breaks_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(faults, "FAULTS", (fault("no such text", "", file="main.py"),))
    done = CliRunner().invoke(faults.cli, ["--output", str(tmp_path / "found.json")])
    assert done.exit_code == 1
    assert "0 times" in done.output
    assert not list(tmp_path.iterdir())


def test_faults_have_names_of_their_own_and_files_and_tests_that_are_there() -> None:
    assert len({one.name for one in FAULTS}) == len(FAULTS) == 30
    for one in FAULTS:
        assert one.old != one.new
        assert all((faults.machine.ROOT / path).exists() for path in (one.file, *one.tests))
