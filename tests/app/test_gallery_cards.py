"""The gallery's cards: which there are, how they are searched, and their pictures."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from app.gallery.model import GROUPS, Card, Filter, all_cards, arranged
from app.gallery.pictures import initials, picture
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.family import Extra
from engine.catalogue.spaces import EnvironmentInfo, Space

MAZE = EnvironmentInfo("worlds:Maze-v0", "worlds:Maze-v0", "A maze.", Space("discrete", 9), Space("discrete", 4))
LACKING = Extra("minigrid", "MiniGrid", ("a_module_that_nobody_has",))


@pytest.fixture(autouse=True)
def _minigrid_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed where the tests run."""
    monkeypatch.setattr(Extra, "installed", property(lambda self: self.name != "minigrid"))


def test_every_environment_of_the_catalogue_has_one_card():
    cards = all_cards((), (), ())
    assert [card.id for card in cards] == list(ENVIRONMENTS)


def test_shelves_have_headings_with_their_counts():
    rows = arranged(all_cards((), (), ()), Filter(group="ours"))
    assert (rows[0].title, rows[0].count, len(rows)) == (GROUPS["ours"], 4, 5)


def test_an_environment_that_is_known_twice_has_one_card():
    cards = all_cards((MAZE,), ("worlds:Maze-v0", "CartPole-v1", "Other-v0"), ("Maze-v0", "Other-v0", "More-v1"))
    added = {card.id: card.group for card in cards if card.id not in ENVIRONMENTS}
    assert added == {"worlds:Maze-v0": "own", "Other-v0": "own", "More-v1": "registered"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(text="pole HIDDEN"), ["CartPolePositions-v0"]),
        (Filter(text="tworoo mountain"), []),
        (Filter(text="unknown-thing"), ["unknown-thing-v0"]),
        (Filter(group="classic", actions="continuous"), ["MountainCarContinuous-v0", "Pendulum-v1"]),
        (Filter(group="box2d", sees="images"), ["CarRacing-v3"]),
        (Filter(group="toy", sees="numbers"), ["Blackjack-v1"]),
        (Filter(group="minigrid", needs="installed"), []),
        (Filter(group="toy", needs="extra"), []),
        (Filter(group="ours", needs="nothing"), ["Bandit-v0", "Corridor-v0", "GridWorld-v0", "Ledge-v0"]),
    ],
)
def test_a_filter_lets_through_what_fits_all_its_parts(wanted: Filter, expected: list[str]):
    cards = all_cards((), ("unknown-thing-v0",), ())
    assert [card.id for card in cards if wanted.lets_through(card)] == expected


def test_what_an_environment_teaches_is_searched():
    info = ENVIRONMENTS["CliffWalking-v1"]
    word = next(word for word in info.teaches.split() if word not in info.summary and len(word) > 6)
    assert Filter(text=word).lets_through(Card(info.id, "toy", info))


def test_what_has_not_been_looked_at_passes_no_filter_on_its_spaces():
    card = Card("More-v1", "registered")
    assert not any(wanted.lets_through(card) for wanted in (Filter(actions="discrete"), Filter(sees="numbers")))


def test_a_title_leaves_the_module_to_the_id():
    assert [Card(MAZE.id, "own", info).title for info in (MAZE, None)] == ["Maze-v0", "Maze-v0"]


@pytest.mark.parametrize(
    ("title", "expected"), [("CliffWalkingSlippery-v1", "CWS"), ("Maze-v0", "M"), ("ALE/Pong-v5", "P")]
)
def test_initials_stand_where_there_is_no_picture(title: str, expected: str):
    assert initials(title) == expected


def test_pictures_are_as_sharp_as_the_screen(qtbot: QtBot):
    card = Card("CartPole-v1", "classic", ENVIRONMENTS["CartPole-v1"])
    sharp = picture(card, QSize(256, 160), 2.0, load_theme("dark"))
    assert (sharp.width(), sharp.height(), sharp.devicePixelRatio()) == (512, 320, 2.0)


def test_a_missing_extra_makes_its_pictures_grey(qtbot: QtBot):
    info = ENVIRONMENTS["MiniGrid-Empty-5x5-v0"]
    for missing in (None, LACKING):
        image = picture(Card(info.id, "minigrid", info, missing), QSize(160, 100), 1.0, load_theme("dark")).toImage()
        pixels = [image.pixelColor(x, y) for x in range(0, 160, 4) for y in range(0, 100, 4)]
        assert all(p.red() == p.green() == p.blue() for p in pixels) is (missing is not None)
