"""Conducting in a process of its own, which outlives the window that begins it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from engine.runs.sweeps.conducted import folder_of, is_conducted
from engine.runtime.errors import RunError

LOG = "conductor.log"


@dataclass(frozen=True)
class Where:
    """Where the runs are trained: in so many ``workers`` of this machine, as many as fit where it is None; or on the
    ``ray`` cluster at an address."""

    workers: int | None = None
    ray: str | None = None


Began: TypeAlias = "subprocess.Popen[bytes]"
_BEGUN: list[Began] = []  # by this process, so that one that has ended is no zombie for long


def begin_conducting(library: Path, experiment: str, where: Where = Where()) -> Began | None:
    """Let another process conduct an experiment of the library in this folder, unless one does already. It goes on when
    this one ends, and ends when nothing is left to do; what is wished of it is noted in the library. The new process,
    None where there is one already.

    Raises:
        RunError: it cannot be begun.
    """
    if is_conducted(library, experiment):
        return None
    found = find_spec("main")
    if found is None or found.origin is None:
        raise RunError("The program's main.py cannot be found, by which experiments are conducted.")
    wanted = ["--experiment", experiment, "--library", str(library.absolute())]
    wanted += [] if where.workers is None else ["--workers", str(where.workers)]
    wanted += [] if where.ray is None else ["--ray", where.ray]
    command = [sys.executable, str(Path(found.origin).absolute()), "sweep", *wanted]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    log = log_of(library, experiment)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            nothing = subprocess.DEVNULL
            began = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=file, **apart)
    except OSError as error:
        raise RunError(f"The experiment cannot be conducted: {error.strerror or error}.") from None
    _BEGUN[:] = [earlier for earlier in _BEGUN if earlier.poll() is None] + [began]
    return began


def log_of(library: Path, experiment: str) -> Path:
    """What the conductor of an experiment has to say: a file, of the latest that was begun."""
    return folder_of(library, experiment) / LOG


def last_words(library: Path, experiment: str) -> str:
    """The last line that the latest conductor has said, empty where it has said nothing."""
    try:
        lines = log_of(library, experiment).read_text("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
