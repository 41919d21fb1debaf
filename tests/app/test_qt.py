"""What the window takes for granted of the installed Qt bindings."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialogButtonBox, QProxyStyle, QStyle
from pytestqt.qtbot import QtBot

from app.style.theme import load_theme, style_sheet

ICONS = QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons


def test_calls_that_return_nothing_keep_the_count_of_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 loses one reference per call, which ends the process after some ten thousand of them."""
    thing, before = QObject(), sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("x")
    assert sys.getrefcount(None) - before > -500


class Desktop(QProxyStyle):
    """As on a desktop whose buttons of dialogs wear icons."""

    def styleHint(self, hint: QStyle.StyleHint, *arguments: object) -> int:
        return 1 if hint == ICONS else super().styleHint(hint, *arguments)  # type: ignore[arg-type]


def test_buttons_of_dialogs_wear_no_icons_of_the_desktop(qtbot: QtBot) -> None:
    desktop, kinds, worn = Desktop(), QDialogButtonBox.StandardButton, list[int]()
    for sheet in ("QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 1; }", style_sheet(load_theme("dark"))):
        box = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        qtbot.addWidget(box)
        box.setStyle(desktop)
        box.setStyleSheet(sheet)
        worn.append(box.style().styleHint(ICONS, None, box))
    assert worn == [1, 0]
