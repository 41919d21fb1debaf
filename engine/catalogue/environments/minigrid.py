"""A selection of MiniGrid's worlds of cells; the extra ``minigrid``.

All of them pay 1 − 0.9 · steps / limit once, on success. Seen is what lies ahead, as codes of 7 × 7 cells.
"""

from __future__ import annotations

from engine.catalogue.family import Extra, Family, Making
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, discrete, pixels

_SEES = pixels(7, 7, 3)
_DOES = discrete(7, "turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")
_VIEW = Option(
    "agent_view_size",
    "View",
    7,
    "How many cells wide and deep it sees; an odd number.",
    "cells",
    3,
    21,
    reshapes=True,
)


def _world(
    name: str, words: tuple[str, str, str], limit: int, options: tuple[Option, ...] = (), best: BestKnown | None = None
) -> EnvironmentInfo:
    """``words`` are title, summary and what it teaches."""
    title, summary, teaches = words
    return EnvironmentInfo(
        f"MiniGrid-{name}-v0",
        title,
        summary,
        _SEES,
        _DOES,
        limit,
        teaches=teaches,
        best_known=best,
        options=(_VIEW, *options),
    )


def _shortest(steps: int, limit: int) -> BestKnown:
    return BestKnown(1.0 - 0.9 * steps / limit, f"the shortest way takes {steps} steps", exact=True)


_ENVIRONMENTS = (
    _world(
        "Empty-5x5",
        (
            "Empty room, 5 × 5",
            "Turn and walk to the green square in the opposite corner.",
            "Where to start in MiniGrid: a sparse reward that chance still finds.",
        ),
        100,
        best=_shortest(5, 100),
    ),
    _world(
        "Empty-8x8",
        (
            "Empty room, 8 × 8",
            "The same walk in a larger room.",
            "How much longer chance takes to find a reward that is a little further away.",
        ),
        256,
        best=_shortest(11, 256),
    ),
    _world(
        "FourRooms",
        (
            "Four rooms",
            "Find the green square in one of four rooms; start and goal lie elsewhere in every episode.",
            "Exploring with a policy that has to hold everywhere, not along one path.",
        ),
        100,
    ),
    _world(
        "LavaGapS7",
        (
            "Gap in the lava",
            "Cross a strip of lava through its only gap; stepping into lava ends the episode with nothing.",
            "Dangerous exploration: the way to the goal leads past what ends everything.",
        ),
        196,
    ),
    _world(
        "SimpleCrossingS9N1",
        (
            "Crossing",
            "Get around a wall with one gap, which lies elsewhere in every episode.",
            "Generalisation: reading the room in place of remembering a path.",
        ),
        324,
        (Option("num_crossings", "Walls", 1, "How many walls there are.", "walls", 1, 3),),
    ),
    _world(
        "DoorKey-5x5",
        (
            "Door and key, 5 × 5",
            "Pick up the key, open the door, go through it to the green square.",
            "A chain of things to do of which only the last pays.",
        ),
        250,
    ),
    _world(
        "DoorKey-8x8",
        (
            "Door and key, 8 × 8",
            "The same chain in a larger room.",
            "Hard exploration: chance hardly ever does all three things in a row.",
        ),
        640,
    ),
    _world(
        "Unlock",
        (
            "Unlock",
            "Find the key in the room and open the locked door with it.",
            "Tools: the key is worth something only because of what it opens.",
        ),
        288,
    ),
    _world(
        "KeyCorridorS3R1",
        (
            "Key corridor",
            "Find the key behind a door, open the locked room, pick up the ball.",
            "Long chains of subgoals, with nothing on the way to say that it is the right one.",
        ),
        270,
    ),
    _world(
        "MultiRoom-N2-S4",
        (
            "Two rooms",
            "Open the door between two rooms and walk to the green square.",
            "Doors: one rarely used action is the only way on.",
        ),
        40,
    ),
    _world(
        "MemoryS7",
        (
            "Memory",
            "Look at an object, walk down a corridor, and choose the end where the same object lies.",
            "Memory: what decides was seen long ago, so a policy without one is right half of the time.",
        ),
        245,
        (Option("random_length", "Random length", False, "The corridor has another length in every episode."),),
    ),
    EnvironmentInfo(
        "MiniGrid-Dynamic-Obstacles-5x5-v0",
        "Moving obstacles",
        "Reach the green square without walking into balls that roll about; a collision costs 1 and ends it.",
        _SEES,
        discrete(3, "turn left", "turn right", "forward"),
        100,
        teaches="Chance in the world itself: sometimes the best action is to wait.",
        options=(
            _VIEW,
            Option("n_obstacles", "Obstacles", 2, "How many balls there are.", "balls", 0, 2),
        ),
    ),
)

FAMILY = Family(
    name="minigrid",
    title="MiniGrid",
    summary="A selection of MiniGrid's worlds of cells.",
    order=60,
    extra=Extra("minigrid", "MiniGrid", ("minigrid",)),
    making=Making(
        "minigrid",
        ("MiniGrid-", "BabyAI-"),
        wrapper="minigrid.wrappers:ImgObsWrapper",  # the codes of the cells ahead, without direction and mission
    ),
    batched=False,
    waits=True,
    environments=_ENVIRONMENTS,
)
