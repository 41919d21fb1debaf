"""Training without a window: what ``main.py train`` does, for one seed or for several."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import fmean, stdev
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from engine.catalogue.methods.bugs import marked
from engine.commands.interrupts import Interrupts, interrupted, short
from engine.commands.output import Lasting
from engine.commands.report import Report, ReportError
from engine.config import RunConfig
from engine.config.bugs import NO_BUG, bug_in
from engine.config.parameters import with_values
from engine.reports.events import Failed, Solved, Updated
from engine.runs.giving import given_in, require_answers
from engine.runs.host import FINISH, recorded
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.records import RunRecord
from engine.runtime.errors import RunError
from engine.runtime.waiting import telling, while_waiting

if TYPE_CHECKING:
    from engine.training.training import Training


def train(
    config: RunConfig, seeds: int, report: Path | None, interrupts: Interrupts, library: Path | None = None
) -> None:
    """Train to the end of the budget, with a progress bar on stderr and a report line per iteration, recorded in the
    run library in the folder ``library``.

    Several seeds, from the configuration's on, are trained together where the method allows it, else one after the
    other; their report lines name them.

    Raises:
        RequestError: the configuration cannot work, or the report or the library that was named cannot be opened.
        RunError: the run failed, or the report could no longer be written; after the others have finished, some of
            several seeds failed.
        KeyboardInterrupt: Ctrl+C, or another signal that ends programs.
    """
    if library is not None:
        Library(library_folder(library)).close()  # one that cannot be used is no reason to train unrecorded
    folder = library_folder(library)
    _host(partial(_plan, config, seeds, folder), (report, folder), interrupts)


def train_on(
    make: Callable[[Library], Made], report: Path | None, interrupts: Interrupts, library: Path | None = None
) -> None:
    """Train what ``make`` makes of the run library, as ``train`` does.

    Raises:
        RequestError: as ``make``; or the report cannot be opened.
        RunError, KeyboardInterrupt: as ``train``.
    """
    folder = library_folder(library)

    def made() -> Iterator[Made]:
        with Library(folder) as opened:
            found = make(opened)
        yield found

    _host(lambda: _Plan(0, 1, made()), (report, folder), interrupts)


@dataclass(frozen=True)
class Made:
    """A training that is to be hosted: how many environment steps it comes to in all, the run of the library that it
    goes on with, if it is none of its own, and what to say of it before it begins."""

    training: Training
    budget: int
    record: RunRecord | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """Trainings one after the other, of so many seeds in so many groups, and what to say of that; 0 seeds are as many
    as go on in the first."""

    seeds: int
    groups: int
    trainings: Iterator[Made]
    said: str = ""


def _plan(config: RunConfig, seeds: int, library: Path) -> _Plan:
    groups, said = _groups(config, seeds)
    return _Plan(seeds, len(groups), _made(groups, library), said)


def _host(plan: Callable[[], _Plan], where: tuple[Path | None, Path], interrupts: Interrupts) -> None:
    """Train according to ``plan``; ``where`` are the report and the folder of the library."""
    course = _Course()
    interrupts.tell = course.interrupted
    with interrupts.not_for_long():
        with interrupts.held_back():
            import engine.training.training  # noqa: F401  (loads torch)
            from engine.runtime.threads import compute_on_one_thread

            compute_on_one_thread()
        _train(plan(), where, interrupts, course)


def _train(plan: _Plan, where: tuple[Path | None, Path], interrupts: Interrupts, course: _Course) -> None:
    report, library = where
    console = Console(file=cast(IO[str], Lasting(sys.stderr)))  # who no longer looks does not stop the training
    with ExitStack() as stack:
        say = partial(_say, console)
        stack.enter_context(while_waiting(interrupts.watching(telling(say))))
        trainings = stack.enter_context(closing(_closed(plan.trainings, console)))
        with console.status("Starting …"):
            begun = next(trainings)  # what is wrong with the request is said before anything is written
        first = begun.training
        seeds = course.seeds = plan.seeds or sum(not totals.failed for totals in first.totals.values())
        named = seeds > 1 or len(first.runs) > 1  # whether a line of the report says whose it is
        lines = stack.enter_context(Report(report)) if report else None
        _say(console, plan.said or f"Training on {first.device_reason}; {first.stepping_reason}.")
        if plan.said and first.environment.notice:
            _say(console, f"In {first.environment.id}, {first.environment.notice}.")
        if mark := marked(first.config):
            _say(console, f"{mark} This run {'may be' if mark.endswith('?') else 'is'} made wrong on purpose.")
        for sentence in begun.said:
            _say(console, sentence)
        progress = stack.enter_context(_progress(console))
        total = seeds * begun.budget
        bar = progress.add_task("", total=total, mean="–", speed="–")
        for made in chain([begun], trainings):
            training = made.training
            try:
                with interrupts.held_back(), recorded(training, library, say, made.record) as recorder:
                    for event in training:
                        recorder.put(event)
                        if interrupts.since > FINISH:
                            interrupts.check()
                        seed = training.runs[event.run]
                        if isinstance(event, Failed):
                            course.failures[seed] = event.reason
                        elif isinstance(event, Updated):
                            course.last[seed] = event
                            if lines is not None:
                                whose = {"seed": seed} if named else {}
                                lines.write(whose | event.report() | _bug(training.config))
                            recorder.between(training)
                            course.show(progress, bar, training)
                            if event.note:
                                _say(console, _of_seed(event.note, seed, seeds))
                            if training.resting and not training.solving:
                                interrupts.check()  # between two iterations the run is saved whole
                        elif isinstance(event, Solved):
                            _say(console, _of_seed(event.sentence, seed, seeds))
            except RunError as error:
                if plan.groups == 1 or isinstance(error, ReportError):
                    raise
                course.failures[training.config.seed] = str(error)
            course.add(training)
        if seeds == 1:
            progress.update(bar, completed=total)
    _say(console, course.summary(seeds))
    if course.failures:
        reason = next(iter(course.failures.values()))
        raise RunError(f"{len(course.failures)} of {seeds} seeds failed, the first because: {reason}")


def _say(console: Console, text: str) -> None:
    """Print ``text`` as it is: in a sentence, brackets and numbers are no markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _bug(config: RunConfig) -> dict[str, Any]:
    """What a line of the report has besides where the run is made with a bug."""
    return {} if bug_in(config) == NO_BUG else {"bug": bug_in(config)}


