"""What of the panel for choosing the experiment can be seen, however large it and its text are."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.panels.experiment.panel import ExperimentPanel
from app.style.sentence import one_line
from app.style.theme import apply, apply_to, load_theme
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.pinned import pinned
from tests.app.shorthands import experiment, pick


@pytest.mark.parametrize(("height", "beneath"), [(900, True), (610, False)])
def test_sentences_stand_beneath_their_pickers_where_there_is_room(opened, height, beneath):
    panel = opened(experiment())
    panel.resize(320, height)
    told = [panel.environment, panel.pickers["algorithm"][0]]
    assert [picker.sentence.isVisible() for picker in told] == [beneath, beneath]
    assert all(picker.sentence.text() in picker.toolTip() for picker in told)


def in_sight(panel: ExperimentPanel, widget: QWidget) -> bool:
    """Whether all of a widget in the column can be seen without scrolling."""
    view = panel._scroll.viewport()
    top = widget.mapTo(view, QPoint(0, 0)).y()
    return widget.isVisible() and top >= 0 and top + widget.height() <= view.height()


@pytest.mark.parametrize("algorithm", ["ppo", "off-policy-pg", "npg"])
def test_what_matters_most_is_in_sight_beside_the_whole_equation(opened, qtbot, algorithm):
    """At the height that a window of 1280 × 800 leaves it, even while the reasons for a bias are open."""
    chosen = experiment()
    chosen.pick(ALGORITHMS[algorithm])
    panel = opened(chosen)
    panel.resize(317, 603)
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    for opened_reasons in (False, True):
        panel.bias.button.setChecked(opened_reasons)
        qtbot.wait(20)
        above = [panel.environment, panel.pickers["policy"][0], panel.pickers["algorithm"][0]]
        assert all(in_sight(panel, widget) for widget in (*above, *panel.form.pinned.rows))
        assert [row.parameter.path for row in panel.form.pinned.rows] == list(pinned(chosen.config))
    panel.bias.button.setChecked(False)
    qtbot.waitUntil(lambda: panel._box.scroll_area.verticalScrollBar().maximum() == 0)
    assert panel.equation.height_in_use <= panel._box.scroll_area.viewport().height()


def test_the_divider_is_dragged_remembered_and_put_back(opened, qtbot, settings):
    panel = opened(experiment(), settings)
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    at_first = panel.divider.sizes()
    handle = panel.divider.handle(1)
    middle = handle.rect().center()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(handle, middle - QPoint(0, 60))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle - QPoint(0, 60))
    dragged = panel.divider.sizes()
    assert dragged[1] > at_first[1] + 30
    pick(panel, "algorithm", "PPO")
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    assert panel.divider.sizes() == dragged
    again = opened(experiment(), settings)
    assert again.divider.sizes() == dragged
    QTest.mouseDClick(again.divider.handle(1), Qt.MouseButton.LeftButton)
    assert not again.divider.dragged
    assert settings.value("equation_share") is None


@pytest.mark.parametrize("scale", [0.8, 1.5, 2.0])
def test_no_word_is_cut_however_large_the_text_is(opened, scale: float):
    panel = opened(experiment())
    theme = load_theme("dark").scaled(scale)
    apply_to(panel, theme)
    panel.apply_theme(theme)
    panel.resize(panel.minimumWidth(), 1400)
    QTest.qWait(20)
    assert panel.minimumWidth() == max(theme.px(296), 296)
    labels = [label for label in panel.findChildren(QLabel) if label.isVisible() and not label.wordWrap()]
    fields = [row.editor.field for row in panel.form.rows.values() if row.isVisible()]
    assert len(labels) > 8
    assert [w.text() for w in labels if w.width() < w.fontMetrics().horizontalAdvance(w.text())] == []
    assert [field.accessibleName() for field in fields if field.height() < field.sizeHint().height()] == []
    assert panel._scroll.horizontalScrollBar().maximum() == 0


def test_a_section_that_is_opened_comes_into_sight(opened, qtbot):
    panel = opened(experiment())
    panel.resize(317, 603)
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    group = panel.form._groups["environment."]
    panel._scroll.ensureWidgetVisible(group.heading, 0, 0)
    assert not group.open
    QTest.mouseClick(group.heading, Qt.MouseButton.LeftButton)
    assert group.open
    qtbot.wait(20)
    assert in_sight(panel, group.heading)
    assert in_sight(panel, group.rows[0])
    assert in_sight(panel, group) or group.heading.mapTo(panel._scroll.viewport(), QPoint(0, 0)).y() < 20


@pytest.mark.parametrize("expected", ["aa\u00a0· bb\u00a0· cccc", "aa\u00a0· bb\u00a0· …", "aa\u00a0· …"])
def test_a_line_without_room_is_cut_between_its_words(qtbot, expected: str):
    metrics = QFontMetrics(QFont())
    assert one_line("aa\u00a0· bb\u00a0· cccc", metrics, metrics.horizontalAdvance(expected)) == expected


def test_the_field_at_work_stays_in_place_when_the_equation_grows(opened, qtbot):
    panel = opened(experiment())
    panel.resize(320, 420)  # too low for all of it
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    box = panel.form.rows["estimator.normalize_advantages"].editor.field
    box.setFocus()
    qtbot.wait(50)  # till everything has come to its place
    before, height = box.mapTo(panel, QPoint(0, 0)).y(), panel.equation.height()
    QTest.keyClick(box, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: panel.equation.height() > height)
    assert box.mapTo(panel, QPoint(0, 0)).y() == before


@pytest.mark.parametrize(("height", "least"), [(900, 1.0), (420, 0.25)])
def test_the_equation_stays_in_sight(opened, qtbot, height: int, least: float):
    """Whole where there is room; in a low panel, in which what matters most comes first, its beginning, and the rest
    scrolls."""
    panel = opened(experiment())
    apply(load_theme("dark"), QApplication.instance())  # which also has a say in how tall fields are
    panel.resize(320, height)
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    assert panel.rect().contains(panel.equation.mapTo(panel, QPoint(0, 0)))
    assert panel.equation.visibleRegion().boundingRect().height() >= least * panel.equation.height()


def test_the_panel_needs_no_more_than_a_narrow_dock(opened):
    assert opened(experiment()).form.minimumSizeHint().width() <= 300 - 3 * load_theme("dark").unit
