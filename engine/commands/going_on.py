"""What ``main.py resume`` and ``main.py fork`` do: train on from a checkpoint of the run library."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.commands import headless
from engine.commands.configure import settings_of
from engine.commands.interrupts import Interrupts
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.records import TOGETHER, CheckpointRecord, RunRecord
from engine.runs.resuming import BUDGET, checkpoint_at, extend, fork, resume
from engine.runtime.errors import RequestError

if TYPE_CHECKING:
    from engine.commands.headless import Made
    from engine.training.training import Training


def go_on(name: str, steps: int | None, report: Path | None, interrupts: Interrupts, library: Path | None) -> None:
    """Go on with a run from its last checkpoint, to ``steps`` environment steps in all where they are given; with all
    that were trained together with it, as far as they are still as they were then.

    Raises:
        RequestError: there is no such run or no checkpoint of it, it is being trained, it has taken as many steps
            already, or the report cannot be opened.
        RunError, KeyboardInterrupt: as ``headless.train``.
    """
    with Library(library_folder(library)) as opened:
        record = opened.find(name)
        checkpoint = checkpoint_at(opened, record)
        budget = steps if steps is not None else record.config_now.budget.environment_steps
        if checkpoint.environment_steps >= budget and TOGETHER not in record.inexact:
            raise RequestError(
                f"Run {record.number} has taken {checkpoint.environment_steps:,} steps already; say with --steps how "
                "many it is to take in all."
            )
    headless.train_on(partial(_resumed, record, steps), report, interrupts, library)


def fork_off(
    name: str,
    at: int | None,
    steps: int | None,
    settings: Sequence[str],
    going: tuple[Path | None, Interrupts, Path | None],
) -> None:
    """Fork a run at its last checkpoint, or at the last that it had after at most ``at`` environment steps, with
    ``settings``, KEY=VALUE each, and train the new run to ``steps`` environment steps in all.

    Args:
        going: the report, what interrupts, and the library's folder.

    Raises:
        RequestError: there is no such run or checkpoint, the changed configuration cannot work, or the report cannot be
            opened.
        RunError, KeyboardInterrupt: as ``headless.train``.
    """
    report, interrupts, library = going
    with Library(library_folder(library)) as opened:
        record = opened.find(name)
        checkpoint = _checkpoint_by(opened, record, at)
    values = settings_of(settings) | ({} if steps is None else {BUDGET: steps})
    headless.train_on(partial(_forked, record, checkpoint.iteration, values), report, interrupts, library)


def _checkpoint_by(library: Library, record: RunRecord, at: int | None) -> CheckpointRecord:
    last = checkpoint_at(library, record)
    if at is None:
        return last
    kept = library.checkpoints(record.id)
    found = [checkpoint for checkpoint in kept if checkpoint.environment_steps <= at]
    if not found:
        there = ", ".join(f"{checkpoint.environment_steps:,}" for checkpoint in reversed(kept))
        raise RequestError(f"Run {record.number} has no checkpoint by {at:,} steps; it has them after {there} steps.")
    return found[0]


def _resumed(record: RunRecord, steps: int | None, library: Library) -> Made:
    training = resume(library, record, together=True)
    try:
        said = extend(training, steps) if steps is not None else ()
        budget = steps or training.config.budget.environment_steps
        if all(totals.failed or totals.environment_steps >= budget for totals in training.totals.values()):
            who = f"Run {record.number} has" if len(training.runs) == 1 else "All runs of these seeds have"
            raise RequestError(f"{who} taken {budget:,} steps already; say with --steps how many to take in all.")
    except BaseException:
        training.close()
        raise
    return headless.Made(training, budget, record, (*_began(library, training, record), *training.inexact, *said))


def _began(library: Library, training: Training, record: RunRecord) -> tuple[str, ...]:
    """Who goes on, and from where."""
    if len(training.runs) == 1:
        return (f"Run {record.number} goes on after {training.environment_steps:,} steps.",)
    runs = [run for run in library.runs() if run.id in training.runs]
    going, left = (
        sorted(run.number for run in runs if training.totals[run.id].failed is failed) for failed in (False, True)
    )
    steps = sorted(totals.environment_steps for totals in training.totals.values() if not totals.failed)
    span = f"{steps[0]:,}" if steps[0] == steps[-1] else f"{steps[0]:,} to {steps[-1]:,}"
    began = f"{_listed(going)} go on together, as they were trained, after {span} steps each."
    if not left:
        return (began,)
    stays = "stays as it is" if len(left) == 1 else "stay as they are"
    return began, f"{_listed(left)} {stays}: failed, gone, or gone on alone since."


def _listed(numbers: Sequence[int]) -> str:
    """ "Runs 3, 4 and 5"."""
    *most, last = map(str, numbers)
    return f"Runs {', '.join(most)} and {last}" if most else f"Run {last}"


def _forked(record: RunRecord, iteration: int, values: dict[str, object], library: Library) -> Made:
    training, child, lost = fork(library, record, iteration, values)
    began = f"Run {child.number} is forked from run {record.number} after {training.environment_steps:,} steps."
    return headless.Made(training, training.config.budget.environment_steps, child, (began, *lost))
