"""Look-ups have a thread of their own: neither they nor training wait for the other, and both end when asked to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import gymnasium
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.lookup_thread import LookupThread
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.environments import EnvironmentConfig
from engine.environments.making import lookup
from engine.environments.making.installed import Registered
from engine.runtime.waiting import GivenUp, Wait, waited
from tests.app.shorthands import heard, pick_environment

Make = Callable[..., MainWindow]
Reach = Callable[..., None]


class _Waits(gymnasium.Env):
    """Waits for ``freed`` in its constructor, or in its second step, and says by ``entered`` that it does."""

    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    entered, freed = threading.Event(), threading.Event()
    waits_in = "constructor"

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._steps = 0
        self._wait("constructor")

    def _wait(self, where: str) -> None:
        if where == self.waits_in:
            self.entered.set()
            self.freed.wait()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        return 0, {}

    def step(self, action: int) -> tuple:
        self._steps += 1
        if self._steps > 1:
            self._wait("step")
        return 0, 1.0, True, False, {}

    def render(self) -> np.ndarray:
        return np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Waits]]:
    """An environment that is registered, waits, and is freed at the latest when the test ends."""
    monkeypatch.setattr(_Waits, "entered", threading.Event())
    monkeypatch.setattr(_Waits, "freed", threading.Event())
    monkeypatch.setattr(_Waits, "waits_in", "constructor")
    gymnasium.register("Waits-v0", _Waits)
    yield _Waits
    _Waits.freed.set()
    gymnasium.registry.pop("Waits-v0")


@pytest.fixture
def lookups(qtbot: QtBot) -> Iterator[LookupThread]:
    thread = LookupThread()
    thread.start()
    yield thread
    thread.end()
    assert thread.wait(1000)


def of(id: str) -> EnvironmentConfig:
    return EnvironmentConfig(id=id)


def test_a_lookup_that_hangs_does_not_hold_up_training(
    qtbot: QtBot, make_window: Make, waits: type[_Waits], reach: Reach
) -> None:
    window = make_window()
    window.start()
    reach(window, RunState.RUNNING)
    window.lookups.look_up(of("Waits-v0"))
    qtbot.waitUntil(waits.entered.is_set, timeout=20_000)
    before = len(window.controller.history.steps)
    qtbot.waitUntil(lambda: len(window.controller.history.steps) > before + 2, timeout=20_000)
    window.controller.pause()
    reach(window, RunState.PAUSED)
    with qtbot.waitSignal(window.lookups.inspected, timeout=20_000):
        waits.freed.set()


def test_a_step_that_hangs_does_not_hold_up_a_lookup(qtbot: QtBot, make_window: Make, waits: type[_Waits]) -> None:
    waits.waits_in = "step"
    window = make_window(budget__environment_steps=500)
    window.choice_loader.look_up(of("Waits-v0"))
    qtbot.waitUntil(lambda: window.experiment.environment.id == "Waits-v0", timeout=20_000)
    window.experiment.set_value("environment.stepping", "in-process")
    window.start()
    qtbot.waitUntil(waits.entered.is_set, timeout=20_000)
    with qtbot.waitSignals([window.lookups.inspected, window.lookups.listed], timeout=20_000):
        window.lookups.look_up(of("CliffWalking-v1"))
        window.lookups.list_registered()
    assert not waits.freed.is_set()
    waits.freed.set()


def test_of_several_wishes_the_newest_is_answered(qtbot: QtBot, lookups: LookupThread, waits: type[_Waits]) -> None:
    answered = heard(lookups.inspected)
    lookups.look_up(of("Waits-v0"))
    qtbot.waitUntil(waits.entered.is_set, timeout=20_000)
    lookups.look_up(of("FrozenLake-v1"))
    lookups.look_up(of("CliffWalking-v1"))
    waits.freed.set()
    qtbot.waitUntil(lambda: len(answered) == 2, timeout=20_000)
    assert [wanted.id for wanted, _ in answered] == ["Waits-v0", "CliffWalking-v1"]


def test_what_cannot_be_had_is_refused_in_a_sentence(qtbot: QtBot, lookups: LookupThread) -> None:
    with qtbot.waitSignal(lookups.refused, timeout=20_000) as refused:
        lookups.look_up(of("CartPol-v1"))
    assert "did you mean CartPole-v1?" in refused.args[1]


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has the worker process of ``Hangs-v0`` never answer; its ends are kept."""
    ends: list[str] = []
    inspect = lookup.inspect

    def inspected(id: str, options: object, patience: float) -> EnvironmentInfo:
        try:
            for tenth in range(1000 if id == "Hangs-v0" else 0):
                waited(Wait(id, "making", tenth / 10.0, 60.0))
                time.sleep(0.005)
        except GivenUp:
            ends.append(id)
            raise
        return inspect(id, options)

    monkeypatch.setattr(lookup, "inspect", inspected)
    return ends


