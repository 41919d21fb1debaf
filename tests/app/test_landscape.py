"""The map of J over two parameters in the window, and the races across it, by a mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.panels.lab.landscape.contours import contour
from app.panels.lab.landscape.page import LandscapePage
from app.panels.lab.landscape.race_view import RaceView
from app.panels.lab.panel import LabPanel
from app.style.theme import load_theme
from app.window.main_window import MainWindow

Make = Callable[..., MainWindow]


def race_in(window: MainWindow, qtbot: QtBot) -> RaceView:
    """Turned to by its button."""
    window.docks["Lab"].raise_()
    lab = window.panels.find(LabPanel)
    qtbot.waitUntil(lab.isVisible)
    button = next(each for each in lab.findChildren(QToolButton) if each.text() == "Landscape")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    page = lab.findChild(LandscapePage)
    assert isinstance(page, LandscapePage)
    qtbot.waitUntil(lambda: page.race is not None and bool(page.race.map.heights.heights.size), timeout=20_000)
    assert page.race is not None
    return page.race


def pixels(race: RaceView, place: tuple[float, float]) -> QPoint:
    return race.map.pixels_of(place).toPoint()


def test_a_click_begins_a_race_from_there(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    race = race_in(window, qtbot)
    controls, viewport = race.controls, race.map.viewport()
    controls.dials["steps"].slider.setValue(0)  # 10
    for name in ("trpo", "ppo"):
        QTest.mouseClick(controls.rows.rows[name], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(race.instants) == 11 and race.instants[0].theta.shape == (3, 2), timeout=20_000)
    assert race.step == 0  # nobody has asked for more

    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=pixels(race, (3.0, -2.0)))
    assert race.start == pytest.approx((3.0, -2.0), abs=0.1)
    qtbot.waitUntil(lambda: race.step == 10 and controls.play.text() == "Race", timeout=20_000)
    first, last = race.instants[0], race.instants[-1]
    assert np.allclose(first.theta, race.start)
    gained = dict(zip(("gradient", "stochastic", "natural"), last.returns - first.returns, strict=True))
    assert gained["natural"] > gained["gradient"] > 0.0
    path = race.paths["natural"]
    assert (path.x[-1], path.y[-1]) == tuple(last.theta[2])
    assert not len(race.paths["ppo"].x)
    assert race.map.numbers is not None
    assert len(race.map.numbers()) == 3 * 11

    controls.scrubber.setValue(4)
    assert race.step == 4
    assert len(path.x) == 5
    controls.dials["natural_rate"].slider.setValue(0)  # while it waits, the same steps with another α
    qtbot.waitUntil(lambda: len(race.instants) == 11 and not np.array_equal(race.instants[4].theta, last.theta))
    qtbot.waitUntil(lambda: len(path.x) == 5 and path.x[-1] == race.instants[4].theta[2, 0])

    QTest.mouseMove(viewport, pixels(race, (0.0, 0.0)))
    qtbot.waitUntil(lambda: race.place is not None)
    assert race.place is not None
    assert race.place.theta == pytest.approx((0.0, 0.0), abs=0.1)
    assert race._up.start == race.place.theta
    assert len(race._ellipse.points)

    before = race.map.seen
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=pixels(race, (0.0, 0.0)))
    for part in (0.5, 1.0):
        QTest.mouseMove(viewport, pixels(race, (2.0 * part, 0.0)))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=pixels(race, (2.0, 0.0)))
    assert race.start == pytest.approx((3.0, -2.0), abs=0.1)  # what is dragged is no click
    if race.map.seen != before:
        qtbot.waitUntil(lambda: race.map.heights.x == race.map.seen[0])

    window.docks["Signal"].raise_()  # nobody looks any more
    qtbot.waitUntil(lambda: not race._frames.isActive())
    assert not race.watched
    race.begin_at(1.0, 1.0)
    assert not race._work.busy
    window.docks["Lab"].raise_()
    qtbot.waitUntil(lambda: len(race.instants) == 11, timeout=20_000)
    race.apply_theme(load_theme("light"))
    controls.worlds.setCurrentIndex(2)
    assert race.start == race.world.start
    assert controls.story.text() == race.world.story


def test_lines_of_equal_height() -> None:
    """Of a slope they are straight, of a peak circles; where corners alternate, they go by the middle."""
    y, x = np.mgrid[0:5, 0:7].astype(np.float64)
    slope = contour(x + 2.0 * y, 4.5)
    assert np.allclose(slope[:, 0] + 2.0 * slope[:, 1], 4.5)
    assert np.allclose(slope[:, 2] + 2.0 * slope[:, 3], 4.5)
    assert len(slope) == 7
    side = np.linspace(-1.0, 1.0, 81)
    peak = contour(-(side[:, None] ** 2) - side**2, -0.25)
    radii = np.hypot(peak[:, 0::2] / 40 - 1.0, peak[:, 1::2] / 40 - 1.0)
    assert np.abs(radii - 0.5).max() < 1e-3
    around = np.hypot(peak[:, 2] - peak[:, 0], peak[:, 3] - peak[:, 1]).sum() / 40
    assert around == pytest.approx(np.pi, rel=1e-3)
    saddle = np.array([[1.0, 0.0], [0.0, 1.0]])
    joined, parted = contour(saddle, 0.4), contour(saddle, 0.6)
    assert len(joined) == len(parted) == 2
    nearest = [np.hypot(each[:, 0::2].mean(1) - 0.0, each[:, 1::2].mean(1) - 1.0).min() for each in (joined, parted)]
    assert nearest[0] < nearest[1]  # the low corners are cut off, or the high ones
    assert not len(contour(np.full((3, 3), np.nan), 0.0))
    assert not len(contour(np.zeros((3, 3)), 1.0))
