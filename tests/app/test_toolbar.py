"""The toolbar of a real window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.window.main_window import MainWindow


def test_the_narrowest_window_shows_the_whole_toolbar(make_window: Callable[..., MainWindow]) -> None:
    window = make_window()
    window.resize(1, 1)
    bar = window.toolbar
    shown = [child for child in bar.findChildren(QWidget) if child.parent() is bar and child.isVisible()]
    assert bar.start_button in shown
    assert bar.preset_button in shown
    assert max(child.geometry().right() for child in shown) < bar.width() == window.width()
    whole = [child for child in shown if child is not bar.preset_button]  # whose title is shortened
    assert [child for child in whole if child.width() < child.minimumSizeHint().width()] == []
