"""What ``sweep --report FOLDER`` writes: a file of lines for each run, as ``train --report`` does, and a summary."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.commands.report import Report
from engine.config.bugs import NO_BUG, bug_in
from engine.runs.library import ITERATIONS, Library
from engine.runs.selection import chosen_within
from engine.runs.sweeps.experiments import ENDED
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.records import ExperimentRecord, ExperimentRun, Progress, Wish
from engine.runtime.errors import RequestError, RunError
from engine.runtime.whole_file import write_whole

SUMMARY = "summary.json"
_COUNTED = ("iteration", "environment_steps", "episodes")


def make_folder(folder: Path) -> None:
    """See to it that the ``folder`` of a report is there.

    Raises:
        RequestError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"The report cannot be written to {folder}: {error.strerror}.") from None


class SweepReport:
    """Files in ``folder``, filled from what stands in the library, whichever machine a run is trained on.

    Raises:
        RequestError: the folder cannot be made.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder, self._plan = folder, plan
        self._written: dict[str, int] = {}  # lines, by run
        self._over: set[str] = set()  # runs of whose files nothing more is expected
        make_folder(folder)

    def update(self, library: Library, record: ExperimentRecord, under_way: Iterable[str]) -> None:
        """Append what the runs ``under_way`` have told since the last time, and see to it that the files of runs that
        have ended say just what the library says.

        Raises:
            RunError: they cannot be written, or the library cannot be read.
        """
        now = set(under_way)
        for run in record.runs:
            if run.run in now:
                self._over.discard(run.run)
                self._append(library, run)
            elif run.progress in ENDED and run.run not in self._over:
                self._complete(library, run)
                self._over.add(run.run)

    def finish(self, library: Library, record: ExperimentRecord) -> None:
        """Write what became of the whole.

        Raises:
            RunError: it cannot be written, or the library cannot be read.
        """
        self.update(library, record, ())
        text = json.dumps(summary_of(library, record), indent=2, ensure_ascii=False) + "\n"
        self._write(self._folder / SUMMARY, text.encode())

    def _append(self, library: Library, run: ExperimentRun) -> None:
        if run.run not in self._written:  # what an earlier report has is written anew
            self._file(run).unlink(missing_ok=True)
            self._written[run.run] = 0
        lines = self._lines(library, run, self._written[run.run])
        if lines:
            with Report(self._file(run)) as report:
                for line in lines:
                    report.write(line)
            self._written[run.run] += len(lines)

    def _complete(self, library: Library, run: ExperimentRun) -> None:
        """A run that went on from a checkpoint has told some iterations twice; a file has each once."""
        text = "".join(json.dumps(line) + "\n" for line in self._lines(library, run, 0)).encode()
        file = self._file(run)
        if text and not (file.exists() and file.read_bytes() == text):
            self._write(file, text)

    def _lines(self, library: Library, run: ExperimentRun, since: int) -> list[dict[str, Any]]:
        series = library.series(run.run, ITERATIONS, since)
        bug = bug_in(self._plan.points[run.point].config)
        more = {} if bug == NO_BUG else {"bug": bug}
        return [
            {name: _said(name, value) for name, value in zip(series.columns, row, strict=True)} | more
            for row in series.rows.tolist()
        ]

    def _file(self, run: ExperimentRun) -> Path:
        return self._folder / f"{file_of(run, len(self._plan.points))}.jsonl"

    def _write(self, file: Path, content: bytes) -> None:
        try:
            write_whole(file, content)
        except OSError as error:
            raise RunError(f"The report could not be written to {file}: {error.strerror}.") from None


def file_of(run: ExperimentRun, points: int) -> str:
    """ "point-03-seed-7": what the file of a run is called, but for its ending."""
    return f"point-{run.point + 1:0{len(str(points))}}-seed-{run.seed}"


def summary_of(library: Library, record: ExperimentRecord) -> dict[str, Any]:
    """The experiment and all of its runs as JSON can say them."""
    there = _reached(library, record)
    counts = {str(progress): 0 for progress in Progress}
    dropped = 0
    runs = []
    for run in record.runs:
        if run.wish == Wish.DROP:
            dropped += 1
        else:
            counts[str(run.progress)] += 1
        runs.append(
            {
                "file": f"{file_of(run, len(record.settings))}.jsonl",
                "point": run.point + 1,
                "settings": dict(record.settings[run.point]),
                "seed": run.seed,
                "progress": str(run.progress),
                "dropped": run.wish == Wish.DROP,
                "reason": run.reason,
                **there.get(run.run, {}),
            }
        )
    said = {"experiment": record.id, "number": record.number, "title": record.title, "shows": record.sweep.shows}
    said["chosen"] = chosen_within(library, record)
    return {**said, "runs": runs, "counts": {**counts, "dropped": dropped}}


def _reached(library: Library, record: ExperimentRecord) -> Mapping[str, dict[str, Any]]:
    """By run, how far it came."""
    columns = ("environment_steps", "episodes", "seconds", "mean_return", "best", "solved_steps", "solved_seconds")
    query = (
        f"SELECT id, number, iteration, {', '.join(columns)} FROM runs "
        "WHERE id IN (SELECT run FROM experiment_runs WHERE experiment = ?)"
    )
    return {
        row["id"]: {"run": row["id"], "run_number": row["number"], "iterations": row["iteration"]}
        | {name: row[name] for name in columns}
        for row in library.execute(query, (record.id,))
    }


def _said(name: str, value: float) -> float | int | None:
    if math.isnan(value):
        return None
    return int(value) if name in _COUNTED else value