def test_a_newer_wish_ends_the_wait_for_what_does_not_answer(
    qtbot: QtBot, lookups: LookupThread, hangs: list[str]
) -> None:
    lookups.look_up(of("Hangs-v0"))
    qtbot.waitUntil(lambda: lookups.wait_for(of("Hangs-v0")) is not None, timeout=20_000)
    assert lookups.wait_for(of("CliffWalking-v1")) is None
    with qtbot.waitSignal(lookups.inspected, timeout=5000) as inspected:
        lookups.look_up(of("CliffWalking-v1"))
    assert (inspected.args[0].id, hangs) == ("CliffWalking-v1", ["Hangs-v0"])


def test_what_is_registered_is_listed_while_an_environment_does_not_answer(
    qtbot: QtBot, lookups: LookupThread, hangs: list[str]
) -> None:
    lookups.look_up(of("Hangs-v0"))
    with qtbot.waitSignal(lookups.listed, timeout=20_000):
        lookups.list_registered()
    assert hangs == []
    lookups.drop()
    qtbot.waitUntil(lambda: hangs == ["Hangs-v0"], timeout=1000)


def test_a_listing_that_does_not_answer_holds_up_no_look_up_and_comes_later(
    qtbot: QtBot, lookups: LookupThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def hangs_at_first() -> Registered:
        begun.append(1)
        for tenth in range(1000 if len(begun) == 1 else 0):
            waited(Wait("What installed packages declare", "import", tenth / 10.0, 60.0))
            time.sleep(0.005)
        return Registered(("Late-v0",))

    monkeypatch.setattr("engine.environments.making.installed.other_registered_ids", hangs_at_first)
    listed = heard(lookups.listed)
    lookups.list_registered()
    qtbot.waitUntil(lambda: bool(begun), timeout=20_000)
    with qtbot.waitSignal(lookups.inspected, timeout=5000):
        lookups.look_up(of("CliffWalking-v1"))
    qtbot.waitUntil(lambda: listed == [("Late-v0",)], timeout=5000)


def test_what_does_not_answer_is_told_where_it_was_asked_for_and_cartpole_trains(
    qtbot: QtBot, make_window: Make, hangs: list[str], reach: Reach
) -> None:
    window = make_window(budget__environment_steps=300)
    qtbot.waitUntil(window.lookups.isRunning, timeout=20_000)
    window.choice_loader._long.setInterval(300)
    answer = window.experiment_panel.environment.answer
    window.choice_loader.look_up(of("Hangs-v0"))
    assert "Looking at Hangs-v0" in answer.text()
    qtbot.waitUntil(lambda: "choose any environment, the present one too, to go on" in answer.text(), timeout=20_000)
    assert "without an answer, and is given up after 60 s; " in window._notice.text()
    assert window.log.text.count("given up") == 1
    pick_environment(window.experiment, ENVIRONMENTS["CartPole-v1"])
    assert answer.isHidden()
    window.start()
    reach(window, RunState.FINISHED)
    assert hangs == ["Hangs-v0"]


def test_an_answer_that_is_long_in_coming_is_told_of_whatever_it_waits_for(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    window.choice_loader._long.setInterval(0)
    window.lookups.isRunning = lambda: False  # as while torch is being loaded
    with qtbot.waitSignal(window.choice_loader.held_up) as told:
        window.choice_loader.look_up(of("CliffWalking-v1"))
    assert told.args[0].startswith("CliffWalking-v1 is looked at once the learning engine is loaded; ")


def test_an_option_that_is_put_back_ends_its_look_up(qtbot: QtBot, make_window: Make, hangs: list[str]) -> None:
    window = make_window(environment="FrozenLake-v1")
    dropped = []
    window.lookups.look_up = lambda environment: None
    window.lookups.drop = lambda: dropped.append(1)
    form = window.experiment_panel.form
    form.edited.emit("environment.options.map_name", "8x8")
    assert window.choice_loader.awaited is not None
    form.edited.emit(
        "environment.options.map_name", window.experiment.config.environment.options.get("map_name", "4x4")
    )
    assert (window.choice_loader.awaited, dropped) == (None, [1])


@pytest.mark.parametrize("error", [ValueError("no such file"), SystemExit("bye"), asyncio.CancelledError("late")])
def test_a_lookup_that_breaks_is_refused_and_the_next_is_answered(
    qtbot: QtBot, lookups: LookupThread, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("engine.environments.making.lookup.inspect", broken)
        with qtbot.waitSignal(lookups.refused, timeout=20_000) as refused:
            lookups.look_up(of("CliffWalking-v1"))
    assert refused.args[1] == f"CliffWalking-v1 could not be looked at: {type(error).__name__}: {error}."
    with qtbot.waitSignal(lookups.inspected, timeout=20_000):
        lookups.look_up(of("CliffWalking-v1"))


def test_what_is_registered_and_cannot_be_listed_is_told(
    qtbot: QtBot, lookups: LookupThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ValueError("not now")

    monkeypatch.setattr("engine.environments.making.installed.other_registered_ids", broken)
    with qtbot.waitSignal(lookups.log, timeout=20_000) as told:
        lookups.list_registered()
    assert told.args == ["warning", "What is registered could not be listed: ValueError: not now."]


def test_a_late_refusal_is_not_that_of_a_later_wish(make_window: Make) -> None:
    window = make_window()
    refused = heard(window.choice_loader.refused)
    window.choice_loader.look_up(of("FrozenLake8x8-v1"))
    awaited = window.choice_loader.awaited
    window.lookups.refused.emit(of("Nothing-v0"), "There is no such thing.")
    assert (refused, window.choice_loader.awaited) == ([], awaited)


def test_a_lookup_that_hangs_is_told_of_when_the_thread_is_to_end(
    qtbot: QtBot, lookups: LookupThread, waits: type[_Waits]
) -> None:
    lookups.look_up(of("Waits-v0"))
    qtbot.waitUntil(waits.entered.is_set, timeout=20_000)
    lookups.end()
    assert not lookups.wait(50)
    waits.freed.set()
    assert lookups.wait(10_000)


def test_a_window_that_closes_before_torch_is_loaded_starts_no_lookups(make_window: Make) -> None:
    window = make_window()
    window.lookups.look_up(of("CliffWalking-v1"))
    window.close()
    assert window.shut_down()
    window.training.ready.emit()
    assert not window.lookups.isRunning()


def test_the_server_of_worker_processes_is_started_before_anything_is_looked_up(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()
    monkeypatch.setattr("engine.runtime.worker_process.start_server", started.set)
    thread = LookupThread()
    thread.start()
    assert started.wait(20.0)
    thread.end()
    assert thread.wait(20_000)
