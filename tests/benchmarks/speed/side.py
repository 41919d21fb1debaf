"""One side of a comparison: a process that is asked again and again, so that two sides can take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

from tests.benchmarks.machine import ROOT

PATIENCE = 900.0  # seconds for one answer


class Side:
    """``worker`` in a process of its own, torch on 1 thread; ``always`` is part of every request.

    Raises:
        RuntimeError: from ``ask``, when the process fails or takes longer than ``PATIENCE``.
    """

    def __init__(self, *, envpool: bool = False, **always: Any) -> None:
        self._always = always
        self._errors = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", *(["envpool"] if envpool else [])],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def ask(self, work: str, **request: Any) -> dict[str, Any]:
        """The answer to one request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = Timer(PATIENCE, self._process.kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(self._always | {"work": work} | request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"{self._always.get('side')} gave no answer:\n{self._errors.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, steps: int, **request: Any) -> Run:
        """How fast a fresh run of at least so many steps is."""
        return Run(**{"mean_return": None, "stepping": ""} | self.ask("run", steps=steps, **request))

    def run_for(self, seconds: float, first: Run, **request: Any) -> Run:
        """As ``run``, for about so many seconds as judged by an earlier run."""
        return self.run(max(1, int(seconds * first.speed)), **request)


@dataclass(frozen=True)
class Run:
    """What a run took; ``memory`` in MB is the most its process has held, ``mean_return`` that of its last episodes."""

    steps: int
    seconds: float
    iterations: int
    mean_return: float | None
    stepping: str
    memory: float | None

    @property
    def speed(self) -> float:
        """Environment steps per second."""
        return self.steps / self.seconds

    @property
    def per_iteration(self) -> float:
        """Milliseconds."""
        return 1e3 * self.seconds / self.iterations


@dataclass(frozen=True)
class Compared:
    """Runs of two sides that took turns."""

    ours: tuple[Run, ...]
    theirs: tuple[Run, ...]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """Of neighbours in time."""
        return [mine.speed / other.speed for mine, other in zip(self.ours, self.theirs, strict=True)]


def speed(runs: tuple[Run, ...]) -> float:
    return median(run.speed for run in runs)


def memory(runs: tuple[Run, ...]) -> float | None:
    return runs[-1].memory
