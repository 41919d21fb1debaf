"""The plots' axes, words and numbers, and what the panels make of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QTextEdit
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.history import History
from app.panels.advantages import AdvantagesPanel
from app.panels.diagnostics import DiagnosticsPanel, columns_for, places
from app.panels.log import LogPanel
from app.panels.returns import ReturnsPanel
from app.plotting.axes import nice_ticks, robust_bounds, settled_end, settled_range
from app.plotting.histogram import bounds, histogram
from app.plotting.labels import place_labels
from app.plotting.plot import Axis, Plot
from app.plotting.throttle import Pace
from app.style.format import duration, percent, setting, short_number, tick_labels
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.reports.events import Change, Collected, Estimated, Updated

DARK = load_theme("dark")


def a_run(iterations: int = 3, value: bool = True, changes: tuple[Change, ...] = ()) -> History:
    history = History()
    for i in range(1, iterations + 1):
        ends = np.array([i * 100 - 50, i * 100])
        history.add_episodes(Collected(i, i * 100, np.array([10.0, 20.0 * i]), np.array([50, 50]), ends, float(i)))
        metrics = {"mean_return": 15.0 * i, "loss": -1.0 * i, "explained_variance": 0.5 if value else None}
        history.add_iteration(Updated(i, i * 100, 2 * i, float(i), metrics, changes if i == 2 else ()))
    history.advantages = Estimated(iterations, np.float32([-3.0, -1.0, 0.5, 4.0]), np.float32([-1.2, -0.4, 0.2, 1.5]))
    return history


def words(widget: object) -> str:
    """All that the labels on a panel say."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


# --- axes -------------------------------------------------------------------------------------------------------------


def test_a_range_stays_while_the_data_fits() -> None:
    assert settled_range((0.0, 600.0), 9.0, 500.0) == (0.0, 600.0)


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


def test_ticks_are_round_and_no_more_than_wanted() -> None:
    assert nice_ticks(0.0, 600.0, 6) == (100.0, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0])


def test_an_outlier_does_not_set_the_range() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e6)
    assert robust_bounds(values)[1] <= 1.0


def test_all_of_an_even_spread_sets_the_range() -> None:
    assert robust_bounds(np.arange(1000.0)) == (0.0, 999.0)


# --- histogram --------------------------------------------------------------------------------------------------------


def test_no_bin_of_a_histogram_mixes_signs() -> None:
    bars = histogram(np.array([-0.1, 0.1]), (-7.0, 13.0))
    assert 0.0 in bars.edges


def test_equal_advantages_have_no_spread():
    bars = histogram(np.full(37, 68.2, np.float32), (0.0, 100.0))
    assert (bars.mean, bars.std) == (pytest.approx(68.2), 0.0)


@pytest.mark.parametrize("size", [1e10, 2.3e20, 3e37])
def test_large_advantages_have_a_mean_and_a_spread(size: float) -> None:
    values = np.linspace(-size, 3.0 * size, 101).astype(np.float32)
    bars = histogram(values, bounds(values))
    assert bars.mean == pytest.approx(size, rel=1e-5)
    assert bars.std == pytest.approx(size * np.linspace(-1.0, 3.0, 101).std(), rel=1e-5)
    assert float(bars.shares.sum()) == pytest.approx(1.0)


def test_a_histogram_counts_every_value_once() -> None:
    bars = histogram(np.array([-1.0, 0.0, 0.2, 5.0]), (-2.0, 6.0), bins=8)
    np.testing.assert_allclose(bars.shares, [0, 0.25, 0.5, 0, 0, 0, 0, 0.25])


# --- words and numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1.23 M"), (12_345, "12.3 k"), (9999, "9999"), (0.5, "0.5"), (-12.345, "−12.3"), (0, "0"),
        (-0.0, "0"), (1.2e-6, "1.2×10⁻⁶"), (1e9, "1 G"), (99_999, "100 k"), (None, "–"), (math.nan, "–"),
        (2.3e20, "2.3×10²⁰"), (-1e300, "−1×10³⁰⁰"), (9.996e14, "1×10¹⁵"), (9.9e14, "990 T"),
    ],
)  # fmt: skip
def test_short_numbers(value: float | None, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(475, "475.0"), (0.5, "0.5000"), (-21.5, "−21.50"), (4499.7, "4500"), (2.34e20, "2.3×10²⁰")]
)
def test_steady_numbers_keep_their_zeros(value: float, text: str) -> None:
    assert short_number(value, 4, steady=True) == text


