"""Which of the runs that are compared race, and of what."""

from __future__ import annotations

from collections.abc import Sequence

from app.compare.compared import ComparedRun
from app.session.side_by_side import MOST

_TOO_MANY = (
    "{} runs are ticked, and {} have room: these are the first of them in the order in which they were ticked. Untick "
    "some of them, and the next ones come."
)
_OTHERS = "They play in different environments, whose returns are not of one scale: nobody is ahead of anybody here."


def racing(runs: Sequence[ComparedRun]) -> tuple[ComparedRun, ...]:
    """Those that there is room for."""
    return tuple(runs[:MOST])


def said_of(runs: Sequence[ComparedRun], one_scale: bool) -> str:
    """What a person is to know of who races; ``one_scale`` where their returns can be compared."""
    said = [] if len(runs) <= MOST else [_TOO_MANY.format(len(runs), MOST)]
    return " ".join([*said, *([] if one_scale else [_OTHERS])])


def common_steps(runs: Sequence[ComparedRun]) -> int:
    """The environment steps that all of these have taken."""
    return min((run.record.reached.environment_steps for run in runs), default=0)
