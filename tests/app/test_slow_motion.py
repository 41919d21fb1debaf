"""A run that is taken through an iteration stop by stop, by real keys and clicks in a real window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.stops import Slow, Stops
from app.window.main_window import MainWindow
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.stops import BATCH, Stop, Until
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset
from tests.app.shorthands import heard

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
SMALL = {"environment": "Corridor-v0", "policy": "tabular", "device": "cpu", "budget.environment_steps": 100_000}


@pytest.fixture
def made(make_window: Make, settings: object) -> Callable[[str], MainWindow]:
    def make(algorithm: str, **values: object) -> MainWindow:
        window = make_window(environment="Corridor-v0", device="cpu", policy="tabular")
        config = choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS[algorithm])
        changes = {path.replace("__", "."): value for path, value in values.items()}
        window.choice_loader.load(Preset(title="Small", config=with_values(config, changes)))
        return window

    return make


def to(window: MainWindow, until: Until, reach: Reach) -> Stop | None:
    """Step to there; where the run waits then."""
    window.step(until)
    reach(window, RunState.PAUSED)
    return window.controller.slow.at


def test_a_run_is_taken_from_stop_to_stop_by_the_menu_and_by_keys(
    made: Callable[[str], MainWindow], reach: Reach, qtbot: QtBot
) -> None:
    window = made("reinforce-average-baseline")
    button = window.toolbar._worded[0]
    menu = button.menu()

    def choose_an_episode() -> None:
        assert menu.isVisible()
        where = menu.actionGeometry(menu.entries["episode"]).center()
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=where)

    QTimer.singleShot(0, choose_an_episode)  # as long as it is open, the click does not return
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(button.width() - 6, button.height() // 2))
    titles = [entry.text().split("\t")[0] for entry in menu.actions() if not entry.isSeparator()]
    assert titles == [
        *("Next stop", "Next episode", "Collect", "Credit", "Subtract the baseline"),
        *("Weight ∇log π", "Move θ", "Next iteration"),
    ]
    reach(window, RunState.PAUSED)
    assert window.controller.slow.at == "episode"
    assert len(window.controller.history.watched.episodes) == 1
    assert window.controller.history.latest is None
    window.activateWindow()
    window.setFocus()
    qtbot.waitUntil(window.isActiveWindow)
    for stop in BATCH:
        QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda stop=stop: window.controller.slow.at == stop)
        reach(window, RunState.PAUSED)
    assert window.controller.history.watched.batch.iteration == 1
    assert not window.controller.history.watched.steps
    assert to(window, "next", reach) == "step"
    assert [step.step for step in window.controller.history.watched.steps] == [1]
    assert window.controller.history.latest is None
    QTest.keyClick(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.controller.slow.at == "iteration")
    reach(window, RunState.PAUSED)
    assert window.controller.history.latest.iteration == 1
    assert to(window, "baseline", reach) == "baseline"  # straight there, in the next iteration
    assert window.controller.history.watched.batch.iteration == 2
    assert to(window, "credit", reach) == "credit"  # which is over in this one
    assert window.controller.history.watched.batch.iteration == 3


def test_minibatches_and_tries_are_stops_of_their_own(made: Callable[..., MainWindow], reach: Reach) -> None:
    window = made("ppo", update__epochs=2, update__minibatch_size=128, collection__steps=32)
    assert to(window, "step", reach) == "step"
    assert to(window, "step", reach) == "step"
    watched = window.controller.history.watched
    assert [(step.step, step.epoch) for step in watched.steps] == [(1, 1), (2, 1)]
    assert to(window, "iteration", reach) == "iteration"
    assert len(window.controller.history.watched.steps) == 4
    assert window.controller.history.watched.over


def test_what_is_seen_is_watched_every_few_seconds_however_slow_it_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iteration takes 0.1 s and, watched, 0.12 s: what it was held at stops for is not what watching costs."""
    now = [100.0]
    monkeypatch.setattr("app.session.stops.time.monotonic", lambda: now[0])
    stops = Stops()
    stops.looked_at = True

    def iteration(held: float = 0.0, dear: float = 0.02) -> bool:
        watched = stops.watches()
        since = now[0]
        now[0] += held
        stops.lingered(since)
        now[0] += 0.1 + dear * watched
        stops.over(watched)
        return watched

    assert iteration()  # of which it is not known yet what it would take unwatched
    stops.pace = Slow(0.1)
    assert all(iteration(held=10.0) for _ in range(3))
    stops.pace = None
    seen = [iteration() for _ in range(100)]  # in 10 s
    assert not seen[0]
    assert 8 <= sum(seen) <= 20
    assert sum(seen) * 0.02 < 0.05 * 10  # and training is not held up by it
    assert 2 <= sum(iteration(dear=3.0) for _ in range(500)) <= 4  # in 50 s and more, where watching is dear


def test_a_stop_that_does_not_come_ends_with_the_iteration_and_a_sentence(
    made: Callable[..., MainWindow], reach: Reach
) -> None:
    window = made("value-iteration")
    said = heard(window.controller.log)
    entries = window.toolbar._worded[0].menu().entries
    window.toolbar._worded[0].menu().follow()
    assert entries["iteration"].isEnabled()
    assert not entries["credit"].isEnabled()
    assert "dynamics are known" in entries["credit"].toolTip()
    assert to(window, "credit", reach) == "iteration"
    assert any("no such stop" in sentence for _, sentence in said)


def test_slow_motion_goes_through_the_stops_by_itself_and_obeys_at_once(
    made: Callable[..., MainWindow], reach: Reach, qtbot: QtBot
) -> None:
    window = made("reinforce")
    seen: list[Stop | None] = []
    window.controller.slow.changed.connect(lambda: seen.append(window.controller.slow.at))
    window.controller.set_pace(Slow(50))
    window.start()
    qtbot.waitUntil(lambda: "iteration" in seen, timeout=20_000)
    first = [stop for stop in seen[: seen.index("iteration") + 1] if stop is not None]
    assert first[-6:] == [*BATCH, "step", "iteration"]
    assert set(first[:-6]) == {"episode"}
    assert window.controller.progress().seconds_left is None
    window.controller.set_pace(Slow(0.01))
    window.start_or_pause()
    reach(window, RunState.PAUSED)
    window.controller.set_pace(None)
    window.start()
    before = window.controller.history.iterations
    qtbot.waitUntil(lambda: window.controller.history.iterations > before + 3)
    assert not window.training.stops.watches()  # nobody looks any more
