"""The program's own window for a measurement: opened as the program opens it, with nothing remembered, and driven."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QDockWidget

from app.models.run_state import ENDED, RunState
from app.window.application import make_application
from app.window.main_window import MainWindow
from engine.config import presets
from engine.config.parameters import with_values
from engine.config.presets import Preset

SIZE = (1280, 800)
ENDLESS = 10_000_000_000  # environment steps

LUNAR_LANDER: Mapping[str, Any] = {
    "environment": "LunarLander-v3",
    "update.learning_rate": 0.005,
    "collection.episodes_per_update": 16,
    "estimator.normalize_advantages": True,
}


def workload(name: str, steps: int = ENDLESS) -> Preset:
    """A shipped CartPole preset by name, or ``lunar-lander``, on the CPU and with a budget of ``steps``."""
    preset = presets.find("cartpole" if name == "lunar-lander" else name)
    values = dict(LUNAR_LANDER) if name == "lunar-lander" else {}
    config = with_values(preset.config, {**values, "device": "cpu", "budget.environment_steps": steps})
    return preset.model_copy(update={"config": config, "title": name})


@dataclass
class Driver:
    """Drives an open window as a person would, and lets its event loop run in between."""

    window: MainWindow
    frames: int = field(default=0, init=False)  # pictures of the episode announced so far

    def __post_init__(self) -> None:
        self.window.playback.frame_ready.connect(self._count_frame)

    def _count_frame(self) -> None:
        self.frames += 1

    @property
    def state(self) -> RunState:
        return self.window.controller.state

    def trigger(self, action: str) -> None:
        """Click on an action.

        Raises:
            RuntimeError: it cannot be clicked on.
        """
        if not self.window.actions_by_name[action].isEnabled():
            raise RuntimeError(f"{action} cannot be clicked on while the run is {self.state.name}.")
        self.window.actions_by_name[action].trigger()

    def spin(self, seconds: float) -> None:
        """Let the event loop run."""
        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def wait_for(self, *states: RunState, timeout: float = 600.0) -> float:
        """Let the event loop run until the run is in one of ``states``; when that was, by ``time.perf_counter()``.

        Raises:
            RuntimeError: that took longer than ``timeout`` seconds, or the run failed.
        """
        loop = QEventLoop()
        arrived: list[float] = []

        def follow(state: RunState) -> None:
            if state in (*states, RunState.FAILED):
                arrived.append(time.perf_counter())
                loop.quit()

        self.window.controller.state_changed.connect(follow)
        QTimer.singleShot(round(1000 * timeout), loop.quit)
        if self.state not in states:
            loop.exec()
        else:
            arrived.append(time.perf_counter())
        self.window.controller.state_changed.disconnect(follow)
        if self.state is RunState.FAILED and RunState.FAILED not in states:
            raise RuntimeError("The run failed.")
        if not arrived:
            raise RuntimeError(f"Waited {timeout:.0f} s for {states}; the run is {self.state.name}.")
        return arrived[0]

    def wait_until(self, holds: Callable[[], bool], timeout: float = 600.0) -> None:
        """Let the event loop run until ``holds``, looked at every 50 ms.

        Raises:
            RuntimeError: that took longer than ``timeout`` seconds, or the run ended first.
        """
        deadline = time.perf_counter() + timeout
        while not holds():
            self.spin(0.05)
            if time.perf_counter() > deadline or self.state in ENDED:
                raise RuntimeError(f"What was waited for did not come; the run is {self.state.name}.")


@contextmanager
def opened(preset: Preset) -> Iterator[Driver]:
    """The main window at 1280 × 800 with torch loaded, and every panel visible but the tabs behind the playing agent;
    signal and diagnostics stand side by side, and what else is a tab there is closed.

    Raises:
        RuntimeError: a panel is hidden, so that the measurement would not be of what it says.
    """
    make_application()
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(settings, preset, library=Path(folder) / "library")
        window.resize(*SIZE)
        loaded = QEventLoop()
        window.training.ready.connect(loaded.quit)
        window.show()
        loaded.exec()
        driver = Driver(window)
        docks, inner = window.docks, window.frame.train.inner
        for dock in (docks["Signal"], *inner.tabifiedDockWidgets(docks["Signal"])):
            inner.removeDockWidget(dock)
        inner.splitDockWidget(docks["Returns"], docks["Signal"], Qt.Orientation.Vertical)
        inner.splitDockWidget(docks["Signal"], docks["Diagnostics"], Qt.Orientation.Horizontal)
        for title in ("Signal", "Diagnostics"):
            docks[title].show()
        driver.spin(0.5)
        behind = inner.tabifiedDockWidgets(docks["Agent"])
        others = [dock for dock in window.findChildren(QDockWidget) if dock.isVisible() and dock not in behind]
        hidden = [dock.windowTitle() for dock in others if dock.visibleRegion().isEmpty()]
        try:
            if hidden:
                raise RuntimeError(f"These panels are hidden: {', '.join(hidden)}.")
            yield driver
        finally:
            window.close()
            if not window.shut_down():
                print("The training thread did not end.", file=sys.stderr)
            settings.sync()
