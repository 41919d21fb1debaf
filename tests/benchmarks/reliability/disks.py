"""A disk that is full and folders that become read-only while a run is recorded there: the run goes on, says so in a
sentence, what was kept before stays whole, and once it can be written again nothing is missing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from engine.runs.library import ITERATIONS, Library
from tests.benchmarks.reliability.kills import Losses, require_readable
from tests.benchmarks.reliability.processes import Process, trained

SIZE = 4_000_000  # bytes of the disk that becomes full
SAVED_EVERY = 70.0  # seconds in which a state is to be saved at least
RECORDED, SAVED = "What this run tells", "The state of this run"
AGAIN = {RECORDED: "is recorded again", SAVED: "can be saved again"}


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A file system of its own with ``SIZE`` bytes; None where this machine lets nobody mount one."""
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        mounted = _ran("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", folder)
        try:
            yield Path(folder) if mounted else None
        finally:
            if mounted:
                _ran("umount", "-l", folder)


def can_mount() -> bool:
    """Whether this machine lets us mount a disk."""
    with small_disk() as disk:
        return disk is not None


def _ran(*command: str) -> bool:
    with suppress(OSError):
        return sys.platform == "linux" and subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def full(disk: Path, place: Path) -> list[str]:
    """What goes wrong where a disk has no room left, and later has room again."""
    stuffing = disk / "stuffing"

    def fill() -> None:
        with suppress(OSError), stuffing.open("ab") as file:
            while file.write(bytes(4096)):
                file.flush()

    return _tried(disk / "library", place, (fill, partial(stuffing.unlink, missing_ok=True)), (RECORDED,))


def read_only(folder: Path, place: Path) -> list[str]:
    """What goes wrong where the folders of a library cannot be written, and later can again."""
    library = folder / "library"

    def set_mode(mode: int) -> None:
        for path in [library, *library.rglob("*")]:
            if path.is_dir():
                path.chmod(mode)

    return _tried(library, place, (lambda: set_mode(0o555), lambda: set_mode(0o755)), (SAVED,))


def _tried(
    library: Path, place: Path, trouble: tuple[Callable[[], None], Callable[[], None]], of: tuple[str, ...]
) -> list[str]:
    """Train, let the ``trouble`` begin and end, and look at what there is; ``of`` is what cannot be written."""
    process, losses = trained(library, place), Losses()
    begin, end = trouble
    try:
        process.wait_for_lines(5)
        _wait(process, lambda: bool(list(library.glob("runs/*/checkpoints/*.safetensors"))), "saves its state")
        begin()
        _wait(process, lambda: all(f"{what} cannot be" in process.words for what in of), "says what is wrong")
        process.wait_for_lines(len(process.lines) + 5)  # it goes on
        earlier = list(library.glob("runs/*/checkpoints/*.safetensors"))
        end()
        _wait(process, lambda: all(AGAIN[what] in process.words for what in of), "says that it is well again")
        if sum(process.words.count(f"{what} cannot be") for what in of) > len(of):
            losses.wrong.append("it says more than once what is wrong")
        if not earlier:
            losses.wrong.append("no earlier state is left")
        process.wait_for_lines(len(process.lines) + 5)
        time.sleep(2.0)  # in which it is written
    except RuntimeError as error:
        losses.wrong.append(str(error))
    finally:
        process.kill()
        end()
    require_readable(library, losses)
    with Library(library) as opened:
        kept = len(opened.series(opened.runs()[0].id, ITERATIONS))
    if kept < len(process.lines) - 20:
        losses.wrong.append(f"{kept} of {len(process.lines)} iterations are in the library")
    return losses.wrong


def _wait(process: Process, holds: Callable[[], bool], what: str) -> None:
    """
    Raises:
        RuntimeError: it does not come, or the process has ended.
    """
    deadline = time.monotonic() + SAVED_EVERY
    while not holds():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"It never {what}; it said: {process.words[-500:]}")
        time.sleep(0.1)
