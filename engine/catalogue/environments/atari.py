"""A selection of Atari 2600 games in the Arcade Learning Environment; the extra ``atari``.

Seen are the last four of every fourth frame, in grey and 84 × 84 pixels small (Mnih et al. 2015). An action is held for
four frames, and a game is cut off after 108,000 of them. Published returns are those of games without sticky actions.
"""

from __future__ import annotations

from engine.catalogue.family import Extra, Family, Making
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, discrete, pixels

_SEES = pixels(4, 84, 84)
_LIMIT = 27000
_MUZERO = "Schrittwieser et al. 2020, MuZero"
_R2D2 = "Badia et al. 2020, R2D2 with a bandit"
_STICK = ("nothing", "fire", "up", "right", "left", "down", "up right", "up left", "down right", "down left")
_EVERYTHING = (*_STICK, *(f"{way}, fire" for way in _STICK[2:]))
_SIDEWAYS = ("nothing", "fire", "right", "left", "right, fire", "left, fire")


def _options(difficulties: int, modes: int) -> tuple[Option, ...]:
    """``difficulties`` and ``modes`` are how many the game has."""
    found = [
        Option(
            "repeat_action_probability",
            "Sticky actions",
            0.25,
            "How likely each frame repeats the action before, so that games differ (Machado et al. 2018).",
            minimum=0.0,
            maximum=1.0,
        )
    ]
    if difficulties > 1:
        found.append(Option("difficulty", "Difficulty", 0, "The game's own switch.", "", 0, difficulties - 1))
    if modes > 1:
        found.append(Option("mode", "Variant", 0, "Which of the game's own variants is played.", "", 0, modes - 1))
    return tuple(found)


_ALL_ACTIONS = Option(
    "full_action_space", "All 18 actions", False, "Also those that make no difference in this game.", reshapes=True
)


def _game(
    name: str, words: tuple[str, str, str], actions: tuple[str, ...], options: tuple[Option, ...], best: BestKnown
) -> EnvironmentInfo:
    """``words`` are title, summary and what it teaches."""
    title, summary, teaches = words
    fewer = () if actions == _EVERYTHING else (_ALL_ACTIONS,)
    return EnvironmentInfo(
        f"ALE/{name}-v5",
        title,
        summary,
        _SEES,
        discrete(len(actions), *actions),
        _LIMIT,
        teaches=teaches,
        best_known=best,
        options=options + fewer,
    )


_ENVIRONMENTS = (
    _game(
        "Pong",
        (
            "Pong",
            "Table tennis against the machine: 1 for a point won, −1 for one lost, up to 21.",
            "Learning from pixels: the game with which policy gradients from images are usually shown first.",
        ),
        _SIDEWAYS,
        _options(4, 2),
        BestKnown(21.0, "the game ends at 21 points", exact=True),
    ),
    _game(
        "Breakout",
        (
            "Breakout",
            "Keep a ball in play with a bat and clear two walls of bricks.",
            "Delayed credit: a stroke pays only once the ball has come to the wall.",
        ),
        ("nothing", "fire", "right", "left"),
        _options(2, 1),
        BestKnown(864.0, "two walls of 432 points are all there is", exact=True),
    ),
    _game(
        "Freeway",
        (
            "Freeway",
            "Bring a chicken across ten lanes of traffic as often as possible in about two minutes.",
            "A sparse reward on a simple path: going up all the time gets far already.",
        ),
        ("nothing", "up", "down"),
        _options(2, 8),
        BestKnown(34.0, _R2D2),
    ),
    _game(
        "Boxing",
        (
            "Boxing",
            "Land punches: 1 for each, −1 for each taken, over at 100 or after two minutes.",
            "A dense reward against an opponent that moves: quick progress from pixels.",
        ),
        _EVERYTHING,
        _options(4, 1),
        BestKnown(100.0, "a fight ends at 100 points", exact=True),
    ),
    _game(
        "SpaceInvaders",
        (
            "Space invaders",
            "Shoot rows of invaders that come down ever faster, from behind shelters.",
            "Safety and gain against each other: points now, or cover and points later.",
        ),
        _SIDEWAYS,
        _options(2, 16),
        BestKnown(74335.3, _MUZERO),
    ),
    _game(
        "Qbert",
        (
            "Q*bert",
            "Hop over a pyramid of cubes until all have changed colour, and off it never.",
            "Safe exploration: most of what can be tried at the edge costs a life.",
        ),
        ("nothing", "fire", "up", "right", "left", "down"),
        _options(2, 1),
        BestKnown(777071.3, _R2D2),
    ),
    _game(
        "Enduro",
        (
            "Enduro",
            "Overtake a given number of cars each day, through snow, fog and night.",
            "A first reward that is far away: only after long driving does overtaking begin to pay.",
        ),
        (
            *("nothing", "fire", "right", "left", "down"),
            *("down right", "down left", "right, fire", "left, fire"),
        ),
        _options(1, 1),
        BestKnown(2382.4, _MUZERO),
    ),
    _game(
        "MsPacman",
        (
            "Ms. Pac-Man",
            "Eat every dot in a maze with four ghosts about.",
            "Planning ahead: greedy play gets far, and then into a corner.",
        ),
        ("nothing", "up", "right", "left", "down", "up right", "up left", "down right", "down left"),
        _options(1, 4),
        BestKnown(243401.1, _MUZERO),
    ),
    _game(
        "Seaquest",
        (
            "Seaquest",
            "Shoot sharks, rescue divers, and surface before the air runs out.",
            "A reward that hides what matters: shooting pays at once, air only by not dying.",
        ),
        _EVERYTHING,
        _options(2, 1),
        BestKnown(999999.0, _R2D2),
    ),
    _game(
        "RoadRunner",
        (
            "Road runner",
            "Run along a road, pick up seed, and stay ahead of the coyote.",
            "Large rewards: without normalising or clipping them a learned value cannot keep up.",
        ),
        _EVERYTHING,
        _options(1, 1),
        BestKnown(613411.8, _MUZERO),
    ),
    _game(
        "Skiing",
        (
            "Skiing",
            "Down a slope as fast as possible through twenty gates; gates missed are paid for at the end.",
            "Credit over thousands of steps: what each gate was worth is told only at the foot of the slope.",
        ),
        ("nothing", "right", "left"),
        _options(1, 1),
        BestKnown(-3851.4, _R2D2),
    ),
    _game(
        "MontezumaRevenge",
        (
            "Montezuma's revenge",
            "Find keys and treasure in a pyramid; the first key takes hundreds of right steps.",
            "Hard exploration: plain policy gradients see no reward at all here.",
        ),
        _EVERYTHING,
        _options(1, 1),
        BestKnown(43000.0, "Ecoffet et al. 2019, Go-Explore without domain knowledge, over 43,000"),
    ),
)

FAMILY = Family(
    name="atari",
    title="Atari",
    summary="A selection of Atari 2600 games in the Arcade Learning Environment.",
    order=70,
    extra=Extra("atari", "Atari", ("ale_py", "cv2")),
    making=Making(
        "ale_py",
        ("ALE/",),
        register="engine.environments.making.atari:register",
        arguments={"frameskip": 1},  # every frame is shown, since holding actions is the wrapper's
        wrapper="engine.environments.making.atari:preprocessed",
        frames=4,
    ),
    batched=False,
    waits=False,
    environments=_ENVIRONMENTS,
)
