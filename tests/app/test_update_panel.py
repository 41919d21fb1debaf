"""The panel Update: what it shows of each line of an iteration, looked at with a real mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.advantages import AdvantagesPanel
from app.panels.inspector.panel import SamplesPanel
from app.panels.update.pages import ELLIPSE, RATIOS, kind_of
from app.panels.update.panel import UpdatePanel
from app.window.main_window import MainWindow
from engine.analysis.samples import Samples
from engine.reports.update_events import Inspected
from engine.runs import snapshot_keeper
from tests.app.plots.pointing import pixel_of
from tests.app.shorthands import bring_up, click_line, words

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton


def test_the_panel_follows_the_run_and_a_click_looks_back(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]], reach: Reach, qtbot: QtBot
) -> None:
    window, panel = stepped("reinforce-average-baseline", "episode", "baseline")
    equation_view, pages = window.experiment_panel.equation, panel.pages
    assert panel.code.lit == panel.stop == "baseline"
    at_baseline = equation_view.lit_at
    assert at_baseline is not None
    assert "Â" in panel.code.accessibleDescription()
    shown = pages.strips["advantage"]
    batch = window.controller.history.watched.batch
    assert isinstance(batch, Inspected)
    assert shown.isVisible()
    assert np.allclose(np.sort(shown._cells[np.isfinite(shown._cells)]), np.sort(batch.advantages), atol=1e-5)
    click_line(panel, "collect")
    assert (panel.stop, window.controller.slow.at) == ("collect", "baseline")
    assert pages.strips["reward"].isVisible()
    assert not shown.isVisible()
    assert equation_view.lit_at not in (None, at_baseline)  # the terms are those of what is looked at
    # What is under the mouse is told in numbers; the wheel looks closer, and a double click at all again.
    assert pages.strips["reward"].scale == ("−10", "10")
    shown.show_values("", "Â", np.ones(len(batch.rewards)))
    assert shown.scale == ("0", "1")  # both ends are told, also where one is 0
    strips = pages.strips["reward"]
    QTest.mouseMove(strips, strips.area.center().toPoint() - QPoint(1, 1))
    place = QPointF(strips.area.left() + 2, strips.area.top() + 2)
    QTest.mouseMove(strips, place.toPoint())
    assert pages.shared.hovered == 0
    assert panel.readout.text().startswith("step 0 · a ")
    for said in (panel.heading, panel.readout):
        assert said.height() >= said.heightForWidth(said.width()) >= said.fontMetrics().height()
    wheel = QWheelEvent(
        place, strips.mapToGlobal(place), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strips, wheel)
    assert pages.shared.window is not None
    QTest.mouseDClick(strips, LEFT, pos=place.toPoint())
    assert pages.shared.window is None
    # Keys lead from cell to cell, look closer at the one they have come to and again at all, and mean nothing else.
    strips.setFocus()
    trained = window.controller.history.steps
    layout = pages.shared.layout
    assert layout is not None
    QTest.keyClick(strips, Qt.Key.Key_Right)
    assert layout.place_of(pages.shared.hovered) == (0, 1)
    for key, there in ((Qt.Key.Key_Left, (0, 0)), (Qt.Key.Key_Left, (0, 0)), (Qt.Key.Key_Up, (0, 0))):
        QTest.keyClick(strips, key)
        assert layout.place_of(pages.shared.hovered) == there
    QTest.keyClick(strips, Qt.Key.Key_Plus)
    for _ in range(layout.longest):  # past the end of the row, which the part that is seen follows
        QTest.keyClick(strips, Qt.Key.Key_Right)
    row, last = layout.place_of(pages.shared.hovered)
    first, rows, start, seen = pages.shared.window or (0, layout.rows, 0, layout.longest)
    assert (row, last) == (0, int((layout.index[0] >= 0).sum()) - 1)
    assert first <= row < first + rows
    assert start <= last < start + seen
    for _ in range(3):
        QTest.keyClick(strips, Qt.Key.Key_Minus)
    assert pages.shared.window is None
    assert window.controller.history.steps == trained
    window.step("iteration")
    reach(window, RunState.PAUSED)
    assert panel.stop == "iteration"
    assert pages.pushed.isVisible()
    assert panel.play_button.isEnabled()
    assert kind_of(window.controller.history.watched) not in (RATIOS, ELLIPSE)
    click_line(panel, "step")
    assert pages.theta.isVisible()
    window.start()  # at full speed iterations are watched now and then while the panel is in sight
    qtbot.waitUntil(lambda: window.controller.history.watched.iteration > 2, timeout=20_000)
    assert window.training.stops.looked_at
    assert equation_view.lit_at is not None
    bring_up(window.panels.find(AdvantagesPanel))
    qtbot.waitUntil(lambda: not window.training.stops.looked_at)
    assert equation_view.lit_at is None
    assert panel.readout.text().strip()
    panel.reset()
    assert not panel.readout.text().strip()  # nor is what is not there explained


def test_ppo_is_scrubbed_minibatch_by_minibatch(stepped: Callable[..., tuple[MainWindow, UpdatePanel]]) -> None:
    window, panel = stepped("ppo", "iteration", update__epochs=3, update__minibatch_size=0, collection__steps=32)
    steps = window.controller.history.watched.steps
    assert len(steps) == 3
    click_line(panel, "step")
    assert panel.pages.ratios.isVisible()
    assert panel.taken == 3
    panel.slider.setFocus()
    QTest.keyClick(panel.slider, Qt.Key.Key_Home)
    assert panel.taken == 1
    assert panel.pages.kl._line.y.tolist() == pytest.approx([0.0, 1000.0 * steps[0].policy.kl])
    assert panel.count.text() == "epoch 1 of 3"
    QTest.mouseClick(panel.theta_button, LEFT, pos=QPoint(8, 8))
    assert panel.pages.theta.isVisible()


def test_bars_dots_and_cells_lead_to_their_samples(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)
    changes = {"update__epochs": 3, "update__minibatch_size": 0, "update__learning_rate": 0.3, "collection__steps": 32}
    window, panel = stepped("ppo", "iteration", "iteration", **changes)
    steps, batch = window.controller.history.watched.steps, window.controller.history.watched.batch
    assert batch is not None
    qtbot.waitUntil(lambda: any(kept.iteration == 1 for kept in window.panels.past.kept), timeout=20_000)
    samples = window.panels.find(SamplesPanel)

    def looked() -> Samples:
        qtbot.waitUntil(lambda: samples.isVisible() and not samples.lookup.busy, timeout=20_000)
        assert samples.samples is not None, words(samples)
        assert samples.samples.looked.exact
        assert np.array_equal(samples.samples.looked.batch.actions, batch.actions)
        return samples.samples

    # A bar of the ratios after the second of three steps holds those whose ratio lay there then, not at the end.
    click_line(panel, "step")
    panel.slider.setFocus()
    QTest.keyClick(panel.slider, Qt.Key.Key_Home)
    QTest.keyClick(panel.slider, Qt.Key.Key_Right)
    plot, bins = panel.pages.ratios, panel.pages.ratios._bins
    assert bins is not None
    assert bins.taken == 2
    shown = bins.shown
    highest = int(np.argmax(shown.shares))
    low = float(shown.edges[highest])
    QTest.mouseClick(
        plot.viewport(), LEFT, pos=pixel_of(plot, low + shown.width / 2, 50 * float(shown.shares[highest]))
    )
    looked()
    change = steps[1].policy
    assert change is not None
    then = np.exp(change.log_ratios.astype(float))
    assert samples.rows.rows.tolist() == change.rows[(then >= low) & (then < low + shown.width)].tolist()
    assert len(samples.rows.rows) == round(float(shown.shares[highest]) * len(then))
    assert "after step 2 of the update" in samples.heading.text()

    # A dot of push and change is one step, in the middle of its episode; so is a cell of a strip.
    bring_up(panel)
    click_line(panel, "iteration")
    pushed = panel.pages.pushed
    assert pushed._moved is not None
    dot = int(np.argmax(pushed._moved.push))
    at = pixel_of(pushed, float(pushed._moved.push[dot]), float(pushed._moved.change[dot]))
    QTest.mouseClick(pushed.viewport(), LEFT, pos=at)
    looked()
    row = samples.table.row
    assert row is not None
    push = dict(zip(pushed._moved.rows.tolist(), pushed._moved.push.tolist(), strict=True))
    assert push[row] == pytest.approx(float(pushed._moved.push[dot]), abs=1e-6)
    bring_up(panel)
    click_line(panel, "baseline")
    strips = panel.pages.strips["advantage"]
    place = strips.area.bottomRight().toPoint() - QPoint(3, 3)
    wanted = next(
        step for step in (strips.step_at(QPointF(place - QPoint(2 * left, 0))) for left in range(400)) if step >= 0
    )
    place = next(
        QPoint(x, place.y()) for x in range(place.x(), 0, -1) if strips.step_at(QPointF(x, place.y())) == wanted
    )
    QTest.mouseClick(strips, LEFT, pos=place)
    assert samples.table.row == wanted
    assert wanted in samples.rows.rows.tolist()
    assert len({int(looked().sequences[row]) for row in samples.rows.rows}) == 1
    bring_up(panel)
    strips.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):  # the first finds the first cell
        QTest.keyClick(strips, key)
    looked()
    assert panel.pages.shared.hovered == 1
    assert samples.table.row == 1


def test_what_action_values_learn_from_is_seen_step_by_step_and_leads_to_its_samples(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)
    replays = {"update__replay__learning_starts": 16, "update__replay__minibatch_size": 12, "policy": "mlp"}
    window, panel = stepped("sac", "iteration", "iteration", collection__steps=20, **replays)
    steps = window.controller.history.watched.steps
    qtbot.waitUntil(lambda: any(kept.iteration == 1 for kept in window.panels.past.kept), timeout=20_000)
    click_line(panel, "step")
    panel.slider.setFocus()
    QTest.keyClick(panel.slider, Qt.Key.Key_Home)
    QTest.keyClick(panel.slider, Qt.Key.Key_Right)
    errors, targets, step = panel.pages.errors, panel.pages.targets, steps[1]
    assert errors.isVisible()
    drawn, bins, pairs = step.drawn, errors._bins, targets._pairs
    assert drawn is not None
    assert step.errors is not None
    assert bins is not None
    assert pairs is not None
    ends = np.append(bins.shown.edges, bins.shown.edges[-1] + bins.shown.width)
    assert bins.shown.shares == pytest.approx(np.histogram(step.errors, ends)[0] / len(step.errors), abs=1e-6)
    assert pairs.targets - pairs.estimates == pytest.approx(step.errors, abs=1e-5)
    highest = int(np.argmax(bins.shown.shares))
    middle = float(bins.shown.edges[highest]) + bins.shown.width / 2
    QTest.mouseClick(errors.viewport(), LEFT, pos=pixel_of(errors, middle, 1.0))
    samples = window.panels.find(SamplesPanel)
    qtbot.waitUntil(lambda: samples.isVisible() and not samples.lookup.busy, timeout=20_000)
    assert samples.samples is not None, words(samples)
    looked = samples.samples.looked
    low, high = float(ends[highest]), float(ends[highest + 1])
    inside = ((step.errors >= low) & (step.errors < high)).reshape(-1, len(drawn.targets)).any(0)
    assert looked.batch.credit[samples.rows.rows] == pytest.approx(drawn.targets[inside])
    assert f"after step {step.step} of the update" in samples.heading.text()
    # A dot is one of them.
    bring_up(panel)
    QTest.mouseClick(
        targets.viewport(), LEFT, pos=pixel_of(targets, float(pairs.estimates[0]), float(pairs.targets[0]))
    )
    assert samples.rows.rows.tolist() == samples.samples.learned_in(step.step).tolist()
    row = samples.table.row
    assert row is not None
    assert looked.batch.credit[row] == pytest.approx(pairs.targets[0], abs=0.02 * float(np.ptp(pairs.targets)))
    assert "δ" in words(samples.sample)
