"""Which update the panel Update shows: the last that was told of, or one that is made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.inspection import Wanted
from app.models.past import Instant, Kept, Past
from app.models.run_state import RunState
from app.models.slow_motion import SlowMotion
from app.panels.advantages import AdvantagesPanel
from app.panels.record import PanelWidget
from app.panels.update.panel import UpdatePanel
from app.panels.update.shown_update import ShownUpdate
from app.session.batch_lookup import BatchLookup
from app.window.main_window import MainWindow
from engine.analysis.inspecting import Approach
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig
from engine.runs import snapshot_keeper
from tests.app.shorthands import bring_up, click_line, words

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton


def each_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a run after every iteration, however little time it takes."""
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)


@pytest.fixture
def unwatched(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]], monkeypatch: pytest.MonkeyPatch
) -> tuple[MainWindow, UpdatePanel]:
    """A run after its first iteration, the last of which it tells; all that come are kept."""
    each_is_kept(monkeypatch)  # else what is made again lies as far back as the run came at full speed
    window, panel = stepped("reinforce", "iteration")
    monkeypatch.setattr(window.training.stops, "watches", lambda: False)
    return window, panel


def test_where_a_run_waits_the_update_of_its_last_iteration_is_seen(
    unwatched: tuple[MainWindow, UpdatePanel],
    reach: Reach,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where that went unwatched, as most do at full speed, be it paused after or stepped through to its end."""
    window, panel = unwatched
    history = window.controller.history

    def told() -> str:
        last = f"iteration {history.iterations:,} · "
        qtbot.waitUntil(lambda: panel.heading.text().startswith(last), timeout=20_000)
        return panel.heading.text().removeprefix(last)

    assert "made again" not in told()
    window.start()
    qtbot.waitUntil(lambda: history.iterations > 3, timeout=20_000)
    window.start_or_pause()
    reach(window, RunState.PAUSED)
    assert history.watched.iteration == 1
    assert told().endswith("made again, exact")
    click_line(panel, "step")
    assert panel.pages.theta.isVisible()
    window.step("iteration")
    reach(window, RunState.PAUSED)
    assert history.watched.iteration == 1
    assert told().endswith("made again, exact")
    bring_up(window.panels.find(AdvantagesPanel))
    bring_up(panel)
    assert told().endswith("made again, exact")
    # What the run tells itself takes its place, and where nothing can be made again that is said to be an earlier one.
    monkeypatch.undo()
    window.step("credit")
    reach(window, RunState.PAUSED)
    window.step("iteration")
    reach(window, RunState.PAUSED)
    assert "made again" not in told()
    watched = history.iterations
    monkeypatch.setattr(window.training.stops, "watches", lambda: False)
    monkeypatch.setattr(
        panel.shown.lookup, "look", lambda *_: panel.shown.lookup.failed.emit("There is no run library.")
    )
    window.start()
    qtbot.waitUntil(lambda: history.iterations > watched + 2, timeout=20_000)
    window.start_or_pause()
    reach(window, RunState.PAUSED)
    said = f"the last that was watched of {history.iterations:,}"
    qtbot.waitUntil(lambda: panel.heading.text().endswith(said) and not panel.shown.settles)
    assert panel.heading.text().startswith(f"iteration {watched:,} · ")
    assert panel._stage.filled
    # How far it has come is said meanwhile.
    monkeypatch.setattr(BatchLookup, "busy", True)
    monkeypatch.setattr(BatchLookup, "approach", Approach(2, 4, 7))
    panel._say("It is made again …")
    qtbot.waitUntil(lambda: "2 of 5 iterations" in words(panel), timeout=5_000)


def test_the_update_of_an_earlier_iteration_is_made_again(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    each_is_kept(monkeypatch)
    window, panel = stepped("trpo", *(["iteration"] * 3), collection__episodes_per_update=4)
    live = window.controller.history.watched
    assert live.iteration == 3
    qtbot.waitUntil(lambda: any(kept.iteration == 2 for kept in window.panels.past.kept), timeout=20_000)
    window.panels.past.asked.emit(2)
    qtbot.waitUntil(lambda: panel._update.iteration == 2 and panel.pages.isVisible(), timeout=20_000)
    click_line(panel, "step")
    assert panel._update.batch is not None
    assert panel._update.tries
    assert panel.pages.ellipse.isVisible()
    assert "iteration 2" in panel.heading.text()
    window.panels.past.asked.emit(None)
    qtbot.waitUntil(lambda: panel._update is live, timeout=20_000)


def test_what_falls_due_while_nobody_sees_it_is_made_again_once_somebody_does(
    unwatched: tuple[MainWindow, UpdatePanel],
    reach: Reach,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where it is unseen only for the moment, in which nothing of it is drawn anew."""
    window, panel = unwatched
    history, asked, seen = window.controller.history, list[int](), [False]
    monkeypatch.setattr(UpdatePanel, "watched", property(lambda _panel: seen[0]))
    panel._looking.setInterval(60_000)  # it has not noticed yet
    look = panel.shown.lookup.look

    def asks(run: str, environment: EnvironmentInfo, wanted: Wanted) -> None:
        asked.append(wanted.iteration or 0)
        look(run, environment, wanted)

    monkeypatch.setattr(panel.shown.lookup, "look", asks)
    window.step("iteration")
    reach(window, RunState.PAUSED)
    assert panel.shown.settles
    qtbot.waitUntil(lambda: not panel.shown.settles)
    assert asked == []
    seen[0] = True
    panel._looking.setInterval(20)
    qtbot.waitUntil(lambda: panel.heading.text().startswith("iteration 2 · ") and panel.shown.made is not None)
    assert asked == [2]
    assert history.watched.iteration == 1


def test_news_does_not_put_off_an_update_that_is_due(
    unwatched: tuple[MainWindow, UpdatePanel], reach: Reach, qtbot: QtBot
) -> None:
    window, panel = unwatched
    settling = panel.shown._settled
    settling.setTimerType(Qt.TimerType.PreciseTimer)
    settling.setInterval(60_000)  # longer than any machine takes for what follows
    window.step("iteration")
    reach(window, RunState.PAUSED)
    qtbot.waitUntil(lambda: panel.shown.settles)
    qtbot.waitUntil(lambda: settling.remainingTime() < 59_950)
    panel.refresh(window.controller.history)
    panel._look_again()
    assert 0 < settling.remainingTime() < 59_950


def test_what_a_person_has_asked_for_is_not_begun_once_more(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as the timeline rests, nor as more is kept of the run."""
    past, panel, asked = Past(), PanelWidget(), list[int]()
    qtbot.addWidget(panel)
    monkeypatch.setattr(PanelWidget, "watched", True)
    shown = ShownUpdate(past, SlowMotion(), None, panel)
    config = PolicyGradientConfig()
    shown.set_choice(ENVIRONMENTS[config.environment.id], config)
    look = shown.lookup.look

    def begin(run: str, environment: EnvironmentInfo, wanted: Wanted) -> None:
        look(run, environment, wanted)
        asked.append(wanted.iteration or 0)

    monkeypatch.setattr(shown.lookup, "look", begin)
    monkeypatch.setattr(shown.lookup, "_folder", Path())
    monkeypatch.setattr(shown.lookup._work, "ask", lambda *_: None)  # which takes for ever
    past.run = "a"
    past.show(Instant(Kept(3, 300)))
    assert shown.settles
    shown.look_into(3)
    shown._follow()
    past.set_kept([Kept(1, 100), Kept(3, 300)])
    shown._follow()
    assert asked == [3]
    past.show(Instant(Kept(1, 100)))
    shown._follow()
    assert asked == [3, 1]


def test_what_is_not_written_yet_is_made_again_once_it_is(
    unwatched: tuple[MainWindow, UpdatePanel],
    reach: Reach,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window, panel = unwatched
    lookup, past = panel.shown.lookup, window.panels.past
    look, written = lookup.look, [False]

    def asks(run: str, environment: EnvironmentInfo, wanted: Wanted) -> None:
        if written[0]:
            look(run, environment, wanted)
        else:
            lookup.failed.emit("Nothing was kept of the run.")

    monkeypatch.setattr(lookup, "look", asks)
    window.step("iteration")
    reach(window, RunState.PAUSED)
    qtbot.waitUntil(lambda: panel.shown._tried is not None and not panel.shown.settles, timeout=20_000)
    qtbot.waitUntil(lambda: any(kept.iteration == 2 for kept in past.kept), timeout=20_000)
    assert panel.heading.text().endswith("the last that was watched of 2")
    written[0] = True
    past.set_kept(past.kept[:-1])  # as if the last had come only now
    qtbot.waitUntil(lambda: panel.heading.text().endswith("made again, exact"), timeout=20_000)
