"""Slices through continuous state spaces in the window, by mouse and by keys, with a real engine thread."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from PySide6.QtCore import QDeadlineTimer, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.surface.panel import SurfacePanel
from app.panels.surface.slice_drawing import Label, Plane, label_rooms
from app.panels.surface.slice_page import SlicePage
from app.panels.surface.trail import Trail, dots, seen_from
from app.session.playback_thread import PlaybackThread
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.analysis.coordinates import Coordinates, coordinates_of
from engine.analysis.playback import snapshot
from engine.analysis.slices import PolicyAtPoints
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.policies.policy import Policy
from engine.reports.frames import Frame
from engine.reports.update_events import Inspected
from engine.runs import snapshot_keeper
from tests.app.shorthands import heard, pick_environment
from tests.app.test_run_timeline import look, place, strip
from tests.each import each

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton


def page_of(window: MainWindow) -> SlicePage:
    window.docks["Surface"].raise_()
    return window.panels.find(SurfacePanel).slice


def pixel(page: SlicePage, x: float, y: float) -> QPoint:
    return page.map.plane.at(x, y).toPoint()


def drag(page: SlicePage, begin: QPoint, end: QPoint) -> None:
    QTest.mousePress(page.map, LEFT, pos=begin)
    QTest.mouseMove(page.map, (begin + end) / 2)
    QTest.mouseMove(page.map, end)
    QTest.mouseRelease(page.map, LEFT, pos=end)


def settled(qtbot: QtBot, window: MainWindow, page: SlicePage) -> None:
    """Wait until what is shown is of the policy and the slice that are to be seen."""

    def is_shown() -> bool:
        return page._asked is None and page._shown == (window.playback.policy, page._cut())

    qtbot.waitUntil(is_shown, timeout=20_000)


def test_a_slice_shows_what_the_policy_does_and_clicks_play_from_where_they_are(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that every iteration is kept, however little time it takes
    window = make_window(
        environment="CartPole-v1",
        budget__environment_steps=2000,
        collection__episodes_per_update=8,
        estimator__baseline="value",
        estimator__gamma=0.8,
    )
    page = page_of(window)
    window.start()
    reach(window, RunState.FINISHED)
    settled(qtbot, window, page)
    policy, cut = page._shown
    found, shown = PolicyAtPoints(policy).at(cut.states()), page._found
    assert shown.values == pytest.approx(found.values)
    assert page._offered[0].title == page.shows.currentText() == "V(s), learned by the critic"
    assert [page.across.currentText(), page.up.currentText()] == ["→ angle (rad)", "↑ angular velocity (rad/s)"]

    # A click sets the state: the first that is seen then is the one that was clicked, to the pixel.
    clicked = pixel(page, 0.1, -1.5)
    QTest.mouseClick(page.map, LEFT, pos=clicked)
    angle, turning = page.map.plane.point(QPointF(clicked))
    first = np.array([0.0, 0.0, angle, turning], np.float32)
    episodes_of = window.playback.visited.episodes
    qtbot.waitUntil(lambda: any(np.allclose(each[0], first) for each in episodes_of()), timeout=20_000)
    assert window.playback.follows

    # The wheel zooms about the mouse, a pull moves the axes, and neither plays from anywhere.
    clicks = heard(page.map.chosen)
    at, before = pixel(page, 0.1, 1.0), page.map.ranges
    place_of_mouse, turned = QPointF(at), QPoint(0, 120)
    QApplication.sendEvent(
        page.map,
        QWheelEvent(
            place_of_mouse,
            page.map.mapToGlobal(place_of_mouse),
            QPoint(),
            turned,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )
    assert page.map.ranges[0][1] - page.map.ranges[0][0] == pytest.approx(0.85 * (before[0][1] - before[0][0]))
    assert page.map.plane.point(place_of_mouse) == pytest.approx((0.1, 1.0), abs=0.05)
    zoomed = page.map.plane.point(place_of_mouse)
    drag(page, at, at + QPoint(30, 20))
    assert page.map.plane.point(place_of_mouse + QPointF(30, 20)) == pytest.approx(zoomed)
    settled(qtbot, window, page)
    assert page.whole.isVisible()
    QTest.mouseClick(page.whole, LEFT)
    assert page.map.ranges == before
    assert clicks == []

    # What has no axis is held by its slider, and by the agent where a person wants that.
    slider = page.held._rows[0][1]
    slider.setFocus()
    for _ in range(3):
        QTest.keyClick(slider, Qt.Key.Key_PageUp)
    settled(qtbot, window, page)
    assert page.held.values[0] == pytest.approx(page._shown[1].held[0])
    assert page.held.values[0] > 0.0
    QTest.mouseClick(page.follows, LEFT, pos=QPoint(8, page.follows.height() // 2))
    assert page.held.values[0] == pytest.approx(float(window.playback.visited.latest()[0]), abs=0.2)
    page.follows.setChecked(False)

    # The keys move a cross, and play from it.
    page.map.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.map, Qt.Key.Key_Right)
    assert page.told.text().startswith("angle 0.0209 rad, angular velocity 0 rad/s: V ")
    QTest.keyClick(page.map, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any(abs(each[0][2] - 0.0209) < 1e-4 for each in episodes_of()), timeout=20_000)

    # Returns from all over the slice stand on the map, and against V.
    QTest.mouseClick(page.play, LEFT)
    qtbot.waitUntil(lambda: not page.played.under_way, timeout=20_000)
    assert page._returns.returns.episodes == 16
    assert len(page.map._discs) == 144
    qtbot.waitUntil(lambda: page._returns.explained is not None, timeout=20_000)
    assert page._offered[-1].title == "V against played returns"
    page.shows.setFocus()
    QTest.keyClick(page.shows, Qt.Key.Key_End)
    assert page.views.currentWidget() is page.against
    assert len(page.against._dots.x) == 144

    # And from the states that were visited, in which V was learned; the slice keeps its own.
    assert page.play.text() == "Play from visited"
    QTest.mouseClick(page.play, LEFT)
    qtbot.waitUntil(lambda: not page.played.under_way, timeout=20_000)
    qtbot.waitUntil(lambda: page._compared.explained is not None, timeout=20_000)
    assert page._compared.cut is None
    assert "Returns from visited states are of iteration" in page.told.text()
    assert 0 < len(page.against._dots.x) == len(page._to_play[1])
    QTest.keyClick(page.shows, Qt.Key.Key_Home)
    assert page.play.text() == "Play returns"
    assert len(page.map._discs) == 144

    # It is looked back at along the timeline.
    look(window, qtbot)
    second = next(kept for kept in window.panels.past.kept if kept.iteration == 2)
    QTest.mouseClick(strip(window), LEFT, pos=place(window, second))
    qtbot.waitUntil(lambda: page._found.iteration == 2, timeout=20_000)
    assert page._found.values == pytest.approx(PolicyAtPoints(page._shown[0]).at(page._cut().states()).values)

    # Nothing is computed for it while nobody can see it.
    QTest.mouseClick(page.play, LEFT)
    assert page.played.under_way
    window.docks["Agent"].raise_()
    qtbot.waitUntil(lambda: not page.played.under_way and "surface" not in window.playback._wanting, timeout=20_000)
    shown = page._shown
    QTest.mouseClick(strip(window), LEFT, pos=place(window, None))
    window.docks["Agent"].widget().grab()
    assert page._shown is shown
    assert page._asked is None

    # Another environment has other axes, and nothing to be seen of the last one.
    window.actions_by_name["reset"].trigger()
    pick_environment(window.experiment, ENVIRONMENTS["LunarLander-v3"])
    assert page.across.count() == 8
    assert page.map._ground is None


def test_cells_that_are_clicked_are_played_from(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window(environment="GridWorld-v0", policy="tabular", budget__environment_steps=600)
    window.docks["Surface"].raise_()
    surface = window.panels.find(SurfacePanel)
    window.start()
    reach(window, RunState.FINISHED)
    qtbot.waitUntil(lambda: surface._stage.filled, timeout=20_000)
    window.playback.set_paused(True)  # so that where it begins is all that is seen
    place_of_cells = surface.cells._place()

    def click(row: int, column: int) -> None:
        side = place_of_cells.side
        at = QPoint(round(place_of_cells.left + (column + 0.5) * side), round(place_of_cells.top + (row + 0.5) * side))
        QTest.mouseClick(surface.cells, LEFT, pos=at)

    click(0, 2)
    qtbot.waitUntil(lambda: window.playback.state == 2, timeout=20_000)
    click(1, 1)  # a wall, in which nobody can be
    QTest.keyClick(surface.cells, Qt.Key.Key_Left)
    QTest.keyClick(surface.cells, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.playback.state == 5, timeout=20_000)


def test_what_cannot_be_set_says_so_and_reaches_as_far_as_states_do(qtbot: QtBot) -> None:
    """Of a lander, whose bounds say little, in which no episode can begin."""
    config = with_values(PolicyGradientConfig(), {"environment": "LunarLander-v3"})
    info = ENVIRONMENTS["LunarLander-v3"]
    playback = PlaybackThread()
    page = SlicePage(load_theme("dark"), playback)
    qtbot.addWidget(page)
    page.resize(300, 500)
    page.show()
    coordinates = coordinates_of(config, info)
    assert isinstance(coordinates, Coordinates)
    page.set_choice(coordinates, info)
    assert page.follows.isChecked()
    assert page.map.ranges == ((-6.283185, 6.283185), (-10.0, 10.0))
    policy = Policy(config.policy, info, torch.Generator())
    playback.offer(snapshot(policy, config, info, 3))
    generator = np.random.default_rng(0)
    seen = generator.uniform(-1.0, 1.0, (300, 8)).astype(np.float32)
    for step, observation in enumerate(seen):
        playback.visited.put(Frame(None, step, None, 0.0, False, False, 3, 1, observation=observation))
    page.show_episode()
    low, high = float(seen[:, 4].min()), float(seen[:, 4].max())
    assert page.map.ranges[0] == pytest.approx((low - (high - low) / 8, high + (high - low) / 8))
    assert page.held.values == pytest.approx(seen[-1].tolist())
    assert page.map._trail.playing == 300
    batch = Inspected.__new__(Inspected)
    object.__setattr__(batch, "observations", np.zeros((5000, 8), np.float32))
    page.show_batch(batch)
    assert (len(page.map._trail.x), page.map._trail.playing) == (300 + 1667, 300)
    page.follow()
    qtbot.waitUntil(lambda: page._found is not None)
    assert page.told.text() == "Most likely action · iteration 3. Drag, wheel: move, zoom."
    QTest.mouseClick(page.map, LEFT, pos=page.map.plane.area.center().toPoint())
    assert page.told.text().startswith("LunarLander-v3 cannot be set to a state")
    QTest.mouseClick(page.play, LEFT)
    assert page.told.text().startswith("Returns from chosen states are played where")
    assert not page.played.under_way
    page.end()
    assert page.wait(QDeadlineTimer(5000))


def test_beside_the_sliders_no_name_is_cut_and_no_row_moves_by_a_button(qtbot: QtBot) -> None:
    page = SlicePage(load_theme("dark"), PlaybackThread())
    qtbot.addWidget(page)
    page.resize(300, 500)
    page.show()
    info = ENVIRONMENTS["CartPole-v1"]
    coordinates = coordinates_of(with_values(PolicyGradientConfig(), {"environment": "CartPole-v1"}), info)
    assert isinstance(coordinates, Coordinates)
    page.set_choice(coordinates, info)
    page.show_axes(0, 1)  # so that the longest name is beside a slider
    qtbot.waitUntil(page.held._rows[3][0].isVisible)
    for name, slider, value in page.held._rows[2:]:
        assert name.fontMetrics().horizontalAdvance(name.text()) <= name.width()
        assert value.fontMetrics().horizontalAdvance(value.text()) <= value.width()
        assert slider.width() >= 56
    row = page.across.geometry()
    page.whole.show()
    qtbot.waitUntil(lambda: page.across.width() < row.width())
    assert (page.across.y(), page.across.height()) == (row.y(), row.height())
    page.end()
    assert page.wait(QDeadlineTimer(5000))


@each("identity", ["CartPole-v1", "Acrobot-v1", "LunarLander-v3", "BipedalWalker-v3"])
def test_the_picture_beside_what_is_chosen_leaves_its_names_their_room(qtbot: QtBot, identity: str) -> None:
    page = SlicePage(load_theme("light"), PlaybackThread())
    qtbot.addWidget(page)
    page.show()
    info = ENVIRONMENTS[identity]
    coordinates = coordinates_of(with_values(PolicyGradientConfig(), {"environment": identity}), info)
    assert isinstance(coordinates, Coordinates)
    page.set_choice(coordinates, info)
    page.offer_quantities(["V(s), learned by the critic", "Probability π(fire right engine)"])
    for width in (300, 320, 420):
        page.resize(width, 500)
        QApplication.processEvents()
        for combo in (page.shows, page.up, page.across):
            for index in range(combo.count()):
                combo.setCurrentIndex(index)
                assert combo.shown == combo.itemText(index), (width, combo.shown)
        assert page.thumbnail.isVisible() or width == 300
        assert not page.thumbnail.geometry().intersects(page.up.geometry())
    assert page.thumbnail.width() == page.thumbnail.sizeHint().width()
    page.end()
    assert page.wait(QDeadlineTimer(5000))


def test_no_name_of_an_action_stands_on_another(qtbot: QtBot) -> None:
    plane = Plane(QRectF(0.0, 0.0, 200.0, 120.0), ((0.0, 1.0), (0.0, 1.0)))
    labels = [Label(name, 0.5, y) for y in (0.02, 0.5, 0.98) for name in ("left", "coast", "right")]
    for few in (labels[:3], labels[3:6], labels[6:]):
        rooms = label_rooms(QFontMetricsF(QFont()), plane, few)
        assert not any(one.intersects(other) for one, other in combinations(rooms, 2))
        assert all(plane.area.contains(room) for room in rooms)
    alone = label_rooms(QFontMetricsF(QFont()), plane, labels[4:5])[0]
    assert alone.center() == plane.at(0.5, 0.5)  # where it has room it stays


def test_states_are_fainter_the_further_they_are_from_the_slice() -> None:
    points = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 5.0], [0.0, 0.3, 0.0], [0.0, 9.0, 0.0], [0.0, np.nan, 0.0]])
    seen = seen_from(points, (0, 2), np.zeros(3), np.array([1.0, 2.0, 1.0]))
    assert seen == pytest.approx([1.0, 1.0, np.exp(-1.0), 0.06, 1.0])
    trail = Trail.of([points[:2], points[2:4]], (0, 2), np.zeros(3), np.ones(3))
    assert trail is not None
    assert (trail.playing, trail.seen[0]) == (2, pytest.approx(0.45))
    assert Trail.of([points], (0, 1), np.zeros(3), np.ones(3)) is None
    image = dots(np.array([10.0, 10.0, -50.0]), np.array([5.0, 5.0, 5.0]), np.array([0.2, 1.0, 1.0]), (20, 10), 1.0)
    assert image.pixelColor(10, 5).red() == 255
    assert image.pixelColor(8, 4).alpha() == pytest.approx(0.55 * 255, abs=1)
    assert image.pixelColor(15, 5).alpha() == 0
