"""Reading back what a QSettings has kept."""

from __future__ import annotations

from PySide6.QtCore import QSettings


def strings(settings: QSettings, key: str) -> list[str]:
    """The list of strings kept under ``key``: a list of one comes back as a string, and an empty one as None."""
    kept = settings.value(key)
    if isinstance(kept, str):
        return [kept]
    return [line for line in kept if isinstance(line, str)] if isinstance(kept, list) else []


def flag(settings: QSettings, key: str) -> bool:
    """Whether what is kept under ``key`` is true, which a file holds as a word."""
    return settings.value(key) in (True, "true")


def whole_number(settings: QSettings, key: str, default: int) -> int:
    """The number kept under ``key``; ``default`` where there is none."""
    kept = settings.value(key)
    try:
        return int(kept)
    except (TypeError, ValueError):
        return default
