"""An environment's options and the changes to it, as a person sets them in the panel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.episode.panel import EpisodePanel
from app.panels.experiment.form.components_field import ComponentsField
from app.panels.experiment.form.map_editor_dialog import MapDialog
from app.panels.experiment.form.parameter_group import Group
from app.panels.experiment.panel import ExperimentPanel
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.parameters import with_values
from tests.app.shorthands import experiment, heard, pick_environment

LEFT = Qt.MouseButton.LeftButton
OPTION = "environment.options."
SMALLER = ("S.", ".G")


def groups(panel: ExperimentPanel) -> dict[str, Group]:
    return {group.heading.text(): group for group in panel.form.findChildren(Group) if group.heading is not None}


def changes(panel: ExperimentPanel) -> Group:
    return groups(panel)["Changes to the environment"]


def shown(panel: ExperimentPanel) -> list[str]:
    """The environment's parameters in the form, without their prefix."""
    return [path.removeprefix("environment.") for path in panel.form.rows if path.startswith("environment.")]


def enter(panel: ExperimentPanel, path: str, text: str) -> str:
    """Type into a field; what is complained of."""
    row = panel.form.rows[path]
    field = row.editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    return row.complaint


def tick(field: ComponentsField, component: int) -> None:
    place = field.menu.actionGeometry(field.menu.actions()[component])
    QTest.mouseClick(field.menu, LEFT, pos=place.center())


# --- what is there ----------------------------------------------------------------------------------------------------


def test_the_form_has_the_options_of_the_environment(opened):
    chosen = experiment("GridWorld-v0")
    panel = opened(chosen)
    names = ["map", "slip", "step_reward", "goal_reward", "pit_reward"]
    assert shown(panel)[:5] == [f"options.{name}" for name in names]
    pick_environment(chosen, ENVIRONMENTS["Corridor-v0"])
    assert "options.map" not in shown(panel)
    assert "options.length" in shown(panel)


def test_an_option_is_set_and_its_default_leaves_no_trace(opened):
    chosen = experiment("GridWorld-v0")
    panel = opened(chosen)
    before = chosen.config
    assert enter(panel, f"{OPTION}slip", "0.3") == ""
    assert chosen.config.environment.options == {"slip": 0.3}
    assert enter(panel, f"{OPTION}slip", "0.1") == ""
    assert chosen.config == before


def test_more_arms_are_more_actions(opened):
    chosen = experiment("Bandit-v0")
    assert enter(opened(chosen), f"{OPTION}means", "0.1, 0.9") == ""
    assert (chosen.environment.action.size, chosen.problem()) == (2, None)


