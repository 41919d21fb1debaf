"""The experiments of the run library: sweeps that were begun, and what each of their runs has come to.

Whoever plans, watches or conducts one does so through these rows, in whichever process: a wish that is noted here is
seen by the conductor within half a second. The runs themselves are runs of the library as any other.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from engine.config.migrations import VERSION as CONFIG_VERSION
from engine.config.migrations import migrated
from engine.runs.damage import NONSENSE, reads
from engine.runs.library import Library
from engine.runs.sweeps.plan import Plan, fingerprint, planned, run_id
from engine.runs.sweeps.records import ExperimentRecord, ExperimentRun, Progress, Wish
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError

_RUN = ("experiment", "point", "seed", "run", "progress", "wish", "attempts", "reason")
ENDED = frozenset({Progress.FINISHED, Progress.FAILED})


class Experiments:
    """Those of ``library``, for the thread that has it open.

    Raises:
        RequestError: from what names an experiment or a run of one, when there is none like it.
        RunError: anywhere, when the library cannot be read or written; a ``DamageError`` where what is read makes no
            sense. Then nothing of what was asked has been done.
    """

    def __init__(self, library: Library) -> None:
        self.library = library

    # --- experiments --------------------------------------------------------------------------------------------------

    @reads
    def add(self, sweep: Sweep, plan: Plan | None = None, wish: Wish = Wish.RUN) -> ExperimentRecord:
        """Begin an experiment, or find it again where the same sweep was begun before: it comes back where it was
        deleted, and takes the words of this one. Nothing is trained before somebody conducts it.

        Args:
            plan: that of the sweep, where it is known already.

        Raises:
            RequestError: the sweep cannot be trained.
        """
        plan = plan or planned(sweep)
        id = fingerprint(sweep)
        settings = _json([dict(point.settings) for point in plan.points])
        said = (_json(sweep.model_dump(mode="json")), CONFIG_VERSION, settings)
        with self.library.transaction():
            self._restore_runs(id)
            query = "UPDATE experiments SET sweep = ?, config_version = ?, settings = ?, deleted = NULL WHERE id = ?"
            if self.library.execute(query, (*said, id)).rowcount == 0:
                (last,) = self.library.execute("SELECT coalesce(max(number), 0) FROM experiments").fetchone()
                row = (id, last + 1, *said, time.time(), str(wish))
                self.library.execute(
                    "INSERT INTO experiments (id, number, sweep, config_version, settings, created, wish) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
                for point in plan.points:
                    for seed in plan.seeds:
                        self.library.execute(
                            "INSERT INTO experiment_runs (experiment, point, seed, run, progress, wish) "
                            "VALUES (?, ?, ?, ?, ?, ?)",
                            (id, point.index, seed, run_id(id, point.index, seed), Progress.WAITING, Wish.RUN),
                        )
        return self.get(id)

    @reads
    def list(self, *, deleted: bool = False) -> list[ExperimentRecord]:
        """All experiments without their runs, the newest first; those that were deleted instead, the one that was
        deleted last first. A damaged record is left out, so that the others can be seen."""
        which = "deleted IS NOT NULL ORDER BY deleted DESC," if deleted else "deleted IS NULL ORDER BY"
        found = []
        for row in self.library.execute(f"SELECT * FROM experiments WHERE {which} number DESC"):
            with suppress(*NONSENSE):
                found.append(_record(row, ()))
        return found

    @reads
    def get(self, id: str) -> ExperimentRecord:
        """The experiment of this id with its runs, deleted ones too."""
        row = self.library.execute("SELECT * FROM experiments WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise RequestError(f"There is no experiment {id} in the library {self.library.folder}.")
        return _record(row, self.runs(id))

    def of(self, sweep: Sweep) -> ExperimentRecord | None:
        """The experiment that ``sweep`` was begun as, deleted ones too; None where it was not begun here."""
        try:
            return self.get(fingerprint(sweep))
        except RequestError:
            return None

    @reads
    def find(self, name: str, *, deleted: bool = False) -> ExperimentRecord:
        """The experiment that a person calls so: by its number ("2", "experiment 2"), the beginning of its id, or its
        title, of which the newest counts."""
        wanted = name.strip().removeprefix("experiment ").strip()
        query = f"SELECT id FROM experiments WHERE deleted IS {'NOT ' if deleted else ''}NULL AND"
        asked: list[tuple[str, Any]] = [("json_extract(sweep, '$.title') =", name.strip())] if wanted else []
        if wanted.isdecimal() and len(wanted) < 10:
            asked.insert(0, ("number =", int(wanted)))
        if len(wanted) >= 4 and wanted.isalnum():
            asked.append(("id GLOB", f"{wanted.lower()}*"))
        for how, value in asked:
            found = self.library.execute(f"{query} {how} ? ORDER BY number DESC", (value,)).fetchone()
            if found is not None:
                return self.get(found["id"])
        there = ", ".join(f"{each.number} ({each.title})" for each in self.list()[:8])
        hint = f"there is {there}" if there else "none was begun yet; `sweep FILE.toml` begins one"
        raise RequestError(f"There is no experiment {name!r} in the library {self.library.folder}; {hint}.")

    @reads
    def runs(self, experiment: str) -> tuple[ExperimentRun, ...]:
        """Those of an experiment, point by point and seed by seed."""
        query = "SELECT * FROM experiment_runs WHERE experiment = ? ORDER BY point, seed"
        return tuple(_run(row) for row in self.library.execute(query, (experiment,)))

    @reads
    def counts(self) -> dict[str, dict[Progress, int]]:
        """By experiment, how many of its runs, but for those that were dropped, have come how far."""
        found: dict[str, dict[Progress, int]] = {}
        query = "SELECT experiment, progress, count(*) AS runs FROM experiment_runs WHERE wish != ? GROUP BY 1, 2"
        for row in self.library.execute(query, (Wish.DROP,)):
            found.setdefault(row["experiment"], {})[Progress(row["progress"])] = row["runs"]
        return found

    @reads
    def of_run(self, run: str) -> tuple[str, ...]:
        """The experiments, deleted ones aside, that a run of the library counts in."""
        query = (
            "SELECT experiment FROM experiment_runs JOIN experiments ON id = experiment "
            "WHERE run = ? AND deleted IS NULL ORDER BY number"
        )
        return tuple(row["experiment"] for row in self.library.execute(query, (run,)))

    @reads
    def points(self, runs: Iterable[str]) -> dict[str, int]:
        """Of those of these runs that count in experiments, deleted ones aside, the point that each is a seed of; in
        the newest, where it counts in several."""
        asked = tuple(runs)
        query = (
            "SELECT run, point FROM experiment_runs JOIN experiments ON id = experiment "
            f"WHERE deleted IS NULL AND run IN ({', '.join('?' * len(asked))}) ORDER BY number"
        )
        return {row["run"]: row["point"] for row in self.library.execute(query, asked)}

    @reads
    def mark(self) -> tuple[Any, ...]:
        """Another one as soon as anything else is known of experiments: cheap even where they have thousands of
        runs."""
        rows = self.library.execute("SELECT id, sweep, wish, note, deleted FROM experiments ORDER BY number")
        counted = self.library.execute(
            "SELECT experiment, progress, wish, count(*), sum(attempts), sum(length(reason)), "
            "sum((point * 7919 + seed) % 1000003 * ((point * 104729 + seed) % 1000003)) "  # which of them they are
            "FROM experiment_runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return tuple(map(tuple, rows)), tuple(map(tuple, counted))

    # --- wishes, for whoever watches ----------------------------------------------------------------------------------

    def wish(self, experiment: str, wish: Wish) -> None:
        """What is wanted of a whole experiment."""
        self._set(experiment, {"wish": str(wish)})

    def wish_of(self, experiment: str, runs: Iterable[str], wish: Wish) -> None:
        """What is wanted of single runs of an experiment, by their ids; a dropped one counts again once it is wanted to
        run."""
        with self.library.transaction():
            for run in runs:
                self._set_run(experiment, run, {"wish": str(wish)})

    def retry(self, experiment: str, runs: Iterable[str]) -> None:
        """Train runs again that have failed or were dropped: from their last checkpoints where they have some."""
        again = {"progress": str(Progress.WAITING), "reason": ""}
        with self.library.transaction():
            for run in runs:
                self._set_run(experiment, run, again, "AND progress = 'failed'")
                self.library.execute(
                    "UPDATE experiment_runs SET wish = ? WHERE experiment = ? AND run = ?", (Wish.RUN, experiment, run)
                )

    def note(self, experiment: str, note: str) -> None:
        """What a person says of an experiment."""
        self._set(experiment, {"note": note})

    # --- progress, for whoever conducts -------------------------------------------------------------------------------

    def progress(self, experiment: str, runs: Iterable[str], progress: Progress, reason: str = "") -> None:
        """Note how far runs of an experiment are."""
        with self.library.transaction():
            for run in runs:
                self._set_run(experiment, run, {"progress": str(progress), "reason": reason})

    def begun(self, experiment: str, runs: Iterable[str]) -> None:
        """Note that runs of an experiment are trained from now on, once more than before."""
        query = (
            "UPDATE experiment_runs SET progress = ?, reason = '', attempts = attempts + 1 "
            "WHERE experiment = ? AND run = ?"
        )
        with self.library.transaction():
            for run in runs:
                self.library.execute(query, (Progress.TRAINING, experiment, run))

    def take_over(self, experiment: str, taken: Mapping[tuple[int, int], str]) -> None:
        """Count runs that the library had finished before for those of an experiment, by point and seed."""
        query = "UPDATE experiment_runs SET run = ?, progress = ? WHERE experiment = ? AND point = ? AND seed = ?"
        with self.library.transaction():
            for (point, seed), run in taken.items():
                self.library.execute(query, (run, Progress.FINISHED, experiment, point, seed))

    # --- deleting -----------------------------------------------------------------------------------------------------

    def delete(self, ids: Iterable[str]) -> None:
        """Put experiments aside with the runs that were trained for them, but for those that another one counts too;
        ``restore`` brings all back. Runs under way are to be stopped first, by whoever conducts them: it does so as
        soon as it sees this."""
        with self.library.transaction():
            for id in ids:
                self._set(id, {"deleted": time.time()})
                there = {row["id"] for row in self.library.execute("SELECT id FROM runs WHERE deleted IS NULL")}
                self.library.delete([run for run in self._own(id) if run in there and not self.of_run(run)])

    def restore(self, ids: Iterable[str]) -> None:
        """Bring back what was deleted, but for what is gone for good."""
        with self.library.transaction():
            for id in ids:
                self._restore_runs(id)
                self._set(id, {"deleted": None})

    def forget(self, id: str) -> None:
        """Remove an experiment for good; its runs stay what they are, which is deleted as a rule."""
        self.library.execute("DELETE FROM experiments WHERE id = ?", (id,))

    def _own(self, experiment: str) -> tuple[str, ...]:
        """The runs that were trained for this experiment, and not taken over."""
        return tuple(r.run for r in self.runs(experiment) if r.run == run_id(experiment, r.point, r.seed))

    def _restore_runs(self, experiment: str) -> None:
        """Bring back the runs that were deleted with an experiment, if it was."""
        query = "SELECT runs.id FROM runs, experiments WHERE experiments.id = ? AND runs.deleted >= experiments.deleted"
        gone = {row["id"] for row in self.library.execute(query, (experiment,))}
        self.library.restore([run for run in self._own(experiment) if run in gone] if gone else ())

    # --- the database -------------------------------------------------------------------------------------------------

    def _set(self, experiment: str, columns: Mapping[str, Any]) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        changed = self.library.execute(f"UPDATE experiments SET {sets} WHERE id = :id", {**columns, "id": experiment})
        if changed.rowcount == 0:
            raise RequestError(f"There is no experiment {experiment} in the library {self.library.folder}.")

    def _set_run(self, experiment: str, run: str, columns: Mapping[str, Any], where: str = "") -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        query = f"UPDATE experiment_runs SET {sets} WHERE experiment = :experiment AND run = :run {where}"
        changed = self.library.execute(query, {**columns, "experiment": experiment, "run": run})
        if changed.rowcount == 0 and not where:
            raise RequestError(f"The experiment {experiment} has no run {run}.")


def effective(experiment: Wish, run: Wish) -> Wish:
    """What is wanted of a run where that is wanted of the whole experiment: what asks for less counts."""
    return max(experiment, run, key=tuple(Wish).index)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _record(row: sqlite3.Row, runs: Sequence[ExperimentRun]) -> ExperimentRecord:
    sweep = migrated({"version": row["config_version"], **json.loads(row["sweep"])})
    settings = json.loads(row["settings"])
    if not isinstance(settings, list) or not all(isinstance(each, dict) for each in settings):
        raise ValueError("it says of its settings what cannot be")
    return ExperimentRecord(
        id=row["id"],
        number=row["number"],
        sweep=Sweep.model_validate(sweep),
        settings=tuple(settings),
        created=row["created"],
        wish=Wish(row["wish"]),
        note=row["note"],
        deleted=row["deleted"],
        runs=tuple(runs),
    )


def _run(row: sqlite3.Row) -> ExperimentRun:
    return ExperimentRun(
        row["experiment"],
        row["point"],
        row["seed"],
        row["run"],
        Progress(row["progress"]),
        Wish(row["wish"]),
        row["attempts"],
        row["reason"],
    )
