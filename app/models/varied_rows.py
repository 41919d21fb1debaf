"""What a person enters of one thing that varies, as text and ticks, and what an experiment is asked of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from app.models.variables import Variable
from app.style.parameter_text import meaning, shown
from engine.config.parameters import parse_value
from engine.runs.sweeps.spec import Scale, Setting, Varied
from engine.runtime.errors import RequestError

Way = Literal["values", "linear", "log"]
MOST_COUNT = 1_000
_FEW = 3  # choices, of which all are taken at first
_ZEROS = re.compile(r"0\d+$")  # what a comma between thousands leaves behind


@dataclass(frozen=True)
class NamedSetting:
    """Several parameters that are set together: ``text`` has a ``KEY=VALUE`` for each, with commas between them."""

    title: str = ""
    text: str = ""


@dataclass(frozen=True)
class VariedRow:
    """One row: a ``variable`` through ``ticked`` choices, typed ``values`` or a range; or ``settings`` without one."""

    variable: Variable | None = None
    title: str = ""
    ticked: tuple[Any, ...] = ()
    values: str = ""
    way: Way = "values"
    low: str = ""
    high: str = ""
    count: int = 5
    settings: tuple[NamedSetting, ...] = ()

    @property
    def called(self) -> str:
        return self.title or (self.variable.title if self.variable is not None else "Named settings")


def new_row(variable: Variable) -> VariedRow:
    """A row that begins with what there is now."""
    if variable.choices:
        all_of_them = tuple(value for value, _ in variable.choices)
        return VariedRow(variable, ticked=all_of_them if len(all_of_them) <= _FEW else (variable.now,))
    around = _around(variable)
    low, high = (shown(around[0]), shown(around[-1])) if len(around) > 1 else ("", "")
    separator = ", " if variable.is_number else "; "
    return VariedRow(variable, values=separator.join(map(shown, around)), low=low, high=high)


def _around(variable: Variable) -> list[Any]:
    """Values about the present one, within its bounds; the present one alone where it says nothing of its size."""
    now, parameter = variable.now, variable.parameter
    if not variable.is_number or parameter is None or not now:
        return [now]
    if parameter.type is int:
        tried = [max(now // 2, 1), now, 2 * now]
    else:
        tried = [float(f"{now * factor:.1g}") for factor in (1 / 3, 1, 3)]
        tried[1] = now
    low, high = parameter.minimum, parameter.maximum
    fitting = [each for each in tried if (low is None or each >= low) and (high is None or each <= high)]
    return sorted(dict.fromkeys(fitting))


def varied_of(row: VariedRow) -> Varied:
    """What an experiment is asked by a row.

    Raises:
        RequestError: it says nothing that could be tried.
    """
    if row.variable is None:
        return _made(row, settings=_settings(row))
    if row.variable.choices:
        if not row.ticked:
            raise RequestError(f"{row.called}: tick what it is to be.")
        return _made(row, path=row.variable.path, values=row.ticked)
    if row.way == "values":
        return _made(row, path=row.variable.path, values=values_of(row))
    scale: Scale = row.way
    low, high = _bound(row, row.low, "lowest"), _bound(row, row.high, "highest")
    return _made(row, path=row.variable.path, low=low, high=high, count=row.count, scale=scale)


def _made(row: VariedRow, **fields: Any) -> Varied:
    try:
        return Varied(title=row.title, **fields)
    except ValidationError as error:
        said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise RequestError(f"{row.called}: {said[:1].lower()}{said[1:]}.") from None


def values_of(row: VariedRow) -> tuple[Any, ...]:
    """What is typed, value by value: numbers between commas, lists between semicolons.

    Raises:
        RequestError: nothing is, or not what the variable could be.
    """
    assert row.variable is not None
    parts = _parts(row.values, of_lists=not row.variable.is_number)
    if not parts:
        example = "0.001, 0.01, 0.1" if row.variable.is_number else "64; 64, 64"
        raise RequestError(f"{row.called}: enter the values that it is to have, such as {example}.")
    kind = row.variable.parameter.type if row.variable.parameter is not None else None
    if kind is None:
        return tuple(parse_value(part) for part in parts)
    found = []
    for part in parts:
        if kind is int and _ZEROS.match(part):
            raise RequestError(f"{row.called}: write thousands without a comma, as commas stand between the values.")
        value = meaning("" if part == "none" and kind is tuple else part, kind)
        if kind in (int, float) and isinstance(value, str):
            raise RequestError(f"{row.called}: {part} is not a number.")
        found.append(value)
    return tuple(dict.fromkeys(found))


def _parts(text: str, *, of_lists: bool) -> list[str]:
    between = r";" if of_lists or ";" in text else r"[,\s]\s*"
    plain = text.replace("\u202f", "")
    return [part.strip() for part in re.split(between, plain.strip().rstrip(";,")) if part.strip()]


def _bound(row: VariedRow, text: str, which: str) -> float:
    value = meaning(text, float)
    if isinstance(value, str):
        raise RequestError(f"{row.called}: enter the {which} value as a number.")
    return float(value)


def _settings(row: VariedRow) -> tuple[Setting, ...]:
    found = []
    for number, each in enumerate(row.settings, 1):
        if not each.title.strip():
            raise RequestError(f"Give the named setting in row {number} a name.")
        found.append(Setting(title=each.title.strip()[:80], set=assignments(each.text, each.title)))
    if not found:
        raise RequestError("Add a named setting, or remove the row.")
    if len({each.title for each in found}) < len(found):
        raise RequestError("Two named settings have the same name; give each its own.")
    return tuple(found)


def assignments(text: str, title: str) -> dict[str, Any]:
    """What ``KEY=VALUE, KEY=VALUE`` sets.

    Raises:
        RequestError: it does not read so.
    """
    found: dict[str, Any] = {}
    for part in _apart(text):
        path, separator, value = part.partition("=")
        if not separator or not path.strip():
            raise RequestError(f"{title}: {part.strip()} should read KEY=VALUE, such as update.learning_rate=0.01.")
        found[path.strip()] = parse_value(value.strip())
    return found


def _apart(text: str) -> list[str]:
    """Between commas and semicolons, but for those within brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for sign in text:
        quoted = quoted != (sign == '"')
        depth += 0 if quoted else (sign in "[{") - (sign in "]}")
        if sign in ",;\n" and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part.strip()]


