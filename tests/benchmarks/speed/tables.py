"""What a part of the row measured, and the one table that all parts are shown in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.figures import Grid, shown


@dataclass(frozen=True)
class Section:
    """A table of its own: its title heads the first column, ``columns`` the others."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """What one part came to. ``splits`` say where the time of a run went, by its name; ``held`` are values of figures
    by their names, ``data`` plain JSON values, ``words`` what to know of it."""

    sections: tuple[Section, ...]
    data: Any
    words: str
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)


def stacked(sections: Sequence[Section]) -> Grid:
    """All sections one below the other, each under its own heading."""
    width = 1 + max((len(section.columns) for section in sections), default=0)
    lines: list[tuple[str, ...]] = []
    for section in sections:
        heading = (f"[bold]{section.title}[/]", *(f"[bold]{column}[/]" for column in section.columns))
        lines += [_filled(line, width) for line in (heading, *section.lines, ())]
    return Grid(("",) * width, tuple(lines))


def _filled(line: Sequence[str], width: int) -> tuple[str, ...]:
    return (*line, *[""] * (width - len(line)))


def number(value: float | None) -> str:
    return "–" if value is None else shown(value)


def ratio(values: Sequence[float]) -> str:
    """The median, and the range where there are several."""
    ordered = sorted(values)
    middle = 0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])
    if len(ordered) == 1:
        return f"{shown(middle)} ×"
    return f"{shown(middle)} × ({shown(ordered[0])} – {shown(ordered[-1])})"
