"""Where labels go, and how often plots are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_style import style_of
from app.panels.run_timeline import apart
from app.plotting.labels import Level, Moment, Moments, Name, Shapes, level_top
from app.plotting.legend import Entry
from app.plotting.marks import Dots, Frame, Line
from app.plotting.plot import Plot
from app.plotting.readout import fitted, tag_place
from app.plotting.tags import Tag, Tags, Worded, freest
from app.plotting.throttle import Pace
from app.style.text import TwoLines
from app.style.theme import load_theme

pytestmark = pytest.mark.usefixtures("qapp")  # without one there are no letters to measure

ROW = [QRectF(left, 0.0, 50.0, 20.0) for left in (0.0, 100.0, 200.0)]


def points(*places: tuple[float, float]) -> np.ndarray:
    return np.array([(x, y, 1.0) for x, y in places]).reshape(-1, 3)


def test_words_stand_where_they_cover_the_least_and_never_over_others() -> None:
    assert freest(ROW, points(), []) == ROW[0]
    assert freest(ROW, points((10, 10), (20, 5), (110, 10)), []) == ROW[2]
    assert freest(ROW, points((10, 10), (20, 5), (110, 10)), [ROW[2]]) == ROW[1]
    assert freest(ROW, points(), [QRectF(0.0, 0.0, 300.0, 5.0)]) is None


def test_the_label_of_a_level_leaves_the_rows_of_moments_free() -> None:
    assert level_top(100, 15, (0, 200)) == 82
    assert level_top(38, 15, (0, 200)) == 41
    assert level_top(38, 15, (0, 50)) == 20


def laid(texts_of: Sequence[Worded], clear_of: Sequence[Dots | Line], rect: QRectF) -> dict[str, QRectF]:
    """Where words go in a plot of 0 to 100 by 0 to 600."""
    metrics = QFontMetricsF(QFont())
    return {
        tag.text: place
        for tag, place in Tags(texts_of, clear_of).placed(metrics, Frame(rect, (0.0, 100.0), (0.0, 600.0)))
    }


def curve(to: float, end: float = 100.0) -> Line:
    line = Line()
    line.x, line.y = np.linspace(0.0, end, 50), np.linspace(0.0, to, 50)
    return line


def test_the_words_of_a_plot_keep_clear_of_data_shapes_and_each_other() -> None:
    """The name of the level is not where the first episodes are, and curves that end alike have their names apart."""
    dots, level, moments = Dots(), Level(475.0, "solved: 475"), Moments()
    dots.x, dots.y = np.linspace(0.0, 20.0, 200), np.tile([470.0, 500.0, 430.0, 520.0], 50)
    moments.moments = [Moment(20.0, "solved at 20 steps", shape="star", y=480.0), Moment(21.0, "α 0.01 → 0.001")]
    alike = [Name(curve(490.0), style_of(number), f"run {number} · PPO") for number in (1, 2, 3)]
    for rect in (QRectF(0, 0, 560, 100), QRectF(0, 0, 560, 160), QRectF(0, 0, 1200, 500)):
        lines = [name.line for name in alike]
        places = laid([Shapes(moments), moments, *alike, level], [dots, *lines], rect)
        assert len(places) >= 5
        assert "solved: 475" in places
        assert all(rect.contains(place) for place in places.values())
        assert not any(one.intersects(other) for one, other in combinations(places.values(), 2))
        frame = Frame(rect, (0.0, 100.0), (0.0, 600.0))
        covered = [QPointF(x, y) for x, y in zip(frame.to_x(dots.x), frame.to_y(dots.y), strict=True)]
        assert not any(places["solved: 475"].contains(point) for point in covered)
        assert not any(place.contains(QPointF(frame.to_x(20.0), frame.to_y(480.0))) for place in places.values())


def test_labels_of_moments_that_would_cover_each_other_take_another_row_and_the_last_come_first() -> None:
    moments = Moments(rows=2)
    moments.moments = [Moment(20.0, "first"), Moment(21.0, "the second"), Moment(99.9, "at the edge")]
    places = laid([moments], [], QRectF(0, 0, 600, 300))
    assert places["the second"].top() < places["first"].top()
    assert places["at the edge"].right() < 600.0
    moments.rows = 1
    moments.moments = [Moment(1.0, "first"), Moment(1.5, "the second")]
    assert list(laid([moments], [], QRectF(0, 0, 600, 24))) == ["the second"]  # with room for one row
    assert list(laid([moments], [], QRectF(0, 0, 600, 300))) == ["the second", "first"]


def test_the_label_of_a_moment_leaves_a_curve_uncovered_wherever_that_runs() -> None:
    """As that of the timeline's cursor does where the curve lies along the top."""
    moments, line, rect = Moments(), Line(), QRectF(0, 0, 600, 200)
    moments.moments = [Moment(50.0, "iteration 56")]
    frame = Frame(rect, (0.0, 100.0), (0.0, 600.0))
    line.x = np.linspace(0.0, 100.0, 50)
    for height in (580.0, 500.0, 20.0):
        line.y = np.full(50, height)
        place = laid([moments], [line], rect)["iteration 56"]
        assert not place.top() <= frame.to_y(height) <= place.bottom()
        assert place.left() == frame.to_x(50.0) + 2  # beside its line


