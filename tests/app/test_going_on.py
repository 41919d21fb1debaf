"""A run that has been stopped or has finished is held by its thread, and goes on as if nothing had been."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.playback_thread import PlaybackThread
from app.session.training_thread import TrainingThread
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Heartbeat, Updated
from engine.runtime.waiting import Wait, waited
from engine.training.training import Training
from tests.app.shorthands import heard

WHOLE_EPISODES = with_values(
    PolicyGradientConfig(), {"budget.environment_steps": 4000, "device": "cpu", "environment.stepping": "in-process"}
)
PPO = with_values(
    PolicyGradientConfig(),
    {
        "collection": "fixed-length",
        "collection.environments": 4,
        "collection.steps": 128,
        "update": "ppo-clip",
        "budget.environment_steps": 4096,
        "device": "cpu",
        "environment.stepping": "in-process",
    },
)


class Reader:
    """Keeps what a run tells, and stops it at some of the moments in the middle of its iterations, which it counts."""

    def __init__(self, stop_at: tuple[int, ...] = ()) -> None:
        self.events: list[Event] = []
        self.updated_at: list[float] = []  # when each iteration was told of, in seconds of the monotonic clock
        self.stop_at = stop_at
        self.thread: TrainingThread | None = None
        self._moments = 0

    def put(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Updated):
            self.updated_at.append(time.monotonic())
        else:
            self._moments += 1
            if self._moments in self.stop_at:
                self.thread.ask("stop")

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What was reported of every iteration, without what depends on the clock."""
        found = [event.report() for event in self.events if isinstance(event, Updated)]
        return [{name: v for name, v in each.items() if "second" not in name} for each in found]


@pytest.fixture
def hosted() -> Iterator[tuple[TrainingThread, Reader]]:
    reader = Reader()
    thread = TrainingThread(PlaybackThread(), [reader])
    reader.thread = thread
    thread.start()
    yield thread, reader
    thread.ask("quit")
    assert thread.wait(20_000)


Hosted = tuple[TrainingThread, Reader]


def until(qtbot: QtBot, states: list[object], *wanted: RunState) -> None:
    qtbot.waitUntil(lambda: len(states) > 0 and states[-1] in wanted, timeout=15_000)


@pytest.mark.parametrize("config", [WHOLE_EPISODES, PPO], ids=["whole episodes", "ppo"])
def test_a_run_that_was_stopped_in_the_middle_of_iterations_ends_as_one_that_was_not(
    qtbot: QtBot, hosted: Hosted, config: RunConfig
) -> None:
    thread, reader = hosted
    reader.stop_at = (1, 2, 7, 8)
    states, said = heard(thread.state_changed), heard(thread.log)
    thread.begin("mine", config)
    for _ in reader.stop_at:
        until(qtbot, states, RunState.STOPPED)
        assert not isinstance(reader.events[-1], Updated)
        assert thread.holds("mine")
        states.clear()
        thread.go_on("mine", {})
    until(qtbot, states, RunState.FINISHED)
    uninterrupted = Training(config)
    expected = [event.report() for event in uninterrupted if isinstance(event, Updated)]
    assert reader.reports == [{name: v for name, v in each.items() if "second" not in name} for each in expected]
    state = uninterrupted.policy.state_dict()
    assert len(state) > 0
    assert all(torch.equal(thread.policy.state[name], value) for name, value in state.items())
    assert sum("Go on continues it." in sentence for _, sentence in said) == len(reader.stop_at)


def test_a_stop_tells_the_steps_that_were_taken(qtbot: QtBot, hosted: Hosted) -> None:
    thread, reader = hosted
    reader.stop_at = (4,)
    states, said = heard(thread.state_changed), heard(thread.log)
    thread.begin("mine", PPO)
    until(qtbot, states, RunState.STOPPED)
    steps = max(getattr(event, "environment_steps", 0) for event in reader.events)
    assert steps > 0
    assert said[-1] == ("info", f"Stopped after {steps:,} steps; Go on continues it.")


def test_what_is_changed_as_a_run_goes_on_holds_from_its_next_iteration_on(qtbot: QtBot, hosted: Hosted) -> None:
    thread, reader = hosted
    reader.stop_at = (4,)
    states = heard(thread.state_changed)
    thread.begin("mine", PPO)
    until(qtbot, states, RunState.STOPPED)
    thread.go_on("mine", {"update.learning_rate": 0.002})
    until(qtbot, states, RunState.FINISHED)
    changes = [change for event in reader.events if isinstance(event, Updated) for change in event.changes]
    assert [(change.path, change.new) for change in changes] == [("update.learning_rate", 0.002)]


