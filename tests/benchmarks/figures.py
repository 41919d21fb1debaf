"""What a row is, what it measured, and whether it kept the figures it is held to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """A bound that the quantity called ``name`` has to keep: at least ``least``, or at most ``most``."""

    name: str
    unit: str
    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        sign, bound = ("≥", self.least) if self.least is not None else ("≤", self.most)
        assert bound is not None
        return f"{sign} {bound:.3g} {self.unit}".rstrip()

    def said(self, value: float) -> str:
        """A value of this quantity with its unit."""
        return f"{shown(value)} {self.unit}".rstrip()


@dataclass(frozen=True)
class Number:
    """Something measured; ``value`` is None where there was nothing to measure."""

    name: str
    value: float | None
    unit: str


@dataclass(frozen=True)
class Grid:
    """A table of words, where single numbers would not show what belongs together."""

    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Measured:
    """What a row's ``measure`` returns: the value of each figure by its name, all numbers, and what to know of them.

    ``data`` are plain JSON values that are kept beside the numbers, and ``grid`` shows them to people.
    """

    held: dict[str, float]
    numbers: tuple[Number, ...]
    detail: str
    grid: Grid | None = None
    data: Any = None


@dataclass(frozen=True)
class Row:
    """One benchmark. ``module`` has ``measure(quick, say) -> Measured`` and is imported only to be run.

    ``options`` are the command line's options that ``measure`` takes as keywords, too.
    """

    name: str
    title: str
    module: str
    figures: tuple[Figure, ...] = ()
    options: frozenset[str] = frozenset()

    def measure(self, quick: bool, say: Say, **given: Any) -> Measured:
        """Import the row and run it with those of the options that it takes; everything may go wrong in here."""
        taken = {name: value for name, value in given.items() if name in self.options}
        measured: Measured = import_module(f"{__package__}.{self.module}").measure(quick, say, **taken)
        return measured


@dataclass(frozen=True)
class Result:
    """One row's outcome; ``problem`` says why nothing was measured."""

    row: Row
    measured: Measured | None
    seconds: float
    problem: str | None = None

    def value(self, figure: Figure) -> float | None:
        return self.measured.held.get(figure.name) if self.measured else None

    def verdict(self, figure: Figure) -> bool | None:
        """Whether ``figure`` was met; None where it was not measured."""
        value = self.value(figure)
        return None if value is None else figure.met(value)

    @property
    def met(self) -> bool | None:
        """Whether all figures were met; None where the row has none, or was not measured."""
        verdicts = [self.verdict(figure) for figure in self.row.figures]
        return None if None in verdicts or not verdicts else all(verdicts)

    def as_json(self) -> dict[str, Any]:
        numbers = self.measured.numbers if self.measured else ()
        data = self.measured.data if self.measured else None
        return {
            "name": self.row.name,
            "title": self.row.title,
            "figures": [
                {
                    "name": f.name,
                    "unit": f.unit,
                    "wanted": str(f),
                    "got": _finite(self.value(f)),
                    "met": self.verdict(f),
                }
                for f in self.row.figures
            ],
            "met": self.met,
            "numbers": [{"name": n.name, "value": _finite(n.value), "unit": n.unit} for n in numbers],
            "seconds": round(self.seconds, 1),
            "detail": self.measured.detail if self.measured else "",
            "problem": self.problem,
        } | ({} if data is None else {"data": data})


class MissingPackageError(Exception):
    """An optional package is not installed."""


def require(module: str, package: str) -> None:
    """Check that an optional package can be imported.

    Raises:
        MissingPackageError: it cannot.
    """
    if find_spec(module) is None:
        raise MissingPackageError(f'needs: pip install {package}   (or: pip install -e ".[bench]")')


def shown(value: float) -> str:
    """A number in as many digits as a reader needs."""
    if not math.isfinite(value):
        return "never"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 or isinstance(value, int) else f"{value:#.3g}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
