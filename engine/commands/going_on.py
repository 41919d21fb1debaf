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
from engine.runs.records import CheckpointRecord, RunRecord
from engine.runs.resuming import BUDGET, checkpoint_at, extend, fork, resume
from engine.runtime.errors import RequestError

if TYPE_CHECKING:
    from engine.commands.headless import Made


def go_on(name: str, steps: int | None, report: Path | None, interrupts: Interrupts, library: Path | None) -> None:
    """Go on with a run from its last checkpoint, to ``steps`` environment steps in all where they are given.

    Raises:
        RequestError: there is no such run or no checkpoint of it, it is being trained, it has taken as many steps
            already, or the report cannot be opened.
        RunError, KeyboardInterrupt: as ``headless.train``.
    """
    with Library(library_folder(library)) as opened:
        record = opened.find(name)
        checkpoint = checkpoint_at(opened, record)
        budget = steps if steps is not None else record.config_now.budget.environment_steps
        if checkpoint.environment_steps >= budget:
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
    training = resume(library, record)
    try:
        said = extend(training, steps) if steps is not None else ()
    except BaseException:
        training.close()
        raise
    began = f"Run {record.number} goes on after {training.environment_steps:,} steps."
    budget = steps or training.config.budget.environment_steps
    return headless.Made(training, budget, record, (began, *training.inexact, *said))


def _forked(record: RunRecord, iteration: int, values: dict[str, object], library: Library) -> Made:
    training, child, lost = fork(library, record, iteration, values)
    began = f"Run {child.number} is forked from run {record.number} after {training.environment_steps:,} steps."
    return headless.Made(training, training.config.budget.environment_steps, child, (began, *lost))
