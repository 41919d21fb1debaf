"""Runs that cannot start and environments that fail, in a window used as a person would."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.environments import EnvironmentConfig
from tests.app.shorthands import click, iterations, pick_environment

Make = Callable[..., MainWindow]
Reach = Callable[..., None]


class _Breaks(gymnasium.Env):
    """Raises in its 501st step."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    steps = 0

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        super().reset(seed=seed)
        return self.observation_space.low, {}

    def render(self) -> np.ndarray:
        return np.zeros((8, 8, 3), np.uint8)

    def step(self, action: int) -> tuple:
        type(self).steps += 1
        if type(self).steps > 500:
            raise ValueError("the motor is on fire")
        return self.observation_space.low, 1.0, type(self).steps % 10 == 0, False, {}


def test_an_environment_that_raises_fails_the_run_but_keeps_the_curves(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Breaks, "steps", 0)
    gymnasium.register("Breaks-v0", _Breaks)
    window = make_window()
    window.choice_loader.look_up(EnvironmentConfig(id="Breaks-v0"))
    qtbot.waitUntil(lambda: window.experiment.environment.id == "Breaks-v0", timeout=20_000)
    window.start()
    reach(window, RunState.FAILED)
    assert iterations(window) > 0
    told = window._notice.text()
    assert "the motor is on fire" in told
    assert told.endswith("in its step. What was learned before is kept.")
    click(qtbot, window, "reset")
    assert window.controller.state is RunState.IDLE


def test_a_refused_start_leaves_the_last_run_on_screen(
    make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    window = make_window(budget__environment_steps=500)
    window.start()
    reach(window, RunState.FINISHED)
    before = iterations(window)
    window.experiment.set_value("device", "cuda")
    window.start()
    reach(window, RunState.FAILED)
    assert iterations(window) == before > 0


class _Hostile(gymnasium.Env):
    """Leaves the interpreter in its step, and raises when it is closed."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        return self.observation_space.low, {}

    def step(self, action: int) -> tuple:
        raise SystemExit("bye")

    def render(self) -> np.ndarray:
        return np.zeros((8, 8, 3), np.uint8)

    def close(self) -> None:
        raise RuntimeError("it will not close")


def test_an_environment_that_exits_and_will_not_close_leaves_the_thread_alive(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    gymnasium.register("Hostile-v0", _Hostile)
    window = make_window()
    window.choice_loader.look_up(EnvironmentConfig(id="Hostile-v0"))
    qtbot.waitUntil(lambda: window.experiment.environment.id == "Hostile-v0", timeout=20_000)
    window.start()
    reach(window, RunState.FAILED)
    assert window.training.isRunning()
    pick_environment(window.experiment, ENVIRONMENTS["CartPole-v1"])
    click(qtbot, window, "step")
    reach(window, RunState.PAUSED)


def test_cuda_without_a_gpu_is_refused_in_one_sentence(
    make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    window = make_window(device="cuda")
    window.start()
    reach(window, RunState.FAILED)
    assert "cuda" in window._notice.text()


def test_what_was_told_of_a_run_goes_from_the_foot_with_it(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    window = make_window(device="cuda")
    for _ in range(2):
        window.start()
        assert (window.controller.state, window._notice.text()) == (RunState.STARTING, "")
        reach(window, RunState.FAILED)
        assert window._notice.text() != ""
    click(qtbot, window, "reset")
    assert window._notice.text() == ""


def test_an_episode_that_cannot_be_played_is_told_in_the_log(make_window: Make) -> None:
    window = make_window()
    window.playback.failed.emit("It gives no pictures.")
    assert "Warning\tIt gives no pictures." in window.log.text
