"""What the window takes for granted of the installed Qt bindings."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot


def test_calls_that_return_nothing_keep_the_count_of_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 loses one reference per call, which ends the process after some ten thousand of them."""
    thing, before = QObject(), sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("x")
    assert sys.getrefcount(None) - before > -500
