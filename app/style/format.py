"""How numbers read in the window: short, with a true minus sign, and steady in width where they change often."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

NOTHING = "–"
_UNITS = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, ""))
_MOST_DECIMALS = 3  # after which a number is shorter without a unit
_HUGE = 1e15  # from which on no unit makes a number short
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short_number(value: float | None, digits: int = 3, *, steady: bool = False) -> str:
    """``value`` to ``digits`` significant digits: 1234567 is "1.23 M", 2.3e20 is "2.3×10²⁰", None and NaN are "–".

    ``steady`` keeps trailing zeros, so that a number that changes in place keeps its width: 0.5 is "0.500", and one
    with a two-digit power of ten has two digits before it. Whole numbers below 10,000 are written out.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) < 10_000 and value == int(value) and not steady:
        return minus(f"{value:.0f}")
    if steady and abs(value) >= _HUGE:
        digits = 2
    rounded = float(f"{value:.{digits}g}")
    scale, unit = _unit(rounded) if 10_000 <= abs(rounded) < _HUGE else (1.0, "")
    form = f".{digits}g"
    if 1000 <= abs(rounded) < 10_000:
        form = ".0f"
    elif steady:
        form = f".{digits - 2}e" if 0 < abs(rounded) < 1e-3 else "#" + form
    mantissa, _, exponent = f"{rounded / scale:{form}}".partition("e")
    power = f"×10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else ""
    return minus(mantissa.rstrip(".") + power + unit)


def _unit(largest: float) -> tuple[float, str]:
    return next((scale, unit) for scale, unit in _UNITS if abs(largest) >= scale)


def power_of_ten(exponent: float) -> str:
    """10 to this power: plain where it is short, else with its exponent, "1.2×10⁵"; no power is too large."""
    if -3 <= exponent < 4:
        return short_number(10.0**exponent, 2)
    whole = math.floor(exponent)
    mantissa = f"{10.0 ** (exponent - whole):.1f}"
    if mantissa == "10.0":
        mantissa, whole = "1.0", whole + 1
    return f"{mantissa}×10{str(whole).translate(_SUPERSCRIPT)}"


def minus(text: str) -> str:
    """``text`` with a true minus sign, and without one before a zero."""
    if text.startswith("-") and not any(c in "123456789" for c in text):
        text = text[1:]
    return text.replace("-", "−")


def with_minus(sentence: str) -> str:
    """A sentence in which true minus signs stand before numbers; hyphens within words stay."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", sentence)


def tick_labels(values: Sequence[float], spacing: float) -> list[str]:
    """One label for each tick of an axis, all in the same unit and with the same decimals; 0 is plain "0". Different
    ticks have different labels, be they as near to each other as they like."""
    largest = max((abs(value) for value in values), default=0.0)
    scale, unit = _unit(largest) if largest >= 10_000 else (1.0, "")
    decimals = _decimals(spacing / scale)
    if unit and (decimals is None or decimals > _MOST_DECIMALS):
        scale, unit, decimals = 1.0, "", _decimals(spacing)
    if decimals is None or largest >= _HUGE:
        return _apart(values)
    return ["0" if value == 0 else minus(f"{value / scale:.{decimals}f}{unit}") for value in values]


def _decimals(step: float) -> int | None:
    """How many decimals multiples of ``step`` have; None where they are too many to be written out."""
    return next((d for d in range(5) if math.isclose(round(step, d), step, rel_tol=1e-6)), None)


def _apart(values: Sequence[float]) -> list[str]:
    """Short numbers of so many digits that different ones look different."""
    for digits in range(3, 16):
        labels = [short_number(value, digits) for value in values]
        if len(set(labels)) == len(set(values)):
            break
    return labels


def duration(seconds: float | None) -> str:
    """A span of time as "0:05", "12:40" or "1:02:03"."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float) -> str:
    """A share between 0 and 1 as "41 %"; only all is 100 % and only none is 0 %."""
    whole = round(100 * share)
    if (whole == 0) != (share == 0.0) or (whole == 100) != (share == 1.0):
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def setting(value: object) -> str:
    """A parameter's value as a person writes it: on and off, 0.001, 1 M."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (int, float)):
        return short_number(value, 4)
    if isinstance(value, (tuple, list)):
        return " × ".join(map(str, value)) or NOTHING
    return str(value)


def spans(numbers: Sequence[int]) -> str:
    """Numbers in few characters: "1–8", "1–3, 7"."""
    ordered = sorted(numbers)
    starts = [ordered[0], *(after for before, after in pairwise(ordered) if after != before + 1)]
    ends = [*(before for before, after in pairwise(ordered) if after != before + 1), ordered[-1]]
    return ", ".join(str(start) if start == end else f"{start}–{end}" for start, end in zip(starts, ends, strict=True))
