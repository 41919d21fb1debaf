"""A person teaches in the window: questions of a real run, answers by real keys, and walking away in mid-round."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.play.panel import PlayPanel
from app.panels.play.teach_page import TeachPage
from app.window.main_window import MainWindow
from tests.app.shorthands import click
from tests.app.virtual_gamepad import BACK_BUTTON, LEFT_ACROSS, LEFT_TRIGGER, RIGHT_TRIGGER, virtual_gamepad

Make = Callable[..., MainWindow]
Key = Qt.Key


def asked(page: TeachPage) -> int:
    """The number of the question that stands there; 0 for none."""
    return page.teaching.progress[0] if page.teaching.question is not None else 0


def test_a_person_answers_round_by_round_and_comes_back_to_what_was_left(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None]
) -> None:
    window = make_window(
        update="dagger",
        imitation__teacher="person",
        update__labels=4,
        device="cpu",
        environment__time_limit=9,
        evaluation__episodes=1,
    )
    window.docks["Play/Record"].raise_()
    panel = window.panels.find(PlayPanel)
    page, view = panel.teach, panel.teach.view
    QTest.mouseClick(panel._buttons.buttons()[-1], Qt.MouseButton.LeftButton)
    assert "The learner plays" in view.sentence
    window.start()
    qtbot.waitUntil(lambda: asked(page) == 1, timeout=20_000)
    assert page.words.text() == "Question 1 of 4, round 1"
    assert window.controller.activity == "waiting for your answers"
    come_to = window.controller.progress()
    assert (come_to.steps_per_second, come_to.seconds_left) == (None, None), "nobody knows how long a person takes"
    qtbot.waitUntil(lambda: "4 questions wait for you" in window.log.text)
    qtbot.waitUntil(lambda: page.teaching.film is not None, timeout=10_000)
    assert not view.sentence
    QTest.mouseClick(view, Qt.MouseButton.LeftButton)
    assert page._frame.property("role") == "game on"
    QTest.keyClick(view, Key.Key_Right)
    assert asked(page) == 2
    QTest.keyClick(view, Key.Key_Backspace)
    assert asked(page) == 1, "the answer can be another one"
    QTest.keyClick(view, Key.Key_Left)
    QTest.keyClick(view, Key.Key_U)
    QTest.keyClick(view, Key.Key_Q)
    assert page.status.text().startswith("Q is no answer")
    QTest.mouseClick(page.caps.cap("that is lost anyway"), Qt.MouseButton.LeftButton)
    assert asked(page) == 4
    QTest.keyClick(view, Key.Key_Right)
    qtbot.waitUntil(lambda: page.words.text() == "Question 1 of 4, round 2", timeout=20_000)
    history = window.controller.history
    assert history.metrics["labels_asked"].values.tolist() == [4.0]
    assert history.metrics["labels_given"].values.tolist() == [2.0]
    assert history.metrics["labels_unknown"].values.tolist() == history.metrics["labels_lost"].values.tolist() == [1.0]
    # Walking away in mid-round keeps what was answered, and the run comes back to the rest.
    QTest.keyClick(view, Key.Key_Right)
    click(qtbot, window, "stop")
    reach(window, RunState.STOPPED)
    assert asked(page) == 2
    QTest.keyClick(view, Key.Key_Right)
    assert "The run does not wait now" in page.status.text()
    assert asked(page) == 2
    window.start()
    qtbot.waitUntil(lambda: window.controller.is_asking and page.words.text() == "Question 2 of 4, round 2")
    for _ in range(3):
        QTest.keyClick(view, Key.Key_Left)
    qtbot.waitUntil(lambda: page.words.text() == "Question 1 of 4, round 3", timeout=20_000)
    # A gamepad answers as well: by a stick that was tilted and let go, by its triggers and by Back.
    with virtual_gamepad() as pad:
        QTest.keyClick(view, Key.Key_Left)
        assert "answers, too" in page.status.text()
        pad.tilt(LEFT_ACROSS, 0.2)
        pad.tilt(LEFT_ACROSS, 1.0)
        qtbot.waitUntil(page.caps.cap("push right").isChecked, timeout=20_000)
        assert asked(page) == 2, "it is held yet"
        pad.tilt(LEFT_ACROSS, 0.0)
        qtbot.waitUntil(lambda: asked(page) == 3, timeout=20_000)
        pad.tilt(LEFT_TRIGGER, 1.0)
        qtbot.waitUntil(lambda: asked(page) == 4)
        pad.press(BACK_BUTTON)
        qtbot.waitUntil(lambda: asked(page) == 3, timeout=20_000)
        pad.tilt(RIGHT_TRIGGER, 1.0)
        qtbot.waitUntil(lambda: asked(page) == 4)
    qtbot.waitUntil(lambda: "answers, too" not in page.status.text())
    QTest.keyClick(view, Key.Key_Left)
    qtbot.waitUntil(lambda: len(history.metrics["labels_lost"].values) == 3, timeout=20_000)
    last = {name: history.metrics[f"labels_{name}"].values[-1] for name in ("asked", "given", "unknown", "lost")}
    assert last == {"asked": 12.0, "given": 9.0, "unknown": 1.0, "lost": 2.0}
