"""The museum of bugs in the window: what is switched on is said everywhere, and what is hidden nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QSettings, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QLineEdit, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_names import full_name, name_beside, names_apart, told_apart
from app.models.run_state import ENDED, RunState
from app.window.main_window import MainWindow
from app.window.museum import guessing
from app.window.museum.bugs_dialog import BugsDialog
from app.window.museum.game_dialog import GameDialog
from app.window.museum.guessing import Riddle, Score
from app.window.museum.opening import beside_plots
from app.window.museum.self_test_dialog import SelfTestDialog
from engine.catalogue.methods.bugs import BUGS
from engine.config import RunConfig
from engine.config.bugs import NO_BUG, actual_bug, hidden
from engine.config.parameters import with_values
from engine.config.presets import shipped
from engine.runs.comparison.differences import flattened, varying
from engine.runs.records import Label, RunRecord, Status

GRID = {"environment": "GridWorld-v0", "policy": "tabular", "collection__episodes_per_update": 4}
SIGN = "⚠ bug: sign of the loss"


def opened(window: MainWindow, action: str, kind: type[QDialog]) -> QDialog:
    """The dialog that an action of the menu Help opens."""
    window.actions_by_name[action].trigger()
    found = next(each for each in window.findChildren(kind) if each.isVisible())
    assert isinstance(found, QDialog)
    return found


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def ended(window: MainWindow) -> bool:
    return window.controller.state in ENDED


def texts(window: QWidget) -> str:
    """All that can be read in a window and what stands in it, on hover too."""
    found = [window.windowTitle()]
    for widget in [window, *window.findChildren(QWidget)]:
        found += [widget.toolTip(), widget.statusTip(), widget.accessibleName(), widget.accessibleDescription()]
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
            found.append(widget.text())
        if isinstance(widget, QTextEdit):
            found.append(widget.toPlainText())
    return "\n".join(found)


# --- switched on ------------------------------------------------------------------------------------------------------


def test_a_bug_is_switched_on_by_its_page_and_marks_the_run(
    make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = make_window(**GRID, budget__environment_steps=200)
    museum = opened(window, "museum", BugsDialog)
    assert isinstance(museum, BugsDialog)
    museum.choose("stale-log-probs")
    assert not museum.on_button.isEnabled()
    assert "choose PPO" in museum.why.text()
    museum.choose("wrong-sign")
    assert "loss = +mean" in museum.page.toPlainText().replace("\xa0", " ")
    click(museum.on_button)
    panel = window.experiment_panel
    assert panel.bug.isVisible()
    assert panel.bug.mark.text() == SIGN
    assert "bug" not in panel.form.rows
    museum.close()
    window.start()
    qtbot.waitUntil(lambda: ended(window), timeout=60_000)
    assert SIGN in window.runs.row.name.text()
    record = window.run_library.records()[0]
    assert all(SIGN in name for name in (full_name(record), window.run_library.name(record), texts(window)))
    click(panel.bug.button)
    assert not panel.bug.isVisible()
    assert window.experiment.config.bug == NO_BUG
    assert "no bug" in window.runs.row.edited.text() or "→" in window.runs.row.edited.text()


def record(bug: str, title: str = "", number: int = 1) -> RunRecord:
    config = with_values(shipped()["cartpole"].config, {"bug": bug, "seed": number})
    return RunRecord(
        f"run{number}", number, config.model_dump(mode="json"), Status.FINISHED, 0.0, label=Label(title=title)
    )


@pytest.mark.parametrize("title", ["", "my best run"])
def test_every_name_of_a_run_is_marked_whatever_a_person_calls_it(title: str) -> None:
    one, other = record("wrong-sign", title), record("wrong-sign", number=2)
    assert SIGN in full_name(one)
    assert all(SIGN in name_beside(one, beside) for beside in (None, other, record(NO_BUG, number=3)))
    assert all(SIGN in name for name in names_apart([one, other], []).values())
    assert name_beside(one, record(NO_BUG, number=3)).count("⚠") == 1
    assert "⚠" not in name_beside(record(NO_BUG), other)


def test_the_mark_stands_first_whatever_else_differs() -> None:
    """A name in little room keeps its beginning."""
    healthy, faulty = record(NO_BUG), record("wrong-sign", number=2)
    for preset, values in (("grid-world", {}), ("cartpole-ppo", {}), ("cartpole", {"update.learning_rate": 0.5})):
        config = with_values(shipped()[preset].config, {"seed": 3, **values})
        other = replace(healthy, id="run3", number=3, configuration=config.model_dump(mode="json"))
        assert told_apart(config, faulty.config)[0] == SIGN
        assert name_beside(faulty, other).startswith(SIGN)
        runs = [faulty, other, healthy]
        differing = varying([(flattened(each.config), each.changes) for each in runs])
        assert names_apart(runs, differing)[faulty.id].startswith(SIGN)
        assert not [one for one in differing if "wrong-sign" in str(one.values)]  # which says nothing to a person
    beside = [record(hidden("wrong-sign", 5)), faulty, healthy]
    differing = varying([(flattened(each.config), each.changes) for each in beside])
    assert [one.values for one in differing if one.path == "bug"] == [(("⚠ a bug?",), (SIGN,), (NO_BUG,))]
    assert names_apart([faulty, healthy], varying([(flattened(each.config), {}) for each in (faulty, healthy)])) == {
        "run2": f"{SIGN} · seed 2",
        "run1": "seed 1, no bug",
    }


# --- hidden -----------------------------------------------------------------------------------------------------------


def riddled(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next riddle has this answer."""

    def made(config: RunConfig, environment: object) -> Riddle:
        return Riddle(hidden(answer, 5), guessing.candidates(config, environment))  # type: ignore[arg-type]

    monkeypatch.setattr("app.window.museum.game_dialog.riddle", made)


