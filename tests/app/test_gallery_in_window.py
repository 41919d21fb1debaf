"""The gallery as the window opens it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot


def test_the_gallery_is_made_only_when_it_is_asked_for(make_window, qtbot: QtBot):
    window = make_window()
    assert window.gallery.gallery is None
    qtbot.mouseClick(window.experiment_panel.environment.button, Qt.MouseButton.LeftButton)
    gallery = window.gallery.gallery
    assert gallery.isVisible()
    qtbot.waitUntil(lambda: "CliffWalkingSlippery-v1" in [card.id for card in gallery.model.found], timeout=20_000)
    window.close()
    assert not gallery.isVisible()


def test_a_typed_environment_is_looked_up_and_taken(make_window, qtbot: QtBot):
    window = make_window()
    window.actions_by_name["environments"].trigger()
    gallery = window.gallery.gallery
    QTest.keyClicks(gallery.id_entry.field, "Nowhere-v0")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    assert gallery.id_entry.answer.text() == "Looking at Nowhere-v0…"
    qtbot.waitUntil(
        lambda: gallery.id_entry.answer.text().startswith("There is no environment Nowhere-v0"), timeout=20_000
    )
    assert "There is no environment Nowhere-v0" in window._notice.text()
    assert not window.experiment_panel.environment.answer.isVisible()
    gallery.id_entry.field.selectAll()
    QTest.keyClicks(gallery.id_entry.field, "CliffWalkingSlippery-v1")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not gallery.isVisible(), timeout=20_000)
    assert window.experiment.plain.id == "CliffWalkingSlippery-v1"
    assert window.experiment_panel.environment.button.text() == "CliffWalkingSlippery-v1"


def test_a_run_locks_the_gallery(make_window, reach):
    from app.models.run_state import RunState

    window = make_window()
    window.start()
    reach(window, RunState.RUNNING)
    window.actions_by_name["environments"].trigger()
    assert not window.gallery.gallery.details.terms.first.isEnabled()
    window.controller.stop()
    reach(window, RunState.STOPPED)
    assert window.gallery.gallery.details.terms.first.isEnabled()


def test_opened_before_the_engine_is_loaded_it_lists_what_is_registered_later(qtbot: QtBot, make_window) -> None:
    window = make_window()
    window.actions_by_name["environments"].trigger()
    gallery = window.gallery.gallery
    assert not window.lookups.isRunning()
    before = len(gallery.model.cards)
    qtbot.waitUntil(lambda: len(gallery.model.cards) > before, timeout=20_000)
