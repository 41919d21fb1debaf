"""The menu bar, made from the actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from app.window.museum.opening import Needed, museum_on_request
from app.window.toolbar import Toolbar

_FILE = (("open_file", "open_runs"), ("copy_text",), ("quit",))
_RUN = (("start", "step", "stop", "fork", "reset"), ("all_runs", "environments"))
_VIEW = (("present", "full_screen", "restore_layout"), ("text_larger", "text_smaller", "text_normal"))
_THEMES = ("theme_system", "theme_dark", "theme_light")
_HELP = (("museum", "guess", "self_test"), ("shortcuts", "about"))


@dataclass(frozen=True)
class OwnMenus:
    """Menus that are not made from the actions alone."""

    preset: QMenu
    bar: Toolbar
    tried: QMenu
    export: QMenu
    steps: QMenu


def fill_menu_bar(
    window: QMainWindow, actions: Mapping[str, QAction], own: OwnMenus, places: Sequence[Sequence[QAction]]
) -> None:
    """Fill the menu bar of ``window``.

    Args:
        places: what stands first in the View menu, in groups: what chooses a mode, and what shows a panel.
    """
    file, edit, run = QMenu("File", window), QMenu("Edit", window), QMenu("Run", window)
    view, help_menu = QMenu("View", window), QMenu("Help", window)
    for menu in (file, edit, run, own.preset, view, help_menu):
        window.menuBar().addMenu(menu)
    file.setToolTipsVisible(True)
    _add(file, ([actions[name] for name in group] for group in _FILE))
    file.insertMenu(actions["copy_text"], own.export)
    run.setToolTipsVisible(True)
    _add(run, ([actions[name] for name in group] for group in _RUN))
    edit.addActions([actions["undo"], actions["redo"]])
    edit.addMenu(own.tried)
    edit.addSeparator()
    edit.addAction(actions["paste"])
    run.insertMenu(actions["stop"], own.steps)
    run.addMenu(own.bar.device.menu)
    if own.bar.seeds is not None:
        run.insertMenu(actions["step"], own.bar.seeds.choices)
    view.setToolTipsVisible(True)
    _add(view, [*places, *([actions[name] for name in group] for group in _VIEW)])
    view.addSeparator()
    themes = view.addMenu("Theme")
    themes.addActions([actions[name] for name in _THEMES])
    view.addAction(actions["toggle_theme"])
    _add(help_menu, ([actions[name] for name in group] for group in _HELP))


def offer_help(window: QMainWindow, actions: Mapping[str, QAction], panels: int, needed: Needed) -> None:
    """Have the actions of the Help menu open their dialogs, in a window of so many panels; the museum's work on what is
    ``needed`` for them."""
    museum_on_request(window, actions, needed)

    def show_shortcuts() -> None:
        from app.window import dialogs  # seldom wanted, so not loaded before

        dialogs.shortcuts(window, panels).open()

    def show_about() -> None:
        from app.window import dialogs

        dialogs.about(window).open()

    actions["shortcuts"].triggered.connect(show_shortcuts)
    actions["about"].triggered.connect(show_about)


def _add(menu: QMenu, groups: Iterable[Sequence[QAction]]) -> None:
    for number, group in enumerate(groups):
        if number:
            menu.addSeparator()
        menu.addActions(list(group))
