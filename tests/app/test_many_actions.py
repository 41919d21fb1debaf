"""Of thousands of actions the window draws and names as many as can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.panels.episode.action_bars import ActionBars
from app.style import theme
from app.style.environment_text import acts
from engine.catalogue.spaces import Space, box, discrete
from engine.reports.frames import Decision, GaussianDecision, MultiSoftmaxDecision, SoftmaxDecision, SwitchDecision

MANY = 5000
NUMBERS = np.linspace(0.0, 1.0, MANY, dtype=np.float32)
SHARES = np.full(2 * MANY, 0.5, np.float32)
LIKELY = np.zeros(1_000_000, np.float32)
LIKELY[999_999] = 1.0


@pytest.mark.parametrize(
    ("space", "decision", "more"),
    [
        (box(MANY), GaussianDecision(NUMBERS, NUMBERS, NUMBERS, -NUMBERS - 1, NUMBERS + 1), "and 4,976 more"),
        (Space("multi-binary", MANY), SwitchDecision(NUMBERS, NUMBERS.astype(np.int64)), "and 4,976 more"),
        (
            Space("multi-discrete", 2 * MANY, parts=(2,) * MANY),
            MultiSoftmaxDecision(SHARES, np.zeros(MANY, np.int64)),
            "and 4,976 more",
        ),
        (discrete(1_000_000), SoftmaxDecision(LIKELY, 999_999), "and 999,936 more; taken: action 999999"),
    ],
    ids=["numbers", "switches", "parts", "choices"],
)
def test_of_thousands_of_actions_a_few_are_drawn_and_named(
    space: Space, decision: Decision, more: str, qtbot: QtBot
) -> None:
    bars = ActionBars(theme.load_theme("dark"), space)
    qtbot.addWidget(bars)
    bars.resize(400, bars.sizeHint().height())
    assert bars.height() < 1200
    bars.grab()
    bars.show_decision(decision)
    bars.grab()
    bars.describe()
    assert bars.accessibleDescription().endswith(more)


def test_what_is_chosen_among_so_many_that_none_could_be_listed_still_has_its_columns(qtbot: QtBot) -> None:
    bars = ActionBars(theme.load_theme("dark"), discrete(2**62))
    qtbot.addWidget(bars)
    bars.resize(400, bars.sizeHint().height())
    bars.grab()
    assert acts(Space("multi-discrete", 10_000, parts=(2,) * MANY)) == "2 × 2 × 2 × … (5,000 parts) actions"
