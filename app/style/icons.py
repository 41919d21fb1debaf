"""Icons from Material Design Icons.

Their font is loaded after the window has first been painted; until then an icon is an empty picture of the same size,
so that nothing moves when it comes.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPixmap
from shiboken6 import isValid

_loaded = False
_waiting: WeakKeyDictionary[Any, tuple[str, dict[str, str]]] = WeakKeyDictionary()


class Bearer(Protocol):
    """An action or a button."""

    def setIcon(self, icon: QIcon) -> None: ...


def give(bearer: Bearer, name: str, **colours: str) -> None:
    """Give ``bearer`` the icon ``mdi6.name``, in qtawesome's ``color``, ``color_active`` and ``color_disabled``."""
    if _loaded:
        bearer.setIcon(drawn(name, **colours))
    else:
        empty = QPixmap(32, 32)
        empty.fill(Qt.GlobalColor.transparent)
        bearer.setIcon(QIcon(empty))
        _waiting[bearer] = (name, colours)


def load() -> None:
    """Load the font, and give everyone who waits an icon; the application too."""
    global _loaded
    _loaded = True
    QGuiApplication.setWindowIcon(QIcon(str(resources.files("resources") / "pictures" / "icon.svg")))
    for bearer, (name, colours) in list(_waiting.items()):
        if isValid(bearer):  # Qt may have deleted it since
            bearer.setIcon(drawn(name, **colours))
    _waiting.clear()


@lru_cache(maxsize=256)
def drawn(name: str, **colours: str) -> QIcon:
    """The icon itself, for what paints it again and again; loads the font where nobody has."""
    import qtawesome

    icon: QIcon = qtawesome.icon(f"mdi6.{name}", **colours)
    return icon
