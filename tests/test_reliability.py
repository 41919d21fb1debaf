"""What `python -m tests.benchmarks reliability` does at length, in short: whatever is opened is read or refused."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from engine.runs.library import DATABASE, Library
from engine.runs.records import Status
from tests.benchmarks.reliability import clock, damage
from tests.benchmarks.reliability.damage import Tally
from tests.benchmarks.reliability.kills import Losses, inspect
from tests.benchmarks.reliability.processes import trained
from tests.engine.runs.libraries import filled, keep, opened, policy_for


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The database of a library of two runs, with all that runs have, and nothing beside it."""
    with opened(tmp_path) as library:
        for number in range(2):
            run = filled(library)
            keep(library, run, policy_for(run.config))
            library.keep_snapshot(run.id, 2, 200, bytes(5000))
            library.keep_thumbnail(run.id, bytes(1000))
            if number:
                library.delete([run.id])
    return tmp_path / "library" / DATABASE


def test_a_damaged_checkpoint_is_always_refused(place: Path) -> None:
    tally = Tally()
    data = next(place.parent.glob("runs/*/checkpoints/*")).read_bytes()
    damage.fuzzed_checkpoints(data, 200, tally)
    assert (tally.refused, tally.wrong) == (tally.tried, [])


@pytest.mark.parametrize(
    ("fuzzed", "count"), [(damage.fuzzed_libraries, 40), (damage.fuzzed_files, 40)], ids=["libraries", "files"]
)
def test_what_is_damaged_is_read_or_refused_in_a_sentence(
    place: Path, tmp_path: Path, fuzzed: Callable[..., None], count: int
) -> None:
    tally = Tally()
    paths = [place, *place.parent.glob("runs/*/checkpoints/*"), *list(_presets())[:2]]
    fuzzed(place if fuzzed is damage.fuzzed_libraries else paths, count, tmp_path, tally)
    assert tally.wrong == []
    assert 0 < tally.refused < tally.tried


def test_what_is_made_to_do_harm_does_none(place: Path, tmp_path: Path) -> None:
    tally = Tally()
    damage.attacked(place, tmp_path, tally)
    assert tally.wrong == []
    assert tally.refused > 30


def test_a_clock_that_goes_back_loses_and_confuses_nothing(tmp_path: Path) -> None:
    assert clock.goes_back(tmp_path, steps=1500) == []


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
def test_a_killed_process_leaves_a_library_that_is_whole_and_a_run_to_go_on_with(tmp_path: Path) -> None:
    process = trained(tmp_path / "library", tmp_path / "process", preset="cartpole-fast")
    deadline = time.monotonic() + 60.0
    while not _saved(tmp_path / "library") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    losses = Losses()
    inspect(tmp_path / "library", [process], losses)
    assert losses.wrong == []
    assert losses.checkpoints > 0
    assert losses.resumed == 1
    with Library(tmp_path / "library") as library:
        (run,) = library.runs()
        assert run.status == Status.INTERRUPTED


def _saved(folder: Path) -> bool:
    """Whether a run in this library can be gone on with."""
    if not (folder / DATABASE).exists():
        return False
    with Library(folder) as library:
        return any(library.checkpoints(run.id) for run in library.runs())


def _presets() -> list[Path]:
    with resources.as_file(resources.files("resources") / "presets") as folder:
        return sorted(folder.glob("*.toml"))
