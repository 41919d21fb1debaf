"""Runs without a window: what ``main.py train`` and ``main.py list`` do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from engine.catalogue import ALGORITHMS, ENVIRONMENTS, POLICIES, Entry, EnvironmentInfo, choose
from engine.catalogue.environments import missing_extra
from engine.config import RunConfig, presets
from engine.config.parameters import parse_value, with_values
from engine.reports.events import Phase, Updated
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:
    from engine.training.training import Training


def configuration(
    preset: str | None,
    environment: str | None,
    policy: str | None,
    algorithm: str | None,
    values: Mapping[str, Any],
    settings: Sequence[str],
) -> RunConfig:
    """The configuration that command-line flags describe: a preset or the defaults, then choices, then ``KEY=VALUE``s.

    Raises:
        RequestError: something named is not there or does not fit.
    """
    config = presets.find(preset).config if preset else RunConfig()
    choices: dict[str, Any] = {}
    if environment is not None:
        choices["environment"] = environment
    if policy is not None:
        choices |= _entry("policy", policy, POLICIES).values
    elif environment is not None and preset is None:
        choices["policy.distribution"] = "auto"
    config = with_values(config, choices)
    if algorithm is not None:
        config = choose(config, _entry("algorithm", algorithm, ALGORITHMS))
    given = {path: value for path, value in values.items() if value is not None}
    return with_values(config, given | dict(map(_setting, settings)))


def _entry(what: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    if name in entries:
        return entries[name]
    near = get_close_matches(name, entries, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(entries)}."
    raise RequestError(f"There is no {what} {name}; {hint}")


def _setting(text: str) -> tuple[str, Any]:
    path, separator, value = text.partition("=")
    if not separator:
        raise RequestError(f"--set takes KEY=VALUE, for example update.learning_rate=0.01, not {text}.")
    return path.strip(), parse_value(value.strip())


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

    def __iter__(self) -> Iterator[tuple[int, Phase]]:
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


def listing(what: str) -> list[dict[str, Any]]:
    """The rows of ``list WHAT``.

    Raises:
        RequestError: there is no such list.
    """
    if what == "environments":
        return [asdict(info) | {"needs": _needs(info)} for info in ENVIRONMENTS.values()]
    if what == "policies":
        return [_row(entry) for entry in POLICIES.values()]
    if what == "algorithms":
        return [_row(entry) for entry in ALGORITHMS.values()]
    if what == "presets":
        return [
            {"id": name, "title": preset.title, "summary": preset.summary} for name, preset in presets.shipped().items()
        ]
    raise RequestError(f"There is no list of {what}; there is environments, policies, algorithms, presets.")


def _needs(info: EnvironmentInfo) -> str | None:
    """The command that installs what an environment needs and is not there."""
    extra = missing_extra(info.family)
    return extra.command if extra else None


def _row(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "title": entry.title, "summary": entry.summary, "sets": entry.values}


def print_listing(what: str, as_json: bool) -> None:
    """Write ``list WHAT`` to stdout, for people or as JSON."""
    rows = listing(what)
    if as_json:
        json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    needed = None
    for row in rows:
        if row.get("needs") and row["needs"] != needed:
            needed = row["needs"]
            table.add_row("", "")
            table.add_row("", escape(f"These need: {needed}"))
        table.add_row(row["id"], escape(f"{row['title']}. {row['summary']}"))
    Console().print(table)
