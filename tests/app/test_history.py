"""What a run has reported, and how it is thinned for the plots."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.columns import Column, Table
from app.models.history import History, XAxis
from app.models.past import Past
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.returns import ReturnsPanel
from app.plotting.traces import EpisodeSample, Trace
from app.style.theme import load_theme
from engine.reports.events import Asked, Collected, Solved, Updated
from engine.runs.records import NotedEvent
from engine.runs.series import Series
from tests.app.shorthands import a_run
from tests.each import each


def collected(iteration: int, returns: list[float], ends: list[int], seconds: float) -> Collected:
    return Collected(iteration, ends[-1], np.array(returns), np.diff([0, *ends]), np.array(ends), seconds)


def updated(iteration: int, steps: int, episodes: int, **metrics: float | None) -> Updated:
    return Updated(iteration, steps, episodes, steps / 10, metrics)


@pytest.fixture
def history() -> History:
    history = History()
    history.add_episodes(collected(1, [10.0, 30.0], [10, 40], 0.5))
    history.add_iteration(updated(1, 40, 2, mean_return=20.0, entropy=None))
    history.add_episodes(collected(2, [50.0], [90], 1.0))
    history.add_iteration(updated(2, 90, 3, mean_return=30.0, entropy=0.5))
    return history


@pytest.mark.parametrize(
    ("axis", "expected"),
    [("environment_steps", [10, 40, 90]), ("episodes", [1, 2, 3]), ("seconds", [0.5, 0.5, 1.0])],
)
def test_an_episode_lies_where_it_ended(history: History, axis: XAxis, expected: list[float]) -> None:
    np.testing.assert_allclose(history.episode_x_at(axis, np.arange(3)), expected)
    np.testing.assert_allclose(history.episode_x_at(axis, np.array([0, 2])), [expected[0], expected[2]])


def test_an_iteration_may_end_without_an_episode() -> None:
    history = History()
    assert history.is_empty
    none = np.empty(0)
    history.add_episodes(Collected(1, 64, none, none.astype(np.int64), none.astype(np.int64), 0.1))
    history.add_iteration(updated(1, 64, 0, mean_return=None, entropy=0.5))
    assert (history.is_empty, len(history.episode_returns), history.last_x("environment_steps")) == (False, 0, 64)
    np.testing.assert_equal(history.metrics["mean_return"].values, np.float32([np.nan]))


def test_columns_of_a_table_grow_together() -> None:
    table = Table(["a", "b"])
    for number in range(3000):
        table.append([number, -number])
    assert (table["a"].values[-1], table["b"].values[-1], len(table["b"].values)) == (2999, -2999, 3000)


def test_a_null_metric_is_nan(history: History) -> None:
    np.testing.assert_equal(history.metrics["entropy"].values, np.float32([np.nan, 0.5]))


def test_the_last_x_counts_episodes_after_the_last_iteration(history: History) -> None:
    history.add_episodes(collected(3, [5.0], [95], 1.1))
    assert history.last_x("environment_steps") == 95


def test_nothing_reported_is_at_zero() -> None:
    assert History().last_x("seconds") == 0.0


def test_whole_numbers_outgrow_their_type() -> None:
    column = Column(np.uint32)
    column.append(7)
    column.append(10_000_000_000)
    assert column.values.tolist() == [7, 10_000_000_000]


def test_a_million_episodes_take_little_memory() -> None:
    history, batch = History(), np.arange(1000)
    for i in range(1000):
        history.add_episodes(Collected(i, 0, batch * 1.0, batch, batch + 1000 * i, float(i)))
    columns = (history.episode_returns, history.episode_steps, history.episode_seconds)
    assert sum(column.values.base.nbytes for column in columns) < 16_000_000


# --- which episodes are drawn -----------------------------------------------------------------------------------------


def test_few_episodes_are_all_drawn() -> None:
    assert EpisodeSample(100).update(100).tolist() == list(range(100))


def test_many_episodes_are_thinned_to_the_limit() -> None:
    assert 50 <= len(EpisodeSample(100).update(12_345)) <= 100


def test_growing_gives_the_same_dots_as_starting_late() -> None:
    grown = EpisodeSample(100)
    for count in range(0, 5001, 37):
        grown.update(count)
    np.testing.assert_array_equal(grown.update(5000), EpisodeSample(100).update(5000))


def test_a_dot_once_left_out_never_returns() -> None:
    sample = EpisodeSample(100)
    before = set(sample.update(3000).tolist())
    after = {index for index in sample.update(9000).tolist() if index < 3000}
    assert after <= before


def test_no_place_within_a_batch_of_16_is_preferred() -> None:
    """A stride would draw only each batch's first, which is its shortest episode."""
    places = np.bincount(EpisodeSample(1600).update(64 * 1024) % 16, minlength=16)
    assert places.min() > 0.7 * places.mean()