@pytest.mark.parametrize(
    ("environment", "path", "text", "sentence"),
    [
        ("GridWorld-v0", "options.slip", "1.5", "Slip is at most 1, not 1.5."),
        ("GridWorld-v0", "options.slip", "", "Slip takes a number."),
        ("Bandit-v0", "options.means", "0.2, 2", "Each number in Chances is at most 1, not 2."),
        ("Bandit-v0", "options.means", "", "Each arm needs a mean between 0 and 1, not []."),
        ("Corridor-v0", "options.length", "2.5", "Length takes a whole number, not 2.5."),
        ("CartPole-v1", "frame_stack", "0", "Frame stack cannot be 0: it should be at least 1."),
        ("CartPole-v1", "time_limit", "-3", "Time limit cannot be −3: it should be at least 0."),
        (
            "CartPole-v1",
            "reward_scale",
            "0",
            "With a reward scale of 0 there is nothing to learn; use another number.",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence_at_its_field(opened, environment, path, text, sentence):
    chosen = experiment(environment)
    before = chosen.config
    assert enter(opened(chosen), f"environment.{path}", text) == sentence
    assert chosen.config == before


def test_a_list_of_many_numbers_has_a_line_of_its_own(opened):
    rows = opened(experiment("Bandit-v0")).form.rows
    rows[f"{OPTION}means"].parentWidget().show()
    wide, narrow = rows[f"{OPTION}means"].editor, rows["seed"].editor
    assert wide.maximumWidth() > 400 > narrow.maximumWidth()


# --- the changes ------------------------------------------------------------------------------------------------------


def test_components_are_hidden_by_their_names(opened):
    chosen = experiment()
    panel = opened(chosen)
    QTest.mouseClick(changes(panel).heading, LEFT)
    field = panel.form.rows["environment.hidden"].editor
    field.field.setFocus()
    QTest.keyClick(field.field, Qt.Key.Key_Space)
    assert [action.text() for action in field.menu.actions()] == list(ENVIRONMENTS["CartPole-v1"].observation.labels)
    tick(field, 1)
    assert field.field.currentText() == "velocity"
    tick(field, 3)
    assert field.menu.isVisible()
    assert (chosen.config.environment.hidden, chosen.environment.observation.size) == ((1, 3), 2)
    assert field.field.currentText() == "2 of 4"
    field.menu.close()


def test_hiding_everything_is_refused_until_one_is_seen_again(opened):
    chosen = experiment("MountainCar-v0")
    panel = opened(chosen)
    QTest.mouseClick(changes(panel).heading, LEFT)
    row = panel.form.rows["environment.hidden"]
    row.editor.field.showPopup()
    tick(row.editor, 0)
    tick(row.editor, 1)
    assert "nothing left to see" in row.complaint
    tick(row.editor, 0)
    assert (row.complaint, chosen.config.environment.hidden) == ("", (1,))
    row.editor.menu.close()


def test_the_names_follow_the_environment(opened):
    chosen = experiment("MountainCar-v0")
    panel = opened(chosen)
    field = panel.form.rows["environment.hidden"].editor
    pick_environment(chosen, ENVIRONMENTS["Pendulum-v1"])
    assert panel.form.rows["environment.hidden"].editor is field
    assert [action.text() for action in field.menu.actions()] == ["cos θ", "sin θ", "angular velocity"]


def test_many_components_are_typed_by_their_numbers(opened):
    chosen = experiment("Ant-v5")
    panel = opened(chosen)
    assert enter(panel, "environment.hidden", "3, 1") == ""
    assert chosen.config.environment.hidden == (1, 3)
    assert enter(panel, "environment.hidden", "") == ""
    assert chosen.config.environment.hidden == ()
    assert "has no component 500 to hide" in enter(panel, "environment.hidden", "500")
    assert enter(panel, "environment.hidden", "x") == 'Hidden components cannot be "x": it should be a whole number.'


def test_an_empty_time_limit_is_the_environments_own(opened):
    chosen = experiment()
    panel = opened(chosen)
    field = panel.form.rows["environment.time_limit"].editor.field
    assert (field.text(), field.placeholderText()) == ("", "500")
    assert enter(panel, "environment.time_limit", "50") == ""
    assert chosen.environment.time_limit == 50
    assert enter(panel, "environment.time_limit", "") == ""
    assert (chosen.config.environment.time_limit, chosen.environment.time_limit, field.text()) == (0, 500, "")


def test_what_no_longer_fits_gives_way(opened):
    chosen = experiment(policy={"kind": "linear", "features": "fourier", "feature_order": 5})
    panel = opened(chosen)
    words = heard(chosen.adjusted)
    assert enter(panel, "environment.frame_stack", "64") == ""
    assert chosen.problem() is None
    assert words[0].endswith("the features are now raw.")


def test_while_a_run_trains_they_are_locked(opened):
    panel = opened(experiment("GridWorld-v0"))
    panel.set_running(True)
    assert not any(panel.form.rows[f"environment.{path}"].editor.isEnabled() for path in shown(panel))


# --- the groups -------------------------------------------------------------------------------------------------------


def test_the_groups_are_closed_until_a_person_opens_them(opened):
    panel = opened(experiment())
    group, row = changes(panel), panel.form.rows["environment.time_limit"]
    assert not row.isVisible()
    QTest.mouseClick(group.heading, LEFT)
    assert row.isVisible()
    QTest.keyClick(group.heading, Qt.Key.Key_Return)
    assert not row.isVisible()


def test_a_closed_group_tells_how_much_is_changed_and_what_there_is(opened):
    panel = opened(experiment(environment__frame_stack=2, environment__sticky_actions=0.1))
    group = changes(panel)
    assert group.open  # since something is changed
    QTest.mouseClick(group.heading, LEFT)
    assert (group.open, group.heading.summary) == (False, "2 changed")
    assert "Frame stack" in group.heading.toolTip()


def test_a_group_opens_when_a_preset_changes_something_and_closes_with_it(opened):
    chosen = experiment()
    panel = opened(chosen)
    plain = chosen.config
    chosen.set_config(with_values(plain, {"environment.reward_offset": -1.0}), chosen.plain)
    assert changes(panel).open
    chosen.set_config(plain, chosen.plain)
    assert not changes(panel).open


def test_what_a_preset_changes_is_seen_even_in_a_group_that_was_closed_by_hand(opened):
    chosen = experiment()
    panel = opened(chosen)
    for _ in range(2):
        QTest.mouseClick(changes(panel).heading, LEFT)
    chosen.set_config(with_values(chosen.config, {"environment.reward_offset": -1.0}), chosen.plain)
    assert changes(panel).open
    QTest.mouseClick(changes(panel).heading, LEFT)
    chosen.set_value("seed", 7)
    assert not changes(panel).open


def test_a_group_stays_open_under_the_hand_that_resets_its_last_change(opened):
    chosen = experiment(environment__reward_offset=-1.0)
    panel = opened(chosen)
    row = panel.form.rows["environment.reward_offset"]
    row.editor.field.setFocus()
    QTest.mouseClick(row.reset_button, LEFT)
    assert chosen.config.environment.reward_offset == 0.0
    assert changes(panel).open


def test_closing_a_group_drops_what_was_refused_in_it(opened):
    """It could not be seen, and would not let a run start."""
    panel = opened(experiment())
    QTest.mouseClick(changes(panel).heading, LEFT)
    assert enter(panel, "environment.frame_stack", "0")
    QTest.mouseClick(changes(panel).heading, LEFT)
    assert panel.commit() == ""


def test_tab_passes_the_headings_and_no_closed_field(opened):
    panel = opened(experiment("GridWorld-v0", policy="tabular"))
    stops = [groups(panel)["Environment options"].heading]
    stops[0].setFocus()
    for _ in range(2):
        QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Tab)
        stops.append(panel.focusWidget())
    assert stops[1] is changes(panel).heading
    assert stops[2] is next(row for path, row in panel.form.rows.items() if path.startswith("exploration")).editor.field


# --- an environment that has to be looked at --------------------------------------------------------------------------


def test_an_option_that_has_to_be_looked_at_is_asked_for_and_waits(opened):
    chosen = experiment("FrozenLake-v1")
    panel = opened(chosen)
    wished = heard(chosen.wished)
    combo = panel.form.rows[f"{OPTION}map_name"].editor.field
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert [environment.options for environment in wished] == [{"map_name": "8x8"}]
    assert (combo.currentText(), chosen.config.environment.options) == ("8x8", {})


def test_a_refusal_that_comes_later_stands_at_the_option(opened):
    chosen = experiment("FrozenLake-v1")
    panel = opened(chosen)
    row = panel.form.rows[f"{OPTION}map_name"]
    QTest.keyClick(row.editor.field, Qt.Key.Key_Down)
    panel.environment_refused("It could not be made.")
    assert row.complaint == "It could not be made."


def test_another_choice_meanwhile_shows_what_holds(opened):
    chosen = experiment("FrozenLake-v1")
    panel = opened(chosen)
    row = panel.form.rows[f"{OPTION}map_name"]
    QTest.keyClick(row.editor.field, Qt.Key.Key_Down)
    chosen.set_value("seed", 7)
    assert row.editor.field.currentText() == "4x4"


# --- the whole --------------------------------------------------------------------------------------------------------


def test_a_map_is_edited_and_played(qtbot: QtBot, make_window: Callable[..., MainWindow], reach: Callable[..., None]):
    window = make_window(environment="GridWorld-v0", policy="tabular")
    row = window.experiment_panel.form.rows[f"{OPTION}map"]
    QTest.mouseClick(groups(window.experiment_panel)["Environment options"].heading, LEFT)
    QTest.mouseClick(row.editor.field, LEFT)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), MapDialog))
    dialog = QApplication.activeWindow()
    dialog.editor.set_rows(SMALLER)
    QTest.mouseClick(dialog.apply_button, LEFT)
    chosen = window.experiment
    assert (chosen.config.environment.options, chosen.environment.observation.size) == ({"map": SMALLER}, 4)
    window.start()
    reach(window, RunState.RUNNING)
    qtbot.waitUntil(lambda: window.panels.find(EpisodePanel).view.aspect == pytest.approx(480 / 204), timeout=20_000)
    window.controller.stop()
    reach(window, RunState.STOPPED)


