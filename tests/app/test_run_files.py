"""Settings and runs that come into the window by a drop, by a paste or from a file, and what goes out of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QGraphicsView, QMenu
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.window.main_window import MainWindow
from engine.config import PolicyGradientConfig, presets
from engine.config.parameters import with_values
from engine.config.presets import Preset
from engine.config.shared_text import from_text, to_text
from engine.runs.exports.registry import EXPORTS
from engine.runs.library import Library
from engine.runs.place import library_folder
from tests.engine.runs.libraries import filled, opened

Make = Callable[..., MainWindow]

CONFIG = with_values(PolicyGradientConfig(), {"environment": "MountainCar-v0", "seed": 11})


def dragged(what: str | Path) -> QMimeData:
    mime = QMimeData()
    if isinstance(what, Path):
        mime.setUrls([QUrl.fromLocalFile(str(what))])
    else:
        mime.setText(what)
    return mime


def drag(window: MainWindow, what: QMimeData, at: QPoint) -> None:
    """Drag something from elsewhere over the window, as the system tells of it."""
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window.windowHandle(), QDragEnterEvent(at, copy, what, button, none))
    QApplication.sendEvent(window.windowHandle(), QDragMoveEvent(at, copy, what, button, none))


def drop(window: MainWindow, what: QMimeData, at: QPoint) -> bool:
    """Let it go there; whether the window took it."""
    drag(window, what, at)
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(at), copy, what, button, none)
    QApplication.sendEvent(window.windowHandle(), event)
    return event.isAccepted()


def notices(window: MainWindow) -> list[str]:
    told: list[str] = []
    window.choice_loader.notice.connect(lambda _level, sentence: told.append(sentence))
    return told


def test_a_drag_over_any_part_of_the_window_is_invited_and_what_is_let_go_there_is_taken(
    qtbot: QtBot, make_window: Make, tmp_path: Path
) -> None:
    window = make_window()
    plots = window.findChildren(QGraphicsView)
    assert plots
    assert not any(plot.acceptDrops() or plot.viewport().acceptDrops() for plot in plots)
    presets.save(Preset(title="Steep", config=CONFIG), tmp_path / "steep.toml")
    middle = window.rect().center()
    drag(window, dragged(tmp_path / "steep.toml"), middle)
    assert window.invitation is not None
    assert window.invitation.isVisible()
    assert window.invitation.geometry() == window.rect()
    assert "steep.toml" in window.invitation.what.text()
    QApplication.sendEvent(window.windowHandle(), QDragLeaveEvent())
    assert not window.invitation.isVisible()
    assert drop(window, dragged(tmp_path / "steep.toml"), middle)
    assert not window.invitation.isVisible()
    qtbot.waitUntil(lambda: window.experiment.config == CONFIG)
    assert window.choice_loader.name.title == "Steep"
    again = with_values(CONFIG, {"seed": 12})
    assert drop(window, dragged(f"see {to_text(again)}"), QPoint(5, 5))
    qtbot.waitUntil(lambda: window.experiment.config == again)


def test_what_is_copied_elsewhere_is_opened_by_the_key_that_pastes_unless_a_field_has_it(
    qtbot: QtBot, make_window: Make
) -> None:
    window, told = make_window(), []
    window.choice_loader.notice.connect(lambda _level, sentence: told.append(sentence))
    before = window.experiment.config
    QTest.keyClick(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert from_text(QGuiApplication.clipboard().text()) == before
    assert "Copied all settings as a text of" in told[-1]
    QGuiApplication.clipboard().setText(to_text(CONFIG))
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.experiment.config == CONFIG)
    QGuiApplication.clipboard().setText("77")
    field = window.experiment_panel.form.rows["update.learning_rate"].editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "77"
    QTest.keyClick(field, Qt.Key.Key_Escape)
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: any("There is no configuration in this text" in each for each in told))
    QGuiApplication.clipboard().clear()
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "There is nothing to paste" in told[-1]


def test_runs_that_are_dropped_come_into_the_library(qtbot: QtBot, make_window: Make, tmp_path: Path) -> None:
    source = opened(tmp_path / "theirs")
    run = filled(source)
    window = make_window()
    told = notices(window)
    drop(window, dragged(source.folder), QPoint(200, 200))
    qtbot.waitUntil(lambda: window.controller.shown is not None)
    shown = window.controller.shown
    assert shown is not None
    assert (shown.run.id, shown.run.history.iterations) == (run.id, 3)  # a single one is opened
    assert "1 run came into your library." in told
    assert window.experiment.config == run.config
    for _ in range(2):  # the choice that came with it, and that it came
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.run_library.records() == []
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert [record.id for record in window.run_library.records()] == [run.id]
    menu = QMenu(window)
    window.runs.shelf.fill_menu(menu, [run.id])
    exports = next(action.menu() for action in menu.actions() if action.text() == "Export as")
    forms = [f"{export.title}…" for export in EXPORTS.values()]
    assert [action.text() for action in exports.actions()] == [*forms, "", "Copy configuration as text"]
    exports.actions()[-1].trigger()
    assert from_text(QGuiApplication.clipboard().text()) == run.config
    second = filled(source)
    window.files.open([source.folder])
    qtbot.waitUntil(lambda: told[-1] == "1 run came into your library; 1 run was there already.")
    assert {record.id for record in window.run_library.records()} == {run.id, second.id}
    assert window.actions_by_name["all_runs"].isChecked()  # several are shown in the list
    drop(window, dragged(tmp_path / "absent"), QPoint(200, 200))
    qtbot.waitUntil(lambda: "absent could not be read" in told[-1])


def test_the_run_that_is_shown_is_written_out_from_the_menu_while_it_trains(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window(environment="CartPole-v1", collection__episodes_per_update=1)
    told = notices(window)
    file = next(menu for menu in window.findChildren(QMenu) if menu.title() == "File")
    assert window.files.export_menu.menuAction() in file.actions()
    window.files.export_menu.aboutToShow.emit()
    assert [action.isEnabled() for action in window.files.export_menu.actions()] == [False]
    window.start()
    reach(window, RunState.RUNNING)
    window.files.open([to_text(CONFIG)])
    qtbot.waitUntil(lambda: any("stop the run" in each for each in told))
    assert window.experiment.config.environment.id == "CartPole-v1"
    window.controller.pause()
    reach(window, RunState.PAUSED)
    run = window.controller.shown
    assert run is not None
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out"), ""))
    with Library(library_folder()) as library:
        qtbot.waitUntil(lambda: library.run(run.run.id).reached.iteration > 0)
    for form, name in (("csv", "out.csv"), ("run", "out")):
        window.files.export_menu.aboutToShow.emit()
        titles = {action.text(): action for action in window.files.export_menu.actions()}
        titles[f"{EXPORTS[form].title}…"].trigger()
        qtbot.waitUntil(lambda: told[-1].startswith("Wrote"))
        assert (tmp_path / name).exists()
    with Library(tmp_path / "out") as library:
        assert library.runs()[0].id == run.run.id
