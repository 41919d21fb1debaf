"""What ``main.py sweep`` does: train all runs of a sweep, and go on where an earlier call left off."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from engine.commands.interrupts import Interrupts
from engine.commands.output import Lasting, say
from engine.commands.sweep_report import SweepReport, make_folder
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.sweeps import files
from engine.runs.sweeps.checking import require_all
from engine.runs.sweeps.conducting import Conductor
from engine.runs.sweeps.experiments import ENDED, Experiments
from engine.runs.sweeps.pilot import estimate, in_words, known, pilot, time_in_words
from engine.runs.sweeps.plan import Plan, planned
from engine.runs.sweeps.records import ExperimentRecord, Wish
from engine.runs.sweeps.records import Progress as Reached
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:
    from engine.runs.executors.interface import Executor

SPAN = 30.0  # seconds of which the speed is the mean


@dataclass(frozen=True)
class Place:
    """Where runs are trained: in so many ``workers`` of this machine, or on the Ray cluster at an address; or nowhere,
    where it is only to be said what they would take."""

    workers: int | None = None
    ray: str | None = None
    only_estimate: bool = False


def sweep(
    asked: str | None,
    experiment: str | None,
    place: Place,
    where: tuple[Path | None, Path | None],
    interrupts: Interrupts,
) -> None:
    """Train what ``asked`` names, a file or an experiment that ships, or else an ``experiment`` that the library has.

    What was trained before is not trained again, and what was interrupted goes on from its checkpoints.

    Args:
        where: the folder of the report, and that of the library.

    Raises:
        RequestError: it cannot be trained, or is being conducted already, or the report cannot be opened.
        RunError: some runs failed, after all others have ended.
        KeyboardInterrupt: Ctrl+C, or another signal that ends programs; all is saved by then.
    """
    if (asked is None) == (experiment is None):
        raise RequestError("Name a sweep: a TOML file, or an experiment that ships.")
    if place.workers is not None and place.ray is not None:
        raise RequestError(
            "A sweep is trained by --workers of this machine or on a cluster by --ray; name one of them."
        )
    report_folder, library_named = where
    folder = library_folder(library_named)
    console = Console(file=cast(IO[str], Lasting(sys.stderr)))
    with ExitStack() as stack:
        library = stack.enter_context(Library(folder))
        experiments = Experiments(library)
        if asked is not None:
            wanted = files.named(asked)
            plan = planned(wanted)
            with interrupts.held_back():
                require_all(plan, folder)
        else:
            record = experiments.find(experiment or "")
            wanted = record.sweep
        if place.only_estimate:
            _say_estimate(experiments, wanted, place, console, interrupts)
            return
        if report_folder is not None:
            make_folder(report_folder)  # before anything is begun that could not be told of
        with interrupts.held_back():
            executor = _executor(place, partial(_say, console))
        stack.callback(executor.close)
        if asked is not None:
            record = experiments.add(wanted, plan)
        course = _Course(experiments, record, asked)
        interrupts.tell = course.interrupted
        conductor = stack.enter_context(Conductor(library, record.id, executor, partial(_say, console)))
        if asked is not None:  # and nobody else conducts it, whose wishes these would be
            experiments.wish(record.id, Wish.RUN)
            _say(console, _beginning(record, plan))
        report = SweepReport(report_folder, conductor.plan) if report_folder else None
        try:
            _conduct(conductor, course, report, console, interrupts)
        finally:
            conductor.stop()
            if report is not None:
                report.finish(library, experiments.get(record.id))
        _say(console, course.summary())
        course.require_success()


def _say_estimate(
    experiments: Experiments, wanted: Sweep, place: Place, console: Console, interrupts: Interrupts
) -> None:
    """Say what the sweep would take: by what runs of it have cost that were trained before, or else by training some of
    it for a moment."""
    plan, before = planned(wanted), experiments.of(wanted)
    runs = before.runs if before is not None else ()
    left = [run for run in runs if run.progress not in ENDED and run.wish != Wish.DROP] if runs else None
    trials = known(experiments.library, plan, runs)
    executor = _executor(place, partial(_say, console))
    try:
        if not trials:
            with interrupts.held_back(), console.status("Training some of it for a moment …"):
                trials = pilot(plan, executor, give_up=lambda: interrupts.came != 0)
        if not trials:
            raise RunError("Nothing was told within a minute by which it could be estimated; its iterations are long.")
        found = estimate(plan, trials, executor.slots, left)
        whose = f"{_counted(found.runs, 'run')} of them left, " if left is not None else ""
        say(
            f"{wanted.title}: {_size(plan)}; {whose}{in_words(found)}." if found.runs else f"{wanted.title} is trained."
        )
    finally:
        executor.close()


def _conduct(
    conductor: Conductor, course: _Course, report: SweepReport | None, console: Console, interrupts: Interrupts
) -> None:
    with _progress(console) as progress:
        bar = progress.add_task("", **course.shown(conductor))
        while True:
            with interrupts.held_back():  # between two steps everything is noted
                busy = conductor.step()
                if report is not None:
                    report.update(course.experiments.library, conductor.record, conductor.under_way)
                progress.update(bar, **course.shown(conductor))
            if not busy:
                return


def _executor(place: Place, tell: Callable[[str], object]) -> Executor:
    if place.ray is not None:
        from engine.runs.executors.ray import RayExecutor

        return RayExecutor(place.ray, tell)
    from engine.runs.executors.local import LocalExecutor

    return LocalExecutor(place.workers, tell)


class _Course:
    """How far an experiment is, and how fast it gets on."""

    def __init__(self, experiments: Experiments, experiment: ExperimentRecord, asked: str | None) -> None:
        self.experiments, self._asked = experiments, asked
        self._id, self._number = experiment.id, experiment.number
        self._budgets: list[int] = []  # environment steps of a run, by point
        self._steps: deque[tuple[float, int]] = deque()  # when so many were taken in all

    def shown(self, conductor: Conductor) -> dict[str, Any]:
        """What the bar shows."""
        record, counts = conductor.record, _counts(conductor.record)
        self._budgets = self._budgets or [point.config.budget.environment_steps for point in conductor.plan.points]
        kept = [run for run in record.runs if run.wish != Wish.DROP]
        whole = sum(self._budgets[run.point] for run in kept if run.progress != Reached.FAILED)
        done = sum(self._budgets[run.point] for run in kept if run.progress == Reached.FINISHED)
        taken = done + self._taken(conductor.under_way)
        now = time.monotonic()
        self._steps.append((now, taken))
        while self._steps[0][0] < now - SPAN and len(self._steps) > 2:
            self._steps.popleft()
        first, before = self._steps[0]
        speed = max(taken - before, 0) / max(now - first, 1e-9) if len(self._steps) > 2 else 0.0
        return {
            "total": len(kept),
            "completed": counts[Reached.FINISHED] + counts[Reached.FAILED],
            "running": counts[Reached.TRAINING],
            "failed": counts[Reached.FAILED],
            "speed": f"{speed:,.0f}" if speed else "–",
            "left": time_in_words((whole - taken) / speed) if speed and taken < whole else "–",
        }

    def _taken(self, runs: tuple[str, ...]) -> int:
        """Environment steps of those under way."""
        marks = ", ".join("?" * len(runs))
        query = f"SELECT coalesce(sum(environment_steps), 0) FROM runs WHERE id IN ({marks})"
        (found,) = self.experiments.library.execute(query, runs).fetchone()
        return int(found)

    def interrupted(self) -> str:
        again = f"sweep {self._asked or f'--experiment {self._number}'}"
        return f"Interrupted; all that was trained is saved, and `{again}` goes on from there."

    def summary(self) -> str:
        """What it came to."""
        counts = _counts(self.experiments.get(self._id))
        kept = sum(counts.values())
        said = [f"{counts[Reached.FINISHED]} of {kept} runs have finished"]
        said += [f"{counts[Reached.FAILED]} failed"] if counts[Reached.FAILED] else []
        resting = counts[Reached.PAUSED] + counts[Reached.STOPPED] + counts[Reached.WAITING]
        said += [f"{resting} paused, stopped or not begun"] if resting else []
        return f"{', '.join(said)}."

    def require_success(self) -> None:
        """See to it that nothing failed.

        Raises:
            RunError: something did.
        """
        failed = [run for run in self.experiments.runs(self._id) if run.progress == Reached.FAILED]
        failed = [run for run in failed if run.wish != Wish.DROP]
        if failed:
            raise RunError(f"{_counted(len(failed), 'run')} failed, the first because: {failed[0].reason}")


def _counts(record: ExperimentRecord) -> Counter[Reached]:
    return Counter(run.progress for run in record.runs if run.wish != Wish.DROP)


def _beginning(record: ExperimentRecord, plan: Plan) -> str:
    done = sum(run.progress == Reached.FINISHED for run in record.runs)
    before = f", {done} of which have finished before" if done else ""
    return f"Experiment {record.number}, {record.title}: {_size(plan)}{before}."


def _size(plan: Plan) -> str:
    """ "6 settings × 5 seeds = 30 runs"."""
    counts = (len(plan.points), "setting"), (len(plan.seeds), "seed"), (len(plan), "run")
    return "{} × {} = {}".format(*(_counted(count, what) for count, what in counts))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _say(console: Console, text: str) -> None:
    """Print ``text`` as it is: in a sentence, brackets and numbers are no markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[running]} running, {task.fields[failed]} failed"),
        TextColumn("{task.fields[speed]:>9} steps/s"),
        TextColumn("{task.fields[left]} left"),
        console=console,
        transient=False,
    )
