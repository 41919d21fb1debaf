"""The panel Update: what it shows of each line of an iteration, looked at with a real mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.models.watched_update import WatchedUpdate
from app.panels.advantages import AdvantagesPanel
from app.panels.inspector.panel import SamplesPanel
from app.panels.update.cells import binned, layout_of
from app.panels.update.pages import ELLIPSE, RATIOS, Pages, kind_of
from app.panels.update.panel import UpdatePanel
from app.panels.update.plots import contour_of
from app.panels.update.rows import ThetaRows
from app.panels.update.words import component_words, counted
from app.plotting.plot import Plot
from app.session.batch_lookup import BatchLookup
from app.session.mailbox import Mailbox
from app.style.format import tick_labels
from app.style.theme import load_theme, tabular
from app.window.main_window import MainWindow
from engine.analysis.inspecting import Approach
from engine.analysis.samples import Samples
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.stops import Until
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset
from engine.equations import equation
from engine.equations.pseudo_code import code_lines, lit_terms
from engine.reports.events import EpisodeEnded, Event, Updated
from engine.reports.update_events import ComponentChange, Inspected, LayerChange, PolicyChange, TrustRegion, UpdateStep
from engine.runs import snapshot_keeper
from engine.training.training import Training
from tests.app.plots.pointing import pixel_of
from tests.app.shorthands import words

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton
SMALL = {"environment": "Corridor-v0", "policy": "tabular", "device": "cpu", "budget.environment_steps": 50_000}


def told_by(algorithm: str) -> list[Event]:
    config = choose(with_values(PolicyGradientConfig(), SMALL | {"budget.environment_steps": 1}), ALGORITHMS[algorithm])
    training = Training(config)
    training.watched = True
    told = list(training)
    training.close()
    return told


def put_together(events: Sequence[Event]) -> WatchedUpdate:
    update = WatchedUpdate()
    for event in events:
        update = update.with_event(event)
    return update


def test_cells_hold_each_step_of_each_episode_once() -> None:
    told = told_by("reinforce")
    update = put_together(told)
    assert update.over
    batch = update.batch
    assert batch is not None
    layout = layout_of(batch)
    assert layout.rows == len(update.episodes)
    assert sorted(layout.index[layout.index >= 0].tolist()) == list(range(len(batch.rewards)))
    totals = np.nansum(layout.cells(batch.rewards.astype(float)), axis=1)
    assert np.allclose(sorted(totals), sorted(episode.total for episode in update.episodes), atol=1e-4)
    # The next iteration begins another update, be it only with the end of an episode.
    ended = next(event for event in told if isinstance(event, EpisodeEnded))
    assert put_together([*told, ended]).batch is None
    assert not put_together([ended, Updated(1, environment_steps=ended.environment_steps - 1)]).over


def test_what_is_large_of_a_step_is_not_kept_for_the_window() -> None:
    step = next(event for event in told_by("q-learning") if isinstance(event, UpdateStep))
    mailbox = Mailbox()
    mailbox.put(step)
    (kept,) = mailbox.take().watched
    assert isinstance(kept, UpdateStep)
    assert kept.drawn is not None
    assert step.drawn is not None
    for rows in (kept.parameter_change, kept.drawn.observations):
        assert rows.size == 0
        assert rows.base is None  # of which nothing else is held
    assert kept.drawn.targets is step.drawn.targets


def test_bins_are_means_of_what_they_stand_for() -> None:
    cells = np.array([[1.0, 3.0, 5.0, np.nan], [1.0, 5.0, np.nan, np.nan]])
    assert np.allclose(binned(cells, 2, 2), [[2.0, 5.0], [3.0, np.nan]], equal_nan=True)
    assert np.allclose(binned(cells, 1, 4), [[1.0, 4.0, 5.0, np.nan]], equal_nan=True)


def test_every_point_of_the_ellipse_has_the_divergence_and_the_step_gains_most() -> None:
    (region,) = (event for event in told_by("trpo") if isinstance(event, TrustRegion))
    assert region.limit is not None
    points = np.stack(contour_of(region, region.limit))
    assert np.allclose(0.5 * np.einsum("in,ij,jn->n", points, region.fisher, points), region.limit)
    assert (region.gradient @ points).max() <= region.gradient @ region.step * (1 + 1e-6)
    assert (region.gradient @ points).max() == pytest.approx(region.gradient @ region.step, rel=1e-2)


@pytest.mark.parametrize("algorithm", ["reinforce", "a2c", "ppo", "trpo", "npg", "off-policy-pg", "rloo"])
def test_every_line_of_pseudo_code_lights_terms_of_its_own(algorithm: str) -> None:
    config = choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS[algorithm])
    training = Training(config)
    lines = equation(config, training.environment)
    training.close()
    lit = {line.stop: lit_terms(lines, line.stop) for line in code_lines(config) if line.stop != "iteration"}
    plain = {"baseline"} if algorithm == "reinforce" else set()
    assert {stop for stop, terms in lit.items() if not terms} == plain
    assert not lit["credit"] & lit["baseline"]
    assert not lit["weight"] & lit["step"]


def test_what_a_line_means_has_room_beneath_its_picture_in_a_small_window() -> None:
    """Of 1280 pixels, where some 70 letters have room."""
    for algorithm in ALGORITHMS.values():
        for line in code_lines(choose(PolicyGradientConfig(), algorithm)):
            assert len(line.meaning) <= 68, line.meaning


@pytest.fixture
def stepped(make_window: Make, reach: Reach) -> Callable[..., tuple[MainWindow, UpdatePanel]]:
    """A window whose panel Update is in sight and whose run has been taken through some stops."""

    def make(algorithm: str, *stops: Until, **values: object) -> tuple[MainWindow, UpdatePanel]:
        window = make_window(environment="Corridor-v0", device="cpu", policy="tabular")
        config = choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS[algorithm])
        changes = {path.replace("__", "."): value for path, value in values.items()}
        window.choice_loader.load(Preset(title="Small", config=with_values(config, changes)))
        panel = window.panels.find(UpdatePanel)
        bring_up(panel)
        for stop in stops:
            window.step(stop)
            reach(window, RunState.PAUSED)
        return window, panel

    return make


def bring_up(panel: QWidget) -> None:
    dock = panel
    while not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    dock.raise_()
    QApplication.processEvents()


def click_line(panel: UpdatePanel, stop: str) -> None:
    QTest.mouseClick(panel.code, LEFT, pos=panel.code.place_of(stop).center().toPoint())


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


def test_steps_are_told_by_epoch_and_minibatch_and_how_many_come_is_known_from_the_first() -> None:
    config = choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS["ppo"])
    changes = {"update.epochs": 3, "update.minibatch_size": 100, "collection.steps": 32, "collection.environments": 8}
    training = Training(with_values(config, changes))
    training.watched = True
    update, told = WatchedUpdate(), list[str]()
    for event in training:
        update = update.with_event(event)
        if isinstance(event, UpdateStep):
            told.append(counted(event, update))
            assert update.expected == 9
        if isinstance(event, Updated):
            break
    training.close()
    assert told == [f"epoch {epoch} of 3, minibatch {number} of 3" for epoch in (1, 2, 3) for number in (1, 2, 3)]
    assert update.over
    assert update.expected == 9


def test_both_axes_of_every_picture_of_an_update_have_names(qtbot: QtBot) -> None:
    theme = load_theme("dark")
    pages = Pages(theme)
    qtbot.addWidget(pages)
    pages.apply_theme(theme)
    plots = pages.findChildren(Plot)
    assert len(plots) == 8
    for plot in plots:
        for axis in (plot.left, plot.bottom):
            assert axis.title, plot.title
            # beside the axis of a low plot there is room for a unit
            assert plot.letters.horizontalAdvance(axis.shorter[-1]) <= plot.left.width(), axis.shorter
    none = np.empty(0, np.float32)
    pages.kl.resize(400, 400)
    for kl in (2e-4, 1.5e-3, 0.0133, 0.04, 0.5):  # beside whose labels the title has room, however small
        change = PolicyChange(np.empty(0, np.int64), none, None, None, kl, None)
        pages.kl.show_steps([change], 1, 80)
        spacing, ticks = pages.kl.left.ticks(*pages.kl.ranges[1], 300.0)
        widest = max(map(pages.kl.letters.horizontalAdvance, tick_labels(ticks, spacing)))
        assert widest + 6 + pages.kl.letters.height() <= pages.kl.left.width(), kl


def test_parameters_go_by_state_and_action_or_by_layer_and_no_name_is_cut(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = with_values(PolicyGradientConfig(), {"environment": "GridWorld-v0", "policy": "tabular"})
    grid, pole = ENVIRONMENTS["GridWorld-v0"], ENVIRONMENTS["CartPole-v1"]
    right = grid.action.labels.index("right")
    cell = component_words(ComponentChange("θ", (8, right), 0.0, 0.1), grid, config)
    assert cell == "2, 4: right"
    weight = ComponentChange("layer 1 W", (3, 12), -0.107, -0.0391)
    assert component_words(weight, pole, PolicyGradientConfig()) == "layer 1 W[3,12]"
    rows = ThetaRows(load_theme("dark"))
    rows.called = lambda one: component_words(one, pole, PolicyGradientConfig())
    layers = tuple(LayerChange(f"layer {number} W", (64, 64), 0.1, 0.0433) for number in (1, 2))
    none = np.empty(0, np.float32)
    step = UpdateStep(1, 1, {}, np.empty(0, np.int64), none, None, 1.0, none, layers=layers, largest=(weight,) * 3)
    rows.show_step(step)
    qtbot.addWidget(rows)
    drawn: list[tuple[float, str]] = []
    monkeypatch.setattr(rows, "_write", lambda _painter, place, text, **_: drawn.append((place.width(), text)))
    for width in (205, 300, 600):  # the first is that of a small window, beside an ellipse
        rows.resize(width, 200)
        rows.grab()
        assert "layer 1 W[3,12]" in [text for _, text in drawn]
        for room, text in drawn:
            assert text.startswith("step in") or QFontMetricsF(tabular(rows.font())).horizontalAdvance(text) <= room
        drawn.clear()


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


def test_where_a_run_waits_the_update_of_its_last_iteration_is_seen(
    stepped: Callable[..., tuple[MainWindow, UpdatePanel]],
    reach: Reach,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where that went unwatched, as most do at full speed, be it paused after or stepped through to its end."""
    window, panel = stepped("reinforce", "iteration")
    monkeypatch.setattr(window.training.stops, "watches", lambda: False)
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
    monkeypatch.setattr(panel.lookup, "look", lambda *_: panel.lookup.failed.emit("There is no run library."))
    window.start()
    qtbot.waitUntil(lambda: history.iterations > watched + 2, timeout=20_000)
    window.start_or_pause()
    reach(window, RunState.PAUSED)
    said = f"the last that was watched of {history.iterations:,}"
    qtbot.waitUntil(lambda: panel.heading.text().endswith(said) and not panel._settled.isActive())
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
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # every iteration is kept, however little time it takes
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)
    window, panel = stepped("trpo", *(["iteration"] * 3), collection__episodes_per_update=4)
    live = window.controller.history.watched
    assert live.iteration == 3
    qtbot.waitUntil(lambda: len(window.panels.past.kept) > 1, timeout=20_000)
    window.panels.past.asked.emit(2)
    qtbot.waitUntil(lambda: panel._update.iteration == 2 and panel.pages.isVisible(), timeout=20_000)
    click_line(panel, "step")
    assert panel._update.batch is not None
    assert panel._update.tries
    assert panel.pages.ellipse.isVisible()
    assert "iteration 2" in panel.heading.text()
    window.panels.past.asked.emit(None)
    qtbot.waitUntil(lambda: panel._update is live, timeout=20_000)
