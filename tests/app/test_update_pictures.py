"""What an update in slow motion is put together from, and its pictures by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.watched_update import WatchedUpdate
from app.panels.update.cells import binned, layout_of
from app.panels.update.pages import Pages
from app.panels.update.plots import contour_of
from app.panels.update.rows import ThetaRows
from app.panels.update.words import component_words, counted
from app.plotting.plot import Plot
from app.session.mailbox import Mailbox
from app.style.format import tick_labels
from app.style.theme import load_theme, tabular
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.equations import equation
from engine.equations.pseudo_code import code_lines, lit_terms
from engine.reports.events import EpisodeEnded, Event, Updated
from engine.reports.update_events import ComponentChange, LayerChange, PolicyChange, TrustRegion, UpdateStep
from engine.training.training import Training
from tests.app.shorthands import SMALL_CORRIDOR

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton


def told_by(algorithm: str) -> list[Event]:
    config = choose(
        with_values(PolicyGradientConfig(), SMALL_CORRIDOR | {"budget.environment_steps": 1}), ALGORITHMS[algorithm]
    )
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
    config = choose(with_values(PolicyGradientConfig(), SMALL_CORRIDOR), ALGORITHMS[algorithm])
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


def test_steps_are_told_by_epoch_and_minibatch_and_how_many_come_is_known_from_the_first() -> None:
    config = choose(with_values(PolicyGradientConfig(), SMALL_CORRIDOR), ALGORITHMS["ppo"])
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


def test_two_pictures_stand_above_each_other_where_they_have_no_room_beside(qtbot: QtBot) -> None:
    theme = load_theme("dark")
    pages = Pages(theme)
    qtbot.addWidget(pages)
    pages.apply_theme(theme)
    pages.setCurrentWidget(pages.ratios.parentWidget())
    pages.show()
    for size, above in (((340, 330), True), ((340, 180), False), ((620, 330), False), ((620, 180), False)):
        pages.resize(*size)
        QApplication.processEvents()
        one, other = pages.ratios.geometry(), pages.kl.geometry()
        assert not one.intersects(other)
        assert (one.bottom() < other.top()) is above, size
        assert (one.right() < other.left()) is not above, size
    pages.setCurrentWidget(pages.ellipse.parentWidget())
    pages.resize(340, 330)
    QApplication.processEvents()
    assert pages.ellipse.height() > 2 * pages.tries.height()


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
    for width in (165, 205, 300, 600):  # the first two are those of small windows, beside another picture
        rows.resize(width, 200)
        rows.grab()
        assert "layer 1 W[3,12]" in [text for _, text in drawn]
        for room, text in drawn:
            assert text.startswith("step in") or QFontMetricsF(tabular(rows.font())).horizontalAdvance(text) <= room
        drawn.clear()
