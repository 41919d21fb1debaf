"""What the last update of a run of the library did to its policy's parameters, at any iteration of it. Importable
without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.runs.library import Library
from engine.runs.looking_into import look_into
from engine.runs.snapshots import kept_at
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch
    from engine.analysis.inspecting import GoingOn
    from engine.analysis.landscape.around import Change
    from engine.analysis.playback import PolicySnapshot


def last_update(folder: Path, run: str, policy: PolicySnapshot, going_on: GoingOn = lambda _: True) -> Change | None:
    """What led to ``policy``, which the run had after ``policy.iteration`` iterations: its last update where that can
    be made again exactly, else all since the last policy before it that was kept. None where none was, or it is not to
    go on any more.

    Raises:
        RunError: the library cannot be read, or the environment fails.
    """
    from engine.analysis.landscape.around import Change
    from engine.analysis.landscape.directions import parameters_of

    iteration, now = policy.iteration, parameters_of(policy)
    if iteration < 1:
        return None
    with Library(folder) as library:
        try:
            record = library.run(run)
            looked = look_into(library, record, policy.environment, iteration, going_on)
            if looked is None:
                return None
            if looked.exact:
                return Change(now - parameters_of(looked.policy))
        except RequestError:  # of another family, or nothing was kept
            pass
        try:
            record = library.run(run)
            there = {at for at, _, _ in library.snapshots(run)} | {each.iteration for each in library.checkpoints(run)}
            before = max((at for at in there if at < iteration), default=None)
            if before is None:
                return None
            kept = kept_at(library, record, policy.environment, before).policy
        except RequestError:
            return None
        return Change(now - parameters_of(kept), iteration - before) if kept.fits(policy) else None


def to_newest(folder: Path, run: str, policy: PolicySnapshot) -> Change | None:
    """What leads from ``policy`` to the last of the run's that was kept; None where none was after it.

    Raises:
        RunError: the library cannot be read.
    """
    from engine.analysis.landscape.around import Change
    from engine.analysis.landscape.directions import parameters_of

    with Library(folder) as library:
        try:
            record = library.run(run)
            there = {at for at, _, _ in library.snapshots(run)} | {each.iteration for each in library.checkpoints(run)}
            last = max(there, default=0)
            if last <= policy.iteration:
                return None
            kept = kept_at(library, record, policy.environment, last).policy
        except RequestError:
            return None
    return Change(parameters_of(kept) - parameters_of(policy), last - policy.iteration) if kept.fits(policy) else None
