"""What opens the museum, the game and the self-test from the menu Help; they are loaded only when they are wanted."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRect, QSettings, QSize
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QWidget

from app.models.experiment import Experiment
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import picked

Needed = tuple[Experiment, RunController, RunLibrary, QSettings]


def beside_plots(window: QRect, size: QSize, screen: QRect) -> QPoint:
    """Where a dialog of this size hides as little as may be of what a run is known by: right or left of the window
    where the screen has room, else over what is chosen, at the window's left edge."""
    beyond = window.right() + 1 + size.width() <= screen.right() + 1
    before = window.left() - size.width() >= screen.left()
    x = window.right() + 1 if beyond else window.left() - size.width() if before else window.left()
    y = window.top() + (window.height() - size.height()) // 2
    return QPoint(x, min(max(y, screen.top()), max(screen.bottom() + 1 - size.height(), screen.top())))


def museum_on_request(window: QWidget, actions: Mapping[str, QAction], needed: Needed) -> None:
    """Have the actions of the museum open its dialogs before ``window``."""
    experiment, controller, library, settings = needed
    game: list[QDialog] = []  # the one that is open

    def show_bugs() -> None:
        from app.window.museum.bugs_dialog import BugsDialog

        BugsDialog(experiment, controller, window).open()

    def show_game() -> None:
        from app.window.museum.game_dialog import GameDialog

        if not game:
            dialog = GameDialog(experiment, controller, library, settings, window)
            game.append(dialog)
            dialog.finished.connect(lambda _result: game.clear())
            dialog.move(beside_plots(window.frameGeometry(), dialog.size(), window.screen().availableGeometry()))
            dialog.show()
        game[0].raise_()
        game[0].activateWindow()

    def show_self_test() -> None:
        from app.window.museum.self_test_dialog import SelfTestDialog

        entry = picked(experiment.config, ALGORITHMS, experiment.environment)
        SelfTestDialog(entry.id if entry else None, lambda: not controller.training.loading, window).open()

    actions["museum"].triggered.connect(show_bugs)
    actions["guess"].triggered.connect(show_game)
    actions["self_test"].triggered.connect(show_self_test)
