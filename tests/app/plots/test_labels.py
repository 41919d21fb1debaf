"""Where labels go, and how often plots are drawn."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.plotting.labels import level_top, place_labels
from app.plotting.readout import fitted, tag_place
from app.plotting.throttle import Pace


def test_labels_that_would_cover_each_other_take_another_row() -> None:
    assert place_labels([10, 20], [50, 50], (0, 500), rows=2) == [(1, 12), (0, 22)]


def test_a_label_at_the_right_edge_stands_to_the_left() -> None:
    assert place_labels([490], [50], (0, 500), rows=1) == [(0, 439)]


def test_where_there_is_no_room_the_last_label_stays() -> None:
    assert place_labels([10, 20], [50, 50], (0, 500), rows=1) == [None, (0, 22)]


def test_the_label_of_a_level_leaves_the_rows_of_moments_free() -> None:
    assert level_top(100, 15, (0, 200)) == 82
    assert level_top(38, 15, (0, 200)) == 41
    assert level_top(38, 15, (0, 50)) == 20


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
