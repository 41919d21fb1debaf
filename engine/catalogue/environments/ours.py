"""Small environments of our own, whose every number can be edited."""

from __future__ import annotations

from engine.catalogue.family import Family
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, discrete

_CELLS = (("S", "start"), ("G", "goal"), ("H", "pit"), ("#", "wall"), (".", "free"))
_LARGEST = 1e6


def _reward(name: str, title: str, default: float, help: str) -> Option:
    return Option(name, title, default, help, minimum=-_LARGEST, maximum=_LARGEST)


_ENVIRONMENTS = (
    EnvironmentInfo(
        "Bandit-v0",
        "Bandit",
        "Five arms pay 1 with different chances; one pull, and it is over.",
        discrete(1),
        discrete(5, *(f"arm {arm}" for arm in range(1, 6))),
        None,
        0.75,
        finite=True,
        one_step=True,
        teaches="The policy gradient by itself: no states and no time, only which arm, noise and the baseline.",
        best_known=BestKnown(0.8, "the chance of its best arm", exact=True),
        options=(
            Option(
                "means",
                "Chances",
                (0.2, 0.5, 0.35, 0.8, 0.65),
                "How likely each arm pays; there are as many arms as numbers.",
                minimum=0.0,
                maximum=1.0,
                reshapes=True,
            ),
        ),
    ),
    EnvironmentInfo(
        "Corridor-v0",
        "Corridor",
        "Squares in a row: every step costs 1, leaving at the right end earns 10.",
        discrete(7),
        discrete(2, "left", "right"),
        50,
        4.8,
        finite=True,
        teaches="Credit assignment in plain sight: which of the steps earned the reward at the end?",
        best_known=BestKnown(5.0, "five steps at −1, then 10", exact=True),
        options=(
            Option("length", "Length", 7, "How many squares there are.", "squares", 2, 1000, reshapes=True),
            Option("slip", "Slip", 0.0, "How likely a step goes the other way.", minimum=0.0, maximum=1.0),
            _reward("step_reward", "Reward per step", -1.0, "What every step pays that does not reach the goal."),
            _reward("goal_reward", "Reward at the goal", 10.0, "What the step that reaches the goal pays."),
        ),
    ),
    EnvironmentInfo(
        "GridWorld-v0",
        "Grid world",
        "Reach the goal around walls and a pit, on a floor that is a little slippery.",
        discrete(25),
        discrete(4, "left", "down", "right", "up"),
        100,
        8.5,
        finite=True,
        teaches="Estimates against the truth: values, gradients and the best policy are all known exactly here.",
        best_known=BestKnown(9.1364, "computed by dynamic programming over its 100 steps", exact=True),
        options=(
            Option(
                "map",
                "Map",
                ("S..#.", ".#...", ".H.#.", "...#.", ".#..G"),
                "Walls block, pits and goals end the episode; with several starts each is as likely.",
                letters=_CELLS,
                reshapes=True,
            ),
            Option(
                "slip", "Slip", 0.1, "How likely a step goes to one of the two sides instead.", minimum=0.0, maximum=1.0
            ),
            _reward("step_reward", "Reward per step", -0.1, "What a step pays that leads to neither goal nor pit."),
            _reward("goal_reward", "Reward at the goal", 10.0, "What reaching a goal pays."),
            _reward("pit_reward", "Reward in a pit", -10.0, "What falling into a pit pays."),
            Option(
                "block",
                "Cells that look alike",
                1,
                "Squares of so many cells a side look alike, and share their values and actions; 1 tells all apart.",
                unit="a side",
                minimum=1,
                maximum=10,
                reshapes=True,
            ),
        ),
    ),
    EnvironmentInfo(
        "Ledge-v0",
        "Ledge",
        "Two squares that look alike: stop, or go on for 1; from the second, going on falls and costs 3.",
        discrete(1),
        discrete(2, "stop", "go on"),
        None,
        None,
        aliased=True,
        teaches="Why policy iteration may fall where a policy gradient climbs: states that share their values.",
        best_known=BestKnown(1.0, "go on once, then stop, which takes memory; without it 1/12"),
    ),
)

FAMILY = Family(
    name="ours",
    title="Our own small ones",
    summary="Small environments of our own, whose every number can be edited.",
    order=40,
    extra=None,
    making=None,
    batched=True,
    waits=True,
    environments=_ENVIRONMENTS,
)
