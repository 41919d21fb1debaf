"""What the doctor sees, beneath the plots of a real window with a real engine thread, by real mouse events."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.diagnostics import DiagnosticsPanel
from app.style.flash import Flash
from app.window.main_window import MainWindow
from engine.analysis.doctor import rules
from engine.analysis.doctor.reported import Reported
from engine.analysis.doctor.rule import Rule, scaled
from engine.runs import snapshot_keeper

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
SHORT = {"environment__id": "CartPole-v1", "budget__environment_steps": 2000, "collection__episodes_per_update": 8}
RATE = "update.learning_rate"


def seen_late(reported: Reported) -> str | None:
    steps = reported.steps
    return f"After {steps[-1]:,.0f} steps something is wrong." if len(steps) and steps[-1] > 1000 else None


def rule(name: str, look: Callable[[Reported], str | None]) -> Rule:
    return Rule(
        name=name,
        title="Something is wrong",
        fits=lambda reported: True,
        look=look,
        meaning="It means nothing, for it is a test.",
        tries=lambda reported: scaled(reported, RATE, 0.5, "Lower the learning rate"),
        panel="Diagnostics",
        curves=("entropy",),
        source="A test.",
    )


@pytest.fixture(autouse=True)
def two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that there is an instant to look back at
    monkeypatch.setattr(
        rules, "RULES", (rule("late", seen_late), rule("always", lambda _reported: "And 1 thing more."))
    )


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, widget.rect().center())


def stands_beneath(window: MainWindow) -> bool:
    """Whether the line is the last in the page, beneath all panels, and begins where the plots do."""
    page, line = window.frame.train, window.findings.line
    beneath = page.inner.geometry().bottom() < line.geometry().top() and line.x() == 0
    begins = line._layout.contentsMargins().left() == page.centre_left
    return beneath and begins and line.geometry().bottom() == page.rect().bottom()


def test_what_is_seen_is_said_pointed_at_and_tried(make_window: Make, reach: Reach, qtbot: QtBot) -> None:
    window = make_window(**SHORT)
    for size in ((700, 700), (1024, 640), (1280, 800)):
        window.resize(*size)
        qtbot.waitUntil(lambda: stands_beneath(window))
    window.frame.train.arrange()  # with panels as tabs, for which there is room
    line, card = window.findings.line, window.findings.card
    height = line.height()
    assert not line.findings
    assert not line.sentence.isVisible()
    window.start()
    reach(window, RunState.FINISHED)
    qtbot.waitUntil(lambda: len(line.findings) == 2, timeout=5000)
    assert line.sentence.isVisible()
    assert line.height() == height
    assert line.more.text() == "What to try, and 1 more ▴"

    # a click on it shows its curve
    panel = window.panels.find(DiagnosticsPanel)
    window.docks["Signal"].raise_()
    qtbot.waitUntil(lambda: not panel.watched)
    click(line.sentence)
    qtbot.waitUntil(lambda: bool(panel.findChildren(Flash)))
    assert panel.isVisible()
    assert [flash.parent() for flash in panel.findChildren(Flash)] == [panel._smalls["entropy"]]

    # looked back at, what was not known then is not said
    kept = window.panels.past.kept
    qtbot.waitUntil(lambda: window.run_library.look() is None and len(window.panels.past.kept) > 2, timeout=5000)
    kept = window.panels.past.kept
    window.panels.past.asked.emit(next(state.iteration for state in kept if state.iteration >= 2))
    qtbot.waitUntil(lambda: [each.sentence for each in line.findings] == ["And 1 thing more."])
    window.panels.past.asked.emit(None)
    qtbot.waitUntil(lambda: len(line.findings) == 2)

    # what became of a run while another mode was shown is said on coming back
    window.frame.train.hide()
    window.findings._forget()
    window.findings.look()
    assert not line.findings
    window.frame.train.show()
    qtbot.waitUntil(lambda: len(line.findings) == 2)

    # Escape and a click beside it close the card
    for close in (lambda: QTest.keyClick(card, Qt.Key.Key_Escape), lambda: click(window.toolbar)):
        click(line.more)
        assert card.isVisible()
        assert card.geometry().bottom() <= line.geometry().top()
        close()
        assert not card.isVisible()
        assert not line.more.isChecked()

    # what is read and reached for in it stays where it is, whatever is found meanwhile
    click(line.more)
    QApplication.processEvents()
    place, buttons, found = card.geometry(), card.buttons, line.findings
    window.findings._show(found[:1])
    QApplication.processEvents()
    assert line.more.text() == "What to try ▴"
    assert card.isVisible()
    assert (card.geometry(), card.buttons) == (place, buttons)
    window.findings._show(found)
    QTest.keyClick(card, Qt.Key.Key_Escape)

    # one click has the run once more, with the change alone
    before = window.experiment.config
    click(line.more)
    qtbot.waitUntil(card.isVisible)
    button, *_ = card.buttons
    assert button.text() == "Lower the learning rate to 0.005"
    click(button)
    assert not card.isVisible()
    after = window.experiment.config
    assert after.update.learning_rate == 0.005
    assert after.model_copy(update={"update": before.update}) == before
    assert window.controller.state is RunState.FINISHED
    assert [edit.path for edit in window.runs.row.words.edits] == [RATE]


def test_a_run_that_trains_is_stopped_to_be_had_once_more(make_window: Make, reach: Reach, qtbot: QtBot) -> None:
    window = make_window(**SHORT | {"budget__environment_steps": 10_000_000})
    line, card = window.findings.line, window.findings.card
    window.start()
    reach(window, RunState.RUNNING)
    window.findings._timer.setInterval(50)
    qtbot.waitUntil(lambda: bool(line.findings), timeout=10_000)
    click(line.more)
    click(card.buttons[0])
    qtbot.waitUntil(lambda: window.experiment.config.update.learning_rate == 0.005, timeout=5000)
    assert window.controller.state is RunState.STOPPED
    assert window.controller.shown is not None
    assert window.controller.shown.config.update.learning_rate == 0.01
