"""The form made from the configuration's metadata, and how its text is read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.panels.experiment.form.parameter_editor import NameEditor, UnitLineEdit
from app.panels.experiment.form.parameter_form import ParameterForm
from app.style.combo import Combo
from app.style.parameter_text import bounds, in_words, meaning, shown
from app.style.theme import load_theme
from engine.config import PolicyGradientConfig
from engine.config.parameters import Parameter, parameters_of, with_values

LEARNING_RATE = "update.learning_rate"


def parameter(path: str, **values: object) -> Parameter:
    config = with_values(PolicyGradientConfig(), values) if values else PolicyGradientConfig()
    return next(p for p in parameters_of(config) if p.path == path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01, "0.01"),
        (1e-5, "1e-5"),
        (1.5e-7, "1.5e-7"),
        (100.0, "100"),
        (500_000, "500\u202f000"),
        ((64, 64), "64, 64"),
        ((), ""),
        (-0.5, "−0.5"),
        ((-1000, -1e-5), "−1\u202f000, −1e-5"),
    ],
)
def test_values_read_short(value: object, text: str):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "on"), (False, "off"), ((), "none"), ("", "none"), (("S.", ".G", ".."), "a map of 3 × 2"), (0.5, "0.5")],
)
def test_values_within_a_sentence(value: object, words: str):
    assert in_words(value) == words


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1e-4", float, 1e-4),
        ("−0.5", float, -0.5),
        ("500\u202f000", int, 500_000),
        ("500 000", int, 500_000),
        ("1,000,000", int, 1_000_000),
        ("−1e-5", float, -1e-5),
        ("2.5", int, 2.5),
        ("64, 64", tuple, (64, 64)),
        ("64x32", tuple, (64, 32)),
        ("", tuple, ()),
        ("3, 1", tuple, (3, 1)),
        ("0.2; 0.85", tuple, (0.2, 0.85)),
        ("64, x", tuple, (64, "x")),
        ("abc", float, "abc"),
    ],
)
def test_typed_text_means(text: str, kind: type, value: object):
    assert meaning(text, kind) == value


def test_a_whole_number_may_be_typed_with_an_exponent():
    assert repr(meaning("1e6", int)) == "1000000"


def test_a_decimal_comma_is_not_taken_for_thousands():
    assert meaning("0,005", float) == "0,005"


def test_bounds_tell_above_from_from():
    assert (bounds(parameter(LEARNING_RATE)), bounds(parameter("estimator.gamma"))) == (
        "above 0 up to 100",
        "from 0 up to 1",
    )


@pytest.fixture
def form(qtbot: QtBot) -> ParameterForm:
    form = ParameterForm(load_theme("dark"))
    qtbot.addWidget(form)
    form.show_parameters(parameters_of(PolicyGradientConfig()))
    form.show()
    return form


def enter(form: ParameterForm, path: str, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
    field = form.rows[path].editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, key)


def test_typed_text_is_proposed_as_a_value(form: ParameterForm, qtbot: QtBot):
    with qtbot.waitSignal(form.edited) as edit:
        enter(form, LEARNING_RATE, "1e-4")
    assert edit.args == [LEARNING_RATE, 1e-4]


def test_unchanged_text_proposes_nothing(form: ParameterForm, qtbot: QtBot):
    with qtbot.assertNotEmitted(form.edited):
        enter(form, LEARNING_RATE, "0.01")


def test_a_refused_entry_stays_with_its_sentence(form: ParameterForm):
    enter(form, LEARNING_RATE, "200")
    form.answer(LEARNING_RATE, "Learning rate cannot be 200: it should be at most 100.")
    row = form.rows[LEARNING_RATE]
    assert row.complaint == "Learning rate cannot be 200: it should be at most 100."
    assert row.editor.field.text() == "200"


def test_escape_brings_back_what_holds(form: ParameterForm):
    form.edited.connect(lambda path, value: form.answer(path, "no." if value == 200 else None))
    enter(form, LEARNING_RATE, "200")
    QTest.keyClick(form.rows[LEARNING_RATE].editor.field, Qt.Key.Key_Escape)
    row = form.rows[LEARNING_RATE]
    assert (row.editor.field.text(), row.complaint) == ("0.01", "")


def test_a_check_box_proposes_its_state(form: ParameterForm, qtbot: QtBot):
    with qtbot.waitSignal(form.edited) as edit:
        QTest.keyClick(form.rows["estimator.normalize_advantages"].editor.field, Qt.Key.Key_Space)
    assert edit.args == ["estimator.normalize_advantages", True]


def test_a_choice_is_proposed(form: ParameterForm, qtbot: QtBot):
    with qtbot.waitSignal(form.edited) as edit:
        QTest.keyClick(form.rows["update.optimizer"].editor.field, Qt.Key.Key_Up)
    assert edit.args == ["update.optimizer", "rmsprop"]


def test_the_reset_button_shows_only_where_the_default_was_left(form: ParameterForm):
    form.show_parameters(parameters_of(with_values(PolicyGradientConfig(), {LEARNING_RATE: 0.5})))
    shown_for = {path for path, row in form.rows.items() if row.reset_button.isVisible()}
    assert shown_for == {LEARNING_RATE}


def test_the_reset_button_asks_for_a_reset(form: ParameterForm, qtbot: QtBot):
    form.show_parameters(parameters_of(with_values(PolicyGradientConfig(), {LEARNING_RATE: 0.5})))
    with qtbot.waitSignal(form.reset_asked) as asked:
        QTest.mouseClick(form.rows[LEARNING_RATE].reset_button, Qt.MouseButton.LeftButton)
    assert asked.args == [LEARNING_RATE]


def test_rows_that_stay_are_kept(form: ParameterForm):
    row = form.rows[LEARNING_RATE]
    form.show_parameters(
        parameters_of(with_values(PolicyGradientConfig(), {"policy": "linear", "estimator.baseline": "none"}))
    )
    assert form.rows[LEARNING_RATE] is row


def test_rows_follow_the_choice(form: ParameterForm):
    form.show_parameters(parameters_of(with_values(PolicyGradientConfig(), {"estimator.baseline": "none"})))
    assert not any(path.startswith("estimator.baseline.") for path in form.rows)


def test_text_being_typed_survives_a_change_elsewhere(form: ParameterForm):
    field = form.rows[LEARNING_RATE].editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "0.0")
    form.show_parameters(parameters_of(with_values(PolicyGradientConfig(), {"seed": 7})))
    assert field.text() == "0.0"


def test_while_running_only_live_parameters_can_be_edited(form: ParameterForm):
    form.set_running(True)
    editable = {path for path, row in form.rows.items() if row.editor.field.isEnabled()}
    assert editable == {p.path for p in parameters_of(PolicyGradientConfig()) if p.live}


def test_each_field_has_a_name_and_a_help(form: ParameterForm):
    for row in form.rows.values():
        assert row.editor.field.accessibleName() == row.parameter.title
        assert row.parameter.title in row.toolTip()


def test_how_it_is_stepped_stands_with_the_run(form: ParameterForm):
    run = form.rows["seed"].parentWidget()
    assert form.rows["environment.stepping"].parentWidget() is run
    assert form.rows["environment.time_limit"].parentWidget() is not run
    assert list(form.rows)[-2:] == ["environment.stepping", "environment.patience"]


def test_a_legend_decides_which_row_serves(form: ParameterForm):
    everything = parameters_of(PolicyGradientConfig())
    typed = form.rows["environment.hidden"]
    form.show_parameters(everything, {"environment.hidden": (("0", "x"), ("1", "y"))})
    ticked = form.rows["environment.hidden"]
    assert ticked is not typed
    form.show_parameters(everything)
    assert form.rows["environment.hidden"] is typed
    form.show_parameters(everything, {"environment.hidden": (("0", "z"),)})
    assert form.rows["environment.hidden"] is ticked


def test_a_list_that_needs_more_room_needs_another_row(form: ParameterForm):
    everything = parameters_of(PolicyGradientConfig())
    longer = [p._replace(default=(8,) * 5) if p.path == "policy.hidden_sizes" else p for p in everything]
    narrow = form.rows["policy.hidden_sizes"]
    form.show_parameters(longer)
    assert form.rows["policy.hidden_sizes"].editor.maximumWidth() > narrow.editor.maximumWidth()


def test_an_empty_field_stands_for_the_number_that_its_legend_names(qtbot: QtBot):
    form = ParameterForm(load_theme("dark"))
    qtbot.addWidget(form)
    config = with_values(PolicyGradientConfig(), {"environment.time_limit": 9})
    form.show_parameters(parameters_of(config), {"environment.time_limit": (("0", "its own"),)})
    edits = []
    form.edited.connect(lambda *edit: edits.append(edit))
    field = form.rows["environment.time_limit"].editor.field
    field.clear()
    form.commit()
    assert edits == [("environment.time_limit", 0)]
    form.show_parameters(parameters_of(PolicyGradientConfig()), {"environment.time_limit": (("0", "its own"),)})
    assert (field.text(), field.placeholderText()) == ("", "its own")


def test_a_group_that_loses_all_its_rows_loses_its_heading_too(qtbot: QtBot):
    form = ParameterForm(load_theme("dark"))
    qtbot.addWidget(form)
    heading = form.findChildren(QLabel, options=Qt.FindChildOption.FindChildrenRecursively)
    policy = next(label for label in heading if label.text() == "Policy")
    everything = parameters_of(PolicyGradientConfig())
    form.show_parameters(everything)
    assert policy.isVisibleTo(form)
    form.show_parameters([p for p in everything if not p.path.startswith("policy.")])
    assert not policy.isVisibleTo(form)
    form.show_parameters(everything)
    assert policy.isVisibleTo(form)


def test_a_unit_gives_way_to_the_number(qtbot: QtBot):
    field = UnitLineEdit("environments")
    qtbot.addWidget(field)
    field.resize(field.fontMetrics().horizontalAdvance("8 environments") + 24, field.sizeHint().height())
    field.show()
    field.setText("8")
    assert field.shows_unit
    QTest.keyClicks(field, "192")
    assert not field.shows_unit
    field.resize(2 * field.width(), field.height())
    assert field.shows_unit


def test_a_name_that_is_typed_is_never_one_that_differs_in_capitals_alone(qtbot: QtBot):
    editor = NameEditor((("CartPole", "2 episodes of the library"), ("cartpole", "shipped")))
    qtbot.addWidget(editor)
    proposed: list[object] = []
    editor.proposed.connect(proposed.append)
    editor.set_value("cartpole")
    combo = editor.findChild(Combo)
    assert combo.currentIndex() == 1
    QTest.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert combo.currentText() == "cartpole"
    assert proposed == []