@pytest.mark.parametrize(
    ("values", "spacing", "labels"),
    [
        ([0, 200_000, 400_000], 200_000, ["0", "200 k", "400 k"]),
        ([0, 5e5, 1e6], 5e5, ["0", "0.5 M", "1.0 M"]),
        ([0, 2500, 5000, 7500, 10_000], 2500, ["0", "2.5 k", "5.0 k", "7.5 k", "10.0 k"]),
        ([-0.5, 0, 0.5], 0.5, ["−0.5", "0", "0.5"]),
        ([0, 1e20, 2e20], 1e20, ["0", "1×10²⁰", "2×10²⁰"]),
    ],
)
def test_the_ticks_of_an_axis_share_their_unit(values: list[float], spacing: float, labels: list[str]) -> None:
    assert tick_labels(values, spacing) == labels


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65, "1:05"), (3723, "1:02:03"), (None, "–")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("share", "text"), [(0.41, "41 %"), (0.001, "1 %"), (0.999, "99 %"), (1.0, "100 %")])
def test_percent_keeps_few_apart_from_none(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(True, "on"), (0.0003, "0.0003"), (500_000, "500 k"), ((64, 64), "64 × 64")]
)
def test_settings_read_as_written(value: object, text: str) -> None:
    assert setting(value) == text


def test_labels_that_would_cover_each_other_take_another_row() -> None:
    assert place_labels([10, 20], [50, 50], (0, 500), rows=2) == [(1, 12), (0, 22)]


def test_a_label_at_the_right_edge_stands_to_the_left() -> None:
    assert place_labels([490], [50], (0, 500), rows=1) == [(0, 439)]


def test_where_there_is_no_room_the_last_label_stays() -> None:
    assert place_labels([10, 20], [50, 50], (0, 500), rows=1) == [None, (0, 22)]


def test_labels_with_sides_flank_their_lines_however_near_these_are():
    assert place_labels([100, 101, 100], [40, 40, 90], (0, 500), 3, [-1, 1, 0]) == [(1, 58), (1, 103), (0, 55)]
    assert place_labels([3, 499], [40, 40], (0, 500), 3, [-1, 1]) == [(0, 0), (0, 460)]


def test_drawing_is_paced_and_the_last_state_is_drawn(qtbot: QtBot) -> None:
    drawn: list[int] = []
    widget = QLabel()
    qtbot.addWidget(widget)
    pace = Pace(widget, 20, lambda: drawn.append(1))
    for _ in range(5):
        pace.request()
    assert len(drawn) == 1
    qtbot.waitUntil(lambda: len(drawn) == 2, timeout=2000)


# --- the plot ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def plot(qtbot: QtBot) -> Plot:
    plot = Plot(DARK, "steps", "return")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    plot.set_ranges((0.0, 10.0), (0.0, 100.0))
    return plot


def zoom(plot: Plot) -> None:
    at = QPointF(plot.viewport().rect().center())
    event = QWheelEvent(
        at, plot.viewport().mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot.viewport(), event)


def test_a_zoomed_view_is_kept(plot: Plot) -> None:
    zoom(plot)
    before = plot.seen
    plot.set_ranges((0.0, 20.0), (0.0, 200.0))
    assert plot.seen == before != ((0.0, 10.0), (0.0, 100.0))


def test_the_key_a_shows_everything_again(plot: Plot, qtbot: QtBot) -> None:
    zoom(plot)
    plot.set_ranges((0.0, 20.0), (0.0, 200.0))
    qtbot.keyClick(plot, Qt.Key.Key_A)
    assert plot.seen == ((0.0, 20.0), (0.0, 200.0))


# --- returns ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def returns(qtbot: QtBot) -> ReturnsPanel:
    panel = ReturnsPanel(DARK, AxisChoice())
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_an_empty_panel_says_what_will_appear(returns: ReturnsPanel) -> None:
    assert "will appear here" in words(returns)