def choose(game: GameDialog, bug: str) -> None:
    names = [game.answers.item(row).data(Qt.ItemDataRole.UserRole) for row in range(game.answers.count())]
    game.answers.setCurrentRow(names.index(bug))


def test_the_game_hides_a_bug_from_all_that_can_be_read_until_it_is_guessed(
    make_window: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    riddled("wrong-sign", monkeypatch)
    window = make_window(**GRID, budget__environment_steps=400)
    game = opened(window, "guess", GameDialog)
    assert isinstance(game, GameDialog)
    assert game.score.played == 0
    assert "Click one of them" in game.page.toPlainText()  # until something is chosen
    click(game.begin_button)
    qtbot.waitUntil(lambda: ended(window) and bool(window.run_library.records()), timeout=60_000)
    shown = texts(window.frame) + window.log.text + str(window.run_library.name(window.run_library.records()[0]))
    assert "⚠ a bug?" in shown
    assert not [word for word in ("wrong-sign", BUGS["wrong-sign"].title, "minimises") if word in shown]
    assert "wrong" not in str(window.run_library.records()[0].configuration["bug"])
    assert actual_bug(window.experiment.config.bug) == "wrong-sign"
    begin, answers = game.begin_button.geometry(), game.answers.geometry()
    click(game.hint_button)
    assert "doctor" in game.page.toPlainText()
    choose(game, NO_BUG)
    click(game.guess_button)
    assert "No: it was sign of the loss" in game.page.toPlainText()
    assert str(game.score) == "0 of 1 guessed"
    assert window.run_library.records()[0].label.title == "sign of the loss"
    assert not game.guess_button.isEnabled()
    assert game.begin_button.isEnabled()
    click(game.beside_button)
    assert not game.begin_button.isEnabled()
    assert "stop it to begin" in game.told.text()  # why not
    QApplication.processEvents()
    assert (game.begin_button.geometry(), game.answers.geometry()) == (begin, answers)
    qtbot.waitUntil(lambda: len(window.run_library.records()) == 2 and ended(window), timeout=60_000)
    assert "stop it" not in game.told.text()
    shown_run, ghost = window.controller.shown, window.controller.ghost
    assert shown_run is not None
    assert ghost is not None
    assert (shown_run.config.bug, shown_run.config.seed) == (NO_BUG, ghost.config.seed)
    game.close()
    assert window.experiment.config.bug == NO_BUG


def test_the_game_stands_where_the_plots_are_seen() -> None:
    screen, size = QRect(0, 0, 1920, 1080), QSize(420, 620)
    for window, x in (
        (QRect(100, 100, 1280, 720), 1380),  # right of it
        (QRect(600, 100, 1280, 720), 180),  # left of it
        (QRect(0, 0, 1920, 1080), 0),  # over what is chosen
    ):
        place = beside_plots(window, size, screen)
        assert place.x() == x
        assert screen.contains(QRect(place, size))


def test_a_right_guess_counts_and_every_answer_can_come(settings: QSettings) -> None:
    score = Score(settings)
    score.add(True)
    score.add(False)
    assert str(Score(settings)) == "1 of 2 guessed"
    preset = shipped()["cartpole-ppo"].config
    from engine.catalogue.environments import ENVIRONMENTS

    info = ENVIRONMENTS["CartPole-v1"]
    drawn = {guessing.riddle(preset, info).answer for _ in range(300)}
    assert drawn == {NO_BUG, *(bug.name for bug in guessing.candidates(preset, info))}
    tokens = {guessing.riddle(preset, info).token for _ in range(20)}
    assert len(tokens) == 20


# --- the self-test ----------------------------------------------------------------------------------------------------


def test_the_chosen_algorithm_is_tested_in_the_window(make_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = make_window(**GRID)
    qtbot.waitUntil(lambda: not window.training.loading, timeout=60_000)
    dialog = opened(window, "self_test", SelfTestDialog)
    assert isinstance(dialog, SelfTestDialog)
    dialog.begin(["value-iteration"])
    qtbot.waitUntil(lambda: dialog.verdict.text().endswith(" passed"), timeout=60_000)
    assert {outcome.probe.id for outcome in dialog.outcomes} >= {"ProbeValue-v0", "ProbeCut-v0"}
    assert dialog.table.rowCount() == len(dialog.outcomes)
    assert window.controller.state is RunState.IDLE
    assert QApplication.activeModalWidget() is dialog
    dialog.close()
