"""Runs written out and taken in on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.commands import declared
from engine.commands.transfer import export_run, import_runs
from engine.config import presets
from engine.runs.exports.registry import EXPORTS
from engine.runs.library import Library
from engine.runtime.errors import RequestError
from tests.engine.runs.libraries import filled, opened


def test_a_run_goes_out_to_a_named_file_or_one_of_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = opened(tmp_path)
    run = filled(library)
    monkeypatch.chdir(tmp_path)
    said = export_run("1", "csv", None, "last", library.folder)
    export_run("run 1", "preset", Path("mine.toml"), "best", library.folder)
    assert (tmp_path / "run-1-CartPole-v1.csv").read_text().startswith("iteration,")
    assert presets.load(tmp_path / "mine.toml").config == run.config
    assert said == "Wrote 3 iterations of run 1 to run-1-CartPole-v1.csv."
    for wrong, why in (
        (("9", "csv", "last"), "no run '9'"),
        (("1", "pdf", "last"), "there is csv"),
        (("1", "csv", "worst"), "not from worst"),
    ):
        name, form, which = wrong
        with pytest.raises(RequestError, match=why):
            export_run(name, form, None, which, library.folder)


def test_the_command_line_names_every_form() -> None:
    assert declared.FORMS.split(", ") == list(EXPORTS)


def test_runs_come_in_from_other_libraries(tmp_path: Path) -> None:
    source = opened(tmp_path / "theirs")
    run = filled(source)
    assert import_runs(source.folder, tmp_path / "mine") == "1 run came into your library."
    with Library(tmp_path / "mine") as library:
        assert library.run(run.id).number == 1
    (tmp_path / "a.toml").write_bytes(b"")
    for name in ("a.toml", "absent"):
        with pytest.raises(RequestError, match=name):
            import_runs(tmp_path / name, tmp_path / "mine")
