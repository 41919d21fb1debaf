"""Datasets in the window, by real events: seen, named, merged, written out, deleted and brought back, cloned from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.panels.play.datasets_page import DatasetsPage
from app.panels.play.panel import PlayPanel
from app.panels.play.recording_dialogs import ACCEPT, DatasetDialog
from app.window.main_window import MainWindow
from engine.config.imitation import BehaviouralCloning
from engine.experience.demonstration_file import from_bytes
from engine.runs.library import Library
from engine.runs.recording_records import RecordingSource
from engine.runs.recordings import Recordings
from tests.app.shorthands import heard
from tests.app.test_recordings import played

Make = Callable[..., MainWindow]


def press(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def choose(page: DatasetsPage, *names: str) -> None:
    for count, name in enumerate(names):
        row = next(place for place, each in enumerate(page.listed) if each.name == name)
        place = page.table.visualRect(page.rows.index(row, 0)).center()
        modifier = Qt.KeyboardModifier.ControlModifier if count else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def answer(page: DatasetsPage, name: str) -> None:
    dialog = page.findChildren(DatasetDialog)[-1]
    dialog.named.selectAll()
    QTest.keyClicks(dialog.named, name)
    press(dialog.findChild(QPushButton, ACCEPT))


def test_datasets_are_seen_named_merged_written_out_deleted_and_cloned_from(
    qtbot: QtBot, make_window: Make, library_place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library(library_place) as library:
        recordings = Recordings(library)
        for name, steps in (("short", 4), ("long", 9)):
            recordings.merge(name, [recordings.add(played(steps), RecordingSource("person")).id])
    window = make_window(environment="Pendulum-v1")
    window.docks["Play/Record"].raise_()
    panel = window.panels.find(PlayPanel)
    page, undo, told = panel.datasets, window.actions_by_name["undo"], heard(window.choice_loader.notice)
    press(panel._buttons.button(2))
    assert page.isVisible()
    assert page.hint.isVisible(), "none is of the pendulum"

    def names() -> list[str]:
        return [row.name for row in page.listed]

    page.which_box.setCurrentIndex(1)
    page.which_box.activated.emit(1)
    qtbot.waitUntil(lambda: names() == ["long", "short", "cartpole", "lunar-lander"])
    qtbot.waitUntil(lambda: page.rows.index(2, 2).data() == "2,500")  # of what is shipped, once it has been read
    assert [page.rows.index(0, column).data() for column in range(4)] == ["long · CartPole-v1", "1", "9", "9"]
    choose(page, "cartpole")
    assert not page.rename_button.isEnabled()
    assert not page.delete_button.isEnabled()
    choose(page, "short")
    qtbot.waitUntil(lambda: page.bars.accessibleDescription() == "push left 100 %")
    assert page.source.text() == "CartPole-v1, 1 recording by a person."
    # Named anew, by its key; not as another.
    QTest.keyClick(page.table, Qt.Key.Key_F2)
    dialog = page.findChild(DatasetDialog)
    dialog.named.setText("long")
    assert not dialog.findChild(QPushButton, ACCEPT).isEnabled()
    answer(page, "brief")
    assert "brief" in names()
    undo.trigger()
    assert "short" in names()
    # Merged into another, and that undone.
    choose(page, "short", "long")
    press(page.merge_button)
    answer(page, "both")
    qtbot.waitUntil(lambda: "both" in names())
    assert page.rows.index(names().index("both"), 2).data() == "13"
    # Written out.
    choose(page, "both")
    where = tmp_path / "both.safetensors"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(where), ""))
    page.fill_exports(menu := QMenu())
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: any("Wrote 2 episodes" in str(each) for each in told))
    assert len(from_bytes(where.read_bytes())) == 13
    # Deleted, and brought back.
    choose(page, "both", "short")
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    assert names() == ["long", "cartpole", "lunar-lander"]
    undo.trigger()
    assert names()[:3] == ["both", "long", "short"]
    undo.trigger()
    qtbot.waitUntil(lambda: names()[:2] == ["long", "short"])
    # And learned from, in its own environment.
    choose(page, "long")
    press(page.clone_button)
    qtbot.waitUntil(lambda: window.experiment.config.environment.id == "CartPole-v1")
    config = window.experiment.config
    assert isinstance(config.update, BehaviouralCloning)
    assert config.imitation.dataset == "long"
    assert window.experiment.problem() is None
    undo.trigger()
    assert window.experiment.config.environment.id == "Pendulum-v1"
