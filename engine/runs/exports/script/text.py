"""How pieces of a program's text are put together."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

RULE = 100  # columns of a heading
WIDEST = 120  # columns of a line
MOST = 10_000  # from which on digits are grouped


def lines(*given: str | bool | None) -> str:
    """Those that are text, below each other; the others were not wanted."""
    return "\n".join(line for line in given if isinstance(line, str))


def section(title: str, *blocks: str | bool | None) -> str:
    """A titled part of the program, its functions two lines apart."""
    heading = f"# --- {title} ".ljust(RULE, "-")
    wanted = [block.strip("\n") for block in blocks if isinstance(block, str) and block]
    apart = "\n\n\n" if wanted[0].startswith(("def ", "class ", "@")) else "\n\n"
    return heading + apart + "\n\n\n".join(wanted)


def signature(name: str, taken: Mapping[str, str], gives: str) -> str:
    """How a function begins: in one line, or in as many as it takes."""
    parameters = [f"{parameter}: {kind}" for parameter, kind in taken.items()]
    one, inside = f"def {name}({', '.join(parameters)}) -> {gives}:", f"    {', '.join(parameters)}"
    if len(one) <= WIDEST:
        return one
    if len(inside) > WIDEST:
        inside = "\n".join(f"    {parameter}," for parameter in parameters)
    return f"def {name}(\n{inside}\n) -> {gives}:"


def literal(value: Any) -> str:
    """A value as Python has it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= MOST:
        return f"{value:_}"
    if isinstance(value, tuple | list):
        inside = ", ".join(map(literal, value))
        return f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(name)}: {literal(each)}" for name, each in value.items()) + "}"
    return "math.inf" if value == math.inf else repr(value)


def arguments(values: Mapping[str, Any]) -> Iterator[str]:
    """Keyword arguments of a call."""
    return (f"{name}={literal(value)}" for name, value in values.items())
