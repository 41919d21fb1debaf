"""The toolbar of a real window."""

from __future__ import annotations

from collections.abc import Callable

from app.window.main_window import MainWindow


def test_the_narrowest_window_shows_the_whole_toolbar(make_window: Callable[..., MainWindow]) -> None:
    window = make_window()
    window.resize(1, 1)
    bar = window.toolbar
    ends = [bar.widgetForAction(action).geometry().right() for action in bar.actions()]
    assert max(ends) < bar.width()
