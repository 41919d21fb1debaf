"""What is opened may be anything: damaged, of another program, or made to do harm. It is read or refused in a sentence,
nothing else, and no code of it runs."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from engine.config.presets import load
from engine.runs.imports import RunsFound, recognised
from engine.runs.library import DATABASE, EPISODES, ITERATIONS, Library
from engine.runtime.errors import RequestError, RunError
from engine.training.checkpoint import from_bytes

# What an interpreter tells its auditors before it runs what a file says.
ACTS = frozenset({"os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pickle.find_class"})


@dataclass
class Tally:
    """How many attempts there were, how many of them were refused, and what went wrong."""

    tried: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, attempt: Callable[..., object], *arguments: object) -> None:
        """Try it; a refusal is a sentence."""
        self.tried += 1
        try:
            attempt(*arguments)
        except (RequestError, RunError) as error:
            self.refused += 1
            if not str(error).endswith(".") or "\n" in str(error):
                self.wrong.append(f"{what}: refused by no sentence: {error!r}")
        except Exception as error:
            self.wrong.append(f"{what}: {error!r}")


def damaged(data: bytes, random: Random) -> bytes:
    """``data`` with something in it otherwise: bits turned over, cut off, overwritten, left out, doubled or gone."""
    at = random.randrange(len(data))
    length = random.choice((1, 8, 100, 4096))
    noise = random.randbytes(length)
    return random.choice(
        (
            lambda: data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :],
            lambda: data[:at],
            lambda: data[:at] + noise + data[at + length :],
            lambda: data[:at] + data[at + length :],
            lambda: data[:at] + bytes(length) + data[at + length :],
            lambda: data[:at] + data[max(0, at - length) : at] + data[at:],
            lambda: noise if length > 1 else b"",
        )
    )()


# --- fuzzed -----------------------------------------------------------------------------------------------------------


def fuzzed_checkpoints(data: bytes, count: int, tally: Tally) -> None:
    """Each of so many damaged copies of a checkpoint has to be refused."""
    random = Random(1)
    for number in range(count):
        other = damaged(data, random)
        if other != data:
            before = tally.refused
            tally.add(f"checkpoint {number}", from_bytes, other)
            if tally.refused == before:
                tally.wrong.append(f"checkpoint {number}: damaged, and not refused")


def fuzzed_files(paths: list[Path], count: int, folder: Path, tally: Tally) -> None:
    """Damaged copies of ``paths``, opened as a person opens or drops them."""
    random = Random(2)
    for number in range(count):
        path = paths[number % len(paths)]
        other = folder / f"opened{path.suffix}"
        other.write_bytes(damaged(path.read_bytes(), random))
        tally.add(f"{path.name} {number}", recognised, other)
        if path.suffix == ".toml":
            tally.add(f"{path.name} {number} as a preset", load, other)


def fuzzed_libraries(database: Path, count: int, folder: Path, tally: Tally) -> None:
    """Damaged copies of a library's database: opened in place, and taken into another library."""
    random, data, place = Random(3), database.read_bytes(), folder / "damaged"
    for number in range(count):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / DATABASE).write_bytes(damaged(data, random))
        tally.add(f"library {number} taken in", _take, place / DATABASE, folder / "mine")
        tally.add(f"library {number}", read_all, place)


def _take(database: Path, into: Path) -> None:
    shutil.rmtree(into, ignore_errors=True)
    with Library(into) as target:
        RunsFound(database).take(target)
        if list(into.glob("runs/*/*.part")):
            raise AssertionError("half a file is left")


def read_all(folder: Path) -> None:
    """All that can be read of a library, each part tried whatever the others come to.

    Raises:
        RequestError, RunError: the first of what could not be read.
    """
    troubles: list[RequestError | RunError] = []

    def tried(read: Callable[..., Any], *arguments: Any) -> Any:
        """What it returns; nothing where that cannot be read."""
        try:
            return read(*arguments)
        except (RequestError, RunError) as error:
            troubles.append(error)
            return ()

    with Library(folder) as library:
        tried(library.marks)
        for run in [*tried(library.runs), *tried(partial(library.runs, deleted=True))]:
            for read in (library.run, library.events, library.thumbnail):
                tried(read, run.id)
            for stream in (ITERATIONS, EPISODES):
                tried(library.series, run.id, stream)
            tried(lambda run: run.config_now, run)
            for checkpoint in tried(library.checkpoints, run.id):
                tried(library.checkpoint_file, checkpoint)
            for iteration, _, _ in tried(library.snapshots, run.id):
                tried(library.snapshot, run.id, iteration)
    if troubles:
        raise troubles[0]


