"""Gymnasium's small environments with finitely many states."""

from __future__ import annotations

from engine.catalogue.family import Family
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, box, discrete

_COMPASS = ("left", "down", "right", "up")


def _lake(maps: tuple[str, str]) -> tuple[Option, ...]:
    return (
        Option("map_name", "Map", maps[0], "How large the lake is.", choices=tuple(sorted(maps)), reshapes=True),
        Option("is_slippery", "Slippery", True, "On ice a step may go to either side instead."),
        Option(
            "success_rate",
            "Success rate",
            1.0 / 3.0,
            "How likely a step goes where it was meant to, if the ice is slippery; else one side or the other.",
            minimum=0.0,
            maximum=1.0,
            switch="is_slippery",
        ),
    )


def _chance(name: str, title: str, default: float, help: str, switch: str) -> Option:
    return Option(name, title, default, help, minimum=0.0, maximum=1.0, switch=switch)


_RULES = (
    Option("sab", "Sutton and Barto's rules", True, "An ace and a ten at once win unless the dealer has them."),
    Option("natural", "Pay naturals 1.5", False, "An ace and a ten at once pay 1.5; without the rules above."),
)

_ENVIRONMENTS = (
    EnvironmentInfo(
        "FrozenLake-v1",
        "Frozen lake",
        "Cross slippery ice without falling into a hole; only reaching the goal earns 1.",
        discrete(16),
        discrete(4, *_COMPASS),
        100,
        0.70,
        finite=True,
        teaches="Sparse reward under chance: the same actions may win or lose, so many episodes are needed to tell.",
        best_known=BestKnown(0.7442, "computed by dynamic programming over its 100 steps", exact=True),
        options=_lake(("4x4", "8x8")),
    ),
    EnvironmentInfo(
        "FrozenLake8x8-v1",
        "Frozen lake, 8 × 8",
        "A larger lake: at first hardly any episode reaches the goal by chance.",
        discrete(64),
        discrete(4, *_COMPASS),
        200,
        0.85,
        finite=True,
        teaches="How a sparse reward fades with distance: where nothing is ever won there is no gradient.",
        best_known=BestKnown(0.9132, "computed by dynamic programming over its 200 steps", exact=True),
        options=_lake(("8x8", "4x4")),
    ),
    EnvironmentInfo(
        "CliffWalking-v1",
        "Cliff walking",
        "Walk along a cliff to the goal: every step costs 1, falling costs 100 and leads back to the start.",
        discrete(48),
        discrete(4, "up", "right", "down", "left"),
        200,
        finite=True,
        teaches="The price of exploring: while actions are still random the safe detour beats the path along the edge.",
        best_known=BestKnown(-13.0, "computed by dynamic programming over its 200 steps", exact=True),
        options=(Option("is_slippery", "Slippery", False, "A step may go to either side instead."),),
    ),
    EnvironmentInfo(
        "Taxi-v4",
        "Taxi",
        "Fetch a passenger and set them down where they want to go: 20 for it, steps cost 1, mistakes 10.",
        discrete(500),
        discrete(6, "down", "up", "right", "left", "pick up", "set down"),
        200,
        None,  # it is registered with 8, but the best policy's mean is less
        finite=True,
        teaches="Subgoals: fetching pays nothing by itself, and costly mistakes make policies shy of trying.",
        best_known=BestKnown(7.93, "computed by dynamic programming over its 200 steps", exact=True),
        options=(
            Option("is_rainy", "Rain", False, "On wet roads the taxi may slide to a side."),
            _chance("rainy_probability", "Grip in rain", 0.8, "How likely it goes where it was steered.", "is_rainy"),
            Option(
                "fickle_passenger",
                "Fickle passenger",
                False,
                "The passenger may change their mind on the way.",
                hidden_state=True,
            ),
            _chance("fickle_probability", "Fickleness", 0.3, "How likely the passenger does so.", "fickle_passenger"),
        ),
    ),
    EnvironmentInfo(
        "Blackjack-v1",
        "Blackjack",
        "Take cards or stop, as close to 21 as possible and closer than the dealer: 1 for a win, −1 for a loss.",
        box(45, bounds=((0.0, 1.0),)),
        discrete(2, "stop", "another card"),
        teaches="Noise: even the best play loses a little, and single episodes say next to nothing.",
        best_known=BestKnown(-0.0431, "computed by dynamic programming over all hands", exact=True),
        options=_RULES,
    ),
    EnvironmentInfo(
        "BlackjackHands-v0",
        "Blackjack, numbered hands",
        "The same game, but what is seen is the number of one of 290 hands, as a table needs it.",
        discrete(290),
        discrete(2, "stop", "another card"),
        finite=True,
        teaches="The best play, computed from the rules of the cards, beside what is learned by playing.",
        best_known=BestKnown(-0.0431, "computed by dynamic programming over all hands", exact=True),
        options=_RULES,
    ),
)

FAMILY = Family(
    name="toy",
    title="Toy text",
    summary="Gymnasium's small environments with finitely many states.",
    order=30,
    extra=None,
    making=None,
    batched=False,
    waits=True,
    environments=_ENVIRONMENTS,
)
