"""Plain data made into a configuration, and what pydantic finds wrong with it made into a ``Problem``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from engine.config import FAMILY_OF, RunConfig
from engine.config.bugs import BUGS, NO_BUG
from engine.config.problems import DEEPEST, WIDEST, Kind, ParameterError, Problem

_RUN: TypeAdapter[RunConfig] = TypeAdapter(RunConfig)
_FAMILIES = get_args(RunConfig)[0]


def validated(data: Any) -> RunConfig:
    """The configuration that plain ``data`` describes.

    Raises:
        ParameterError: of the first thing that does not fit.
    """
    check_extent(data)
    return fitting(data)


def fitting(data: Any) -> RunConfig:
    """As ``validated``, of data whose extent was seen to.

    Raises:
        ParameterError: of the first thing that does not fit.
    """
    try:
        return _RUN.validate_python(data)
    except ValidationError as error:
        raise ParameterError(problem_of(error, _FAMILIES)) from None


def check_extent(data: Any) -> None:
    """See to it that plain ``data`` can be gone through and written out at all, however it came.

    Raises:
        ParameterError: its lists and tables are nested too deeply, or a whole number has too many digits.
    """
    left: list[tuple[str, int, Any]] = [("", 0, data)]
    while left:
        path, depth, value = left.pop()
        if isinstance(value, int) and value.bit_length() > WIDEST:
            raise ParameterError(Problem(path, "too-large", value))
        if not isinstance(value, dict | list | tuple):
            continue
        if depth >= DEEPEST:
            raise ParameterError(Problem(".".join(path.split(".")[:3]), "too-deep", limit=DEEPEST))
        if isinstance(value, dict):
            left.extend((f"{path}.{name}".removeprefix("."), depth + 1, each) for name, each in value.items())
        else:
            left.extend((path, depth + 1, each) for each in value)


# What pydantic calls an error, what it is here, and where it says the limit.
_BOUNDS: dict[str, tuple[Kind, str]] = {
    "greater_than_equal": ("at-least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at-most", "le"),
    "less_than": ("below", "lt"),
    "too_short": ("fewest", "min_length"),
    "too_long": ("most", "max_length"),
    "string_too_short": ("fewest", "min_length"),
    "string_too_long": ("most", "max_length"),
}
# What a value should have been, by what pydantic's error begins with.
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list",
    "dict": "names with values",
    "model": "names with values",
}


def problem_of(error: ValidationError, root: Any) -> Problem:
    """The first complaint of pydantic about what should have been of the type ``root``."""
    first = error.errors(include_url=False)[0]
    type, context = first["type"], first.get("ctx", {})
    path, index, at = _place(first["loc"], root)
    if type == "missing":
        return Problem(path, "missing")
    if type == "union_tag_not_found":
        return Problem(f"{path}.kind", "missing")
    if type == "union_tag_invalid":
        return _no_such_kind(path, context["tag"], at)
    if type == "option_value":
        return Problem(f"{path}.{context['name']}", "type", context["value"], context["wanted"])
    return _of_value(first, Problem(path, "other", first["input"], index=index), at)


def _of_value(first: ErrorDetails, problem: Problem, at: Any) -> Problem:
    type, context = first["type"], first.get("ctx", {})

    def found(kind: Kind, limit: Any = None) -> Problem:
        return Problem(problem.path, kind, problem.value, limit, problem.index)

    if type == "extra_forbidden":
        return Problem(problem.path, "unknown")
    if type == "literal_error":
        return found("choice", get_args(at))
    if type == "no_such_bug":
        return found("choice", (NO_BUG, *BUGS))
    if type == "int_parsing_size":
        return found("too-large")
    if type in _BOUNDS:
        kind, limit = _BOUNDS[type]
        return found(kind, context[limit])
    wanted = _TYPES.get(type.partition("_")[0])
    return found("type", wanted) if wanted else found("other", f"{problem.path}: {first['msg']}")


def _no_such_kind(path: str, tag: str, at: Any) -> Problem:
    if at == _FAMILIES:  # they are told apart by their update rules
        return Problem(f"{path}.update" if path else "update", "choice", tag, tuple(FAMILY_OF))
    return Problem(path, "choice", tag, tuple(members_of(at)))


def _place(location: Sequence[int | str], root: Any) -> tuple[str, int | None, Any]:
    """Where an error is, without the tags that pydantic puts behind the name of a choice: the parameter's path, the
    place in its list if it has one, and what its type should be."""
    parts: list[str] = []
    index, at = None, root
    for part in location:
        members = members_of(at)
        if isinstance(part, int):
            index = part
        elif part in members:
            at = members[part]
        else:
            parts.append(part)
            at = at.model_fields[part].annotation if is_model(at) and part in at.model_fields else None
    return ".".join(parts), index, at


def members_of(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models of which one is chosen, by their tags; empty where there is no choice."""
    if get_origin(annotation) is Literal:
        return {}
    among = [get_args(member)[0] if get_origin(member) is Annotated else member for member in get_args(annotation)]
    models = filter(is_model, among)
    return {getattr(model, "family", None) or model.model_fields["kind"].default: model for model in models}


def is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Whether something is a model, and no union of several."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
