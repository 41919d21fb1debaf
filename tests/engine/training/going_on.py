"""Goes on with runs from their checkpoints, as a process of its own: python -m tests.engine.training.going_on N FILE …

Writes one JSON object per file to stdout: the reports of the next N iterations, and a hash of all that the run
remembers afterwards.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from engine.reports.events import Updated
from engine.runtime.threads import compute_on_one_thread
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.training import Training, resumed
from tests.engine.support import untimed


def reports(training: Training, iterations: int) -> list[dict[str, float | None]]:
    """What the next iterations report, less what depends on the clock."""
    found: list[dict[str, float | None]] = []
    for event in training:
        if isinstance(event, Updated):
            found.append(untimed(event))
            if len(found) == iterations:
                break
    return found


def fingerprint(training: Training) -> str:
    """A hash of all that the run remembers, but for its stopwatch."""
    state: dict[str, Any] = training.state()
    state.pop("stopwatch")
    return hashlib.sha256(to_bytes(state)).hexdigest()


def main(iterations: int, files: list[Path]) -> None:
    compute_on_one_thread()
    for file in files:
        training = resumed(from_bytes(file.read_bytes()))
        went_on = reports(training, iterations)
        json.dump({"reports": went_on, "fingerprint": fingerprint(training)}, sys.stdout)
        sys.stdout.write("\n")
        training.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
