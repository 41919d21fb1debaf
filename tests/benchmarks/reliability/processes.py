"""Real processes of the program on a run library: trained headless, watched by their reports, and killed."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import ROOT

PRESET = "cartpole-ppo"  # has states of all kinds, and episodes that are whole within a second
ENDLESS = 100_000_000  # environment steps
_VARIABLES = {
    "QT_QPA_PLATFORM": "offscreen",
    "SDL_VIDEODRIVER": "dummy",
    "OMP_NUM_THREADS": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "COLUMNS": "1000",
}


@dataclass
class Process:
    """One of them; ``report`` is where it writes a line at the end of each iteration, and ``said`` its stderr."""

    popen: subprocess.Popen[bytes]
    report: Path
    said: Path
    killed_at: float = 0.0  # seconds since 1970

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The whole lines of its report."""
        text = self.report.read_text("utf-8") if self.report.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    @property
    def words(self) -> str:
        return self.said.read_text("utf-8", "replace")

    def wait_for_lines(self, count: int, timeout: float = 120.0) -> None:
        """Wait until it has come to the end of so many iterations.

        Raises:
            RuntimeError: it ended before, or took longer.
        """
        deadline = time.monotonic() + timeout
        while len(self.lines) < count:
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Nothing is learned; it said: {self.words[-1000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Let it end here and now, without a chance to do anything more."""
        self.killed_at = time.time()
        with suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()


def started(arguments: Sequence[str], library: Path, place: Path) -> Process:
    """``python main.py ARGUMENTS --library …``, with settings of its own and its report in ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    report, said = place / "report.jsonl", place / "said.txt"
    settings = {"XDG_CONFIG_HOME": str(place / "config"), "XDG_DATA_HOME": str(place / "data")}
    reported = [] if arguments[0].startswith("--") else ["--report", str(report)]
    with said.open("wb") as file:
        popen = subprocess.Popen(
            [sys.executable, "main.py", *arguments, *reported, "--library", str(library)],
            cwd=ROOT,
            env={**os.environ, **_VARIABLES, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            preexec_fn=_obey_modes if sys.platform == "linux" else None,
        )
    return Process(popen, report, said)


def _obey_modes() -> None:
    """Let the modes of files hold for the process even where it is the superuser's."""
    ctypes.CDLL(None).prctl(24, 1)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE


def trained(library: Path, place: Path, seed: int = 1, steps: int = ENDLESS, preset: str = PRESET) -> Process:
    """Training a shipped preset."""
    return started(["train", "--preset", preset, "--steps", str(steps), "--seed", str(seed)], library, place)
