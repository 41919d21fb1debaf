"""The map of J over two parameters in the window, and the races across it, by a mouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QDeadlineTimer, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.lab.landscape.around_page import AroundPage
from app.panels.lab.landscape.around_plots import LinePlot, PlanePlot
from app.panels.lab.landscape.contours import contour
from app.panels.lab.landscape.map_plot import MapPlot
from app.panels.lab.landscape.page import LandscapePage
from app.panels.lab.landscape.race_view import RaceView
from app.panels.lab.landscape.racer_rows import RacerRow
from app.panels.lab.panel import LabPanel
from app.plotting.colour_bar import ColourBar
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.analysis.landscape import around as landscape_around
from engine.analysis.landscape.scan import line, plane
from engine.runs import snapshot_keeper
from tests.app.test_run_timeline import look, place, strip

Make = Callable[..., MainWindow]


def until(qtbot: QtBot, met: Callable[[], bool]) -> None:
    """What is computed on other threads may take long where all tests run at once."""
    qtbot.waitUntil(met, timeout=40_000)


def turned_to(window: MainWindow, qtbot: QtBot, title: str) -> LabPanel:
    """The Lab, of which that page is turned to by its button."""
    window.docks["Lab"].raise_()
    lab = window.panels.find(LabPanel)
    until(qtbot, lab.isVisible)
    button = next(each for each in lab.findChildren(QToolButton) if each.text() == title)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    return lab


def race_in(window: MainWindow, qtbot: QtBot) -> RaceView:
    page = turned_to(window, qtbot, "Landscape").findChild(LandscapePage)
    assert isinstance(page, LandscapePage)
    until(qtbot, lambda: page.race is not None and bool(page.race.map.heights.heights.size))
    assert page.race is not None
    return page.race


def pixels(race: RaceView, place: tuple[float, float]) -> QPoint:
    return race.map.pixels_of(place).toPoint()


def a_click_begins_a_race_from_there(qtbot: QtBot, window: MainWindow) -> None:
    race = race_in(window, qtbot)
    controls, viewport = race.controls, race.map.viewport()
    controls.dials["steps"].slider.setValue(0)  # 10
    for name in ("trpo", "ppo"):
        QTest.mouseClick(controls.rows.rows[name], Qt.MouseButton.LeftButton)
    until(qtbot, lambda: len(race.instants) == 11 and race.instants[0].theta.shape == (3, 2))
    assert race.step == 0  # nobody has asked for more

    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=pixels(race, (3.0, -2.0)))
    assert race.start == pytest.approx((3.0, -2.0), abs=0.1)
    until(qtbot, lambda: race.step == 10 and controls.play.text() == "Race")
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
    until(qtbot, lambda: len(race.instants) == 11 and not np.array_equal(race.instants[4].theta, last.theta))
    until(qtbot, lambda: len(path.x) == 5 and path.x[-1] == race.instants[4].theta[2, 0])

    def pointed() -> bool:
        for aside in (0.0, 0.05):  # an event for where the mouse is already would be none
            QTest.mouseMove(viewport, pixels(race, (aside, 0.0)))
        return race.place is not None

    until(qtbot, pointed)
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
        until(qtbot, lambda: race.map.heights.x == race.map.seen[0])

    QTest.keyClick(race.map, Qt.Key.Key_E)
    large = race.map.enlarged
    assert large is not None
    until(qtbot, large.isVisible)
    assert [entry.text for entry in large.legend.entries][:2] == ["∇ Gradient ascent", "R REINFORCE"]
    QTest.mouseClick(large.viewport(), Qt.MouseButton.LeftButton, pos=race.map.pixels_of((-2.0, 1.0), large).toPoint())
    assert race.start == pytest.approx((-2.0, 1.0), abs=0.1)
    QTest.keyClick(large, Qt.Key.Key_Escape)

    window.docks["Signal"].raise_()  # nobody looks any more
    until(qtbot, lambda: not race._frames.isActive())
    assert not race.watched
    race.begin_at(1.0, 1.0)
    assert not race._work.busy
    window.docks["Lab"].raise_()
    until(qtbot, lambda: len(race.instants) == 11)
    race.apply_theme(load_theme("light"))
    controls.worlds.setCurrentIndex(2)
    assert race.start == race.world.start
    assert race.world.story in controls.story.text()


def test_both_landscapes_in_one_window(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that every iteration is kept, however little time it takes
    for scan in (line, plane):
        monkeypatch.setattr(landscape_around, scan.__name__, partial(scan, side=9))
    window = make_window(
        environment="CartPole-v1",
        environment__time_limit=20,
        policy__hidden_sizes=(4,),
        estimator__baseline="average",
        collection__episodes_per_update=4,
        budget__environment_steps=600,
    )
    a_click_begins_a_race_from_there(qtbot, window)
    page = turned_to(window, qtbot, "Around θ").findChild(AroundPage)
    assert isinstance(page, AroundPage)
    assert not page._stage.filled
    page.episodes.slider.setValue(0)  # 4
    window.start()
    reach(window, RunState.FINISHED)

    def whole(plot: LinePlot | PlanePlot, iteration: int) -> bool:
        begun = plot._begun
        known = begun is not None and begun.snapshot.iteration == iteration
        return known and not page._work.busy and len(plot._spots) == begun.scan.count

    last = window.playback.policy.iteration
    look(window, qtbot)
    until(qtbot, lambda: whole(page.line, last))  # by itself, once no more is to come
    centre = page.line._spots[len(page.line._spots) // 2]
    assert centre.gained == (0.0, 0.0)
    assert 8.0 < centre.value.value <= 20.0

    def words() -> list[str]:
        return [moment.text for moment in page.line._moments.moments]

    assert words()[0] == f"iteration {last}"
    until(qtbot, lambda: "as far as the last update" in words())  # which is looked up behind all else

    second = next(kept for kept in window.panels.past.kept if kept.iteration == 2)
    page.first.setCurrentIndex(page.first.findData("step"))
    page.first.activated.emit(page.first.currentIndex())
    QTest.mouseClick(strip(window), Qt.MouseButton.LeftButton, pos=place(window, second))
    until(qtbot, lambda: whole(page.line, 2) and page.line._taken is not None)
    assert words()[:2] == ["iteration 2", "iteration 1"]
    assert page.line.numbers is not None
    assert len(page.line.numbers()) == 9

    page.second.setCurrentIndex(page.second.findData("random"))
    page.second.activated.emit(page.second.currentIndex())
    until(qtbot, lambda: whole(page.plane, 2))
    assert page._plots.currentWidget() is page.plane
    assert np.isfinite(page.plane._shown).all()
    assert page.plane._shown[4, 4] == page.plane._spots[4, 4].value.value
    until(qtbot, lambda: page.plane._arrow.start is not None)
    page.apply_theme(load_theme("light"))

    QTest.mouseClick(page.look, Qt.MouseButton.LeftButton)
    assert page._work.busy
    window.docks["Signal"].raise_()  # nobody looks any more
    until(qtbot, lambda: not page._work.busy and "around" not in window.playback._wanting)


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


def same(first: QColor, second: QColor) -> bool:
    """Up to what smoothing does."""
    return max(abs(a - b) for a, b in zip(first.getRgb(), second.getRgb(), strict=True)) <= 4


def test_which_colour_is_which_return_stands_beside_every_map(qtbot: QtBot) -> None:
    heights = np.linspace(3.0, 45.0, 41)[:, None].repeat(41, 1)
    plot = MapPlot(load_theme("dark"), "θ₁", "θ₂")
    plot.marks = [plot.heights]
    page = QWidget()
    plot.setParent(page)
    qtbot.addWidget(page)
    plot.show_heights(heights, (0.0, 1.0), (0.0, 1.0), (3.0, 45.0))
    plot.heights._lines = []  # of equal height, which would hide tints
    page.show()
    for theme in ("dark", "light"):
        plot.apply_theme(load_theme(theme))
        for size in ((160, 120), (260, 180), (900, 600)):
            page.resize(*size)
            plot.resize(*size)
            is_told(plot)

    plot.toggle_enlarged()
    assert plot.enlarged is not None
    assert plot.enlarged.arrangement.colour_bar == plot.arrangement.colour_bar
    beside = plot.arrangement.button_beside(plot.width())
    assert not beside.intersects(plot.area)
    assert beside.right() <= plot.width()


def test_signs_of_racers_grow_with_their_text_and_returns_have_their_unit(qtbot: QtBot) -> None:
    widths = []
    for scale in (1.0, 2.0):
        theme = load_theme("light").scaled(scale)
        row = RacerRow("P", "PPO", "how it goes", theme)
        qtbot.addWidget(row)
        row.resize(300, 60)
        row.apply_theme(theme, "#0072b2")
        image = row.grab().toImage()
        middle = image.height() // 2
        widths.append(sum(same(image.pixelColor(x, middle), QColor("#0072b2")) for x in range(100)))
    assert widths[1] > 1.6 * widths[0] > 0
    race, curve = RaceView(load_theme("light")), LinePlot(load_theme("light"))
    for widget in (race, curve):
        qtbot.addWidget(widget)
    for axis in (race.returns.left, curve.left):
        assert "(reward)" in axis.labelText
        assert axis.shorter[0] == "J (reward)"
    race.end()
    assert race.wait(QDeadlineTimer(5000))


def is_told(plot: MapPlot) -> None:
    """Of heights from 3 at the bottom to 45 at the top the bar says so, in their colours, and nothing is cut."""
    bar, colours, picture = plot.arrangement.colour_bar, plot.arrangement._colours, plot.grab().toImage()
    assert bar is not None
    assert colours is not None
    assert (bar.low, bar.high, bar.symbol) == (3.0, 45.0, "J (reward)")

    words = bar.ticks()[1]
    assert words == ["10", "20", "30", "40"]
    metrics, scale, line = plot.letters, colours.scale.geometry(), colours.symbol.geometry()
    assert scale.right() <= plot.width()  # not cut at the right
    assert metrics.horizontalAdvance(words[-1]) < scale.width()
    assert metrics.horizontalAdvance(bar.symbol) < line.width() - line.height()
    assert line.bottom() <= plot.area.top()
    middle = round(scale.left()) + 16  # of the bar
    for value in (10.0, 20.0, 30.0):
        share = (value - bar.low) / (bar.high - bar.low)
        told = picture.pixelColor(middle, round(scale.bottom() - share * scale.height()))
        shown_at = plot.pixels_of((0.5, share)).toPoint()
        assert same(told, picture.pixelColor(shown_at))
    shown = np.array(bar.ticks_in(scale.height(), metrics)[0])
    assert np.diff(shown).min() / (bar.high - bar.low) * scale.height() >= metrics.ascent()


def test_no_return_is_told_apart_where_all_are_alike() -> None:
    bar = ColourBar("J (reward)", 500.0, 500.0, np.zeros(2, np.uint32))
    assert bar.ticks() == ([500.0], ["500"])