# --- curves -----------------------------------------------------------------------------------------------------------


def test_a_short_column_is_drawn_as_it_is() -> None:
    trace = Trace(10)
    trace.update(np.array([3.0, 1.0, 2.0]))
    assert trace.means.tolist() == [3.0, 1.0, 2.0]


def test_bins_hold_means_and_extremes() -> None:
    values = np.random.default_rng(0).normal(size=64)
    trace = Trace(8)
    trace.update(values)
    rows = values.reshape(8, 8)
    np.testing.assert_allclose([trace.means, trace.lows, trace.highs], [rows.mean(1), rows.min(1), rows.max(1)])


def test_growing_gives_the_same_curve_as_starting_late() -> None:
    values = np.random.default_rng(1).normal(size=1003)
    grown, late = Trace(20), Trace(20)
    for count in (0, 1, 2, 19, 21, 400, 401, 777, 1003):
        grown.update(values[:count])
    late.update(values)
    np.testing.assert_allclose(grown.means, late.means)


def test_nan_does_not_count_in_a_bin() -> None:
    trace = Trace(2)
    trace.update(np.array([1.0, np.nan, np.nan, np.nan]))
    np.testing.assert_equal(trace.means, [1.0, np.nan])


def test_a_point_stands_in_the_middle_of_its_bin() -> None:
    trace = Trace(2)
    trace.update(np.arange(7.0))  # bins of four; the second under way
    assert trace.middles.tolist() == [1, 5]


def test_what_is_provisional_is_in_the_curve_until_it_is_replaced() -> None:
    trace = Trace(4)
    trace.update(np.arange(3.0), np.array([9.0]))
    assert (trace.means.tolist(), trace.middles.tolist()) == ([0.0, 1.0, 2.0, 9.0], [0, 1, 2, 3])
    trace.update(np.arange(4.0), np.array([7.0]))  # one more than there is room for, so that bins are merged
    assert trace.means.tolist() == [0.5, 2.5, 7.0]
    trace.update(np.arange(6.0))
    assert trace.means.tolist() == [0.5, 2.5, 4.5]


# --- late in a long run -----------------------------------------------------------------------------------------------


def a_long_run(iterations: int) -> History:
    """Whose returns are the numbers of its iterations, each of ten steps."""
    history = History()
    for iteration in range(1, iterations + 1):
        metrics = {"mean_return": float(iteration), "explained_variance": None}
        history.add_iteration(Updated(iteration, 10 * iteration, iteration, 0.1 * iteration, metrics))
    return history


def test_a_million_iterations_take_few_points_and_keep_their_means() -> None:
    history = a_long_run(70_001)
    assert len(history.steps) == 20_000 + 20_000 + 10_000 // 4
    assert history.metrics["mean_return"].values[20_000] == pytest.approx(20_001.5)
    assert history.steps.values[20_000] == 200_020
    assert np.isnan(history.metrics["explained_variance"].values).all()
    assert history.provisional("mean_return").tolist() == [70_001]


