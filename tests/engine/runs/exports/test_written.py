"""What a run is written out as is equal to what the library holds of it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from engine.config import presets
from engine.config.shared_text import from_text
from engine.runs.exports.export import Source
from engine.runs.exports.registry import EXPORTS, proposed_name, write
from engine.runs.library import EPISODES, ITERATIONS
from engine.runs.records import Label
from engine.runtime.errors import RequestError
from tests.engine.runs.libraries import filled, opened, record


@pytest.mark.parametrize(("form", "stream"), [("csv", ITERATIONS), ("csv-episodes", EPISODES)])
def test_a_table_holds_every_number_with_all_its_digits(form: str, stream: str, tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library)
    said = write(Source(library, run), form, tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    series = library.series(run.id, stream)
    assert tuple(names) == series.columns
    np.testing.assert_array_equal([[float(each or "nan") for each in row] for row in rows], series.rows)
    assert rows[0][names.index("iteration")].isdecimal()  # a count is written as one
    assert f"of run {run.number} to numbers.csv" in said


def test_a_preset_and_a_text_are_what_the_run_came_to_be(tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library, {"update.learning_rate": 0.01}, changes={"update.learning_rate": 0.002})
    write(Source(library, run), "preset", tmp_path / "a.toml")
    write(Source(library, run), "text", tmp_path / "a.txt")
    preset = presets.load(tmp_path / "a.toml")
    assert preset.config == from_text((tmp_path / "a.txt").read_text()) == run.config_now
    assert preset.config.update.learning_rate == 0.002
    assert (preset.title, preset.summary[:21]) == ("CartPole-v1, run 1", "As run 1, which train")


def test_a_preset_goes_by_what_a_person_said_of_the_run(tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library, label=Label(title="Small steps " * 10, note="It crept " * 100))
    write(Source(library, run), "preset", tmp_path / "a.toml")
    preset = presets.load(tmp_path / "a.toml")
    assert (preset.title[:11], preset.summary[:8]) == ("Small steps", "It crept")


def test_what_cannot_be_written_is_refused_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    library = opened(tmp_path)
    empty = Source(library, library.begin(record()))
    for form, what in (("csv", "iteration"), ("csv-episodes", "episode")):
        with pytest.raises(RequestError, match=f"No {what} of run 1 has ended"):
            write(empty, form, tmp_path / "a.csv")
    with pytest.raises(RequestError, match="did you mean csv"):
        write(empty, "cvs", tmp_path / "a.csv")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(RequestError, match=r"Run 1 could not be written to .*folder\.txt"):
        write(empty, "text", tmp_path / "folder.txt")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("a.", "."))]


def test_every_form_proposes_a_file_that_any_system_takes() -> None:
    for export in EXPORTS.values():
        name = proposed_name(7, "my_package.worlds:Deep/Maze-v0", export)
        assert name.startswith("run-7-my_package.worlds-Deep-Maze-v0")
        assert name.endswith(export.ending)
        assert export.summary.endswith(".")
