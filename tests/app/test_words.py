"""Words that a student knows: no symbol is written twice, and no puzzling word stands anywhere in the window."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

import app
import engine
from app.models.run_state import RunState
from app.panels.experiment.form.parameter_row import ParameterRow
from app.style.text import Stage
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, COLLECTIONS, CREDITS, POLICIES, UPDATES
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import parameters_of
from engine.config.presets import shipped
from engine.reports.metrics import METRICS

# What puzzles, names a panel that there is not, or has a percent sign without the space that all others have.
BANNED = [r"\btook the preset\b", "●", r"\bas it came\b", r"^it\. |\bit\. \d", r"\bparameters panel\b", r"\d%"]
_GREEK = "α-ωΑ-Ω"


def puzzling(text: str) -> str:
    """The first banned word in a text; empty where there is none."""
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in BANNED)
    return next((match[0] for match in found if match), "")


def literals(path: Path) -> Iterator[str]:
    """Every text in a module but its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


def titles() -> Iterator[tuple[str, str]]:
    """Title and symbol of every parameter that the form can show."""
    entries = (*POLICIES.values(), *ALGORITHMS.values(), *COLLECTIONS.values(), *CREDITS.values())
    for entry in (*entries, *BASELINES.values(), *UPDATES.values()):
        for parameter in parameters_of(choose(PolicyGradientConfig(), entry)):
            yield parameter.title, parameter.symbol
    for info in ENVIRONMENTS.values():
        for option in info.options:
            yield option.title, ""


def test_no_title_repeats_its_symbol() -> None:
    doubled = {(title, symbol) for title, symbol in titles() if symbol and symbol in re.split(r"[\s(),]+", title)}
    assert doubled == set()
    metrics = ((metric.title, metric.symbol) for metric in METRICS.values())
    greek = {pair for pair in (*titles(), *metrics) if pair[1] and re.search(f"[{_GREEK}]", pair[0])}
    assert greek == set(), "a title says in words what its symbol says in a letter"


def test_advice_names_parameters_by_their_titles() -> None:
    known = {title for title, _ in titles()}
    folder = Path(next(iter(engine.__path__))) / "catalogue"
    named = {name for path in folder.rglob("*.py") for text in literals(path) for name in re.findall("“(.+?)”", text)}
    assert named
    assert named - known == set()


@pytest.mark.parametrize("root", [app, engine], ids=["app", "engine"])
def test_no_puzzling_word_is_written_anywhere(root: object) -> None:
    folder = Path(next(iter(root.__path__)))
    found = {
        f"{path.relative_to(folder)}: {text}"
        for path in folder.rglob("*.py")
        for text in literals(path)
        if puzzling(text)
    }
    assert found == set()


def test_no_preset_tells_its_story_in_puzzling_words() -> None:
    assert [preset.title for preset in shipped().values() if puzzling(f"{preset.title} {preset.summary}")] == []


def texts(widget: QWidget) -> Iterator[str]:
    """All that a widget and what is in it says, on hover and to a screen reader as well."""
    for each in (widget, *widget.findChildren(QWidget)):
        yield from (each.toolTip(), each.windowTitle(), each.accessibleName(), each.accessibleDescription())
        if isinstance(each, QLabel | QAbstractButton):
            yield each.text()
        if isinstance(each, QLineEdit):
            yield each.placeholderText()
    for action in widget.findChildren(QAction):
        yield from (action.text(), action.toolTip())


def test_the_window_in_a_run_that_was_edited_says_nothing_puzzling(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], qtbot: QtBot
) -> None:
    window = make_window(update="ppo-clip", estimator__credit="gae", budget__environment_steps=1000)
    window.experiment.set_value("update.learning_rate", 0.0123)
    window.start()
    reach(window, RunState.FINISHED, timeout=60_000)
    window.actions_by_name["environments"].trigger()
    assert window.gallery.gallery is not None
    for shown in (window, window.gallery.gallery):
        found = {text for text in texts(shown) if puzzling(text)}
        assert found == set()
    assert not puzzling(window.log.text)
    names = [label.text() for row in window.findChildren(ParameterRow) for label in row.findChildren(QLabel)]
    plain = [re.sub(r"<[^>]*>|&nbsp;", " ", name).split() for name in names]
    doubled = [words for words in plain if any(a == b for a, b in pairwise(words))]
    assert doubled == []


def test_why_a_panel_is_empty_can_be_read_in_whatever_room(qtbot: QtBot) -> None:
    stage = Stage("A greedy policy has no probabilities that could be made larger; choose another one. " * 3, QWidget())
    qtbot.addWidget(stage)
    stage.show()
    for width, height in ((400, 300), (120, 90)):
        stage.resize(width, height)
        hint = stage._hint
        qtbot.waitUntil(lambda hint=hint, width=width: 0 < hint.width() <= width)  # type: ignore[misc]
        assert hint.height() >= hint.heightForWidth(hint.width())  # not cut, but scrolled