FEW = 20


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many points stand for one iteration each, instead of thousands; what follows them is the same."""
    monkeypatch.setattr("app.models.history.FINE", FEW)
    return FEW


@pytest.mark.parametrize("more", [0, 1, 2, 3, 2 * FEW, 2 * FEW + 1, 2 * FEW + 2, 2 * FEW + 3, 2 * FEW + 4])
def test_the_curve_ends_at_the_newest_iteration(qtbot: QtBot, few: int, more: int) -> None:
    history = a_long_run(few + more)
    points = len(history.steps) + len(history.provisional("mean_return"))
    for axis, newest in (("environment_steps", 10.0), ("episodes", 1.0), ("seconds", 0.1)):
        assert history.iteration_x_at(axis, np.array([points - 1])) == pytest.approx(newest * (few + more))
    history.add_episodes(collected(1, [0.0], [5], 1.0))
    panel = ReturnsPanel(load_theme("dark"), AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.refresh(history)
    values = [*history.metrics["mean_return"].values[-1:], *history.provisional("mean_return")]
    assert (panel._line.x[-1], panel._line.y[-1]) == (10 * (few + more), values[-1])


def test_iterations_that_make_no_point_yet_are_drawn(qtbot: QtBot, few: int) -> None:
    history = a_long_run(3 * few)
    panel = DiagnosticsPanel(load_theme("dark"), AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.refresh(history)
    small = panel._smalls["loss"]
    assert small._value.text() == "L = –"
    history.add_iteration(updated(3 * few + 1, 10 * (3 * few + 1), 1, loss=7.0))
    panel.refresh(history)
    qtbot.waitUntil(lambda: small._value.text() == "L = 7.00", timeout=5000)
    assert small._line.y.tolist() == [7.0]


@each("size", [1, 2, 7, 100], ids=lambda size: f"{size} rows at a time")
def test_what_another_process_writes_is_the_same_read_row_by_row_as_at_once(size: int) -> None:
    iterations = np.column_stack([np.arange(1, 101), 10 * np.arange(1, 101), np.arange(100) // 2, np.arange(100) / 4])
    means = np.where(np.arange(100) % 9, np.arange(100.0), np.nan)
    columns = ("iteration", "environment_steps", "episodes", "seconds", "mean_return")
    told = Series(columns, np.column_stack([iterations, means]))
    ended = Series(
        ("iteration", "return", "length", "end", "seconds"),
        np.column_stack([np.arange(50), np.arange(50.0), np.full(50, 20), 20 * np.arange(1, 51), np.arange(50) / 2]),
    )
    change = {"path": "update.learning_rate", "old": 0.1, "new": 0.2}
    events = [
        NotedEvent("change", 30, 290, 14, 7.0, data=change),
        NotedEvent("solved", 60, 600, 30, 15.0, data={"mean_return": 480.0, "threshold": 475.0}),
    ]
    whole, growing, news = History.from_series(told, ended, events), History(), set()
    for upto in range(size, 100 + size, size):
        rows = Series(told.columns, told.rows[growing.iterations : upto])
        episodes = Series(ended.columns, ended.rows[len(growing.episode_returns) : upto // 2])
        news |= growing.read_on(rows, episodes, [event for event in events if event.iteration <= upto])
    assert news == {Updated, Collected, Solved}
    assert growing.read_on(Series((), np.empty((0, 0))), Series((), np.empty((0, 0))), events) == set()
    assert (growing.latest, growing.solved, growing.changes) == (whole.latest, whole.solved, whole.changes)
    assert growing.environment_steps == whole.environment_steps == 1000
    for name in ("steps", "episodes", "seconds", "episode_returns", "episode_steps", "episode_seconds"):
        assert getattr(growing, name).values.tolist() == getattr(whole, name).values.tolist()
    assert np.array_equal(growing.metrics["mean_return"].values, whole.metrics["mean_return"].values, equal_nan=True)


def test_what_has_been_learned_from_is_asked_no_more() -> None:
    history = a_run(iterations=2)
    for iteration, there in ((2, False), (3, True)):
        history.add(Asked(iteration, iteration, (), 4))
        assert (history.asked is not None) is there
    history.add_iteration(Updated(3, 300, 6, 3.0, {}, ()))
    assert history.asked is None
