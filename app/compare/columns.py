"""Columns of the table of what is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.compare.compared import ComparedRun
from app.style.format import NOTHING, setting, short_number
from engine.runs.comparison.scores import threshold_of
from engine.runtime.errors import RequestError


class Column:
    """Cells of one column, as words; of numbers the ``bold`` ones are the best."""

    is_number = True

    def __init__(self, title: str, help: str, cells: Sequence[str], bold: Sequence[bool] = ()) -> None:
        self.title, self.help, self.cells, self.bold = title, help, cells, bold
        self.tips = cells  # of each cell, what has no room in it


def history(values: Sequence[Any]) -> str:
    return " → ".join(NOTHING if value is None else _cell(value) for value in values) or NOTHING


def _cell(value: Any) -> str:
    """A value in a few characters; a map of many rows is only known to differ."""
    drawn = isinstance(value, tuple | list) and bool(value) and isinstance(value[0], str)
    return f"map of {len(value)} rows" if drawn else setting(value)


def numbers(title: str, help: str, values: Sequence[float | None], sign: int) -> Column:
    """Numbers of which the greatest is best, or the least where ``sign`` is −1; none is where it is 0."""
    known = [sign * value for value in values if value is not None]
    best = max(known, default=None)
    told = [value is not None and sign != 0 and len(known) > 1 and sign * value == best for value in values]
    return Column(title, help, [short_number(value, 4) for value in values], told)


def threshold_among(runs: Sequence[ComparedRun]) -> float | None:
    try:
        return threshold_of([run.record.config for run in runs])
    except RequestError:
        return None
