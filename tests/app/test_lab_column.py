"""The column at the left of a page of the Lab: its sliders, how it scrolls, and what stays in sight."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.panels.lab.choices import Column, Dial
from app.panels.lab.estimators.asking import HorizonDial
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS


def test_the_wheel_scrolls_the_column_and_moves_no_slider_in_it(qtbot: QtBot) -> None:
    column = Column(load_theme("dark"))
    dials = [Dial(f"d{number}", "A number", range(10), str) for number in range(12)]
    for dial in dials:
        column.add(dial)
        dial.set_value(5)
    qtbot.addWidget(column)
    column.resize(column.width(), 120)
    column.show()
    slider = dials[1].slider
    place = QPointF(slider.rect().center())
    wheel = QWheelEvent(
        place, QPointF(slider.mapToGlobal(place)), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(slider, wheel)
    assert [dial.value for dial in dials] == [5] * len(dials)
    assert not wheel.isAccepted() or column.verticalScrollBar().value() > 0


def test_sliders_of_a_column_begin_and_end_beneath_each_other(qtbot: QtBot) -> None:
    column = Column(load_theme("dark"))
    short, long = (
        Dial("γ", "A number", (0.0, 0.995), str),
        Dial("+c", "Another", (1.0, 2.0), lambda value: f"{value:g}"),
    )
    qtbot.addWidget(column)
    column.show()
    for dial in (short, long):
        column.add(dial)
    QApplication.processEvents()
    ends = [(dial.slider.mapTo(column, QPoint()).x(), dial.slider.width()) for dial in (short, long)]
    assert ends[0] == ends[1]


def test_the_horizon_ends_with_the_environments_own(qtbot: QtBot) -> None:
    """To the right of all that cut an episode short, of which none is longer than what it has by itself."""
    dial, seen = HorizonDial(), []
    for environment in ("GridWorld-v0", "CartPole-v1"):
        dial.set_choice(ENVIRONMENTS[environment])
        dial.slider.setValue(dial.slider.maximum())
        assert dial.value == 0
        seen.append(dial.text.text())
        dial.slider.setValue(dial.slider.maximum() - 1)
        seen.append(dial.value)
    assert seen == ["100", 50, "500", 200]
    dial.set_choice(ENVIRONMENTS["GridWorld-v0"])
    assert dial.value == 0  # which 200 steps would be


def test_how_far_it_has_come_stays_in_sight_wherever_a_column_is_scrolled_to(qtbot: QtBot) -> None:
    column, head = Column(load_theme("dark")), QPushButton("25 % ✕")
    column.set_head(head)
    for number in range(12):
        column.add(Dial(f"d{number}", "A number", range(10), str))
    qtbot.addWidget(column)
    column.resize(column.width(), 150)
    column.show()
    place = QRect(head.mapTo(column, QPoint()), head.size())
    first = column.findChildren(Dial)[0]
    assert first.mapTo(column, QPoint()).y() >= place.bottom()
    column.verticalScrollBar().setValue(column.verticalScrollBar().maximum())
    assert first.mapTo(column, QPoint()).y() < 0
    assert QRect(head.mapTo(column, QPoint()), head.size()) == place
    assert column.rect().contains(place)
    assert column.childAt(place.center()) is head
