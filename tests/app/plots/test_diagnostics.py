"""Diagnostics: small plots of all metrics over one axis."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.past import Past
from app.panels.columns import columns_for, places
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.small_plot import beside_ghost
from app.style.flash import Flash
from app.style.text import SteadyLabel
from app.style.theme import apply, load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.reports.events import Change, Updated
from tests.app.plots.pointing import pixel_of, point_at, wheel
from tests.app.shorthands import a_ghost, a_run, experiment, words

DARK = load_theme("dark")
CARTPOLE = ENVIRONMENTS["CartPole-v1"]


def test_diagnostics_write_out_current_values(qtbot: QtBot) -> None:
    panel = DiagnosticsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh(a_run())
    assert "L = −3.00" in words(panel)


def test_diagnostics_explain_themselves_on_hover(qtbot: QtBot) -> None:
    panel = DiagnosticsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    assert "How undecided the policy is" in panel.smalls[1].explanation


def test_a_wide_panel_has_more_columns() -> None:
    assert columns_for(1200, 220, 5, 200) > columns_for(420, 220, 5, 200) == 1


def test_every_column_has_one_horizontal_axis() -> None:
    assert places(QSize(900, 260), 5, 2, 40)[1] == [False, False, True, False, True]


@pytest.fixture
def panel(qtbot: QtBot) -> DiagnosticsPanel:
    panel = DiagnosticsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.resize(460, 420)
    panel.show()
    return panel


def test_every_trace_is_read_out_with_its_unit_and_the_earlier_run(panel: DiagnosticsPanel) -> None:
    panel.set_choice(CARTPOLE, experiment(budget__environment_steps=500).config)
    panel.refresh(a_run(iterations=5))
    panel.show_ghosts([a_ghost()])
    loss = panel.plots[0]
    point_at(loss, 310.0, -3.0)
    assert loss.reading.lines == ("Policy loss −3", "at 300 environment steps", "run 1: −3")


def test_what_happened_is_marked_on_every_plot_and_told_under_the_mouse(panel: DiagnosticsPanel) -> None:
    change = Change("update.learning_rate", 0.01, 0.001, 2, 150, 2, 1.0)
    panel.set_choice(CARTPOLE, experiment(budget__environment_steps=500).config)
    panel.refresh(a_run(changes=(change,)))
    assert {(m.x, m.text, m.shape) for small in panel.smalls for m in small.moments} == {
        (150.0, "α 0.01 → 0.001", "diamond")
    }
    point_at(panel.plots[0], 150.0, -2.0)
    assert "α 0.01 → 0.001" in panel.plots[0].reading.lines


def test_all_plots_move_together_along_their_axis(panel: DiagnosticsPanel, qtbot: QtBot) -> None:
    panel.refresh(a_run())
    first, last = panel.plots[0], panel.plots[-1]
    before = last.seen
    wheel(first, pixel_of(first, 200.0, -2.0), modifiers=Qt.KeyboardModifier.ControlModifier)
    assert last.seen[0] == first.seen[0] != before[0]
    assert last.seen[1] == before[1]
    qtbot.keyClick(first, Qt.Key.Key_A)
    assert last.seen == before


def test_an_enlarged_plot_goes_on_while_its_panel_is_out_of_sight(panel: DiagnosticsPanel, qtbot: QtBot) -> None:
    panel.refresh(a_run())
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QWidget())
    panel.setParent(window.centralWidget())
    window.show()
    panel.show()
    panel.plots[0].setFocus()
    qtbot.keyClick(panel.plots[0], Qt.Key.Key_E)
    panel.hide()
    assert panel.watched
    window.hide()
    assert not panel.watched  # nor can be seen what is enlarged
    window.show()
    panel.plots[0].shrink()
    assert not panel.watched
    panel.setParent(None)  # or it would go with the window


def test_a_plot_that_goes_is_not_left_enlarged(panel: DiagnosticsPanel, qtbot: QtBot) -> None:
    value = next(small for small in panel.smalls if small.plot.title == "Value loss")
    value.plot.toggle_enlarged()
    panel.set_choice(CARTPOLE, experiment(estimator__baseline__kind="none").config)
    assert value.plot.enlarged is None


def test_an_earlier_run_that_went_astray_does_not_flatten_what_goes_on() -> None:
    assert beside_ghost(0.0, 2.0, (-50.0, 1000.0)) == (-2.0, 4.0)
    assert beside_ghost(0.0, 2.0, (0.5, 2.5)) == (0.0, 2.5)
    assert beside_ghost(0.0, 2.0, (math.nan, math.nan)) == (0.0, 2.0)


def test_a_metric_is_written_down_with_its_unit_in_full(panel: DiagnosticsPanel) -> None:
    panel.name_run("seed 1")
    panel.refresh(a_run(iterations=900))
    lines = panel.plots[0].numbers().text().splitlines()
    assert lines[0] == "run,environment steps,episodes,training time (s),Policy loss"
    assert (len(lines), lines[1]) == (901, "seed 1,100,2,1.0,-1.0")
    entropy = panel.plots[1].numbers().text().splitlines()
    assert entropy[:2] == ["run,environment steps,episodes,training time (s),Entropy (nats)", "seed 1,100,2,1.0,"]


@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("high", [4e-3, 2.5e-4, 6e-5, 3e-7, 0.7, 480.0, 8.8e4, 3e6])
def test_every_label_of_a_small_plot_has_room(panel: DiagnosticsPanel, low: float, high: float) -> None:
    panel.refresh(a_run())
    for plot in (panel.plots[0], panel.plots[-1]):
        plot.set_ranges((0.0, 1000.0), (low * high, high))
        picture = QPixmap(10, 10)
        painter = QPainter(picture)
        _, ticks, texts = plot.left.generateDrawSpecs(painter)
        painter.end()
        assert len(texts) == len(ticks) >= 1


@pytest.mark.parametrize(("scale", "width"), [(1.0, 520), (1.0, 260), (2.0, 640), (2.0, 300)])
def test_words_and_curves_have_room_at_any_width_and_text_size(
    panel: DiagnosticsPanel, scale: float, width: int
) -> None:
    larger = DARK.scaled(scale)
    apply(larger, QApplication.instance())
    try:
        panel.apply_theme(larger)
        panel.resize(width, 500)
        panel.refresh(a_run())
        QApplication.processEvents()
        for small in panel.smalls:
            data = small.plot._view.rect()
            assert data.width() >= 90
            assert data.height() >= 14 * scale
            for label in (small.title, small._value):
                assert label.width() >= label.sizeHint().width()
                assert label.height() >= label.fontMetrics().height()
                assert label.mapTo(small, label.rect().topRight()).x() <= small.width()
    finally:
        apply(DARK, QApplication.instance())


def test_what_a_finding_goes_by_is_plotted_once_it_is_pointed_at(panel: DiagnosticsPanel) -> None:
    panel.name_run("one run")
    panel.set_choice(CARTPOLE, experiment(budget__environment_steps=500).config)
    history = a_run(iterations=5)
    for i, error in ((6, 0.25), (7, None)):  # the last of which did not look
        history.add_iteration(Updated(i, i * 100, 2 * i, float(i), {"loss": -1.0, "credit_error": error}, ()))
    panel.refresh(history)
    usual = panel.shown
    assert "credit_error" not in usual
    panel.point_at(("credit_error", "cut_error"))
    assert panel.shown == (*usual, "credit_error")  # of the other nothing was told
    (pointed,) = {flash.parent() for flash in panel.findChildren(Flash)}
    assert pointed is panel.smalls[-1]
    assert "0.25" in words(panel.smalls[-1])
    panel.point_at(("credit_error",))
    assert panel.shown == (*usual, "credit_error")
    panel.name_run("another")
    assert panel.shown == usual


def test_a_value_that_is_longer_than_expected_is_not_cut(qtbot: QtBot) -> None:
    label = SteadyLabel("0.08")
    qtbot.addWidget(label)
    width = label.width()
    label.setText("0.07")
    assert label.width() == width
    label.setText("0.00391")
    assert label.width() >= label.fontMetrics().horizontalAdvance("0.00391")
