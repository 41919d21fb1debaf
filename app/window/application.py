"""The QApplication: theme, exception hook, the optional timed run, and a shutdown that leaves nothing behind."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.models.run_state import ACTIVE, RunState
from app.session.failures import print_trace
from app.style.theme import ThemeChoice
from app.window import screen_fit
from app.window.main_window import MainWindow
from app.window.signals import signals_obeyed
from engine.catalogue.spaces import EnvironmentInfo
from engine.commands.output import complain
from engine.config import presets
from engine.config.presets import Preset
from engine.runtime.errors import describe

PATIENCE = 2000  # ms in which a window that is closed is gone

NAME = "Policy Gradient Playground"


def make_application() -> QApplication:
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName(NAME)
    application.setOrganizationName("policy-gradient-playground")
    application.setStyle("Fusion")
    return application


@dataclass(frozen=True)
class Opening:
    """What the command line asks of the window; None where it asks nothing.

    Without ``environment`` the preset is taken once the window is open and can ask what has to be asked.
    """

    preset: Preset
    environment: EnvironmentInfo | None
    start: bool
    seconds: float | None
    screenshot: Path | None
    theme: ThemeChoice | None
    size: tuple[int, int] | None
    library: Path | None = None


def run(opening: Opening) -> int:
    """Show the window until it is closed, or until its seconds have passed; the exit status."""
    application = make_application()
    at_once = opening.preset if opening.environment else presets.default()
    window = MainWindow(QSettings(), at_once, opening.environment, library=opening.library)
    if opening.theme is not None:
        window.set_theme(opening.theme)
    if opening.size is not None:
        window.resize(*opening.size)
        screen_fit.fit(window)
    _report_exceptions_to(window)
    window.show()
    status = 0

    def finish() -> None:
        nonlocal status
        if opening.screenshot is not None and not window.grab().save(str(opening.screenshot)):
            sys.stderr.write(f"The picture could not be saved as {opening.screenshot}.\n")
            status = 1
        if window.controller.state is RunState.FAILED:
            status = 1
        window.close()

    def give_up(_sentence: str) -> None:
        nonlocal status
        status = 1
        finish()

    if opening.environment is None:
        QTimer.singleShot(0, lambda: window.choice_loader.load(opening.preset))
    if opening.start:
        QTimer.singleShot(0, lambda: _start(window, opening.preset))
    if opening.seconds is not None:
        milliseconds = int(opening.seconds * 1000)
        if opening.start:
            window.when_running(lambda: QTimer.singleShot(milliseconds, finish))
            window.choice_loader.refused.connect(give_up)
        else:
            QTimer.singleShot(milliseconds, finish)
    with signals_obeyed(application, window.close) as received:
        displayed = application.exec() == 0  # Qt has it return something else once the display is gone
        active = window.controller.state in ACTIVE
        loading = window.training.loading  # which cannot be interrupted, and needs no end
        ended = window.shut_down(0 if loading else PATIENCE)
    if not ended and not loading:
        hangs = _hangs_in_environment(window)
        sys.stderr.write(
            f"{'The environment does not answer' if hangs else 'The run is at work'}; leaving without it.\n"
        )
        status = status or int(hangs)
    if window.controller.saved:
        sys.stderr.write(f"{window.controller.saved}\n")
    if received:
        status = 128 + received[0]
        complain(_interrupted(window) if active else "Interrupted.")
    elif not displayed:
        status = 1
        complain("The display is gone, and with it the window.")
    if not ended or not displayed:  # without a display Qt cannot take down what it has shown
        _leave(status)
    return status


def _interrupted(window: MainWindow) -> str:
    """How far the run had come."""
    from engine.commands.interrupts import interrupted  # seldom wanted, so not loaded before

    window.controller.collect()
    return interrupted(window.controller.history.latest)


def _hangs_in_environment(window: MainWindow) -> bool:
    """Whether it is an environment, as far as is known, and not a computation that keeps a thread from ending."""
    window.controller.collect()
    return window.lookups.isRunning() or window.playback.isRunning() or window.controller.is_stepping


def _leave(status: int) -> NoReturn:
    """End at once, whatever the threads are in."""
    from engine.runtime.worker_process import kill_all  # seldom wanted, so not loaded before

    kill_all()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)


def _start(window: MainWindow, preset: Preset) -> None:
    """Start with what ``preset`` says, once it has been taken; never with anything else."""

    def start() -> None:
        if window.experiment.config == preset.config:
            window.start()

    if window.experiment.config == preset.config:
        start()
    else:
        window.choice_loader.taken.connect(start, Qt.ConnectionType.SingleShotConnection)


def _report_exceptions_to(window: MainWindow) -> None:
    """Tell of exceptions that nobody has caught, in whichever thread."""

    def hook(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        print_trace(error)
        window.training.log.emit("error", f"Something went wrong in the window: {describe(error)}.")

    sys.excepthook = hook
