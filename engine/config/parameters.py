"""The parameters of a configuration, flattened: what a form shows, and what ``--set`` reaches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.config import FAMILY_OF, RunConfig
from engine.config.migrations import moved, renamed
from engine.config.problems import OPTIONS, ParameterError, Problem
from engine.config.validation import check_extent, fitting, is_model


class Parameter(NamedTuple):
    """One number or choice of a configuration, with all that its metadata says.

    ``path`` is the dotted way to it (``update.learning_rate``). ``minimum`` and ``maximum`` are None where unbounded;
    ``exclusive_minimum`` tells ``>`` from ``≥``. ``choices`` is empty unless the value is one of a fixed few.
    """

    path: str
    title: str
    symbol: str
    unit: str
    help: str
    default: Any
    live: bool
    minimum: float | None
    maximum: float | None
    exclusive_minimum: bool
    choices: tuple[str, ...]
    type: type
    value: Any


_Fixed = tuple[str, str, str, str, Any, bool, float | None, float | None, bool, tuple[str, ...]]


def parameters_of(config: BaseModel, prefix: str = "") -> list[Parameter]:
    """Every parameter of ``config`` in the order of its fields; the ``kind`` of a choice is no parameter, and those
    that only one environment has are ``options_of``."""
    found: list[Parameter] = []
    for name, path, fixed in _fixed(type(config), prefix):
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            found.extend(parameters_of(value, f"{path}."))
        elif name not in ("kind", "options"):
            found.append(Parameter(path, *fixed, type(value), value))
    return found


@cache
def _fixed(model: type[BaseModel], prefix: str) -> tuple[tuple[str, str, _Fixed], ...]:
    """By field: its name, its path, and what a parameter has whatever its value is."""
    return tuple((name, prefix + name, _described(prefix + name, it)) for name, it in model.model_fields.items())


def _described(path: str, field: FieldInfo) -> _Fixed:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("ge", "gt", "le") if hasattr(m, key)}
    choices = tuple(map(str, get_args(field.annotation))) if get_origin(field.annotation) is Literal else ()
    symbol, unit = str(extra.get("symbol", "")), str(extra.get("unit", ""))
    minimum, maximum = bounds.get("gt", bounds.get("ge")), bounds.get("le")
    words = field.title or path, symbol, unit, field.description or ""
    return *words, field.default, bool(extra.get("live", False)), minimum, maximum, "gt" in bounds, choices


def with_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """``config`` with the values at the given dotted paths replaced.

    A whole choice may be replaced by its bare kind (``policy`` = ``"linear"``); its parameters then start from their
    defaults, and further paths may lead into it. All other replacements are validated together. An update rule of
    another family comes first, and with that family: what both have stays as it was, the rest starts from its defaults.

    Raises:
        ParameterError: a path leads nowhere, or a value does not fit.
    """
    check_extent(dict(values))
    data = config.model_dump()
    rest: dict[str, Any] = {}
    for path, value in sorted(values.items(), key=lambda item: item[0].removesuffix(".kind") != "update"):
        path = path if path.startswith(f"{OPTIONS}.") else path.removesuffix(".kind")
        path, value = path if _there(data, path) else moved(path), renamed(path, value)
        if isinstance(_at(data, path), dict):
            _place(data, path, value)
            data = fitting(_of_its_family(data, type(config)) if path == "update" else data).model_dump()
        else:
            rest[path] = value
    for path, value in rest.items():
        _place(data, path, value)
    return fitting(data)


def values_between(old: RunConfig, new: RunConfig) -> dict[str, Any]:
    """The values by which ``with_values`` makes ``old`` into ``new``."""
    found: dict[str, Any] = {}
    before, after = old.model_dump(), new.model_dump()

    def look(path: str, first: Any, second: Any) -> None:
        if first == second:
            return
        if not isinstance(second, dict) or path == OPTIONS:
            found[path] = second
            return
        known: Any = first if isinstance(first, dict) else {}
        if path and known.get("kind") != second.get("kind"):
            found[path] = second["kind"]
            known = {"kind": second["kind"]}
        for name, value in second.items():
            look(f"{path}.{name}".removeprefix("."), known.get(name), value)

    look("", before, after)
    return found


def _of_its_family(data: dict[str, Any], before: type[BaseModel]) -> dict[str, Any]:
    """``data`` without what the family of its update rule has no place for, if that is another than ``before``."""
    kind = _at(data, "update.kind")
    family = FAMILY_OF.get(kind) if isinstance(kind, str) else None
    if family is None or family is before:
        return data
    return _shared(data, before, family, {"update": data["update"]})


def carried_over(config: RunConfig, to: RunConfig) -> RunConfig:
    """``to``, a configuration of another family, with all that both families have as it is in ``config``."""
    return fitting(_shared(config.model_dump(), type(config), type(to), to.model_dump()))


def _shared(
    data: dict[str, Any], before: type[BaseModel], after: type[BaseModel], rest: dict[str, Any]
) -> dict[str, Any]:
    """The values of fields that both models have, over the ``rest``."""
    found = dict(rest)
    for name, field in after.model_fields.items():
        old = before.model_fields[name].annotation if name in before.model_fields else None
        if old == field.annotation:
            found[name] = data[name]
        elif is_model(old) and is_model(field.annotation):
            found[name] = _shared(data[name], old, field.annotation, rest.get(name, {}))
    return found


def _there(data: Any, path: str) -> bool:
    *parents, leaf = path.split(".")
    node = _at(data, ".".join(parents)) if parents else data
    return isinstance(node, dict) and leaf in node


def _at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _place(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    node = data
    for depth, name in enumerate(parents):
        if not isinstance(node.get(name), dict):
            raise _unknown(".".join(parents[: depth + 1]), path, node)
        node = node[name]
    if leaf not in node and ".".join(parents) != OPTIONS:
        raise _unknown(path, path, node)
    if isinstance(node.get(leaf), dict) and isinstance(value, str) and not path.startswith(OPTIONS):
        key = "id" if "id" in node[leaf] else "kind"
        value = {key: value}
    node[leaf] = value


def _unknown(missing: str, path: str, node: Mapping[str, Any]) -> ParameterError:
    """That ``missing``, a part of ``path``, is none of what ``node`` has."""
    if missing.startswith(f"{OPTIONS}."):
        return ParameterError(Problem(path, "part"))
    prefix = missing.rpartition(".")[0]
    here = f"{prefix}." if prefix else ""
    return ParameterError(Problem(path, "unknown", missing, tuple(here + name for name in node if name != "kind")))


def parse_value(text: str) -> Any:
    """The value that ``--set KEY=VALUE`` means: JSON where it is JSON (0.01, true, [64, 64]) that can be read, else the
    text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