class _Held:
    """Room that a mark keeps free for what it writes itself."""

    def __init__(self, place: QRectF) -> None:
        self.place = place

    def tags(self, _metrics: QFontMetricsF, _frame: Frame) -> list[Tag]:
        return [Tag("", [self.place])]


def test_a_level_is_told_by_its_dashes_wherever_its_name_has_to_stand() -> None:
    level = Level(30.0, "you 29", colour="#ff00ff")
    metrics, frame = QFontMetricsF(QFont()), Frame(QRectF(0, 0, 600, 120), (0.0, 1.0), (0.0, 600.0))
    (tag,) = level.tags(metrics, frame)
    image = QImage(600, 120, QImage.Format.Format_RGB32)
    image.fill(0)
    painter, tags = QPainter(image), Tags([level], [])
    tags.paint(painter, frame)
    painter.end()
    ((_, place),) = tags.placed(metrics, frame)
    middle = round(place.center().y())
    row = {image.pixelColor(x, y).name() for x in range(round(place.left()), 60) for y in (middle - 1, middle)}
    assert tag.dashed in row


def test_words_do_not_stand_within_a_wide_shape() -> None:
    level, rect = Level(300.0, "optimal 9"), QRectF(0, 0, 600, 120)
    for held in (QRectF(0, 0, 420, 120), QRectF(200, 0, 400, 120)):
        assert not laid([_Held(held), level], [], rect)["optimal 9"].intersects(held)


def test_marks_on_a_line_are_never_closer_than_they_can_be_told_apart() -> None:
    crowd = [0.0, 1.0, 2.0, 3.0, 20.0, 26.0, 31.0]
    assert apart(crowd, 6.0, ()) == [3.0, 20.0, 31.0]  # the last first
    assert apart(crowd, 3.0, [21.0]) == [0.0, 3.0, 26.0, 31.0]
    assert apart(crowd, 1.0, ()) == crowd


def test_what_is_read_out_is_never_wider_or_higher_than_there_is_room() -> None:
    lines = ("episode 12", "return 100 (reward)", "at 61,200 environment steps")
    assert fitted(lines, len, 30, 3) == list(lines)
    assert fitted(lines, len, 20, 4) == ["episode 12", "return 100 (reward)", "at 61,200", "environment steps"]
    assert fitted(lines, len, 40, 2) == ["episode 12 · return 100 (reward) · at", "61,200 environment steps"]


def test_a_tag_stands_inside_and_not_behind_the_buttons() -> None:
    room, buttons = QRectF(0, 0, 200, 100), QRectF(160, 5, 30, 20)
    tag = tag_place(QPointF(190, 10), (80, 30), room, buttons)
    assert room.contains(tag)
    assert not tag.intersects(buttons)


def test_drawing_is_paced_and_the_last_state_is_drawn(qtbot: QtBot) -> None:
    drawn: list[int] = []
    widget = QLabel()
    qtbot.addWidget(widget)
    pace = Pace(widget, 20, lambda: drawn.append(1))
    for _ in range(5):
        pace.request()
    assert len(drawn) == 1
    qtbot.waitUntil(lambda: len(drawn) == 2, timeout=2000)


def test_a_legend_says_less_where_it_has_no_room_for_all(qtbot: QtBot) -> None:
    plot = Plot(load_theme("dark"), "steps", "")
    qtbot.addWidget(plot)
    entries = Entry("a long name of what is drawn here", shorter="short"), Entry("another")
    plot.legend.show_entries(entries)
    plot.show()
    for width, words in ((500, entries[0].text), (180, "short"), (500, entries[0].text)):
        plot.resize(width, 200)
        assert plot.legend.words == [words, "another"], width


def test_words_have_a_second_line_where_they_need_it_and_new_ones_move_nothing(qtbot: QtBot) -> None:
    place, words, below = QWidget(), TwoLines(60), QLabel("below")
    columns, rows = QHBoxLayout(place), QVBoxLayout()
    columns.addLayout(rows, 1)
    for label in (words, below):
        rows.addWidget(label)
    qtbot.addWidget(place)
    place.show()
    heights = {}
    for width in (700, 250):
        place.resize(width, 200)
        for text in ("few", "many words that stand in one line or in two of them, as there is room"):
            words.setText(text)
            QApplication.processEvents()
            heights.setdefault(width, set()).add(words.height())
            lines = words.fontMetrics().boundingRect(0, 0, words.width(), 999, Qt.TextFlag.TextWordWrap, text)
            assert lines.height() <= words.height(), (width, text)
    (one,), (two,) = heights[700], heights[250]
    assert two > 1.6 * one
