"""What is wrong with a value, as data, and the one place where it is put into words."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from engine.runtime.errors import RequestError

WIDEST = 1024  # bits of a whole number, as of the largest float
WRITABLE = 14_000  # bits of one that Python writes out, to 4,300 digits
DEEPEST = 32  # lists and tables within one another
OPTIONS = "environment.options"  # beneath it parameters have names of the environment's own

Kind = Literal[
    "unknown",  # there is no such parameter; limit: the paths there are, or None where that is left open
    "part",  # an option has no parts that could be set
    "missing",
    "choice",  # limit: those it is one of
    "type",  # limit: what it should be, in words
    "at-least",
    "above",
    "at-most",
    "below",  # limit: the number, for these four
    "fewest",
    "most",  # limit: how many entries or characters
    "too-large",  # for any computer
    "too-deep",  # lists or tables within one another
    "other",  # limit: what is wrong, in words
]


@dataclass(frozen=True)
class Problem:
    """Why a parameter cannot have a value.

    ``index`` is the place of the entry in question where the value is a list, and ``option_of`` the environment where
    the parameter is an option of it. Of what is unknown, ``value`` is the part of the path that leads nowhere.
    """

    path: str
    kind: Kind
    value: Any = None
    limit: Any = None
    index: int | None = None
    option_of: str = ""

    @property
    def option(self) -> str:
        """The name of the option."""
        return self.path.removeprefix(f"{OPTIONS}.")


class ParameterError(RequestError):
    """A request was wrong in one value; ``problem`` says how."""

    def __init__(self, problem: Problem, before: str = "") -> None:
        super().__init__(problem, before)
        self.problem = problem
        self._before = before

    def __str__(self) -> str:
        return self._before + sentence(self.problem)


def sentence(problem: Problem, name: str = "", minus: str = "-") -> str:
    """The problem as one sentence: the parameter, what it was and what would be right.

    Args:
        name: how the parameter is called; its path, as on a command line, where that is empty.
        minus: what a negative number begins with.
    """
    if problem.kind in ("unknown", "part"):
        return _nowhere(problem)
    if problem.kind == "other":
        told = problem.option_of and not name
        return f"{problem.option_of} could not be made: {problem.limit}." if told else f"{problem.limit}."
    called = name or _called(problem)
    if problem.kind == "missing":
        return f"{called} is missing."
    if problem.kind == "too-deep":
        return f"{called} is nested too deeply; nothing needs more than {problem.limit} levels."
    if problem.option_of:
        verb = "takes" if problem.kind == "type" else "is"
        return f"{called} {verb} {_right(problem, minus)}{_but(problem.value, minus)}."
    given = (
        "empty" if isinstance(problem.value, str | list | tuple) and not problem.value else shown(problem.value, minus)
    )
    if problem.kind == "choice":
        return f"{called} cannot be {given}; it is {_right(problem, minus)}."
    return f"{called} cannot be {given}: {_wish(problem, minus)}."


def shown(value: Any, minus: str = "-") -> str:
    """A value as it would be typed, cut short where it is long."""
    if isinstance(value, int) and value.bit_length() > WRITABLE:
        return f"a number of {int(value.bit_length() * math.log10(2)) + 1:,} digits"
    text = json.dumps(value, default=str, ensure_ascii=False)
    text = minus + text.removeprefix("-") if text.startswith("-") else text
    return text if len(text) <= 60 else text[:59] + "…"


def _called(problem: Problem) -> str:
    if problem.option_of:
        return f"The option {problem.option} of {problem.option_of}"
    path = problem.path or "the configuration"
    return path if problem.index is None else f"{path}.{problem.index}"


def _nowhere(problem: Problem) -> str:
    if problem.kind == "part":
        return f"There is no parameter {problem.path}; an option is set whole, as {OPTIONS}.NAME."
    if problem.option_of:
        there = f"there is {', '.join(problem.limit)}" if problem.limit else "it has none"
        return f"{problem.option_of} has no option {problem.option}; {there}."
    start = f"There is no parameter {problem.path} for this choice"
    if problem.limit is None:
        return f"{start}."
    leaves = {path.rpartition(".")[2]: path for path in problem.limit}
    near = get_close_matches(problem.value.rpartition(".")[2], leaves, n=1)
    return f"{start}; did you mean {leaves[near[0]]}?" if near else f"{start}; there is {', '.join(problem.limit)}."


def _has_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value)


def _wish(problem: Problem, minus: str) -> str:
    if problem.kind == "too-large":
        return "it is too large"
    if problem.kind in ("fewest", "most"):
        entries = "character" if isinstance(problem.value, str) else "number"
        if problem.kind == "most":
            entries = "entrie" if _has_tables(problem.value) else entries
            return f"it should have at most {problem.limit} {entries}s"
        count = "one" if problem.limit == 1 else problem.limit
        return f"at least {count} {entries}{' is' if problem.limit == 1 else 's are'} needed"
    return f"it should be {_right(problem, minus)}"


def _right(problem: Problem, minus: str) -> str:
    """What the value should be, or takes."""
    if problem.kind == "choice":
        if problem.option_of:
            return f"one of {', '.join(problem.limit)}"
        *most, last = map(repr, problem.limit)
        return f"one of {', '.join(most)} or {last}" if most else last
    if problem.kind == "type":
        return str(problem.limit)
    bound = {"at-least": "at least", "above": "greater than", "at-most": "at most", "below": "less than"}[problem.kind]
    limit = problem.limit
    whole = isinstance(limit, float) and limit.is_integer() and abs(limit) < 1e15
    return f"{bound} {shown(int(limit) if whole else limit, minus)}"


def _but(value: Any, minus: str) -> str:
    """What stands against what is right; nothing where nothing was given."""
    if value == "":
        return ""
    return ", not an empty one" if value in ((), []) else f", not {shown(value, minus)}"
