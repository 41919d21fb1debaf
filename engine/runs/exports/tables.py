"""A run's numbers as tables of comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from engine.runs.exports.export import Export, Source, counted
from engine.runs.library import EPISODES, ITERATIONS
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

_WHOLE = ("iteration", "environment_steps", "episodes", "length", "end")  # numbers that are counts


def write_iterations(source: Source, path: Path) -> str:
    """One row for every iteration, with all that is reported of it."""
    rows = _write(source, ITERATIONS, path)
    return f"Wrote {counted(rows, 'iteration')} of {source.name} to {path.name}."


def write_episodes(source: Source, path: Path) -> str:
    """One row for every episode."""
    rows = _write(source, EPISODES, path)
    return f"Wrote {counted(rows, 'episode')} of {source.name} to {path.name}."


def _write(source: Source, stream: str, path: Path) -> int:
    """Write a stream, its columns' names first; how many rows there are. A value that is not defined is left empty, and
    every number is written with all its digits, so that what is read is equal to it."""
    series = source.library.series(source.run.id, stream)
    if not len(series):
        lacking = "episode" if stream == EPISODES else "iteration"
        raise RequestError(
            f"No {lacking} of {source.name} has ended, so there is no table of them; train it for longer."
        )
    whole = [name in _WHOLE for name in series.columns]
    text = io.StringIO(newline="")
    table = csv.writer(text)
    mark = [source.run.mark] if source.run.mark else []
    table.writerow([*series.columns, *(["bug"] if mark else [])])
    for row in series.rows.tolist():
        table.writerow(
            [
                "" if math.isnan(value) else int(value) if is_whole else value
                for value, is_whole in zip(row, whole, strict=True)
            ]
            + mark
        )
    write_whole(path, text.getvalue().encode())
    return len(series)


ITERATIONS_TABLE = Export(
    "csv",
    "Table of the iterations (CSV)",
    "One row for every iteration, with all that was reported of it; for a spreadsheet, pandas or R.",
    ".csv",
    write_iterations,
)
EPISODES_TABLE = Export(
    "csv-episodes",
    "Table of the episodes (CSV)",
    "One row for every episode: its return, its length, and when it ended.",
    ".csv",
    write_episodes,
)
