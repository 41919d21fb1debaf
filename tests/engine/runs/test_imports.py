"""What is opened, dropped or pasted becomes a configuration or runs, and never anything that is run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from engine.config import PolicyGradientConfig, presets
from engine.config.parameters import with_values
from engine.config.presets import Preset
from engine.config.shared_text import to_text
from engine.runs.exports.export import Source
from engine.runs.exports.registry import write
from engine.runs.imports import FolderFound, RunsFound, recognised
from engine.runs.library import DATABASE, EPISODES, ITERATIONS, Library
from engine.runs.records import Label, Origin, RunRecord, Status
from engine.runtime.errors import RequestError
from engine.training.checkpoint import to_bytes
from engine.training.training import Training
from tests.engine.runs.libraries import filled, keep, opened, policy_for

CONFIG = with_values(PolicyGradientConfig(), {"seed": 11, "update.learning_rate": 0.25})


def library_of_two(folder: Path) -> tuple[Library, RunRecord, RunRecord]:
    library = opened(folder)
    first = filled(library, label=Label("Mine", "a note", ("tag",), pinned=True), changes={"seed": 4})
    second = filled(
        library, origin=Origin(first.id, 2, 200), status=Status.RUNNING, ended=None, created=1_790_000_009.0
    )
    for run in (first, second):
        keep(library, run, policy_for(run.config))
        library.keep_snapshot(run.id, 2, 200, b"as it was")
    library.keep_thumbnail(first.id, b"a picture")
    return library, first, second


def config_in(what: Path | str) -> object:
    found = recognised(what)
    assert isinstance(found, Preset)
    return found.config


def test_a_configuration_is_found_in_every_form_that_it_is_given_away_in(tmp_path: Path) -> None:
    text = to_text(CONFIG)
    presets.save(Preset(title="Kept", config=CONFIG), tmp_path / "a.toml")
    (tmp_path / "mail.eml").write_text(f"Subject: it learns\n\nTry {text}, I like it.\n")
    (tmp_path / "preset.txt").write_text((tmp_path / "a.toml").read_text())
    library = opened(tmp_path)
    run = filled(library, {"seed": 11, "update.learning_rate": 0.25})
    checkpoint = keep(library, run, policy_for(run.config))
    write(Source(library, run), "policy", tmp_path / "p.safetensors")
    write(Source(library, run), "script", tmp_path / "train.py")
    files = ["train.py", "a.toml", "mail.eml", "preset.txt", "p.safetensors"]
    files.append(f"library/runs/{run.id}/checkpoints/{checkpoint.file}")
    assert [config_in(tmp_path / file) for file in files] == [CONFIG] * 6
    texts = [(tmp_path / "train.py").read_text(), text, f"  “{text}”, he said", (tmp_path / "a.toml").read_text()]
    texts += [str(tmp_path / "a.toml"), (tmp_path / "a.toml").as_uri(), f"'{tmp_path / 'a.toml'}'\n"]
    assert [config_in(each) for each in texts] == [CONFIG] * 7
    assert recognised(tmp_path / "preset.txt").title == "Kept"  # type: ignore[union-attr]


def test_runs_are_found_in_a_library_its_database_and_a_folder_of_one_run(tmp_path: Path) -> None:
    library, first, _ = library_of_two(tmp_path)
    database = library.folder / DATABASE
    assert recognised(library.folder) == recognised(database) == RunsFound(database)
    assert recognised(library.run_folder(first.id)) == RunsFound(database, first.id)
    lone = shutil.copytree(library.run_folder(first.id), tmp_path / "taken away")
    assert recognised(lone) == FolderFound(lone)


def test_a_library_is_taken_in_whole_and_left_as_it_was(tmp_path: Path) -> None:
    source, first, second = library_of_two(tmp_path)
    target = opened(tmp_path / "mine")
    own = filled(target)
    before = (source.folder / DATABASE).read_bytes()
    taken = RunsFound(source.folder / DATABASE).take(target)
    assert (source.folder / DATABASE).read_bytes() == before
    assert (taken.added, taken.sentence) == ((first.id, second.id), "2 runs came into your library.")
    copied, child = target.run(first.id), target.run(second.id)
    assert (copied.label, copied.changes, copied.number) == (first.label, first.changes, own.number + 1)
    assert (child.status, child.origin) == (Status.INTERRUPTED, Origin(first.id, 2, 200))
    for stream in (ITERATIONS, EPISODES):
        found, wanted = target.series(first.id, stream), source.series(first.id, stream)
        assert found.columns == wanted.columns
        np.testing.assert_array_equal(found.rows, wanted.rows)
    assert target.events(first.id) == source.events(first.id)
    assert (target.snapshot(first.id, 2), target.thumbnail(first.id)) == (b"as it was", b"a picture")
    (kept,) = target.checkpoints(first.id)
    path = Path("runs") / first.id / "checkpoints" / kept.file
    assert (target.folder / path).read_bytes() == (source.folder / path).read_bytes()


def test_what_is_there_already_stays_and_comes_back_where_it_was_deleted(tmp_path: Path) -> None:
    source, first, second = library_of_two(tmp_path)
    target = opened(tmp_path / "mine")
    RunsFound(source.folder / DATABASE, first.id).take(target)
    target.label(first.id, Label("Renamed"))
    target.delete([first.id])
    taken = recognised(source.folder).take(target)  # type: ignore[union-attr]
    assert (taken.added, taken.there) == ((second.id,), (first.id,))
    assert taken.sentence == "1 run came into your library; 1 run was there already."
    assert (target.run(first.id).label.title, target.run(first.id).deleted) == ("Renamed", None)
    assert RunsFound(target.folder / DATABASE, first.id).take(target).there == (first.id,)


def test_a_run_that_is_written_out_whole_comes_back_whole(tmp_path: Path) -> None:
    source, first, second = library_of_two(tmp_path)
    said = write(Source(source, first), "run", tmp_path / "out")
    assert "Wrote run 1, whole" in said
    write(Source(source, second), "run", tmp_path / "out")  # beside it
    with pytest.raises(RequestError, match="holds run 1 already"):
        write(Source(source, first), "run", tmp_path / "out")
    with pytest.raises(RequestError, match="something else in"):
        write(Source(source, first), "run", tmp_path)
    with pytest.raises(RequestError, match=r"is in .* already"):
        write(Source(source, first), "run", source.folder)
    target = opened(tmp_path / "mine")
    assert recognised(tmp_path / "out").take(target).added == (first.id, second.id)  # type: ignore[union-attr]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_run_folder_without_its_library_is_taken_in_as_far_as_its_last_checkpoint_that_is_whole(
    tmp_path: Path,
) -> None:
    training = Training(CONFIG)
    folder = tmp_path / "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "7.safetensors").write_bytes(to_bytes(training.state()))
    (folder / "checkpoints" / "9.safetensors").write_bytes(b"half of one")
    training.close()
    target = opened(tmp_path)
    found = recognised(folder)
    assert found == FolderFound(folder)
    assert found.take(target).added == (folder.name,)
    run = target.run(folder.name)
    assert (run.config, run.status, run.reached.environment_steps) == (CONFIG, Status.INTERRUPTED, 0)
    (kept,) = target.checkpoints(run.id)
    assert (target.run_folder(run.id) / "checkpoints" / kept.file).is_file()
    assert found.take(target).there == (folder.name,)
    (folder / "checkpoints" / "7.safetensors").unlink()
    with pytest.raises(RequestError, match=r"No checkpoint in .* can be read"):
        FolderFound(folder).take(opened(tmp_path / "other"))


def test_what_holds_nothing_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("nothing in here")
    (tmp_path / "broken.toml").write_text("config = [")
    (tmp_path / "zeros").write_bytes(bytes(3_000_000))
    (tmp_path / "head.safetensors").write_bytes((2**60).to_bytes(8, "little") + b"{")
    os.mkfifo(tmp_path / "pipe")
    for what in ("empty", "notes.txt", "broken.toml", "zeros", "head.safetensors", "pipe", "absent"):
        with pytest.raises(RequestError, match=rf"{what}.*\.$"):
            recognised(tmp_path / what)
    for text in ("", "hello", "/no/such/file.toml", "[config]\nseed = 'x'", "playground:1:AAAA", "a\x00b"):
        with pytest.raises(RequestError):
            recognised(text)


def test_nothing_that_is_opened_runs_code(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text(f"raise SystemExit('run')\n# {to_text(CONFIG)}\n")
    assert config_in(tmp_path / "trap.py") == CONFIG
    trap = "tests.engine.raises_when_imported"
    text = to_text(with_values(CONFIG, {"environment": f"{trap}:Trap-v0"}))
    assert isinstance(recognised(text), Preset)
    assert trap not in sys.modules


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END", "holds more than runs"),
        ("CREATE VIEW v AS SELECT * FROM runs", "holds more than runs"),
        ("CREATE VIRTUAL TABLE v USING fts5(x)", "holds more than runs"),
        ("PRAGMA user_version = 99", "update the program"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
def test_a_database_that_is_no_library_of_ours_is_refused(statement: str, why: str, tmp_path: Path) -> None:
    source, _, _ = library_of_two(tmp_path)
    source.close()
    connection = sqlite3.connect(source.folder / DATABASE)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(RequestError, match=why):
        RunsFound(source.folder / DATABASE).take(opened(tmp_path / "mine"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE series SET rows = X'00' WHERE run = ?",
        "UPDATE runs SET configuration = '[' WHERE id = ?",
        "UPDATE runs SET status = 'hovering' WHERE id = ?",
    ],
)
def test_a_run_that_is_not_whole_is_left_out_and_leaves_nothing(statement: str, tmp_path: Path) -> None:
    source, first, second = library_of_two(tmp_path)
    source.execute(statement, (second.id,))
    target = opened(tmp_path / "mine")
    taken = RunsFound(source.folder / DATABASE).take(target)
    assert (taken.added, len(taken.failed)) == ((first.id,), 1)
    assert "1 run could not be read, the first because" in taken.sentence
    assert [run.id for run in target.runs()] == [first.id]
    assert not target.run_folder(second.id).exists()


def test_names_from_elsewhere_never_lead_out_of_the_library(tmp_path: Path) -> None:
    source, first, second = library_of_two(tmp_path)
    source.drop_checkpoint(second.id, 3)
    source.execute("UPDATE checkpoints SET file = '../../../secret.safetensors' WHERE run = ?", (first.id,))
    source.execute("DELETE FROM series WHERE run = ?", (second.id,))
    for table in ("events", "snapshots"):
        source.execute(f"DELETE FROM {table} WHERE run = ?", (second.id,))
    source.execute("UPDATE runs SET id = '../../outside' WHERE id = ?", (second.id,))
    (tmp_path / "library" / "secret.safetensors").write_bytes(b"secret")
    target = opened(tmp_path / "mine")
    taken = RunsFound(source.folder / DATABASE).take(target)
    assert taken.added == (first.id,)
    assert "no name that this program gives" in taken.failed[0]
    assert target.checkpoints(first.id) == []
    assert not list(tmp_path.rglob("outside*"))


def test_what_was_damaged_anywhere_is_taken_or_refused_in_a_sentence(tmp_path: Path) -> None:
    source, first, _ = library_of_two(tmp_path)
    for form, name in (("preset", "a.toml"), ("text", "a.txt"), ("policy", "a.safetensors")):
        write(Source(source, first), form, tmp_path / name)
    source.close()
    whole = [tmp_path / name for name in ("a.toml", "a.txt", "a.safetensors", f"library/{DATABASE}")]
    random, refused = Random(7), list[str]()
    for number in range(60):
        content = bytearray(whole[number % 4].read_bytes())
        for _ in range(random.choice([1, 30])):
            content[random.randrange(len(content))] = random.randrange(256)
        if random.random() < 0.3:
            del content[random.randrange(len(content)) :]
        broken = tmp_path / whole[number % 4].name
        broken = broken.with_name(f"broken-{broken.name}")
        broken.write_bytes(content)
        try:
            found = recognised(broken)
            if not isinstance(found, Preset):
                with Library(tmp_path / f"mine-{number}") as target:
                    found.take(target)
        except RequestError as error:
            refused.append(str(error))
    assert len(refused) > 15
    assert all(sentence.endswith(".") for sentence in refused)
