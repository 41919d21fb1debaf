"""How a parameter reads as text, and what typed text means. The configuration model judges it, not this."""

from __future__ import annotations

import math
import re
from html import escape
from typing import Any

from engine.config.parameters import Parameter

# Thousands are set apart by a narrow no-break space, which cannot be mistaken for a decimal sign.
_THIN = "\u202f"


def shown(value: Any) -> str:
    """The text of a value, as short as it can be without losing anything."""
    if isinstance(value, (tuple, list)):
        return ", ".join(map(shown, value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer() and abs(value) < 1e15):
        text = re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", repr(value))
    else:
        text = f"{int(value):_}".replace("_", _THIN)
    return text.replace("-", "−", 1) if value < 0 else text


def in_words(value: Any) -> str:
    """A value within a sentence: switches are on or off, lists may be empty, maps so large."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return f"a map of {len(value)} × {len(value[0])}"
    return shown(value) or "none"


def meaning(text: str, kind: type) -> Any:
    """The value that typed ``text`` stands for; text that is no such value is handed on as it is."""
    if kind is tuple:
        listed = re.sub(r"(?<=\d)\s*[x×]\s*(?=\d)", ",", text.strip(" \t,;()[]"))
        return tuple(_number(part, int) for part in re.split(r"[,;\s]+", listed) if part)
    return _number(text, kind) if kind in (int, float) else text.strip()


def _number(text: str, kind: type) -> Any:
    plain = re.sub(r"[\s_']", "", text).replace("−", "-")
    # A comma between groups of three separates thousands only where it cannot be a decimal comma.
    if kind is int and re.fullmatch(r"-?[1-9]\d{0,2}(,\d{3})+", plain):
        plain = plain.replace(",", "")
    for reading in (int, float):
        try:
            value = reading(plain)
        except ValueError:
            continue
        return int(value) if kind is int and math.isfinite(value) and value == int(value) else value
    return text.strip()


def bounds(parameter: Parameter) -> str:
    """The bounds in words; empty where there are none."""
    words = []
    if parameter.minimum is not None:
        words.append(f"{'above' if parameter.exclusive_minimum else 'from'} {shown(parameter.minimum)}")
    if parameter.maximum is not None:
        words.append(f"up to {shown(parameter.maximum)}")
    return " ".join(words)


def tool_tip(parameter: Parameter) -> str:
    """What a person needs to know to set the parameter, as rich text."""
    name = f"<b>{escape(parameter.title)}</b>"
    if parameter.symbol:
        name += f" {symbol(parameter.symbol)}"
    facts = []
    if text := bounds(parameter):
        facts.append(text[0].upper() + text[1:] + (f" {parameter.unit}" if parameter.unit else ""))
    facts.append(f"Default {escape(in_words(parameter.default))}")
    lines = [name, escape(parameter.help), ". ".join(facts) + "."]
    if parameter.live:
        lines.append("May be changed while training; takes effect at the next iteration.")
    lines.append(f"<span style='font-family:monospace'>--set {escape(parameter.path)}=…</span>")
    return "".join(f"<p style='margin:0 0 4px 0'>{line}</p>" for line in lines)


def symbol(text: str) -> str:
    """A symbol as rich text: what follows an underscore is a subscript."""
    stem, _, below = text.partition("_")
    return f"<i>{escape(stem)}</i>" + (f"<sub>{escape(below)}</sub>" if below else "")
