"""Which ranges axes take, where their ticks stand, and what is written at them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPixmap
from pytestqt.qtbot import QtBot

from app.plotting.axes import nice_ticks, robust_bounds, settled_end, settled_range, view_limits, without_plunge
from app.plotting.plot import Plot
from app.plotting.view import Axis
from app.style.theme import load_theme, tabular

DARK = load_theme("dark")


def test_a_range_stays_while_the_data_fits() -> None:
    assert settled_range((0.0, 600.0), 9.0, 500.0) == (0.0, 600.0)


def test_data_that_comes_to_lie_on_an_end_has_room_beyond_it() -> None:
    """Else what is drawn of it there is cut in half."""
    for current, low, high in (((-0.6, 0.4), -0.3, 0.4), ((-20.0, 20.0), -20.0, 5.0), ((0.0, 100.0), 0.0, 99.9)):
        found = settled_range(current, low, high)
        assert found[0] < low or low == 0.0
        assert found[1] > high + 0.02 * (high - low)
        assert settled_range(found, low, high) == found


def test_a_range_grows_to_round_values_with_room_to_spare() -> None:
    assert settled_range((0.0, 100.0), 0.0, 210.0) == (0.0, 250.0)


def test_a_range_shrinks_around_data_that_became_small() -> None:
    low, high = settled_range((-1000.0, 1000.0), -1.0, 1.0)
    assert high - low < 5


def test_data_above_zero_has_no_strip_below_zero() -> None:
    assert settled_range(None, 3.0, 500.0)[0] == 0.0


@pytest.mark.parametrize("value", [0.0, 5.0, -500.0, 1e-12])
def test_a_single_value_has_a_range_around_it(value: float) -> None:
    low, high = settled_range(None, value, value)
    assert low < value < high


def test_without_data_a_range_stays() -> None:
    assert settled_range((1.0, 2.0), math.nan, math.nan) == (1.0, 2.0)


def test_an_axis_from_zero_moves_rarely() -> None:
    ends, end = set(), None
    for steps in range(100, 1_000_000, 1000):
        end = settled_end(end, steps)
        ends.add(end)
    assert len(ends) <= 20


def test_a_view_ends_near_the_data_and_not_deeper_than_a_thousandth_of_it() -> None:
    assert view_limits(0.0, 100.0) == (-100.0, 200.0, 0.1)
    assert view_limits(1e6, 1e6 + 2.0)[2] == pytest.approx(1.000002)


def test_ticks_are_round_and_no_more_than_wanted() -> None:
    assert nice_ticks(0.0, 600.0, 6) == (100.0, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0])
    assert nice_ticks(0.0, 640.0, 3) == (250.0, [0.0, 250.0, 500.0])


def test_an_outlier_does_not_set_the_range() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e6)
    assert robust_bounds(values)[1] <= 1.0


def test_all_of_an_even_spread_sets_the_range() -> None:
    assert robust_bounds(np.arange(1000.0)) == (0.0, 999.0)


def test_the_grid_and_the_axis_agree_where_their_sizes_differ_by_a_pixel(qtbot: QtBot) -> None:
    for pixels in range(60, 400):
        axis = Axis("left", "", 38)
        assert axis.ticks(-600.0, 400.0, pixels) == axis.ticks(-600.0, 400.0, pixels + 1)


@pytest.mark.parametrize(("low", "high"), [(-0.8, 0.8), (1.0, 9.0), (-0.03, 0.0), (-600.0, 400.0)])
def test_the_labels_of_an_axis_say_where_its_ticks_stand_however_low_it_is(
    qtbot: QtBot, low: float, high: float
) -> None:
    for pixels in range(20, 200, 3):
        axis = Axis("left", "", 38)
        step, values = axis.ticks(low, high, pixels)
        labels = [float(label.replace("−", "-")) for label in axis.tickStrings(values, 1.0, step)]
        assert labels == values


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0.0, 1.5e5),
        (1e6, 1e6 + 3.0),
        (149_990.0, 150_140.0),
        (1.0, 1.00001),
        (1e-7, 1.001e-7),
        (-2e20, 3e20),
        (0.0, 1e6),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_no_two_labels_of_an_axis_are_alike_or_touch(qtbot: QtBot, low: float, high: float, scale: float) -> None:
    font = QFont()
    font.setPointSizeF(9.0 * scale)
    metrics = QFontMetricsF(tabular(font))
    for side in ("left", "bottom"):
        axis = Axis(side, "", 38 if side == "left" else 80)
        axis.apply_theme(DARK.scaled(scale), font)
        for pixels in (30, 60, 120, 250, 500, 900):
            step, values = axis.ticks(low, high, pixels)
            labels = axis.tickStrings(values, 1.0, step)
            assert len(set(labels)) == len(labels) >= 1
            places = [(value - low) / (high - low) * pixels for value in values]
            room = 0.8 * metrics.height() if side == "left" else max(map(metrics.horizontalAdvance, labels))
            assert all(after - before >= room for before, after in pairwise(places))


@pytest.mark.parametrize(("end", "label"), [(1e5, "100 k"), (1.25e6, "1.25 M"), (500.0, "500")])
def test_a_label_at_the_end_of_an_axis_is_drawn(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, end: float, label: str
) -> None:
    plot = Plot(DARK, "steps", "")
    qtbot.addWidget(plot)
    plot.resize(190, 120)
    plot.show()
    plot.set_ranges((0.0, end), (0.0, 1.0))
    picture = QPixmap(190, 120)
    painter = QPainter(picture)
    monkeypatch.setattr(plot.bottom, "ticks", lambda *_range: (end, [0.0, end]))
    _, _, texts = plot.bottom.generateDrawSpecs(painter)
    painter.end()
    assert [text for *_, text in texts] == ["0", label]


@pytest.mark.parametrize("height", [60, 90, 139, 200, 400])
def test_an_axis_always_says_what_it_measures_or_at_least_its_unit(qtbot: QtBot, height: int) -> None:
    plot = Plot(DARK, "environment steps", "share of steps (%)")
    plot.bottom.set_title("environment steps (1 in 4 episodes drawn)", "steps")
    plot.left.set_title("share of steps (%)", "% of steps", "%")
    qtbot.addWidget(plot)
    plot.resize(300, height)
    plot.show()
    plot.set_ranges((0.0, 1.0), (0.0, 100.0))
    whole = QRectF(plot.viewport().rect())
    for axis, unit, title in ((plot.left, "%", "share of steps (%)"), (plot.bottom, "steps", plot.bottom.labelText)):
        assert axis.label.isVisible()
        assert unit in axis.title
        assert (axis.title == title) == (height >= 200)
        place = axis.label.mapRectToScene(axis.label.boundingRect()).adjusted(5, 5, -5, -5)
        assert whole.contains(place), (axis.title, place)
        assert not place.intersects(plot.area)


def test_no_label_of_a_low_plot_stands_on_the_unit_beside_it(qtbot: QtBot) -> None:
    plot = Plot(DARK, "advantage Â (reward)", "share of steps (%)")
    qtbot.addWidget(plot)
    plot.resize(600, 100)
    plot.show()
    picture = QPixmap(600, 100)
    seen = []
    for low, high in ((-0.02, 0.04), (-2.0, 4.0), (-2000.0, 4000.0)):
        plot.set_ranges((low, high), (0.0, 100.0))
        painter = QPainter(picture)
        _, _, texts = plot.bottom.generateDrawSpecs(painter)
        painter.end()
        unit = plot.bottom.label.mapRectToParent(plot.bottom.label.boundingRect())
        assert plot.bottom.title == "reward"
        assert len([text for *_, text in texts if text]) >= 3
        for place, _, text in texts:
            assert not text or place.left() > unit.right()
        seen.append(next(text for *_, text in texts))
    assert seen[0] != "−0.02"  # which would stand there
    assert seen[1] == "−2"  # which has room


def test_the_titles_of_axes_take_on_another_look(qtbot: QtBot) -> None:
    plot = Plot(load_theme("dark"), "environment steps", "return (reward)")
    qtbot.addWidget(plot)
    for name in ("light", "dark"):
        theme = load_theme(name)
        plot.apply_theme(theme)
        for axis in (plot.bottom, plot.left):
            assert axis.label.defaultTextColor().name() == theme.muted
            assert "color" not in axis.labelString()


def test_an_early_plunge_flattens_nothing_that_follows() -> None:
    plunge = np.array([1e5, 3e4, 4e3, 300.0, 120.0, 60.0, 40.0, math.nan, 30.0])
    assert without_plunge(plunge, 1e5) == 1200.0
    assert without_plunge(np.array([10.0, 8.0, 5.0, 3.0]), 10.0) == 10.0
    assert without_plunge(np.array([1e5, 1e5, 1.0, 1.0]), 1e5) == 1000.0  # no deeper
    assert without_plunge(np.array([100.0, 50.0, 1e-9, 0.0]), 100.0) == 100.0  # settled, and seen whole
    assert without_plunge(np.array([math.nan, math.nan]), 1.0) == 1.0
