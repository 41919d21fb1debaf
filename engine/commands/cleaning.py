"""What ``main.py runs clean`` does: how much room the runs take and may take, and what can go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.retention import KINDS, Kind, clean, cleanings, over_budget, usage
from engine.runs.room import bytes_in_words, set_budget, size_of
from engine.runtime.errors import RequestError

_ALL = "all"


def clean_up(what: Sequence[str], budget: str | None, library: Path | None) -> str:
    """Let the runs take as much as ``budget`` says, where that is given, and remove ``what`` is named, for good; lines
    that say so, and else how much room there is taken and what could go.

    Raises:
        RequestError: nothing is called so, or the runs cannot take so much.
        RunError: the library cannot be read or written.
    """
    kinds = {kind for name in what for kind in _kinds(name)}
    size = None if budget is None else size_of(budget)
    with Library(library_folder(library)) as opened:
        if size is not None:
            set_budget(opened.folder, size)
        lines = _removed(opened, kinds) if kinds else []
        return "\n".join([*lines, *_room(opened, offered=not kinds)])


def _kinds(name: str) -> tuple[Kind, ...]:
    found = KINDS if name == _ALL else tuple(kind for kind in KINDS if kind == name)
    if not found:
        raise RequestError(f"There is nothing called {name!r} to remove; there is {', '.join(KINDS)} and {_ALL}.")
    return found


def _removed(library: Library, kinds: set[Kind]) -> list[str]:
    going = [cleaning.what for cleaning in cleanings(library) if cleaning.kind in kinds]
    freed = clean(library, kinds)
    if not going:
        return ["There is nothing of this to remove."]
    return [f"Removed {' and '.join(going)}, which frees {bytes_in_words(freed)}."]


def _room(library: Library, *, offered: bool) -> list[str]:
    """How much there is taken, and what could go where that is to be ``offered``."""
    used, over = usage(library), over_budget(library)
    parts = f"{bytes_in_words(used.database)} of curves and {bytes_in_words(used.checkpoints)} of saved states"
    if used.recordings:
        parts = parts.replace(" and ", ", ") + f" and {bytes_in_words(used.recordings)} of recordings"
    lines = [f"All runs together take {bytes_in_words(used.total)} of {bytes_in_words(used.budget)}: {parts}."]
    lines += [over] if over else []
    if offered:
        found = cleanings(library)
        lines += [f"`runs clean {each.kind}` removes {each.what}: {bytes_in_words(each.size)}." for each in found]
        lines += [] if found else ["There is nothing to remove."]
    return lines
