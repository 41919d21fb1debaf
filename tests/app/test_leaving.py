"""The window is left: by signals, while torch is being loaded, and with what does not answer."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app.window.main_window import MainWindow
from app.window.signals import signals_obeyed
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.environments import EnvironmentConfig
from engine.runtime.interrupts import ENDS
from tests.engine import worker_environments

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("number", ENDS)
def test_a_signal_closes_a_window_that_nobody_touches(
    qtbot: QtBot, make_window: Callable[..., MainWindow], number: int, heard_again: None
) -> None:
    window = make_window()
    with signals_obeyed(QCoreApplication.instance(), window.close) as received:
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=1000)
    assert received == [number]
    assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_window_that_a_signal_ends_says_what_was_learned_whatever_is_open_in_it(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMenu
from app.window import dialogs, main_window
from main import main

made = main_window.MainWindow.__init__
def make(window, *arguments, **named):
    made(window, *arguments, **named)
    def look():
        if window.controller.history.iterations >= 2:
            timer.stop()
            dialogs.about(window).open()
            QTimer.singleShot(100, lambda: [os.kill(os.getpid(), signal.SIGTERM) for _ in range(2)])
            window.findChild(QMenu).exec()  # which does not return as long as it has no answer
    timer = QTimer(window, interval=100)
    timer.timeout.connect(look)
    timer.start()
main_window.MainWindow.__init__ = make
sys.exit(main(["--preset", "cartpole", "--start"]))
"""
    ended, said, _ = left(code, tmp_path)
    assert ended == 143
    assert re.fullmatch(
        r"Interrupted after [\d,]+ steps; the mean return of the last \d+ episodes was \d+\.\d\.", said.splitlines()[-1]
    )
    assert "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_what_is_to_be_ignored_stays_ignored(make_window: Callable[..., MainWindow]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_obeyed(QCoreApplication.instance(), lambda: None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def left(code: str, tmp_path: Path) -> tuple[int, str, float]:
    """Exit status, stderr and seconds of a program that opens a window of its own, with settings of its own."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stderr, time.monotonic() - began


def test_a_window_that_is_closed_while_a_worker_hangs_is_gone_soon_and_leaves_none_behind(
    qtbot: QtBot, make_window: Callable[..., MainWindow]
) -> None:
    window = make_window()
    spaces = Space("box", 2), Space("discrete", 2)
    hangs = EnvironmentConfig(id=f"{worker_environments.HERE}:Misbehaving-v0", options={"what": "hangs"})
    window.experiment.take_environment(hangs, EnvironmentInfo(hangs.id, hangs.id, "", *spaces))
    window.docks["Agent"].hide()
    window.start()
    qtbot.waitUntil(lambda: window.training.waiting_for is not None, timeout=30_000)
    qtbot.waitUntil(lambda: window.training.waiting_for.doing == "step", timeout=30_000)
    workers = set(multiprocessing.active_children())
    window.close()
    began = time.monotonic()
    assert window.shut_down(2000)
    assert time.monotonic() - began < 1.0
    assert len(workers) > 0
    assert not workers & set(multiprocessing.active_children())


STUCK = """
import sys, time
from PySide6.QtCore import QCoreApplication, QTimer
from app.session.lookup_thread import LookupThread
from app.session.training_thread import TrainingThread
from app.window import application, main_window
from main import main

application.PATIENCE = 100
main_window.HEAD_START = 0
def run(thread):  # without torch
    time.sleep({loading})
    thread.loading = False
    thread.ready.emit()
    time.sleep({training})
TrainingThread.run = run
LookupThread.run = lambda thread: time.sleep({looking_up})
made = main_window.MainWindow.__init__
def make(window, *arguments, **named):
    made(window, *arguments, **named)
    window.training.started.connect(lambda: QTimer.singleShot(100, {leave}))
main_window.MainWindow.__init__ = make
sys.exit(main([]))
"""


IDLE = {"loading": 0, "looking_up": 0, "training": 0, "leave": "window.close"}


def heard(said: str) -> str:
    return said.replace("This plugin does not support propagateSizeHints()", "").strip()


@pytest.mark.parametrize(
    ("stuck_in", "status", "sentence"),
    [
        ("loading", 0, ""),
        ("looking_up", 1, "The environment does not answer; leaving without it."),
        ("training", 0, "The run is at work; leaving without it."),
    ],
)
def test_what_does_not_end_is_left_and_only_an_environment_is_blamed(
    tmp_path: Path, stuck_in: str, status: int, sentence: str
) -> None:
    ended, said, took = left(STUCK.format(**(IDLE | {stuck_in: 60})), tmp_path)
    assert (ended, heard(said)) == (status, sentence)
    assert took < 50


def test_a_window_whose_display_is_gone_ends_without_it(tmp_path: Path) -> None:
    """Qt then ends the event loop with this status, and would have the process fall in taking down what it showed."""
    gone = IDLE | {"leave": "lambda: (atexit.register(sys.stderr.write, 'taken down'), QCoreApplication.exit(1))"}
    ended, said, _ = left(f"import atexit\n{STUCK.format(**gone)}", tmp_path)
    assert (ended, heard(said)) == (1, "The display is gone, and with it the window.")
