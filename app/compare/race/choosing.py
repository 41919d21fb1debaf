"""Which of the runs that are compared race, and of what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from app.compare.compared import ComparedGroup, ComparedRun
from app.session.side_by_side import MOST

_TOO_MANY = (
    "{} runs are ticked, and {} have room: one of each setting in turn, then a second seed of each, in the order in "
    "which they were ticked. Untick some of them, and the next ones come."
)
_OF = ": "  # between what a value is of and the value
_OTHERS = "They play in different environments, whose returns are not of one scale: nobody is ahead of anybody here."


def racing(groups: Sequence[ComparedGroup]) -> tuple[ComparedRun, ...]:
    """Those that there is room for: in turn one of each setting, so that all settings are seen where they can be; those
    of a setting stand side by side."""
    of_each = [(*group.runs, *group.repeated) for group in groups]
    turns = [run for seeds in zip_longest(*of_each) for run in seeds if run is not None]
    chosen = {run.id for run in turns[:MOST]}
    return tuple(run for seeds in of_each for run in seeds if run.id in chosen)


def names_of(runs: Sequence[ComparedRun]) -> list[str]:
    """What the runs that race are called where there is little room: without what all begin with, which tells none
    apart: "none, seed 1" beside "learned value, seed 1"."""
    names = [run.name for run in runs]
    of = {name.partition(_OF)[0] if _OF in name else "" for name in names}
    alike = len(names) > 1 and len(of) == 1 and "" not in of
    return [name.partition(_OF)[2] if alike else name for name in names]


def said_of(runs: Sequence[ComparedRun], one_scale: bool) -> str:
    """What a person is to know of who races; ``one_scale`` where their returns can be compared."""
    said = [] if len(runs) <= MOST else [_TOO_MANY.format(len(runs), MOST)]
    return " ".join([*said, *([] if one_scale else [_OTHERS])])


def common_steps(runs: Sequence[ComparedRun]) -> int:
    """The environment steps that all of these have taken."""
    return min((run.record.reached.environment_steps for run in runs), default=0)