def written(values: dict[str, Any]) -> str:
    """``values`` as they would be typed: ``KEY=VALUE, KEY=VALUE``."""
    import json

    plain = {path: list(value) if isinstance(value, tuple) else value for path, value in values.items()}
    return ", ".join(
        f"{path}={value}" if isinstance(value, str) else f"{path}={json.dumps(value)}" for path, value in plain.items()
    )


def row_of(varied: Varied, variables: Sequence[Variable]) -> VariedRow:
    """The row that says what ``varied`` does; what ``variables`` do not have is known by its path alone."""
    if varied.settings:
        settings = tuple(NamedSetting(each.title, written(dict(each.set))) for each in varied.settings)
        return VariedRow(title=varied.title, settings=settings)
    variable = next((one for one in variables if one.path == varied.path), None)
    if variable is None:
        variable = Variable(varied.path, varied.title or varied.path, "", None)
    row = VariedRow(variable, varied.title, count=varied.count)
    if varied.values and variable.choices:
        return VariedRow(variable, varied.title, ticked=tuple(varied.values), count=varied.count)
    if varied.values:
        separator = ", " if variable.is_number else "; "
        typed = [shown(value) or "none" if not isinstance(value, str) else value for value in varied.values]
        return VariedRow(variable, varied.title, values=separator.join(typed), count=varied.count)
    way: Way = "log" if varied.scale == "log" else "linear"
    low, high = shown(varied.low), shown(varied.high)
    return VariedRow(variable, row.title, way=way, low=low, high=high, count=varied.count)
