"""The museum: classic bugs that a run can be made with on purpose, and how it is marked wherever it is named."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.bugs.estimating import ESTIMATING
from engine.catalogue.methods.bugs.record import Bug
from engine.catalogue.methods.bugs.updating import UPDATING
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.bugs import BUGS as NAMES
from engine.config.bugs import NO_BUG, actual_bug, bug_in, is_hidden
from engine.runtime.errors import Refusal

__all__ = ["BUGS", "Bug", "bug_of", "bug_refusal", "bugs_for", "mark_of", "marked"]

_GUESS = "⚠ a bug?"  # of a run that does not tell; there may be none


def _found() -> dict[str, Bug]:
    """By name.

    Raises:
        ValueError: a bug has no record, or two.
    """
    found = {bug.name: bug for bug in (*UPDATING, *ESTIMATING)}
    if len(found) < len(UPDATING) + len(ESTIMATING) or found.keys() != set(NAMES):
        raise ValueError(f"Without a record, or with two: {sorted(found.keys() ^ set(NAMES))}.")
    return found


BUGS = _found()


def bug_of(config: RunConfig) -> Bug | None:
    """What is really wrong with a run, hidden or not; None where nothing is."""
    return BUGS.get(actual_bug(bug_in(config)))


def marked(config: RunConfig) -> str:
    """What stands beside the name of a run that is made with a bug: "⚠ bug: sign of the loss". Of a hidden one it does
    not say which, nor whether there is any. Empty where a run is as it should be."""
    return mark_of(bug_in(config))


def mark_of(bug: str) -> str:
    """As ``marked``, of the bug as it stands in a configuration, which may be one of a later version."""
    if is_hidden(bug):
        return _GUESS
    return "" if bug == NO_BUG else f"⚠ bug: {BUGS[bug].title if bug in BUGS else bug}"


def bug_refusal(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Why a run cannot be made with its bug; of a hidden one without telling which it is."""
    bug = bug_of(config)
    found = next(bug.fits(config, environment), None) if bug is not None else None
    if found is None:
        return
    if is_hidden(bug_in(config)):
        yield Refusal(
            "A bug may be hidden in this run that has no place in what has been chosen since", "undo the last choice"
        )
    elif bug is not None:
        yield Refusal(f"The bug “{bug.title}” cannot be switched on: {found.why}", found.instead)


def bugs_for(config: RunConfig, environment: EnvironmentInfo) -> list[tuple[Bug, Refusal | None]]:
    """All bugs in their order, each with why it cannot be switched on there, if it cannot."""
    return [(bug, next(bug.fits(config, environment), None)) for bug in BUGS.values()]