def test_every_change_at_once_trains(qtbot: QtBot, make_window: Callable[..., MainWindow], reach: Callable[..., None]):
    window = make_window(device="cpu", budget__environment_steps=3000)
    panel = window.experiment_panel
    for path, text in {
        "time_limit": "100",
        "observation_noise": "0.05",
        "frame_stack": "4",
        "sticky_actions": "0.1",
        "reward_offset": "-1",
        "reward_scale": "2",
    }.items():
        assert enter(panel, f"environment.{path}", text) == ""
    for path in ("normalize_observations", "normalize_rewards"):
        QTest.mouseClick(panel.form.rows[f"environment.{path}"].editor.field, LEFT, pos=QPoint(8, 12))
    field = panel.form.rows["environment.hidden"].editor
    field.field.showPopup()
    for component in (1, 3):
        tick(field, component)
    field.menu.close()
    assert changes(panel).heading.summary == "9 changed"
    window.start()
    reach(window, RunState.FINISHED, RunState.FAILED)
    assert window.controller.state is RunState.FINISHED
    for row in [panel.form.rows[f"environment.{path}"] for path in shown(panel)]:
        if row.parameter.value != row.parameter.default:
            QTest.mouseClick(row.reset_button, LEFT)
    assert window.experiment.environment == ENVIRONMENTS["CartPole-v1"]
