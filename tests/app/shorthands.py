"""Shorthands for experiments and for what runs tell, shared by the tests of models and of panels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.models.experiment import Experiment
from app.models.history import History
from app.models.runs import Run
from app.panels.experiment.panel import ExperimentPanel
from app.panels.update.panel import UpdatePanel
from app.window.main_window import MainWindow
from app.window.run_list import RUN_ROLE
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.reports.events import Change, Collected, Estimated, Updated

SMALL_CORRIDOR = {
    "environment": "Corridor-v0",
    "policy": "tabular",
    "device": "cpu",
    "budget.environment_steps": 50_000,
}
"""A run that many a test steps through."""


def experiment(environment: str = "CartPole-v1", **values: object) -> Experiment:
    paths = {path.replace("__", "."): value for path, value in values.items()}
    config = with_values(PolicyGradientConfig(), {"environment": environment, **paths})
    return Experiment(config, ENVIRONMENTS[environment])


def pick_environment(chosen: Experiment, plain: EnvironmentInfo) -> None:
    """Take an environment as it comes."""
    chosen.take_environment(EnvironmentConfig(id=plain.id), plain)


def enter(field: QWidget, text: str) -> None:
    """Type ``text`` into a field in place of what is there, and press Return."""
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def pick(panel: ExperimentPanel, picker: str, title: str) -> None:
    """Pick the entry of that title."""
    combo = panel.pickers[picker][0].combo
    combo.setCurrentIndex(combo.findText(title))
    combo.activated.emit(combo.currentIndex())


def heard(signal: object) -> list[object]:
    """What the signal carries from now on."""
    words: list[object] = []
    signal.connect(lambda *values: words.append(values[0] if len(values) == 1 else values))
    return words


def a_run(iterations: int = 3, value: bool = True, changes: tuple[Change, ...] = ()) -> History:
    """What a run of some iterations of 100 steps has told: two episodes each, which end at 15 times its number."""
    history = History()
    for i in range(1, iterations + 1):
        ends = np.array([i * 100 - 50, i * 100])
        history.add_episodes(Collected(i, i * 100, np.array([10.0, 20.0 * i]), np.array([50, 50]), ends, float(i)))
        metrics = {"mean_return": 15.0 * i, "loss": -1.0 * i, "explained_variance": 0.5 if value else None}
        history.add_iteration(Updated(i, i * 100, 2 * i, float(i), metrics, changes if i == 2 else ()))
    history.advantages = Estimated(iterations, np.float32([-3.0, -1.0, 0.5, 4.0]), np.float32([-1.2, -0.4, 0.2, 1.5]))
    return history


def a_ghost(iterations: int = 5, **values: object) -> Run:
    """An earlier run on the cart pole, of the default choice with some values replaced."""
    config = experiment(**values).config
    return Run("earlier", 1, config, ENVIRONMENTS["CartPole-v1"], a_run(iterations))


def words(widget: QWidget) -> str:
    """All that the labels on a panel say."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def click(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """Click the button of an action in the bar."""
    action = window.actions_by_name[name]
    button = next(b for b in window.toolbar.findChildren(QToolButton) if b.defaultAction() is action)
    assert button.isEnabled(), f"{name} cannot be clicked now"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def iterations(window: MainWindow) -> int:
    """How many iterations the shown run has told of."""
    return len(window.controller.history.steps)


def said(window: MainWindow) -> list[str]:
    """What the chips on the shelf call their runs."""
    runs = window.runs.shelf.list
    chips = [runs.index(row, 0).data(RUN_ROLE) for row in range(runs.rowCount())]
    return [f"run {chip.record.number}: {runs.name_of(chip.record)}" for chip in chips]


def chip_place(window: MainWindow, row: int) -> QRect:
    """Where a chip is on the shelf."""
    chips = window.runs.chips
    chips.scrollTo(chips.runs.index(row, 0))
    QApplication.processEvents()
    return chips.visualRect(chips.runs.index(row, 0))


def double_click(window: MainWindow, row: int) -> None:
    """Double-click the name on a chip."""
    chips, place = window.runs.chips, chip_place(window, row)
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(chips.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place.center())


def click_eye(window: MainWindow, row: int) -> None:
    """Click the eye on a chip."""
    place = chip_place(window, row)
    eye = window.runs.chips._painter._eye(place).center()
    QTest.mouseClick(window.runs.chips.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, eye)


def bring_up(panel: QWidget) -> None:
    dock = panel
    while not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    dock.raise_()
    QApplication.processEvents()


def click_line(panel: UpdatePanel, stop: str) -> None:
    QTest.mouseClick(panel.code, Qt.MouseButton.LeftButton, pos=panel.code.place_of(stop).center().toPoint())