def _of_seed(sentence: str, seed: int, seeds: int) -> str:
    """``sentence``, with whose it is where there are several."""
    return sentence if seeds == 1 else f"Seed {seed}: {sentence[0].lower()}{sentence[1:]}"


def _made(groups: Sequence[_Group], library: Path) -> Iterator[Made]:
    """A training for each group, one after the other, with what the ``library`` has to learn from."""
    from engine.training.training import Training

    for group in groups:
        names = [uuid.uuid4().hex for _ in group.seeds]  # as the library is to call the runs
        given = given_in(require_answers(group.config), library)
        training = Training(group.config, uuid.uuid4().hex, group.seeds, names, given)
        yield Made(training, group.config.budget.environment_steps)


def _closed(trainings: Iterator[Made], console: Console) -> Generator[Made, None, None]:
    """``trainings``, each closed before the next is made; an environment that breaks then is told of."""
    for made in trainings:
        try:
            yield made
        finally:
            try:
                made.training.close()
            except RunError as error:
                _say(console, str(error))


@dataclass(frozen=True)
class _Group:
    """Seeds that are trained together; none where the configuration's own is trained by itself."""

    config: RunConfig
    seeds: tuple[int, ...] = ()


def _groups(config: RunConfig, count: int) -> tuple[list[_Group], str]:
    """How ``count`` seeds are trained, in order, and what to say of it."""
    from engine.training.many_seeds.refusal import joint_refusal

    if count == 1:
        return [_Group(config)], ""
    seeds = tuple(range(config.seed, config.seed + count))
    problem = joint_refusal(config)
    if problem is None:
        return [_Group(config, seeds)], f"Training {count} seeds together."
    why = f"Training {count} seeds one after the other, since {problem}."
    return [_Group(with_values(config, {"seed": seed})) for seed in seeds], why


@dataclass
class _Course:
    """What has been heard of all ``seeds``, the latest update or failure of each, and sums over what has finished."""

    seeds: int = 1
    last: dict[int, Updated] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0
    episodes: int = 0
    iterations: int = 0

    def add(self, training: Training) -> None:
        """Count a group that has come to its end."""
        self.seconds += training.seconds
        self.steps += training.environment_steps
        self.episodes += training.episodes
        self.iterations += training.iteration

    def show(self, progress: Progress, task: TaskID, training: Training) -> None:
        """How much of every seed's budget is used, the mean ± spread of the mean returns, and steps per second of all
        training so far, of which ``training`` is under way."""
        budget = training.config.budget.environment_steps
        used = sum(min(updated.environment_steps, budget) for updated in self.last.values())
        speed = (self.steps + training.environment_steps) / max(self.seconds + training.seconds, 1e-9)
        progress.update(task, completed=used, mean=_spread(self.last), speed=f"{speed:,.0f}")

    def interrupted(self) -> str:
        """How far it had come when it was interrupted."""
        if self.seeds == 1 or not self.last:
            return interrupted(next(iter(self.last.values()), None))
        steps = sum(updated.environment_steps for updated in self.last.values())
        whose = "1 seed" if len(self.last) == 1 else f"{len(self.last)} seeds"
        return f"Interrupted after {steps:,} steps of {whose}; the mean return was {_spread(self.last)}."

    def summary(self, seeds: int) -> str:
        counts = (
            f"{count:,} {name}{'' if count == 1 else 's'}"
            for count, name in ((self.steps, "step"), (self.episodes, "episode"), (self.iterations, "iteration"))
        )
        totals = "{}, {} and {}".format(*counts)
        line = f"{totals} in {self.seconds:.1f} s ({self.steps / max(self.seconds, 1e-9):,.0f} steps/s)."
        if seeds == 1:
            return line
        lines = [
            f"Seed {seed}: mean return {_spread({seed: updated})} after {updated.environment_steps:,} steps"
            + (f", then failed: {self.failures[seed]}" if seed in self.failures else ".")
            for seed, updated in sorted(self.last.items())
        ]
        return "\n".join([*lines, f"All seeds: mean return {_spread(self.last)}; {line}"])


def _spread(latest: Mapping[int, Updated]) -> str:
    means = [mean for updated in latest.values() if (mean := updated.metrics["mean_return"]) is not None]
    if not means:
        return "–"
    return f"{short(fmean(means))} ± {short(stdev(means))}" if len(means) > 1 else short(means[0])


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("mean return {task.fields[mean]:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]:>9} steps/s"),
        TimeRemainingColumn(),
        console=console,
        transient=False,
    )
