"""How much room the run library is meant to take at most: remembered beside it, for the window and for runs without one
alike."""

from __future__ import annotations

import json
import re
from pathlib import Path

from engine.runtime.errors import RequestError, RunError
from engine.runtime.whole_file import write_whole

FILE = "room.json"  # in the library's folder
STANDARD = 4 << 30  # bytes, where nobody has said otherwise
LEAST, MOST = 100 << 20, 100 << 40
_KEY = "budget"
_UNITS = ("B", "KB", "MB", "GB", "TB")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}) *([KMGT]?B?)")


def budget_of(folder: Path) -> int:
    """The bytes that the library in ``folder`` is meant to take at most; the standard where nothing that makes sense is
    remembered."""
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8"))[_KEY]
    except (OSError, ValueError, LookupError, TypeError):
        return STANDARD
    return said if isinstance(said, int) and LEAST <= said <= MOST else STANDARD


def set_budget(folder: Path, size: int) -> None:
    """Remember how many bytes the library in ``folder`` is meant to take at most.

    Raises:
        RequestError: it cannot be so few, or so many.
        RunError: it cannot be written.
    """
    if not LEAST <= size <= MOST:
        least, most = bytes_in_words(LEAST), bytes_in_words(MOST)
        raise RequestError(f"The runs may take {least} to {most} in all, not {bytes_in_words(size)}.")
    try:
        write_whole(folder / FILE, json.dumps({_KEY: size}).encode())
    except OSError as error:
        raise RunError(f"How much room runs may take cannot be noted in {folder}: {error.strerror}.") from None


def size_of(text: str) -> int:
    """The bytes that a person means by "8 GB", "500M" or, in GB, "8".

    Raises:
        RequestError: it says no size.
    """
    found = _SIZE.fullmatch(text.strip().upper())
    if found is None:
        raise RequestError(f"A size is a number with a unit, for example 8GB or 500MB, not {text!r}.")
    number, unit = found.groups()
    unit = unit or "GB"
    power = _UNITS.index(unit if unit.endswith("B") else f"{unit}B")
    return round(float(number) * (1 << 10 * power))


def bytes_in_words(count: float) -> str:
    """Room on a disk: "812 B", "3.4 MB", "4 GB", in steps of 1024."""
    units = list(_UNITS)
    while count >= 1000 and len(units) > 1:  # what is 1000 or more has one digit too many
        count /= 1024
        del units[0]
    unit = units[0]
    return f"{count:.2g} {unit}" if count < 10 and unit != "B" else f"{count:.0f} {unit}"
