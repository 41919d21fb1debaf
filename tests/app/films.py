"""An environment that plays like a film, and shorthands for the panel that shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.panels.episode.panel import EpisodePanel
from app.session.playback_thread import PlayedFrame
from engine.analysis.playback import PolicySnapshot, snapshot
from engine.catalogue.environments import ENVIRONMENTS
from engine.environments.making.lookup import inspect
from engine.policies.policy import Policy
from engine.reports.frames import Frame, SoftmaxDecision
from tests.engine.support import configured, register

Open = Callable[..., EpisodePanel]


class Film(gymnasium.Env[Any, Any]):
    """Counts its steps, of which there are 100 per second, and its pictures."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012 - as Gymnasium wants it
    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)
    steps = 0
    pictures = 0
    failures = 0

    def __init__(self, length: int = 10_000, slow: float = 0.0, what: str = "", render_mode: str | None = None) -> None:
        self._length, self._slow, self._what, self.render_mode = length, slow, what, render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self._what == "raises once" and self.render_mode:  # and not when it is only looked at
            Film.failures += 1
            if Film.failures == 1:
                raise OSError("not yet")
        self._left = self._length
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        if self._what == "raises":
            raise OSError("the level file is gone")
        Film.steps += 1
        self._left -= 1
        return np.zeros(2, np.float32), 1.0, self._left == 0, False, {}

    def render(self) -> Any:
        Film.pictures += 1
        time.sleep(self._slow)
        return np.full((40, 60, 3), 90, np.uint8)


def film(id: str = "Film-v0", iteration: int = 1, **kwargs: Any) -> PolicySnapshot:
    Film.failures = 0
    config = configured(environment=register(id, Film, **kwargs))
    environment = inspect(id)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(0))
    return snapshot(policy, config, environment, iteration)


def plays(panel: EpisodePanel) -> bool:
    return panel.return_label.text() != "–"


def steps_within(qtbot: QtBot, milliseconds: int) -> int:
    before = Film.steps
    qtbot.wait(milliseconds)
    return Film.steps - before


def speed_within(qtbot: QtBot, milliseconds: int) -> float:
    """Steps per second, whatever the wait really took."""
    started = time.monotonic()
    return steps_within(qtbot, milliseconds) / (time.monotonic() - started)


def click(qtbot: QtBot, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def some_frame(**changes: Any) -> Frame:
    decision = SoftmaxDecision(np.array([0.25, 0.75], np.float32), 1)
    return replace(Frame(None, 7, decision, 7.0, False, False, 42, 1), **changes)


def show(
    panel: EpisodePanel,
    monkeypatch: pytest.MonkeyPatch,
    frame: Frame,
    size: tuple[int, int] = (60, 40),
    **told: Any,
) -> None:
    """Hand the panel a frame as its thread would, with what that has told of it."""
    shown = PlayedFrame(frame, QImage(*size, QImage.Format.Format_RGB32), ENVIRONMENTS["CartPole-v1"], **told)
    monkeypatch.setattr(panel.playback, "take", lambda: shown)
    panel._detailed = 0.0
    panel.playback.frame_ready.emit()
