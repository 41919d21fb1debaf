"""A real window with a real engine thread, shut down cleanly after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.models.experiment import Experiment
from app.models.run_state import RunState
from app.panels.episode.panel import EpisodePanel
from app.panels.experiment.panel import ExperimentPanel
from app.session.playback_thread import PlaybackThread
from app.style.theme import load_theme
from app.window.application import make_application
from app.window.main_window import MainWindow
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.stops import Until
from engine.config import PolicyGradientConfig, presets
from engine.config.parameters import with_values
from engine.config.presets import Preset

if TYPE_CHECKING:  # most tests of the window need no torch
    from app.panels.update.panel import UpdatePanel
    from engine.analysis.playback import PolicySnapshot


@pytest.fixture(scope="session")
def qapp_cls() -> Callable[[list[str]], object]:
    return lambda _arguments: make_application()


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """No widget outlives its test: the next look that the application is given would style it once more."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture(autouse=True)
def presets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a person's presets are, which is never that of the person who runs the tests."""
    folder = tmp_path / "data" / "presets"
    monkeypatch.setattr("engine.config.own_presets.folder", lambda: folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # of the trash
    return folder


def undressed() -> None:
    """The application without the look that the last window gave it, as each that is opened by a person finds it: what
    is made and moved under a style sheet is polished again and again."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    if application.styleSheet():
        other = QWidget()  # a sheet has to be left, or Qt forgets of whom it has to hear
        other.setStyleSheet("QWidget { margin: 0; }")
        application.setStyleSheet("")
        other.deleteLater()


@pytest.fixture
def make_window(qtbot: QtBot, settings: QSettings) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows on a preset, or on the default one with some values replaced."""
    windows: list[MainWindow] = []

    def make(**values: object) -> MainWindow:
        preset = next(iter(presets.shipped().values()))
        if values:
            changes = {path.replace("__", "."): value for path, value in values.items()}
            preset = Preset(title="Test", config=with_values(PolicyGradientConfig(), changes))
        if not windows:
            undressed()
        window = MainWindow(settings, preset)
        windows.append(window)
        window.show()
        qtbot.waitUntil(lambda: window.isActiveWindow() and window.panels.complete)
        return window

    yield make
    for window in windows:
        window.close()
        assert window.shut_down()
        for thread in (window.training, window.playback, window.lookups):
            assert not thread.isRunning()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def reach(qtbot: QtBot) -> Callable[..., None]:
    """Waits until a window's run is in a state."""

    def wait(window: MainWindow, *states: RunState, timeout: int = 20_000) -> None:
        qtbot.waitUntil(lambda: window.controller.state in states, timeout=timeout)

    return wait


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., ExperimentPanel]:
    """An experiment's panel, shown as narrow as the window has it."""

    def open_panel(chosen: Experiment, settings: QSettings | None = None) -> ExperimentPanel:
        panel = ExperimentPanel(chosen, load_theme("dark"), settings)
        qtbot.addWidget(panel)
        panel.resize(320, 900)
        panel.show()
        qtbot.waitActive(panel)
        QCoreApplication.processEvents()  # till everything has come to its place
        return panel

    return open_panel


@pytest.fixture
def open_panel(qtbot: QtBot) -> Iterator[Callable[..., EpisodePanel]]:
    """Opens a panel with a running thread of its own; each must end when asked to."""
    threads: list[PlaybackThread] = []

    def make(shown: PolicySnapshot | None = None) -> EpisodePanel:
        thread = PlaybackThread()
        threads.append(thread)
        panel = EpisodePanel(load_theme("dark"), thread)
        qtbot.addWidget(panel)
        panel.resize(360, 640)
        panel.show()
        thread.start()
        if shown is not None:
            thread.offer(shown)
        return panel

    yield make
    for thread in threads:
        thread.end()
        assert thread.wait(1000)


@pytest.fixture
def stepped(
    make_window: Callable[..., MainWindow], reach: Callable[..., None]
) -> Callable[..., tuple[MainWindow, UpdatePanel]]:
    """A window whose panel Update is in sight and whose run has been taken through some stops."""
    from app.panels.update.panel import UpdatePanel
    from tests.app.shorthands import SMALL_CORRIDOR, bring_up

    def make(algorithm: str, *stops: Until, **values: object) -> tuple[MainWindow, UpdatePanel]:
        window = make_window(environment="Corridor-v0", device="cpu", policy="tabular")
        config = choose(with_values(PolicyGradientConfig(), SMALL_CORRIDOR), ALGORITHMS[algorithm])
        changes = {path.replace("__", "."): value for path, value in values.items()}
        window.choice_loader.load(Preset(title="Small", config=with_values(config, changes)))
        panel = window.panels.find(UpdatePanel)
        bring_up(panel)
        for stop in stops:
            window.step(stop)
            reach(window, RunState.PAUSED)
        return window, panel

    return make
