"""The parameters of a configuration, flattened: what a form shows, what ``--set`` reaches, and how an error reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from engine.config import FAMILY_OF, RunConfig
from engine.config.migrations import moved, renamed
from engine.runtime.errors import RequestError

_OPTIONS = "environment.options"  # these have names of the environment's own, and may be called anything


@dataclass(frozen=True)
class Parameter:
    """One number or choice of a configuration, with all that its metadata says.

    ``path`` is the dotted way to it (``update.learning_rate``). ``minimum`` and ``maximum`` are None where unbounded;
    ``exclusive_minimum`` tells ``>`` from ``≥``. ``choices`` is empty unless the value is one of a fixed few.
    """

    path: str
    title: str
    symbol: str
    unit: str
    help: str
    type: type
    value: Any
    default: Any
    live: bool
    minimum: float | None
    maximum: float | None
    exclusive_minimum: bool
    choices: tuple[str, ...]


def parameters_of(config: BaseModel, prefix: str = "") -> list[Parameter]:
    """Every parameter of ``config`` in the order of its fields; the ``kind`` of a choice is no parameter, and those
    that only one environment has are ``options_of``."""
    found: list[Parameter] = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        path = f"{prefix}{name}"
        if isinstance(value, BaseModel):
            found.extend(parameters_of(value, f"{path}."))
        elif name not in ("kind", "options"):
            found.append(_parameter(path, field, value))
    return found


def _parameter(path: str, field: FieldInfo, value: Any) -> Parameter:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("ge", "gt", "le") if hasattr(m, key)}
    choices = tuple(map(str, get_args(field.annotation))) if get_origin(field.annotation) is Literal else ()
    return Parameter(
        path=path,
        title=field.title or path,
        symbol=str(extra.get("symbol", "")),
        unit=str(extra.get("unit", "")),
        help=field.description or "",
        type=type(value),
        value=value,
        default=field.default,
        live=bool(extra.get("live", False)),
        minimum=bounds.get("gt", bounds.get("ge")),
        maximum=bounds.get("le"),
        exclusive_minimum="gt" in bounds,
        choices=choices,
    )


def with_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """``config`` with the values at the given dotted paths replaced.

    A whole choice may be replaced by its bare kind (``policy`` = ``"linear"``); its parameters then start from their
    defaults, and further paths may lead into it. All other replacements are validated together. An update rule of
    another family comes first, and with that family: what both have stays as it was, the rest starts from its defaults.

    Raises:
        RequestError: a path leads nowhere, or a value does not fit; the sentence says what would.
    """
    data = config.model_dump()
    rest: dict[str, Any] = {}
    for path, value in sorted(values.items(), key=lambda item: item[0].removesuffix(".kind") != "update"):
        path = path if path.startswith(f"{_OPTIONS}.") else path.removesuffix(".kind")
        path, value = path if _there(data, path) else moved(path), renamed(path, value)
        if isinstance(_at(data, path), dict):
            _place(data, path, value)
            data = validated(_of_its_family(data, type(config)) if path == "update" else data).model_dump()
        else:
            rest[path] = value
    for path, value in rest.items():
        _place(data, path, value)
    return validated(data)


def _of_its_family(data: dict[str, Any], before: type[BaseModel]) -> dict[str, Any]:
    """``data`` without what the family of its update rule has no place for, if that is another than ``before``."""
    kind = _at(data, "update.kind")
    family = FAMILY_OF.get(kind) if isinstance(kind, str) else None
    if family is None or family is before:
        return data
    return {"update": data["update"]} | _shared(data, before, family)


def _shared(data: dict[str, Any], before: type[BaseModel], after: type[BaseModel]) -> dict[str, Any]:
    """The values of fields that both models have."""
    found: dict[str, Any] = {}
    for name, field in after.model_fields.items():
        old = before.model_fields[name].annotation if name in before.model_fields else None
        if old == field.annotation:
            found[name] = data[name]
        elif _is_model(old) and _is_model(field.annotation):
            found[name] = _shared(data[name], old, field.annotation)
    return found


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


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
            raise RequestError(_unknown(".".join(parents[: depth + 1]), path, node))
        node = node[name]
    if leaf not in node and ".".join(parents) != _OPTIONS:
        raise RequestError(_unknown(path, path, node))
    if isinstance(node.get(leaf), dict) and isinstance(value, str) and not path.startswith(_OPTIONS):
        key = "id" if "id" in node[leaf] else "kind"
        value = {key: value}
    node[leaf] = value


def _unknown(missing: str, path: str, node: Mapping[str, Any]) -> str:
    prefix, _, leaf = missing.rpartition(".")
    if missing.startswith(f"{_OPTIONS}."):
        return f"There is no parameter {path}; an option is set whole, as {_OPTIONS}.NAME."
    known = [name for name in node if name != "kind"]
    near = get_close_matches(leaf, known, n=1)
    here = f"{prefix}." if prefix else ""
    hint = f"did you mean {here}{near[0]}?" if near else f"there is {', '.join(here + name for name in known)}."
    return f"There is no parameter {path} for this choice; {hint}"


_RUN: TypeAdapter[RunConfig] = TypeAdapter(RunConfig)


def validated(data: Any) -> RunConfig:
    """The configuration that plain ``data`` describes.

    Raises:
        RequestError: one sentence naming the first thing that does not fit.
    """
    try:
        return _RUN.validate_python(data)
    except ValidationError as error:
        raise RequestError(sentence(error, get_args(RunConfig)[0])) from None


def sentence(error: ValidationError, root: Any) -> str:
    """The first complaint of pydantic as one sentence naming the parameter, what it was and what would be right.

    Args:
        root: the type that something should have had.
    """
    first = error.errors(include_url=False)[0]
    path = _path(first["loc"], root) or "the configuration"
    if first["type"] == "extra_forbidden":
        return f"There is no parameter {path} for this choice."
    if first["type"] in ("missing", "union_tag_not_found"):
        return f"{path}{'.kind' if first['type'] != 'missing' else ''} is missing."
    if first["type"] in ("union_tag_invalid", "literal_error"):
        context = first.get("ctx", {})
        wanted = context.get("expected_tags") or context.get("expected", "")
        given = context.get("tag", first["input"])
        if wanted == _FAMILIES:  # the rule by which a family is told
            path, wanted = f"{path}.update" if first["loc"] else "update", ", ".join(map(repr, FAMILY_OF))
        return f"{path} cannot be {_shown(given)}; it is one of {wanted}."
    message = first["msg"][0].lower() + first["msg"][1:]
    for pattern, words in _PLAINER:
        message = re.sub(pattern, words, message)
    given = "empty" if first["input"] in ("", [], ()) else _shown(first["input"])
    return f"{path} cannot be {given}: {message}."


# What pydantic says beyond what a person needs, and the plainer words for it.
_PLAINER = (
    (r"value error, ", ""),
    (r"input should", "it should"),
    (r"tuple should have at least 1 item.*", "at least one number is needed"),
    (r"unable to parse input string as an integer.*", "it is too large"),
    (r", (unable to|got a) .*$", ""),
    (r" or instance of \w+$", ""),
    (r"a valid integer", "a whole number"),
    (r"a valid string", "a text"),
    (r"a valid tuple", "a list"),
    (r"a valid boolean", "true or false"),
    (r"a valid dictionary", "names with values"),
    (r"a (valid|finite) number", "a number"),
    (r"greater than or equal to", "at least"),
    (r"less than or equal to", "at most"),
)


_FAMILIES = ", ".join(repr(family) for family in dict.fromkeys(each.family for each in FAMILY_OF.values()))


def _path(location: Sequence[object], root: Any) -> str:
    """An error's location, from ``root`` on, without the tags that pydantic puts behind the name of a choice."""
    parts, at = [], root
    for part in map(str, location):
        members = _members(at)
        if part in members:
            at = members[part]
            continue
        parts.append(part)
        at = at.model_fields[part].annotation if _is_model(at) and part in at.model_fields else None
    return ".".join(parts)


def _members(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models of which one is chosen, by their tags; empty where there is no choice."""
    among = [get_args(member)[0] if get_origin(member) is Annotated else member for member in get_args(annotation)]
    models = filter(_is_model, among)
    return {getattr(model, "family", None) or model.model_fields["kind"].default: model for model in models}


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def parse_value(text: str) -> Any:
    """The value that ``--set KEY=VALUE`` means: JSON where it is JSON (0.01, true, [64, 64]), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
