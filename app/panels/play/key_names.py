"""Keys by name: of an event, and as they are written on a cap."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

_MODIFIERS = frozenset(
    (
        *(Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta),
        *(Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown),
    )
)
_CAPS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "Return": "Enter"}


def key_name(event: QKeyEvent) -> str:
    """As Qt writes the key down, whatever modifiers are held with it; empty for a modifier alone."""
    key = event.key()
    if key in _MODIFIERS:
        return ""
    if key == Qt.Key.Key_Enter:  # of the number pad
        key = Qt.Key.Key_Return
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def cap_of(key: str) -> str:
    return _CAPS.get(key, key)
