"""Signal: the histogram of one batch, and what is written above it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.past import Instant, Kept, Past
from app.panels.advantages import AdvantagesPanel
from app.style.theme import apply, load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PlanningConfig, ValueIteration
from engine.config.parameters import with_values
from tests.app.plots.pointing import pixel_of, point_at
from tests.app.shorthands import a_run, words

DARK = load_theme("dark")


def test_advantages_name_their_iteration(qtbot: QtBot) -> None:
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh(a_run(iterations=7))
    assert "iteration 7" in words(panel)


def test_a_run_whose_batches_were_not_kept_says_so(qtbot: QtBot) -> None:
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    panel.show()
    assert "once the first batch has been collected" in words(panel)
    opened = a_run()
    opened.advantages = None
    panel.refresh(opened)
    assert "No batch of this run was kept" in words(panel)


def test_an_instant_whose_batch_was_not_kept_says_so_and_names_no_other_iteration(qtbot: QtBot) -> None:
    past = Past()
    panel = AdvantagesPanel(DARK, past)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh(a_run(iterations=7))
    assert "iteration 7" in words(panel)
    past.show(Instant(Kept(3, 300)))
    assert "What iteration 3 learned from was not kept. Samples" in words(panel)
    assert "iteration 7" not in words(panel)
    past.show(Instant(Kept(0, 0)))
    assert "Before the first iteration nothing was learned" in words(panel)
    past.show(None)
    assert "iteration 7" in words(panel)


def test_normalised_advantages_are_drawn_in_standard_deviations(qtbot: QtBot) -> None:
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    panel.refresh(a_run())
    panel.normalised = True
    assert panel.plot.ranges[0][0] > -3.0


def test_what_stands_above_the_plot_widens_no_panel(qtbot: QtBot) -> None:
    """Else the panels beside it would move with the method."""
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    config = with_values(PlanningConfig(update=ValueIteration()), {"environment": "GridWorld-v0"})
    panel.set_choice(ENVIRONMENTS["GridWorld-v0"], config)
    assert len(panel._heading.text()) > 40
    assert panel.minimumSizeHint().width() < 180
    assert panel._heading.text() in panel._heading.toolTip()


@pytest.fixture
def panel(qtbot: QtBot) -> AdvantagesPanel:
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    panel.resize(320, 300)
    panel.show()
    panel.refresh(a_run())
    return panel


def test_a_bar_under_the_mouse_is_read_out_with_its_range_and_share(panel: AdvantagesPanel) -> None:
    point_at(panel.plot, -2.9, 5.0)
    assert panel.plot.reading.lines == ("advantage (reward): −3.00 to −2.75", "25.0 % of the steps")


def test_what_the_lines_are_is_told_under_the_mouse(panel: AdvantagesPanel) -> None:
    point_at(panel.plot, 0.125, 20.0)
    assert "mean of the batch: 0.125" in panel.plot.reading.lines


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_words_stand_above_the_plot_and_never_on_each_other(panel: AdvantagesPanel, scale: float) -> None:
    larger = DARK.scaled(scale)
    apply(larger, QApplication.instance())
    try:
        panel.apply_theme(larger)
        panel.resize(320, 600)
        QApplication.processEvents()
        assert panel.minimumSizeHint().width() <= 320
        legend = panel.plot.legend
        places = [legend.mapRectToScene(place) for place in legend.places()]
        assert len(places) == 4
        data = panel.plot._view.mapRectToScene(panel.plot._view.rect())
        for index, place in enumerate(places):
            assert place.bottom() < data.top()
            assert QRectF(panel.plot.viewport().rect()).contains(place)
            assert not any(place.intersects(other) for other in places[:index])
    finally:
        apply(DARK, QApplication.instance())


def test_the_bars_are_written_down_with_their_ranges(panel: AdvantagesPanel) -> None:
    panel.name_run("seed 1")
    lines = panel.plot.numbers().text().splitlines()
    headings = 'run,iteration,"advantage (reward), from","advantage (reward), to",share of steps (%)'
    assert lines[0] == headings
    assert sum(float(line.rpartition(",")[2]) for line in lines[1:]) == pytest.approx(100.0)


def test_negative_and_positive_bars_differ_by_more_than_colour(panel: AdvantagesPanel) -> None:
    image = panel.plot.viewport().grab().toImage()

    def colours(x: float) -> set[int]:
        middle = pixel_of(panel.plot, x, 12.0)
        return {image.pixel(middle.x() + right, middle.y() + down) for right in (-1, 0) for down in range(-8, 9)}

    assert len(colours(0.625)) == 1
    assert len(colours(-2.875)) >= 2


@pytest.mark.parametrize("height", [140, 200, 300])
def test_the_whole_plot_is_seen_however_low_it_is(panel: AdvantagesPanel, qtbot: QtBot, height: int) -> None:
    panel.resize(318, 400)
    QApplication.processEvents()
    panel.resize(318, height)
    plot = panel.plot
    qtbot.waitUntil(lambda: plot.centralWidget.geometry().height() <= plot.viewport().height())
    assert plot._view.rect().height() >= 10
    assert plot.bottom.geometry().bottom() <= plot.viewport().height()
