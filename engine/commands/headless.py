"""Runs without a window: what ``main.py train`` and ``main.py list`` do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Updated
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:
    from engine.training.training import Training


def train(config: RunConfig, report: Path | None) -> None:
    """Train to the end of the budget, with a progress bar on stderr and a report line per iteration.

    Raises:
        RequestError: the configuration cannot work, or the report cannot be opened.
        RunError: the run failed, or the report could no longer be written.
    """
    from engine.training.training import Training  # loads torch

    console = Console(stderr=True)
    with ExitStack() as stack:
        training = Training(config)
        stack.callback(training.close)
        lines = stack.enter_context(_opened(report)) if report else None
        console.print(f"Training on {training.device_reason}; {training.stepping_reason}.", highlight=False)
        progress = stack.enter_context(_progress(console))
        task = progress.add_task("", total=config.budget.environment_steps, mean="–", speed="–")
        for phase in training:
            if isinstance(phase, Updated):
                _follow(progress, task, phase)
                if lines is not None:
                    _write(lines, phase.report())
        progress.update(task, completed=config.budget.environment_steps)
    console.print(_summary(training), highlight=False)


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


def train_seeds(config: RunConfig, count: int, report: Path | None) -> None:
    """As ``train``, for ``count`` seeds from the configuration's on: together where the method allows it, else one
    after the other. Report lines name their seed.

    Raises:
        RequestError: as ``train``.
        RunError: as ``train``, or after the others have finished, some seeds failed.
    """
    from engine.training.many_seeds.training import SeedsTogether, together_refusal  # loads torch

    seeds = range(config.seed, config.seed + count)
    problem = together_refusal(config)
    runs = [seeds] if problem is None else [[seed] for seed in seeds]
    console = Console(stderr=True)
    console.print(
        f"Training {count} seeds together."
        if problem is None
        else f"Training {count} seeds one after the other, since {problem}.",
        highlight=False,
    )
    last: dict[int, Updated] = {}
    failures: dict[int, RunError] = {}
    with ExitStack() as stack:
        lines = stack.enter_context(_opened(report)) if report else None
        progress = stack.enter_context(_progress(console))
        task = progress.add_task("", total=count * config.budget.environment_steps, mean="–", speed="–")
        for some in runs:
            group = SeedsTogether(config, some) if problem is None else _Alone(config, some[0])
            with closing(group):
                for seed, phase in group:
                    if isinstance(phase, Updated):
                        last[seed] = phase
                        _follow_all(progress, task, last.values())
                        if lines is not None:
                            _write(lines, {"seed": seed} | phase.report())
            failures |= group.failures
    console.print(_summary_of(last, failures), highlight=False)
    if failures:
        raise RunError(f"{len(failures)} of {count} seeds failed, the first because: {next(iter(failures.values()))}")


class _Alone:
    """One seed's run in the shape of several."""

    def __init__(self, config: RunConfig, seed: int) -> None:
        from engine.training.training import Training

        self._seed = seed
        self._training = Training(with_values(config, {"seed": seed}))
        self.failures: dict[int, RunError] = {}
        self.close = self._training.close

    def __iter__(self) -> Iterator[tuple[int, Event]]:
        try:
            for phase in self._training:
                yield self._seed, phase
        except RunError as error:
            self.failures[self._seed] = error


def _follow_all(progress: Progress, task: Any, latest: Iterable[Updated]) -> None:
    """Progress over all seeds: the sum of their steps and the mean ± spread of their mean returns."""
    steps = sum(updated.environment_steps for updated in latest)
    seconds = max(updated.seconds for updated in latest)
    progress.update(task, completed=steps, mean=_spread(latest), speed=f"{steps / max(seconds, 1e-9):,.0f}")


def _spread(latest: Iterable[Updated]) -> str:
    means = [mean for updated in latest if (mean := updated.metrics["mean_return"]) is not None]
    if not means:
        return "–"
    return f"{fmean(means):.1f} ± {stdev(means):.1f}" if len(means) > 1 else f"{means[0]:.1f}"


def _summary_of(last: Mapping[int, Updated], failures: Mapping[int, RunError]) -> str:
    lines = [
        f"Seed {seed}: mean return {_spread([updated])} after {updated.environment_steps:,} steps"
        + (f", then failed: {failures[seed]}" if seed in failures else ".")
        for seed, updated in sorted(last.items())
    ]
    return "\n".join([*lines, f"All seeds: mean return {_spread(last.values())}."])


def _follow(progress: Progress, task: Any, updated: Updated) -> None:
    mean, speed = updated.metrics["mean_return"], updated.metrics["steps_per_second"]
    progress.update(
        task,
        completed=updated.environment_steps,
        mean="–" if mean is None else f"{mean:.1f}",
        speed="–" if speed is None else f"{speed:,.0f}",
    )


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise RequestError(f"The report cannot be written to {path}: {error.strerror}.") from None


def _write(lines: TextIO, row: Mapping[str, float | None]) -> None:
    try:
        lines.write(json.dumps(row) + "\n")
        lines.flush()
    except OSError as error:
        raise RunError(f"The report could not be written on: {error.strerror}; iterations so far are in it.") from None


def _summary(training: Training) -> str:
    speed = training.environment_steps / max(training.seconds, 1e-9)
    counts = [
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for count, name in (
            (training.environment_steps, "step"),
            (training.episodes, "episode"),
            (training.iteration, "iteration"),
        )
    ]
    return f"{counts[0]}, {counts[1]} and {counts[2]} in {training.seconds:.1f} s ({speed:,.0f} steps/s)."
