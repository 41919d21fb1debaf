"""The steps behind a bar, a dot and a moment, found by clicks in the real window, and walked through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.inspection import Wanted
from app.models.run_state import RunState
from app.panels.advantages import AdvantagesPanel
from app.panels.episode.panel import EpisodePanel
from app.panels.inspector.panel import BEFORE, OTHERWISE, SamplesPanel
from app.panels.inspector.rows import ACTION, SampleRows, SampleTable
from app.panels.inspector.sample_view import SampleView
from app.panels.inspector.words import _difference, approach_words, cut_words, probability_words
from app.panels.play.panel import PlayPanel
from app.panels.returns import ReturnsPanel
from app.plotting.plot import Plot
from app.style.format import short_number
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.analysis.inspecting import Approach, remade
from engine.analysis.samples import samples_of
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.runs import snapshot_keeper
from engine.training.training import Training
from tests.app.shorthands import words
from tests.each import each

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHORT = {
    "environment__id": "CartPole-v1",
    "update": "ppo-clip",
    "estimator__credit": "gae",
    "estimator__baseline": "value",
    "collection": "fixed-length",
    "collection__environments": 4,
    "collection__steps": 64,
    "budget__environment_steps": 1024,
}


@pytest.fixture(autouse=True)
def every_iteration_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)


@pytest.fixture
def window(make_window: Make, reach: Reach, qtbot: QtBot) -> MainWindow:
    """Of a run that has finished."""
    made = make_window(**SHORT)
    made.resize(1280, 800)
    made.start()
    reach(made, RunState.FINISHED)

    def seen() -> bool:
        made.run_library.look()
        there = [kept.iteration for kept in made.panels.past.kept]
        return len(there) > 3 and there[-1] == 4

    qtbot.waitUntil(seen, timeout=10_000)
    QApplication.processEvents()
    return made


def click(plot: Plot, place: QPointF) -> None:
    """Where the data has these coordinates."""
    viewport = plot.viewport()
    at = viewport.mapFrom(plot, place.toPoint())
    QTest.mouseMove(viewport, at)
    QTest.mouseClick(viewport, LEFT, NO_KEY, at)


def place_of(plot: Plot, x: float, y: float) -> QPointF:
    frame = plot._frame(plot.area)
    return QPointF(float(frame.to_x(x)), float(frame.to_y(y)))


def looked(panel: SamplesPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: panel.samples is not None and not panel.lookup.busy, timeout=20_000)
    QApplication.processEvents()


def test_a_bar_is_clicked_its_steps_are_walked_through_and_one_is_played_from(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.panels.find(AdvantagesPanel)
    shown = signal._shown
    assert shown is not None
    highest = int(np.argmax(shown.shares))
    middle = float(shown.edges[highest]) + shown.width / 2
    at = place_of(signal.plot, middle, 50 * float(shown.shares[highest]))
    click(signal.plot, at)
    panel = window.panels.find(SamplesPanel)  # which was made for that
    looked(panel, qtbot)
    assert panel.isVisible()
    assert not signal.watched
    samples = panel.samples
    assert samples is not None
    assert samples.looked.exact
    listed = panel.rows.rows
    assert len(listed) == round(float(shown.shares[highest]) * len(samples))
    values = samples.looked.batch.advantages[listed]
    assert (values >= shown.edges[highest]).all()
    assert (values < shown.edges[highest] + shown.width).all()
    assert f"{len(listed):,} of 256 steps" in panel.heading.text()

    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    row = int(listed[1])
    assert panel.table.row == row
    assert panel.sample.words.text().startswith("Push")
    assert "position" in words(panel)
    assert "Case" in words(panel)
    qtbot.waitUntil(lambda: not panel.sample.picture._picture.isHidden(), timeout=20_000)

    steps = panel.strip.steps
    other = int(steps[-1] if steps[-1] != row else steps[0])
    QTest.mouseClick(panel.strip, LEFT, NO_KEY, QPoint(round(panel.strip.x_of(other)), 10))
    assert panel.table.row == other

    QTest.mouseClick(panel.play_button, LEFT, NO_KEY, QPoint(10, panel.play_button.height() // 2))
    qtbot.waitUntil(lambda: window.playback._choice.playing is samples.looked.policy, timeout=20_000)
    assert not window.playback.follows

    # It can be held in that state, and goes on from there.
    panel.play_button.fill_menu()
    panel.play_button.menu().actions()[2].trigger()
    episode = window.panels.find(EpisodePanel)
    qtbot.waitUntil(lambda: episode._last is not None and episode._last.frame.step == 0, timeout=20_000)
    assert window.playback.paused
    assert episode.play_button.accessibleName() == "Play the episode"
    QTest.mouseClick(episode.play_button, LEFT)
    qtbot.waitUntil(lambda: episode._last is not None and episode._last.frame.step > 0, timeout=20_000)
    assert episode.play_button.accessibleName() == "Pause the episode"

    # The person may play on from there, which is no whole episode and says nothing of how he plays.
    panel.play_button.fill_menu()
    panel.play_button.menu().actions()[-1].trigger()
    game = window.panels.find(PlayPanel).page.game
    qtbot.waitUntil(lambda: game.moment is not None, timeout=20_000)
    assert window.panels.find(PlayPanel).isVisible()
    play = game.thread_of_play._play
    assert play is not None
    assert np.allclose(play._observations[0][0], samples.looked.batch.observations[other])
    game.leave()

    # A bar with nothing in it leads nowhere, and the right-click menu and Return lead where a click does.
    window.docks.bring_forward("Signal")
    QApplication.processEvents()
    empty = float(shown.edges[int(np.argmin(shown.shares))]) + shown.width / 2
    if shown.shares.min() == 0:
        click(signal.plot, place_of(signal.plot, empty, 1.0))
        assert signal.watched
    signal.plot.setFocus()
    signal.plot._point_at(None)
    QTest.keyClick(signal.plot, Qt.Key.Key_Return)
    assert not signal.watched
    assert len(panel.rows.rows) == len(samples)

    # In front of a room, a click leads from panel to panel as well.
    window.docks.bring_forward("Signal")
    window.present.toggle()
    window.present.show_panel("Signal")
    QApplication.processEvents()
    click(signal.plot, place_of(signal.plot, middle, 50 * float(shown.shares[highest])))
    assert panel.isVisible()
    assert not signal.isVisible()
    assert len(panel.rows.rows) == len(listed)
    window.present.leave()


def test_a_dot_and_a_moment_lead_to_their_steps_and_what_cannot_be_shown_is_said(
    window: MainWindow, qtbot: QtBot
) -> None:
    returns, panel = window.panels.find(ReturnsPanel), window.panels.find(SamplesPanel)
    history = window.controller.history
    index = len(history.episode_returns) // 2
    total = float(history.episode_returns.values[index])
    click(returns.plot, place_of(returns.plot, float(history.episode_steps.values[index]), total))
    looked(panel, qtbot)
    samples = panel.samples
    assert samples is not None
    # Another dot may lie upon this one; whichever it is, its steps are those of an episode of that length.
    last = int(panel.rows.rows[-1])
    assert samples.looked.batch.elapsed[last] + 1 == total
    assert samples.looked.batch.terminated[last]
    assert "episode" in panel.heading.text()

    kept = window.panels.past.kept[1]
    line = returns.timeline
    QTest.mouseClick(line, LEFT, NO_KEY, QPoint(round(line._x_of(kept)), line.height() // 2))
    QTest.mouseClick(line.bar.samples_button, LEFT)
    qtbot.waitUntil(lambda: panel.samples is not None and panel.samples.looked.iteration == kept.iteration)
    # Whatever else is asked for stays, until the timeline is moved on.
    window.panels.inspection.ask(Wanted(kept.iteration + 1))
    looked(panel, qtbot)
    panel._follow_past()
    assert not panel.lookup.busy
    assert panel.samples is not None
    assert panel.samples.looked.iteration == kept.iteration + 1
    other = window.panels.past.kept[-2]
    QTest.mouseClick(line, LEFT, NO_KEY, QPoint(round(line._x_of(other)), line.height() // 2))
    moved = window.panels.past.shown
    assert moved is not None
    qtbot.waitUntil(lambda: panel.samples is not None and panel.samples.looked.iteration == moved.at.iteration)
    QTest.mouseClick(line.bar.now_button, LEFT)

    window.panels.inspection.ask(Wanted(0))
    assert BEFORE in words(panel)
    window.panels.inspection.ask(Wanted(99))
    qtbot.waitUntil(lambda: "99 is none of them" in words(panel), timeout=10_000)
    library = window.run_library.library
    assert library is not None
    run = window.panels.past.run
    library.forget(run)  # by another window, meanwhile
    window.panels.inspection.ask(Wanted(2))
    qtbot.waitUntil(lambda: not panel.lookup.busy, timeout=10_000)
    assert panel.samples is None
    assert "no run" in words(panel)

    assert window.experiment.environment is not None
    clones = choose(window.experiment.config, ALGORITHMS["behavioural-cloning"])
    panel.set_choice(window.experiment.environment, clones)
    window.panels.inspection.ask(Wanted(3))
    assert OTHERWISE in words(panel)


def test_where_an_episode_is_cut_off_it_is_said_by_what_psi_is_more_than_was_seen() -> None:
    cut = {"collection": "fixed-length", "collection.environments": 2, "collection.steps": 20}
    small = {"environment": "Corridor-v0", "policy": "tabular", "device": "cpu", **cut}
    start = with_values(PolicyGradientConfig(), small)
    training = Training(choose(start, ALGORITHMS["reinforce-learned-baseline"]))
    state = training.state()
    training.close()
    found = remade(state, 3)  # by when V is not 0 any more
    assert found is not None
    samples = samples_of(found)
    told = [cut_words(samples, row) for row in range(len(samples))]
    cut_off = [bool(found.batch.truncated[samples.sequence_of(row)[-1]]) for row in range(len(samples))]
    assert 0 < sum(cut_off) < len(samples)
    assert [bool(words) for words in told] == cut_off
    last = int(np.flatnonzero(found.batch.truncated)[0])
    assert told[last].startswith(f"G = {short_number(float(found.batch.rewards[last]))} was seen; 1 step on")


def test_why_there_is_no_picture_is_said_where_a_sentence_has_room_and_once(qtbot: QtBot) -> None:
    sample = SampleView(load_theme("light"))
    qtbot.addWidget(sample)
    sample.resize(240, 180)
    sample.show()
    sample.words.setText("What is known of it.")
    why = "LunarLander-v3 cannot be set to a state: what it shows does not tell all that is inside it."
    for _ in range(2):
        sample.show_no_picture(why)
    assert sample.words.text() == f"What is known of it.\n{why}"
    letters, room = sample.picture.fontMetrics(), sample.picture._sentence.contentsRect()
    assert letters.boundingRect(room, Qt.TextFlag.TextWordWrap, sample.picture.sentence).height() <= room.height()
    for _ in range(2):
        sample.say(why)  # who asks to play from there reads it first
    assert sample.words.text() == f"{why}\nWhat is known of it."


def test_a_number_is_in_brackets_only_where_it_has_a_sign_of_its_own() -> None:
    told = [_difference("Â", 9.79, subtrahend) for subtrahend in (1.5, -1.5, -0.001, 0.0)]
    assert told == [
        "Â = 9.79 − 1.50 = 8.29",
        "Â = 9.79 − (−1.50) = 11.29",
        "Â = 9.79 − 0.00 = 9.79",
        "Â = 9.79 − 0.00 = 9.79",
    ]


@each(
    ("at", "told"),
    [
        (Approach(84, 84, 87), "number 1 of 3 iterations is under way"),
        (Approach(84, 87, 87), "number 3 of 3 iterations is under way"),  # and not that 3 of 3 are done
        (Approach(0, 1, 1), "after iteration 0: it is under way"),
    ],
)
def test_how_far_making_an_iteration_again_has_come_counts_none_that_is_not_done(at: Approach, told: str) -> None:
    assert told in approach_words(at)


def test_a_ratio_is_told_alike_in_the_table_and_in_words() -> None:
    """What counts of one is how far from 1 it is, however near that."""
    small = {"environment": "Corridor-v0", "policy": "tabular", "device": "cpu", "budget.environment_steps": 10_000}
    training = Training(choose(with_values(PolicyGradientConfig(), small), ALGORITHMS["ppo"]))
    state = training.state()
    training.close()
    found = remade(state, 1)
    assert found is not None
    samples = samples_of(found)
    assert samples.ratios is not None
    assert (samples.ratios != 1.0).any()
    space = found.policy.environment.action
    table = SampleRows()
    table.show(samples, np.arange(len(samples)))
    column = [table.headerData(each, Qt.Orientation.Horizontal) for each in range(table.columnCount())].index("ρ")
    for row in range(0, len(samples), 17):
        told = table.data(table.index(row, column))
        assert told == f"{samples.ratios[row]:.3f}"
        assert f"ρ = {told}" in probability_words(samples, row, space)


def test_no_number_and_no_action_is_cut_in_the_table(qtbot: QtBot) -> None:
    small = {"environment": "CartPole-v1", "device": "cpu", "collection": "fixed-length", "collection.steps": 40}
    training = Training(choose(with_values(PolicyGradientConfig(), small), ALGORITHMS["ppo"]))
    state = training.state()
    training.close()
    found = remade(state, 1)
    assert found is not None
    action = Space("discrete", 2, labels=("fire the left engine", "wait"))
    environment = replace(found.policy.environment, action=action)
    batch = replace(found.batch, advantages=found.batch.advantages * 1e-3)
    samples = samples_of(replace(found, batch=batch, policy=replace(found.policy, environment=environment)))
    rows = SampleRows()
    table = SampleTable(rows)
    qtbot.addWidget(table)
    table.apply_theme(load_theme("light"))
    table.show()
    rows.show(samples, np.arange(len(samples)))
    letters = table.fontMetrics()
    for width in range(340, 640, 20):
        table.resize(width, 200)
        shown = [column for column in range(rows.columnCount()) if not table.isColumnHidden(column)]
        assert len(shown) >= 5
        for column in shown:
            texts = [rows.data(rows.index(row, column)) for row in range(rows.rowCount())]
            assert max(map(letters.horizontalAdvance, texts)) + 6 <= table.columnWidth(column), (width, column)
    assert rows.data(rows.index(0, ACTION), Qt.ItemDataRole.ToolTipRole) in action.labels


def test_what_is_not_written_yet_is_shown_once_it_is(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a run that was paused early, whose recorder has not come so far."""
    panel, past = window.panels.find(SamplesPanel), window.panels.past
    look, written = panel.lookup.look, [False]

    def asks(run: str, environment: EnvironmentInfo, wanted: Wanted) -> None:
        if written[0]:
            look(run, environment, wanted)
        else:
            panel.lookup.failed.emit("Nothing is written down yet.")

    monkeypatch.setattr(panel.lookup, "look", asks)
    kept = past.kept
    window.panels.inspection.ask(Wanted(2))
    assert "Nothing is written down yet." in words(panel)
    past.set_kept(kept[:-1])  # something else, but not yet what it takes
    assert "Nothing is written down yet." in words(panel)
    written[0] = True
    past.set_kept(kept)
    looked(panel, qtbot)
    assert panel.samples is not None
    assert panel.samples.looked.iteration == 2
    # What is there, or is not asked for any more, is not looked for again.
    written[0] = False
    past.set_kept(kept[:-1])
    assert panel.samples is not None
    window.panels.inspection.ask(Wanted(3))
    written[0] = True
    window.panels.inspection.ask(Wanted(0))
    past.set_kept(kept)
    assert not panel.lookup.busy
    assert BEFORE in words(panel)
