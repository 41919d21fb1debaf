"""The panel in which a person chooses the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from shiboken6 import delete

from app.models.experiment import Experiment
from app.panels.experiment.choice_delegate import Choice
from app.panels.experiment.choices import choices_of
from app.panels.experiment.panel import ExperimentPanel
from app.style.sentence import one_line
from app.style.theme import apply, apply_to, load_theme
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, UPDATES
from engine.catalogue.methods.pinned import pinned
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.parameters import with_values
from tests.app.shorthands import enter, experiment, heard, pick, pick_environment

ACCESSIBLE = Qt.ItemDataRole.AccessibleTextRole
LEFT = Qt.MouseButton.LeftButton
TAXI = EnvironmentInfo("Taxi-v3", "Taxi-v3", "Registered with Gymnasium.", Space("discrete", 500), Space("discrete", 6))


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
    item = combo.model().item(combo.findText("Tabular softmax"))
    assert not item.isEnabled()
    assert "needs discrete states" in item.data(Qt.ItemDataRole.AccessibleTextRole)


def test_a_distribution_without_a_rival_is_shown_but_not_offered(opened):
    picker = opened(experiment()).pickers["distribution"][0]
    assert (picker.combo.currentText(), picker.combo.isEnabled()) == ("Softmax", False)
    assert picker.toolTip().endswith("\nCart pole has 2 actions, which only Softmax fits.")


def test_bounded_actions_offer_three_distributions(opened):
    chosen = experiment("Pendulum-v1")
    panel = opened(chosen)
    combo = panel.pickers["distribution"][0].combo
    model = combo.model()
    offered = [model.item(row).text() for row in range(model.rowCount()) if model.item(row).isEnabled()]
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
    model = panel.pickers["family"][0].combo.model()
    told = {model.item(row).text(): model.item(row) for row in range(model.rowCount())}
    assert told["Policy gradient"].isEnabled()
    for family, why in (("Planning", "try GridWorld-v0"), ("Action values", "use an environment with")):
        assert (told[family].isEnabled(), why in told[family].data(ACCESSIBLE)) == (False, True), family


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


def test_each_policy_shows_its_number_of_parameters(opened):
    combo = opened(experiment("FrozenLake-v1")).pickers["policy"][0].combo
    item = combo.model().item(combo.findText("Tabular softmax"))
    assert "64 parameters" in item.data(Qt.ItemDataRole.AccessibleTextRole)


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


@pytest.mark.parametrize("expected", ["aa\u00a0· bb\u00a0· cccc", "aa\u00a0· bb\u00a0· …", "aa\u00a0· …"])
def test_a_line_without_room_is_cut_between_its_words(qtbot, expected: str):
    metrics = QFontMetrics(QFont())
    assert one_line("aa\u00a0· bb\u00a0· cccc", metrics, metrics.horizontalAdvance(expected)) == expected


def test_an_environment_of_a_module_goes_by_its_own_name(opened):
    chosen = experiment()
    panel = opened(chosen)
    maze = EnvironmentInfo("worlds:Maze-v0", "worlds:Maze-v0", "A maze.", Space("discrete", 9), Space("discrete", 4))
    pick_environment(chosen, maze)
    assert panel.environment.button.text() == "Maze-v0"
    assert "worlds:Maze-v0" in panel.environment.toolTip()


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


def test_nothing_that_the_panel_makes_outlives_it(qapp: QApplication):
    """What nobody owns would be styled anew with every later look."""
    before = set(QApplication.topLevelWidgets())
    delete(ExperimentPanel(experiment(), load_theme("dark"), None))
    assert set(QApplication.topLevelWidgets()) <= before
