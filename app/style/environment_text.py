"""What is known of an environment, in words."""

from __future__ import annotations

import re

from app.style.format import minus
from app.style.parameter_text import shown
from engine.catalogue.spaces import EnvironmentInfo, Space, product

_CELL = re.compile(r"row (\d+), column (\d+)")
_FEW = 24  # components or actions whose names can still be read in a row


def cells_in_short(name: str) -> str:
    """ "2, 4: right" for "row 2, column 4: right", where there is no room in full."""
    return _CELL.sub(r"\1, \2", name)


def environment_facts(environment: EnvironmentInfo) -> str:
    """Spaces, time limit and solved threshold on one compact line."""
    facts = [observed(environment), acts(environment.action)]
    if environment.time_limit is not None:
        facts.append(f"≤ {shown(environment.time_limit)} steps")
    if environment.solved_at is not None:
        facts.append(f"solved at {_return(environment.solved_at)}")
    # Each fact stays in one piece where the line is wrapped.
    return "\u00a0· ".join(fact.replace(" ", "\u00a0") for fact in facts)


def observed(environment: EnvironmentInfo) -> str:
    """The observations of an environment, counted."""
    space = environment.observation
    if environment.aliased:
        return _counted(space.size, "observation")  # of more states than that
    if space.kind == "discrete":
        return _counted(space.size, "state")
    return str(space) if space.image else _counted(space.size, "input")


def acts(space: Space) -> str:
    """The actions of a space, counted."""
    if space.kind == "multi-discrete":
        return f"{product(space.parts)} actions"
    nouns = {"discrete": "action", "box": "continuous action", "multi-binary": "switch"}
    return _counted(space.size, nouns[space.kind])


def details(environment: EnvironmentInfo) -> list[tuple[str, str]]:
    """Name and value of every fact, for a table."""
    limit, solved, best = environment.time_limit, environment.solved_at, environment.best_known
    rows = [
        ("Observation", _named(observed(environment), environment.observation)),
        ("Actions", _named(acts(environment.action), environment.action)),
        ("Time limit", "none" if limit is None else f"{shown(limit)} steps"),
        ("Solved at", "not defined" if solved is None else f"a mean return of {_return(solved)}"),
    ]
    if best is not None:
        source = f"exact: {best.source}" if best.exact else best.source
        rows.append(("Best known return", f"{_return(best.value)} ({source})"))
    return rows


def _named(counted: str, space: Space) -> str:
    """The count and the names, each of which stays in one piece where the line is wrapped."""
    names = "\u00a0· ".join(label.replace(" ", "\u00a0") for label in space.labels)
    return f"{counted}: {names}" if 0 < len(space.labels) <= _FEW else counted


def _return(value: float) -> str:
    """To a few digits, as many as tell two policies apart."""
    return minus(shown(round(value, 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 4)))


def _counted(count: int, noun: str) -> str:
    plural = f"{noun}{'es' if noun.endswith('ch') else 's'}"
    return f"{count} {noun}" if count == 1 else f"{shown(count)} {plural}"
