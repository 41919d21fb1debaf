"""The panel in which a person chooses the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from shiboken6 import delete

from app.models.experiment import Experiment
from app.panels.experiment.choice_delegate import Choice
from app.panels.experiment.choices import choices_of
from app.panels.experiment.panel import ExperimentPanel
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import BASELINES, UPDATES
from engine.catalogue.methods.families import family_of, members
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.parameters import with_values
from tests.app.shorthands import enter, experiment, heard, pick, pick_environment

LEFT = Qt.MouseButton.LeftButton


TAXI = EnvironmentInfo("Taxi-v3", "Taxi-v3", "Registered with Gymnasium.", Space("discrete", 500), Space("discrete", 6))


def lines(combo: QComboBox) -> dict[str, tuple[bool, str]]:
    """By title, whether each line can be picked, and what is told of it."""
    model = combo.model()
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    told, can = Qt.ItemDataRole.AccessibleTextRole, Qt.ItemFlag.ItemIsEnabled
    return {row.data(): (bool(row.flags() & can), row.data(told)) for row in rows}


def test_picking_an_entry_changes_the_experiment(opened):
    chosen = experiment()
    pick(opened(chosen), "baseline", "Average return")
    assert chosen.config.estimator.baseline.kind == "average"


def test_a_combination_without_a_name_is_shown_as_custom(opened):
    panel = opened(experiment(estimator__credit="total-return", estimator__baseline="value"))
    combo = panel.pickers["algorithm"][0].combo
    assert (combo.currentIndex(), combo.placeholderText()) == (-1, "Custom")


def test_an_entry_that_cannot_work_is_disabled_and_says_why(opened):
    combo = opened(experiment()).pickers["policy"][0].combo
    can, told = lines(combo)["Tabular softmax"]
    assert not can
    assert "needs discrete states" in told


def test_a_distribution_without_a_rival_is_shown_but_not_offered(opened):
    picker = opened(experiment()).pickers["distribution"][0]
    assert (picker.combo.currentText(), picker.combo.isEnabled()) == ("Softmax", False)
    assert picker.toolTip().endswith("\nCart pole has 2 actions, which only Softmax fits.")


def test_bounded_actions_offer_three_distributions(opened):
    chosen = experiment("Pendulum-v1")
    panel = opened(chosen)
    combo = panel.pickers["distribution"][0].combo
    offered = [title for title, (can, _) in lines(combo).items() if can]
    assert (combo.isEnabled(), offered) == (True, ["Gaussian", "Tanh-squashed Gaussian", "Beta"])
    pick(panel, "distribution", "Beta")
    assert chosen.config.policy.distribution == "beta"


def _shown(panel: ExperimentPanel) -> list[str]:
    """The pickers that can be seen, or scrolled to."""
    return [name for name, (picker, _) in panel.pickers.items() if not picker.isHidden()]


def _offered(panel: ExperimentPanel, picker: str) -> list[str]:
    combo = panel.pickers[picker][0].combo
    return [combo.itemText(row) for row in range(combo.count())]


def test_a_family_has_its_own_pickers_algorithms_and_words_and_is_found_again_as_it_was_left(opened):
    chosen = experiment("FrozenLake-v1", policy__hidden_sizes=[7, 5], estimator__baseline="average")
    panel = opened(chosen)
    before, everything = chosen.config, _shown(panel)
    assert panel.bias.text.startswith("Biased estimate of ∇J")
    pick(panel, "family", "Action values")
    assert _shown(panel) == ["family", "policy", "algorithm", "update"]
    assert _offered(panel, "algorithm")[0] == "Q-learning"
    assert "REINFORCE" not in _offered(panel, "algorithm")
    assert panel.pickers["policy"][0].combo.accessibleName() == "Q function"
    assert panel.pickers["policy"][0].toolTip().startswith("Table · 64 parameters\nA table with one value")
    assert panel.bias.text == "Biased estimate of q*: 1 reason"
    pick(panel, "algorithm", "SARSA")
    assert panel.bias.text.startswith("Biased estimate of the policy's q")
    pick(panel, "family", "Planning")
    assert _shown(panel) == ["family", "policy", "algorithm", "update"]  # as a plan is followed as it is
    assert panel.pickers["algorithm"][0].combo.currentText() == "Value iteration"
    assert panel.bias.text == "Nothing is sampled: the dynamics are known"
    chosen.set_value("seed", 7)
    pick(panel, "family", "Action values")
    assert panel.pickers["algorithm"][0].combo.currentText() == "SARSA"
    pick(panel, "family", "Policy gradient")
    assert (_shown(panel), chosen.config) == (everything, with_values(before, {"seed": 7}))


def test_a_family_that_fits_nothing_here_says_why_and_what_would(opened):
    panel = opened(experiment("Pendulum-v1"))
    told = lines(panel.pickers["family"][0].combo)
    assert told["Policy gradient"][0]
    for family, why in (("Planning", "try GridWorld-v0"), ("Action values", "use an environment with")):
        assert (told[family][0], why in told[family][1]) == (False, True), family


def test_the_reasons_for_a_bias_follow_the_choice(opened):
    chosen = experiment(estimator__gamma=1.0, estimator__baseline="none", estimator__credit="reward-to-go")
    panel = opened(chosen)
    assert panel.bias.text == "Unbiased estimate of ∇J"
    pick(panel, "baseline", "Average return")
    assert panel.bias.text == "Biased estimate of ∇J: 1 reason"
    assert "The average includes" in panel.bias.all_reasons.text()


def test_a_picker_tells_its_choice_and_its_sentence_on_hover(opened):
    panel = opened(experiment())
    pick(panel, "baseline", "Leave one out")
    assert panel.pickers["baseline"][0].toolTip() == f"Leave one out\n{BASELINES['leave-one-out'].summary}"
    assert panel.pickers["policy"][0].toolTip().startswith("MLP · 4\u202f610 parameters\n")


def test_what_is_pinned_is_edited_there_and_stands_nowhere_else(opened):
    chosen = experiment()
    panel = opened(chosen)
    row = panel.form.rows["update.learning_rate"]
    assert panel.form.pinned.isAncestorOf(row)
    enter(row.editor.field, "0.5")
    assert chosen.config.update.learning_rate == 0.5
    chosen.pick(UPDATES["trpo"])
    paths = [row.parameter.path for row in panel.form.pinned.rows]
    assert "update.max_kl" in paths
    assert not row.isVisible()
    assert len({id(row) for row in panel.form.rows.values()}) == len(panel.form.rows)


def test_a_complaint_about_what_is_pinned_leaves_its_neighbours_where_they_are(opened, qtbot):
    panel = opened(experiment())
    rows = panel.form.pinned.rows
    assert rows[0].y() == rows[1].y(), "side by side"

    def places():
        return [row.editor.mapTo(panel.form.pinned, QPoint()) for row in rows[:2]]

    before = places()
    for row, sentence in ((rows[0], "This cannot be."), (rows[1], "Nor can this, for a reason that takes long.")):
        panel.form.answer(row.parameter.path, sentence)
        qtbot.waitUntil(row.complaint_label.isVisible)
        qtbot.waitUntil(lambda row=row: row.complaint_label.y() > rows[0].y())
        assert places() == before
        assert row.complaint == sentence
    panel.form.answer(rows[0].parameter.path, None)
    assert rows[0].complaint == ""
    chosen = rows[0].parameter.path
    panel.form.show_parameters([row.parameter for row in rows], pinned=())  # put back into its group
    assert panel.form.rows[chosen].isAncestorOf(panel.form.rows[chosen].complaint_label)


def test_each_policy_shows_its_number_of_parameters(opened):
    combo = opened(experiment("FrozenLake-v1")).pickers["policy"][0].combo
    assert "64 parameters" in lines(combo)["Tabular softmax"][1]


def test_the_facts_of_the_environment_are_told(opened):
    facts = opened(experiment()).environment.facts.replace("\u00a0", " ")
    assert facts == "4 inputs · 2 actions · ≤ 500 steps · solved at 475"


def test_only_the_changed_term_of_the_equation_changes(opened, qtbot):
    chosen = experiment()
    panel = opened(chosen)
    before = panel.equation.lines
    pick(panel, "baseline", "None")
    after = panel.equation.lines
    changed = [line for line in before if line not in after and {term.part for term in line} != {"baseline"}]
    parts = [{term.part for term in line} for line in changed]
    assert parts == [{"", "credit", "baseline"}]


def test_the_environment_is_a_button_that_asks_for_the_gallery(opened, qtbot):
    panel = opened(experiment())
    asked = heard(panel.gallery_asked)
    assert panel.environment.button.text() == "Cart pole"
    qtbot.mouseClick(panel.environment.button, Qt.MouseButton.LeftButton)
    assert len(asked) == 1


def test_another_environment_is_shown_at_once(opened):
    chosen = experiment()
    panel = opened(chosen)
    pick_environment(chosen, TAXI)
    assert panel.environment.button.text() == "Taxi-v3"
    assert panel.environment.facts.startswith("500\u00a0states")
    assert panel.environment.sentence.text() == TAXI.summary


def test_a_refused_environment_is_told_beneath_until_the_next_choice(opened):
    chosen = experiment()
    panel = opened(chosen)
    panel.environment_looked_at("Nowhere-v0")
    assert panel.environment.answer.text() == "Looking at Nowhere-v0…"
    panel.environment_refused("There is no environment Nowhere-v0.")
    assert panel.environment.answer.text() == "There is no environment Nowhere-v0."
    pick_environment(chosen, ENVIRONMENTS["Acrobot-v1"])
    assert not panel.environment.answer.isVisible()


def test_an_adjusted_policy_is_told_at_its_picker(opened):
    chosen = experiment("FrozenLake-v1", policy="tabular")
    panel = opened(chosen)
    pick_environment(chosen, ENVIRONMENTS["CartPole-v1"])
    assert panel.pickers["policy"][0].notice.endswith("the policy is now MLP.")


def test_a_choice_that_cannot_be_trained_is_told_at_the_top(opened):
    chosen = experiment()
    panel = opened(chosen)
    chosen.set_config(with_values(chosen.config, {"policy": "tabular"}), chosen.environment)
    assert panel.problem.isVisible()


def test_tab_goes_from_the_pickers_through_the_form_in_order(opened):
    chosen = experiment("FrozenLake-v1", policy="tabular")
    panel = opened(chosen)
    pick_environment(chosen, ENVIRONMENTS["CartPole-v1"])
    panel.environment.button.setFocus()
    names = []
    for _ in range(15):
        names.append(panel.focusWidget().accessibleName())
        QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Tab)
    assert names == [
        "Environment",
        "Family",
        "Policy",
        "Algorithm",
        "Learning rate",
        "Entropy bonus",
        "Discount",
        "Episodes per update",
        "Collection",
        "Credit",
        "Baseline",
        "Update rule",
        "Environment options",
        "Changes to the environment",
        "Hidden layers",
    ]


def test_an_environment_of_a_module_goes_by_its_own_name(opened):
    chosen = experiment()
    panel = opened(chosen)
    maze = EnvironmentInfo("worlds:Maze-v0", "worlds:Maze-v0", "A maze.", Space("discrete", 9), Space("discrete", 4))
    pick_environment(chosen, maze)
    assert panel.environment.button.text() == "Maze-v0"
    assert "worlds:Maze-v0" in panel.environment.toolTip()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_terms_have_the_colours_of_their_pickers(opened, qtbot, name):
    theme = load_theme(name)
    panel = opened(experiment())
    panel.apply_theme(theme)
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date)
    picture = panel.equation.grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {theme.policy, theme.credit, theme.baseline, theme.update} <= seen


def test_all_choices_are_tried_once_while_the_window_opens(
    make_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def try_all(experiment: Experiment, entries: Mapping[str, Entry]) -> list[Choice]:
        tried.append(next(iter(entries)))
        return choices_of(experiment, entries)

    monkeypatch.setattr("app.panels.experiment.panel.choices_of", try_all)
    window = make_window()
    assert sorted(tried) == sorted(set(tried)) != []
    assert window.experiment_panel.form.rows


def test_what_can_be_picked_is_found_once_somebody_opens_the_list(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    refusal_of = Experiment.refusal_of

    def noted(self: Experiment, entry: Entry) -> str | None:
        tried.append(entry.id)
        return refusal_of(self, entry)

    monkeypatch.setattr(Experiment, "refusal_of", noted)
    chosen = experiment()
    picker = opened(chosen).pickers["update"][0]
    ids = {entry.id for entry in members(UPDATES, family_of(chosen.config)).values()}
    assert not (ids & set(tried)) - {picker._current}
    picker.combo.showPopup()
    assert ids <= set(tried)
    line = picker.combo.fontMetrics().height()
    assert min(picker.combo.view().sizeHintForRow(row) for row in range(len(ids))) > 2 * line
    picker.combo.hidePopup()


def test_nothing_that_the_panel_makes_outlives_it(qapp: QApplication):
    """What nobody owns would be styled anew with every later look."""
    before = set(QApplication.topLevelWidgets())
    delete(ExperimentPanel(experiment(), load_theme("dark"), None))
    assert set(QApplication.topLevelWidgets()) <= before