def test_a_run_that_has_finished_goes_on_where_it_is_made_longer(qtbot: QtBot, hosted: Hosted) -> None:
    thread, reader = hosted
    states = heard(thread.state_changed)
    thread.begin("mine", with_values(PPO, {"budget.environment_steps": 1024}))
    until(qtbot, states, RunState.FINISHED)
    states.clear()
    thread.go_on("mine", {"budget.environment_steps": 2048})
    until(qtbot, states, RunState.FINISHED)
    assert [each["environment_steps"] for each in reader.reports] == [512, 1024, 1536, 2048]


def test_a_run_is_held_with_its_environments_until_another_has_begun(
    qtbot: QtBot, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, _ = hosted
    closed: list[str] = []
    monkeypatch.setattr("engine.training.training.Training.close", lambda training: closed.extend(training.runs))
    states = heard(thread.state_changed)
    short = with_values(PPO, {"budget.environment_steps": 512})
    thread.begin("first", short)
    until(qtbot, states, RunState.FINISHED)
    thread.begin("fails", with_values(short, {"environment": "Nowhere-v0"}))
    until(qtbot, states, RunState.FAILED)
    assert (thread.holds("first"), closed) == (True, [])
    thread.begin("second", short)
    until(qtbot, states, RunState.FINISHED)
    assert (thread.holds("second"), closed) == (True, ["first"])
    thread.go_on("first", {})
    until(qtbot, states, RunState.FAILED)
    assert thread.holds("second")
    thread.ask("quit")
    assert thread.wait(5000)
    assert closed == ["first", "second"]


def test_a_run_whose_waiting_was_broken_off_cannot_go_on(
    qtbot: QtBot, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(training: Training) -> Iterator[Event]:
        yield Heartbeat("collecting", 7, run="mine")
        for tenth in range(10_000):
            waited(Wait("Slow-v0", "step", tenth / 10.0, 60.0))
            time.sleep(0.01)

    thread, _ = hosted
    closed: list[str] = []
    monkeypatch.setattr(Training, "__iter__", hangs)
    monkeypatch.setattr(Training, "close", lambda training: closed.extend(training.runs))
    states, said = heard(thread.state_changed), heard(thread.log)
    thread.begin("mine", PPO)
    qtbot.waitUntil(lambda: thread.waiting_for is not None, timeout=15_000)
    thread.ask("stop")
    until(qtbot, states, RunState.STOPPED)
    told = "Stopped after 7 steps; it cannot go on, since what it was waiting for was broken off."
    assert (said[-1], thread.holds("mine"), closed) == (("info", told), False, ["mine"])


# --- pace -------------------------------------------------------------------------------------------------------------


def iterations(reader: Reader) -> int:
    return sum(isinstance(event, Updated) for event in reader.events)


@pytest.mark.parametrize(("wish", "state"), [("pause", RunState.PAUSED), ("stop", RunState.STOPPED)])
def test_a_run_that_holds_for_its_pace_obeys_at_once(qtbot: QtBot, hosted: Hosted, wish: str, state: RunState) -> None:
    thread, reader = hosted
    states = heard(thread.state_changed)
    thread.set_pace(0.01)
    thread.begin("mine", PPO)
    qtbot.waitUntil(lambda: iterations(reader) == 1, timeout=20_000)
    thread.ask(wish)
    until(qtbot, states, state)  # and not when the hundred seconds are over
    assert iterations(reader) == 1


def test_another_pace_holds_at_once_and_holding_is_not_counted_as_training(qtbot: QtBot, hosted: Hosted) -> None:
    thread, reader = hosted
    states = heard(thread.state_changed)
    thread.set_pace(0.01)
    thread.begin("mine", with_values(PPO, {"collection.steps": 8, "budget.environment_steps": 400}))
    qtbot.waitUntil(lambda: iterations(reader) == 1, timeout=20_000)
    qtbot.wait(330)  # Qt's timers may come 5 % early
    began = time.monotonic()
    thread.set_pace(5.0)
    qtbot.waitUntil(lambda: iterations(reader) == 5, timeout=20_000)
    thread.set_pace(None)
    until(qtbot, states, RunState.FINISHED)
    updates = [event for event in reader.events if isinstance(event, Updated)]
    first, second, *_, fifth = reader.updated_at[:5]
    assert fifth - began >= 3 / 5.0
    # However long an iteration takes, what it was held for before is not part of it.
    assert updates[1].seconds - updates[0].seconds <= second - first - 0.3
