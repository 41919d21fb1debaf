"""How decisions of every kind are drawn and told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.panels.episode.action_bars import ActionBars
from app.style import theme
from engine.catalogue.spaces import Space
from engine.reports.frames import (
    GRID,
    PLACES,
    BoundedDecision,
    Decision,
    GaussianDecision,
    MultiSoftmaxDecision,
    SoftmaxDecision,
    SwitchDecision,
)
from tests.each import each


def numbers(*values: float, size: int = 1) -> tuple[np.ndarray[Any, Any], ...]:
    return tuple(np.array([value] * size, np.float32) for value in values)


def bounded(size: int) -> BoundedDecision:
    densities = np.tile(np.linspace(0.0, 1.0, GRID, dtype=np.float32), (size, 1))
    return BoundedDecision(densities, *numbers(1.9, 0.5, -2.0, 2.0, size=size))


WORTH = np.linspace(-20.0, 0.0, PLACES, dtype=np.float32)[None]  # from bound to bound

DECISIONS: dict[str, tuple[Space, Decision]] = {
    "bars": (Space("discrete", 2), SoftmaxDecision(np.array([0.25, 0.75], np.float32), 1)),
    "valued bars": (
        Space("discrete", 2),
        SoftmaxDecision(np.array([0.05, 0.95], np.float32), 1, np.array([-100.25, -13.0], np.float32)),
    ),
    "columns": (Space("discrete", 18), SoftmaxDecision(np.full(18, 1 / 18, np.float32), 3)),
    "many columns": (Space("discrete", 1000), SoftmaxDecision(np.full(1000, 1e-3, np.float32), 999)),
    "axis": (Space("box", 1), GaussianDecision(*numbers(0.5, 1.0, 3.0, -2.0, 2.0))),
    "narrow axis": (Space("box", 1), GaussianDecision(*numbers(0.0012, 0.0004, 0.0051, -0.001, 0.002))),
    "far axis": (Space("box", 1), GaussianDecision(*numbers(131.2, 21.63, 123.4, 100.0, 200.0))),
    "axes without bounds": (Space("box", 6), GaussianDecision(*numbers(0.5, 1.0, 30.0, -np.inf, np.inf, size=6))),
    "density": (Space("box", 1), bounded(1)),
    "valued density": (Space("box", 1), replace(bounded(1), worth=WORTH)),
    "valued axis": (Space("box", 1), GaussianDecision(*numbers(0.5, 1.0, 3.0, -2.0, 2.0), worth=WORTH)),
    "many densities": (Space("box", 6), bounded(6)),
    "groups": (
        Space("multi-discrete", 5, parts=(2, 3)),
        MultiSoftmaxDecision(np.array([0.1, 0.9, 0.2, 0.3, 0.5], np.float32), np.array([1, 2])),
    ),
    "large groups": (
        Space("multi-discrete", 60, parts=(30, 30)),
        MultiSoftmaxDecision(np.full(60, 1 / 30, np.float32), np.array([4, 29])),
    ),
    "switches": (Space("multi-binary", 2), SwitchDecision(np.array([0.1, 0.9], np.float32), np.array([0, 1]))),
    "many switches": (Space("multi-binary", 40), SwitchDecision(np.full(40, 0.5, np.float32), np.ones(40, np.int64))),
}


@each("name", ["dark", "light"])
@each("kind", DECISIONS)
def test_every_kind_of_decision_is_drawn(qtbot: QtBot, kind: str, name: theme.ThemeName) -> None:
    space, decision = DECISIONS[kind]
    bars = ActionBars(theme.load_theme(name), space)
    qtbot.addWidget(bars)
    bars.resize(344, bars.height())
    empty, height = bars.grab().toImage(), bars.height()
    bars.show_decision(decision)
    assert bars.grab().toImage() != empty
    assert bars.height() == height


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("valued bars", "action 0 0.05, worth −100, action 1 0.95, worth −13.0; taken: action 1"),
        ("groups", "part 1: choice 1, 0.90; part 2: choice 2, 0.50"),
        ("switches", "switch 0 off, likely on 0.10; switch 1 on, likely on 0.90"),
        ("density", "action 0: greedy 1.90, taken 0.50"),
        ("valued density", "action 0: greedy 1.90, worth −7.50, taken 0.50"),
        ("valued axis", "action 0: mean 0.50, σ 1.00, worth 0.00, taken 3.00"),
        ("axis", "action 0: mean 0.50, σ 1.00, taken 3.00"),
        ("narrow axis", "action 0: mean 0.0012, σ 0.0004, taken 0.0051"),
        ("far axis", "action 0: mean 131, σ 22, taken 123"),
    ],
)
def test_a_decision_is_told_in_words(qtbot: QtBot, kind: str, words: str) -> None:
    space, decision = DECISIONS[kind]
    bars = ActionBars(theme.load_theme("dark"), space)
    qtbot.addWidget(bars)
    bars.show_decision(decision)
    bars.describe()
    assert bars.accessibleDescription() == words


def test_what_a_density_says_is_seen(qtbot: QtBot) -> None:
    """Where the density is high there is ink, and where it is 0 there is none."""
    bars = ActionBars(theme.load_theme("dark"), Space("box", 1))
    qtbot.addWidget(bars)
    bars.resize(344, bars.height())
    densities = np.zeros((1, GRID), np.float32)
    densities[0, : GRID // 2] = 1.0
    bars.show_decision(BoundedDecision(densities, *numbers(-1.0, 1.0, -2.0, 2.0)))
    picture = bars.grab().toImage()
    inked = [
        any(picture.pixelColor(x, y).name() == bars._ink.band.name() for y in range(picture.height()))
        for x in (40, 300)
    ]
    assert inked == [True, False]


def test_a_line_of_values_rises_to_where_they_are_greatest(qtbot: QtBot) -> None:
    bars = ActionBars(theme.load_theme("dark"), Space("box", 1))
    qtbot.addWidget(bars)
    bars.resize(344, bars.height())
    plain = replace(bounded(1), densities=np.zeros((1, GRID), np.float32))
    bars.show_decision(plain)
    without, caption = bars.grab().toImage(), bars.caption
    bars.show_decision(replace(plain, worth=WORTH))
    picture = bars.grab().toImage()
    assert bars.caption != caption
    heights = [
        next(y for y in range(20, picture.height()) if picture.pixel(x, y) != without.pixel(x, y))
        for x in (40, 120, 250)
    ]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[2]
