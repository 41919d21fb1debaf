"""Whether two commits train alike: python -m tests.benchmarks.compare_reports CHECKOUT [PRESET …]

Trains every shipped preset, or those named, here and in another checkout of this repository, and compares what the
first ITERATIONS iterations report, number by number and to the last bit, but for what depends on the clock. Names that
only one side knows are listed and not compared. The exit status is 1 where a number differs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import ROOT

ITERATIONS = 20
PATIENCE = 300.0  # seconds for one preset on one side
_OF_THE_CLOCK = {"seconds", "steps_per_second"}

Row = dict[str, Any]


def main(arguments: list[str]) -> int:
    other, *wanted = arguments
    different = 0
    for name in wanted or _presets():
        found = [_reported(checkout, name) for checkout in (ROOT, Path(other))]
        verdict = compared(*found)
        different += verdict is not None
        print(f"{name}: {verdict or f'{len(found[0])} iterations alike'}")
    return 1 if different else 0


def compared(here: list[Row], there: list[Row]) -> str | None:
    """The first difference, in words; None where there is none."""
    if len(here) != len(there) or not here:
        return f"{len(here)} iterations here, {len(there)} there"
    for one, other in zip(here, there, strict=True):
        for name in sorted(one.keys() & other.keys() - _OF_THE_CLOCK):
            if one[name] != other[name]:
                return f"iteration {one['iteration']}: {name} is {one[name]!r} here, {other[name]!r} there"
    return None


def _presets() -> list[str]:
    listed = subprocess.run(
        [sys.executable, "main.py", "list", "presets", "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [preset["id"] for preset in json.loads(listed.stdout)]


def _reported(checkout: Path, preset: str) -> list[Row]:
    """What the first iterations report; the training is ended once it has said enough."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        command = [sys.executable, "main.py", "train", "--preset", preset, "--report", str(report)]
        training = subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while training.poll() is None and time.monotonic() < end:
            if report.exists() and report.read_bytes().count(b"\n") >= ITERATIONS:
                break
            time.sleep(0.05)
        training.kill()
        training.wait()
        whole = report.read_text("utf-8").split("\n")[:-1] if report.exists() else []
    return [json.loads(line) for line in whole[:ITERATIONS]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
