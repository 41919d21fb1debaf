"""Whether some process conducts an experiment, and where it keeps what that takes."""

from __future__ import annotations

from pathlib import Path

from engine.runs.liveness import is_held

LOCK = "conducting.lock"


def folder_of(library: Path, experiment: str) -> Path:
    """Where files about conducting an experiment are; it need not be there yet."""
    return library / "experiments" / experiment


def is_conducted(library: Path, experiment: str) -> bool:
    """Whether some process conducts an experiment now."""
    return is_held(folder_of(library, experiment) / LOCK)