# --- malicious --------------------------------------------------------------------------------------------------------


class _Bomb:
    """Pickled, it says that a command is to be run by whoever reads it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        import os

        return os.system, (f"touch '{self._mark}'",)


def malicious(folder: Path, mark: Path) -> Iterator[Path]:
    """Files that would leave ``mark`` if anything of them were run, or that ask for more than there is."""
    import numpy as np
    import torch

    bomb = _Bomb(mark)
    saved = io.BytesIO()
    torch.save({"state": bomb}, saved)
    array = io.BytesIO()
    np.save(array, np.array([bomb], dtype=object), allow_pickle=True)
    code = f"import os\nos.system('touch {mark}')\n"
    deep = "[" * 100_000
    head = json.dumps(
        {"__metadata__": {"checkpoint": deep}, "x": {"dtype": "F32", "shape": [1 << 62], "data_offsets": [0, 4]}}
    )
    header = json.dumps({"__metadata__": {"checkpoint": f'{{"format": 2, "state": {deep}'}}).encode()
    files = {
        "pickle.safetensors": pickle.dumps(bomb),
        "torch.safetensors": saved.getvalue(),
        "torch.pt": saved.getvalue(),
        "array.npy": array.getvalue(),
        "array.safetensors": array.getvalue(),
        "script.py": code.encode(),
        "preset.toml": b"title = 'x'\n[config]\nenvironment = { id = 'os:system' }\n",
        "deep.toml": f"title = 'x'\n[config]\nseed = {deep}".encode(),
        "deep.json": deep.encode(),
        "long.safetensors": (1 << 62).to_bytes(8, "little") + b"{}",
        "large.safetensors": len(head).to_bytes(8, "little") + head.encode() + bytes(4),
        "deep.safetensors": len(header).to_bytes(8, "little") + header,
        "nothing.toml": b"",
        "zeros.sqlite3": bytes(100_000),
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    }
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content)
        yield path


def malicious_libraries(database: Path, folder: Path, mark: Path) -> Iterator[Path]:
    """Libraries with names that lead elsewhere, or with what a database does of itself."""
    statements = {
        "trigger": "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM runs; END",
        "view": "ALTER TABLE events RENAME TO other; CREATE VIEW events AS SELECT * FROM other",
        "check": f"CREATE TABLE c (x CHECK (load_extension('{mark}')))",
        "file": "UPDATE checkpoints SET file = '../../../outside.safetensors'",
        "id": "PRAGMA foreign_keys = OFF; UPDATE runs SET id = '../../outside' WHERE number = 1",
        "empty": "PRAGMA foreign_keys = OFF; UPDATE runs SET id = '' WHERE number = 1",
    }
    for name, statement in statements.items():
        place = folder / name
        place.mkdir()
        shutil.copy(database, place / DATABASE)
        connection = sqlite3.connect(place / DATABASE)
        connection.executescript(statement)
        connection.close()
        yield place


_heard: list[str] | None = None  # auditors stay for good, so that one listens only now and then


def _audit(event: str, _arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event in ACTS:
        _heard.append(event)


@contextmanager
def no_code_runs(tally: Tally) -> Iterator[None]:
    """Whatever is run in the block because a file says so is wrong."""
    global _heard
    if _audit not in _installed:
        sys.addaudithook(_audit)
        _installed.append(_audit)
    _heard = []
    try:
        yield
    finally:
        tally.wrong += [f"{event} was called" for event in sorted(set(_heard))]
        _heard = None


_installed: list[Callable[..., None]] = []


def attacked(database: Path, folder: Path, tally: Tally) -> None:
    """Everything malicious, opened in every way there is."""
    mark, outside = folder / "mark", folder / "outside.safetensors"
    outside.write_bytes(b"of another program")
    places = folder / "malicious"
    places.mkdir()
    files = list(malicious(places, mark))
    libraries = list(malicious_libraries(database, places, mark))
    with no_code_runs(tally):
        for path in files:
            tally.add(path.name, recognised, path)
            tally.add(f"{path.name} as a checkpoint", from_bytes, path.read_bytes())
        for place in libraries:
            tally.add(f"{place.name} taken in", _take, place / DATABASE, folder / "mine")
            tally.add(place.name, read_all, place)
    if mark.exists():
        tally.wrong.append("code of a file was run")
    with suppress(FileNotFoundError):
        if outside.read_bytes() == b"of another program":
            return
    tally.wrong.append("a file outside the library was touched")