def test_the_mean_is_written_out(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    assert "45.00" in words(returns)


def test_the_view_holds_the_threshold_of_the_environment(returns: ReturnsPanel) -> None:
    returns.set_choice(ENVIRONMENTS["CartPole-v1"], PolicyGradientConfig())
    returns.refresh(a_run())
    assert returns.plot.ranges[1][1] > 475


def test_the_axis_counts_what_is_picked(returns: ReturnsPanel, qtbot: QtBot) -> None:
    returns.refresh(a_run())
    with qtbot.waitSignal(returns._x_axis.changed) as signal:
        returns._axis.setCurrentText("episodes")
    assert (signal.args, returns.plot.ranges[0]) == (["episodes"], (0.0, 8.0))


def test_all_curves_share_their_axis(qtbot: QtBot) -> None:
    axis = AxisChoice("seconds")
    returns, diagnostics = ReturnsPanel(DARK, axis), DiagnosticsPanel(DARK, axis)
    for panel in (returns, diagnostics):
        qtbot.addWidget(panel)
        panel.refresh(a_run())
    assert returns._axis.currentText() == "seconds"
    axis.choose("episodes")
    assert returns._axis.currentText() == "episodes"
    titles = {plot.bottom.label.toPlainText().strip() for plot in (returns.plot, *diagnostics.plots)}
    assert titles == {"episodes"}


def test_an_unknown_axis_is_not_taken() -> None:
    assert AxisChoice("fortnights").axis == "environment_steps"


def test_changes_are_marked_by_their_symbols(returns: ReturnsPanel) -> None:
    change = Change("update.learning_rate", 0.01, 0.001, 2, 150, 2, 1.0)
    returns.refresh(a_run(changes=(change,)))
    assert [(moment.x, moment.text) for moment in returns.moments] == [(150.0, "α 0.01 → 0.001")]


def test_nothing_new_costs_nothing(returns: ReturnsPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    history = a_run()
    returns.refresh(history)
    monkeypatch.setattr(returns.plot, "redraw", lambda: pytest.fail("drawn again"))
    returns.refresh(history)


def test_reset_empties_the_panel(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    returns.reset()
    assert "will appear here" in words(returns)


# --- advantages, diagnostics, log -------------------------------------------------------------------------------------


def test_advantages_name_their_iteration(qtbot: QtBot) -> None:
    panel = AdvantagesPanel(DARK)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh(a_run(iterations=7))
    assert "it. 7" in words(panel)


def test_normalised_advantages_are_drawn_in_standard_deviations(qtbot: QtBot) -> None:
    panel = AdvantagesPanel(DARK)
    qtbot.addWidget(panel)
    panel.refresh(a_run())
    panel.normalised = True
    assert panel.plot.ranges[0][0] > -3.0


def test_diagnostics_write_out_current_values(qtbot: QtBot) -> None:
    panel = DiagnosticsPanel(DARK, AxisChoice())
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh(a_run())
    assert "L = −3.00" in words(panel)


def test_diagnostics_explain_themselves_on_hover(qtbot: QtBot) -> None:
    panel = DiagnosticsPanel(DARK, AxisChoice())
    qtbot.addWidget(panel)
    assert "How undecided the policy is" in panel.plots[1].parentWidget().toolTip()


def test_a_wide_panel_has_more_columns() -> None:
    assert columns_for(1200, 260, 5, 200) > columns_for(420, 260, 5, 200) == 1


def test_every_column_has_one_horizontal_axis() -> None:
    assert places(900, 260, 5, 2)[1] == [False, False, True, False, True]


@pytest.fixture
def log(qtbot: QtBot) -> LogPanel:
    panel = LogPanel(DARK)
    qtbot.addWidget(panel)
    panel.resize(400, 100)
    panel.show()
    for i in range(60):
        panel.append("info", f"line {i}")
    return panel


def test_an_entry_names_its_level(log: LogPanel) -> None:
    log.append("warning", "certain")
    assert log.text.splitlines()[-1].split("\t")[1:] == ["Warning", "certain"]


def test_the_log_follows_at_the_bottom(log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


def test_the_log_follows_on_after_it_was_taller(qtbot: QtBot, log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    log.resize(400, 3000)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    log.resize(400, 100)
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == bar.maximum()
    log.append("info", "newest")
    assert bar.value() == bar.maximum()


def test_the_log_stays_where_it_is_being_read(log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    bar.setValue(10)
    log.append("error", "failed")
    assert bar.value() == 10


def test_the_log_is_bounded(log: LogPanel) -> None:
    for i in range(3000):
        log.append("info", str(i))
    assert len(log.text.splitlines()) == 3000


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
