"""A window in its Compare mode."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.compare.page import ComparePage
from app.window.main_window import MainWindow
from engine.runs.library import Library
from engine.runs.place import library_folder
from tests.engine.runs.libraries import filled


@pytest.fixture
def page(make_window: Callable[..., MainWindow], qtbot: QtBot) -> ComparePage:
    """That of a window whose library has four runs, the last in another environment; Ctrl+2 has been pressed."""
    with Library(library_folder()) as library:
        filled(library, {"seed": 1})
        filled(library, {"seed": 1, "update.learning_rate": 0.5})
        filled(library, {"seed": 2, "update.learning_rate": 0.5})
        filled(library, {"environment": "Acrobot-v1"})
    window = make_window()
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    page = window.compare.page
    assert page is not None
    rows = page.picker.rows
    seen = lambda: page.isVisible() and rows.rowCount() == 4 and not page.compared.is_reading  # noqa: E731
    qtbot.waitUntil(seen, timeout=20_000)  # the first window loads much
    return page
