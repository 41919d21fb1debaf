"""Choosing an environment with its preset, a starting choice, or the settings there are; and what it goes by then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gallery.window import Gallery
from app.models.offers import offers, presets_for, short_title, starting_preset
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.starting import starting_choice
from engine.config import presets
from engine.config.presets import shipped

Make = Callable[..., MainWindow]
LANDER = "LunarLander-v3"
BARE = "Taxi-v4"  # in a test in which no presets ship


@pytest.fixture
def opened(make_window: Make, qtbot: QtBot) -> tuple[MainWindow, Gallery]:
    """A window whose learning rate was edited, with the gallery before it."""
    window = make_window()
    window.experiment.set_value("update.learning_rate", 0.0123)
    qtbot.mouseClick(window.experiment_panel.environment.button, Qt.MouseButton.LeftButton)
    gallery = window.gallery.gallery
    assert gallery is not None
    qtbot.waitUntil(gallery.isActiveWindow)
    return window, gallery


def shown(window: MainWindow) -> tuple[str, str]:
    """What the preset button says, whole, and the story at the head of the experiment."""
    return window.toolbar.preset_button.toolTip().splitlines()[0], window.experiment_panel.story.text


def double_click(gallery: Gallery, id: str, qtbot: QtBot) -> None:
    gallery.cards.select(id)
    place = gallery.cards.visualRect(gallery.model.index_of(id)).center()
    for click in (qtbot.mouseClick, qtbot.mouseDClick):
        click(gallery.cards.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_way_of_choosing_an_environment_takes_its_preset_first(
    opened: tuple[MainWindow, Gallery], qtbot: QtBot
) -> None:
    window, gallery = opened
    preset = presets_for(LANDER)[0]

    def typed() -> None:
        QTest.keyClicks(gallery.id_entry.field, LANDER)
        QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)

    def entered() -> None:
        gallery.cards.select(LANDER)
        QTest.keyClick(gallery.cards, Qt.Key.Key_Return)

    def clicked() -> None:
        gallery.cards.select(LANDER)
        qtbot.mouseClick(gallery.details.terms.first, Qt.MouseButton.LeftButton)

    for take in (lambda: double_click(gallery, LANDER, qtbot), typed, entered, clicked):
        take()
        assert window.experiment.config == preset.config
        assert not gallery.isVisible()
        assert shown(window) == (preset.title, preset.summary)
        window.choice_loader.load(presets.default())
        gallery.present()
        qtbot.waitUntil(gallery.isActiveWindow)


def test_settings_can_be_kept_and_then_go_by_no_preset_of_another_environment(
    opened: tuple[MainWindow, Gallery], qtbot: QtBot
) -> None:
    window, gallery = opened
    gallery.cards.select(LANDER)
    assert gallery.details.terms.second.text() == "Keep my settings"
    qtbot.mouseClick(gallery.details.terms.second, Qt.MouseButton.LeftButton)
    assert (window.experiment.plain.id, window.experiment.config.update.learning_rate) == (LANDER, 0.0123)
    title, story = shown(window)
    assert title == "Lunar lander: your settings"
    assert "kept" in story


def test_a_typed_environment_can_keep_the_settings_as_well(opened: tuple[MainWindow, Gallery], qtbot: QtBot) -> None:
    window, gallery = opened
    QTest.keyClicks(gallery.id_entry.field, LANDER)
    qtbot.mouseClick(gallery.id_entry.keep, Qt.MouseButton.LeftButton)
    assert (window.experiment.plain.id, window.experiment.config.update.learning_rate) == (LANDER, 0.0123)


def test_where_no_preset_ships_a_starting_choice_comes_first_and_promises_nothing(
    opened: tuple[MainWindow, Gallery], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, gallery = opened
    monkeypatch.setattr("app.models.offers.shipped", dict)
    gallery.cards.select(BARE)
    assert gallery.details.terms.first.text().startswith("With a starting choice for its spaces\n")
    assert gallery.details.terms.first.text().endswith("nothing is promised")
    QTest.keyClick(gallery.cards, Qt.Key.Key_Return)
    assert window.experiment.config == starting_choice(ENVIRONMENTS[BARE])
    title, story = shown(window)
    assert title == f"{ENVIRONMENTS[BARE].title}: starting choice"
    assert story.endswith("Nothing is promised.")


def test_what_was_never_looked_at_gets_a_starting_choice_once_it_is(
    opened: tuple[MainWindow, Gallery], qtbot: QtBot
) -> None:
    window, gallery = opened
    QTest.keyClicks(gallery.id_entry.field, "CliffWalkingSlippery-v1")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not gallery.isVisible(), timeout=20_000)
    assert window.experiment.config == starting_choice(window.experiment.plain)
    assert window.experiment.config.policy.kind == "tabular"


def test_other_presets_of_an_environment_can_be_chosen(opened: tuple[MainWindow, Gallery], qtbot: QtBot) -> None:
    window, gallery = opened
    gallery.cards.select("Acrobot-v1")
    second = presets_for("Acrobot-v1")[1]
    terms = gallery.details.terms
    qtbot.mouseMove(terms.others)
    terms.menu.popup(terms.others.mapToGlobal(terms.others.rect().bottomLeft()))
    action = next(each for each in terms.menu.actions() if each.text().startswith(short_title(second)))
    assert second.summary in action.toolTip()
    qtbot.mouseClick(terms.menu, Qt.MouseButton.LeftButton, pos=terms.menu.actionGeometry(action).center())
    assert window.experiment.config == second.config


def test_the_environment_in_use_loses_no_settings_to_a_double_click(
    opened: tuple[MainWindow, Gallery], qtbot: QtBot
) -> None:
    window, gallery = opened
    before = window.experiment.config
    terms = gallery.details.terms
    assert (terms.offered, terms.second.text(), terms.second.property("role")) == (
        "kept",
        "Keep my settings",
        "primary",
    )
    places = {}
    for id in ("CartPole-v1", "LunarLander-v3", "Acrobot-v1", "FrozenLake-v1"):
        gallery.cards.select(id)
        QApplication.processEvents()
        where = [button.mapTo(gallery, button.rect().topLeft()).toTuple() for button in (terms.first, terms.second)]
        places[id] = terms.first.text().partition(":")[0], terms.second.text(), *where
    assert len(set(places.values())) == 1  # nothing jumps from one environment to the next
    double_click(gallery, "CartPole-v1", qtbot)
    assert window.experiment.config == before
    assert not gallery.isVisible()
    assert window.toolbar.preset_button.text().endswith("(edited)")


def test_a_preset_that_was_edited_is_said_to_be_and_its_story_stays(make_window: Make) -> None:
    window = make_window()
    preset = next(iter(shipped().values()))
    assert shown(window) == (preset.title, preset.summary)
    height = window.experiment_panel.story.height()
    window.experiment.set_value("update.learning_rate", 0.0123)
    assert shown(window) == (f"{preset.title} (edited)", preset.summary)
    assert window.experiment_panel.story.height() == height
    window.experiment.set_value("update.learning_rate", preset.config.update.learning_rate)
    assert shown(window) == (preset.title, preset.summary)


@pytest.mark.parametrize("id", ENVIRONMENTS)
def test_every_environment_has_something_to_offer_first(id: str) -> None:
    first, *rest = offers(id, ENVIRONMENTS[id])
    assert first.terms != "kept"
    assert [offer.terms for offer in rest].count("kept") == 1


def test_what_was_measured_stands_beside_the_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    lander = presets_for(LANDER)[0].model_copy(update={"reaches": 200.0, "seconds": 50.0})
    monkeypatch.setattr("app.models.offers.shipped", lambda: {"lunar-lander": lander})
    first = offers(LANDER, ENVIRONMENTS[LANDER])[0]
    assert (first.label, first.note) == ("With its preset: PPO", "trains to 200 in about 50 s")


def test_a_long_name_leaves_a_title_that_can_be_saved() -> None:
    from dataclasses import replace

    preset = starting_preset(replace(ENVIRONMENTS["Taxi-v4"], title="a_module:" + "A" * 200))
    assert preset is not None
    assert len(preset.title) <= presets.LONGEST_TITLE
