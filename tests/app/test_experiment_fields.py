"""Typing into the experiment: when what is typed is taken, and what a run that is at work locks."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from app.models.experiment import Experiment
from app.panels.experiment.panel import ExperimentPanel
from engine.catalogue.configured import described
from engine.catalogue.methods.entries import UPDATES
from engine.config import presets
from tests.app.shorthands import enter, experiment, heard

LEFT = Qt.MouseButton.LeftButton


def test_pickers_are_free_again_after_a_run_but_for_those_without_a_choice(opened):
    panel = opened(experiment())
    panel.set_running(True)
    panel.set_running(False)
    free = {name: picker.combo.isEnabled() for name, (picker, _) in panel.pickers.items()}
    assert [name for name, enabled in free.items() if not enabled] == ["distribution"]


def test_while_running_the_gallery_can_be_opened_and_the_row_says_why_nothing_can_be_taken(opened):
    panel = opened(experiment())
    panel.set_running(True)
    assert panel.environment.button.isEnabled()
    assert panel.environment.toolTip().endswith("\nStop the run to change this.")


def test_while_running_pickers_are_locked_and_say_why(opened):
    panel = opened(experiment())
    panel.set_running(True)
    picker = panel.pickers["policy"][0]
    assert (picker.combo.isEnabled(), picker.toolTip().splitlines()[-1]) == (False, "Stop the run to change this.")


@pytest.mark.parametrize("how", ["a locked picker", "a locked field", "a key"])
def test_what_is_locked_offers_to_stop_the_run_and_then_has_the_keyboard(opened, how: str):
    panel = opened(experiment())
    panel.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # as it has in the window
    panel.set_running(True)
    asked = heard(panel.stop_asked)
    combo, field = panel.pickers["algorithm"][0].combo, panel.form.rows["collection.episodes_per_update"].editor.field
    if how == "a key":
        panel.setFocus()
        QTest.keyClick(panel, Qt.Key.Key_Return)
    else:
        pressed = combo if how == "a locked picker" else field
        QTest.mouseClick(panel.window().windowHandle(), LEFT, pos=pressed.mapTo(panel, pressed.rect().center()))
    (menu,) = panel.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)
    assert menu.actions()[0].text() == "Stop the run to change this."
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert len(asked) == 1
    panel.set_running(False)
    assert panel.focusWidget() is (field if how == "a locked field" else combo)


def test_while_running_a_live_edit_reaches_the_run(opened):
    panel = opened(experiment())
    panel.set_running(True)
    told = heard(panel.live_change)
    enter(panel.form.rows["update.learning_rate"].editor.field, "2e-3")
    assert told == [("update.learning_rate", 0.002)]
    assert panel.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly) == []


def test_while_running_a_refused_edit_does_not_reach_the_run(opened):
    panel = opened(experiment())
    panel.set_running(True)
    told = heard(panel.live_change)
    enter(panel.form.rows["update.learning_rate"].editor.field, "-1")
    assert told == []


def test_before_a_run_no_edit_is_sent_to_it(opened):
    panel = opened(experiment())
    told = heard(panel.live_change)
    enter(panel.form.rows["update.learning_rate"].editor.field, "2e-3")
    assert told == []


def begin_to_type(panel: ExperimentPanel, path: str, text: str) -> QLineEdit:
    """Type over what stands in a field, without leaving it."""
    field = panel.form.rows[path].editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    return field


def test_an_unfinished_entry_is_taken_on_commit(opened):
    chosen = experiment()
    panel = opened(chosen)
    begin_to_type(panel, "seed", "42")
    panel.commit()
    assert chosen.config.seed == 42


def test_an_unfinished_entry_is_dropped_when_its_field_is_locked(opened):
    chosen = experiment()
    panel = opened(chosen)
    field = begin_to_type(panel, "seed", "42")
    panel.set_running(True)
    assert (chosen.config.seed, field.text()) == (1, "1")


def test_a_row_that_is_wanted_again_is_the_one_put_away(opened):
    """Deleting rows has crashed PySide, and making them takes time."""
    chosen = experiment()
    form = opened(chosen).form
    row = form.rows["update.learning_rate_schedule"]
    order = list(form.rows)
    chosen.pick(UPDATES["trpo"])
    assert not row.isVisible()
    assert "update.learning_rate_schedule" not in form.rows
    chosen.pick(UPDATES["gradient-ascent"])
    assert form.rows["update.learning_rate_schedule"] is row
    assert row.isVisible()
    assert list(form.rows) == order
    shown = sorted(form.rows.values(), key=lambda row: row.mapToGlobal(QPoint(0, 0)).y())
    beneath = [row.parameter.path for row in shown if row not in form.pinned.rows]
    assert [path for path in beneath if path.startswith("update.")] == [
        path for path in order if path.startswith("update.") and path in beneath
    ]


def exact() -> Experiment:
    config = presets.shipped()["grid-world-exact"].config
    return Experiment(config, described(config.environment))


@pytest.mark.parametrize(
    ("chosen", "typed", "taken"),
    [
        (experiment, {"estimator.gamma": "1", "update.learning_rate": "0.5"}, (1.0, 0.5)),
        (exact, {"environment.sticky_actions": "0.5", "estimator.gamma": "0.25"}, (0.25, None)),
    ],
)
def test_what_is_typed_is_taken_though_it_makes_rows_go(
    opened, chosen, typed: dict[str, str], taken: tuple[float, ...]
):
    panel = opened(chosen())
    before = set(panel.form.rows)
    for path, text in typed.items():
        panel.form.rows[path].editor.field.setText(text)
    assert panel.commit() == ""
    config = panel._experiment.config
    assert before - set(panel.form.rows)
    assert config.estimator.gamma == taken[0]
    assert taken[1] in (None, config.update.learning_rate)


def test_a_field_that_goes_while_it_is_typed_in_proposes_nothing(opened, qtbot: QtBot):
    panel = opened(exact())
    field = panel.form.rows["evaluation.episodes"].editor.field
    field.setFocus()
    panel.activateWindow()
    qtbot.waitUntil(field.hasFocus)
    field.setText("7")
    edits = heard(panel.form.edited)
    panel._experiment.set_value("environment.sticky_actions", 0.5)
    assert "evaluation.episodes" not in panel.form.rows
    assert edits == []
