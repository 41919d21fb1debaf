"""Gymnasium's environments with the physics of Box2D."""

from __future__ import annotations

from engine.catalogue.family import Family
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, box, discrete, pixels

_LANDER_SEES = box(
    8,
    "x",
    "y",
    "x velocity",
    "y velocity",
    "angle",
    "angular velocity",
    "left leg touches",
    "right leg touches",
    bounds=((-2.5, 2.5),) * 2 + ((-10.0, 10.0),) * 2 + ((-6.283185, 6.283185), (-10.0, 10.0)) + ((0.0, 1.0),) * 2,
)


def _wind(name: str, title: str, default: float, help: str, maximum: float) -> Option:
    return Option(name, title, default, help, minimum=0.0, maximum=maximum, switch="enable_wind")


_LANDER_OPTIONS = (
    Option("gravity", "Gravity", -10.0, "Downwards, so it is negative.", "m/s²", -11.99, -0.01),
    Option("enable_wind", "Wind", False, "Gusts push the lander and turn it while it flies."),
    _wind("wind_power", "Wind power", 15.0, "The strongest push, if there is wind.", 20.0),
    _wind("turbulence_power", "Turbulence", 1.5, "The strongest turn, if there is wind.", 2.0),
)
_HEADING = ((-3.141593, 3.141593),)
_UNIT = ((-1.0, 1.0),)
_FIVES = ((-5.0, 5.0),)
_WALKER_SEES = box(
    24,
    "hull angle",
    "hull angular velocity",
    "x velocity",
    "y velocity",
    "hip 1 angle",
    "hip 1 speed",
    "knee 1 angle",
    "knee 1 speed",
    "leg 1 touches",
    "hip 2 angle",
    "hip 2 speed",
    "knee 2 angle",
    "knee 2 speed",
    "leg 2 touches",
    *(f"lidar {beam}" for beam in range(1, 11)),
    bounds=_HEADING + _FIVES * 3 + 2 * (_HEADING + _FIVES + _HEADING + _FIVES + ((0.0, 5.0),)) + _UNIT * 10,
)
_WALKER_DOES = box(4, "hip 1", "knee 1", "hip 2", "knee 2", bounds=_UNIT)

_ENVIRONMENTS = (
    EnvironmentInfo(
        "LunarLander-v3",
        "Lunar lander",
        "Land softly between two flags: about 200 for it; fuel costs, and a crash costs 100.",
        _LANDER_SEES,
        discrete(4, "idle", "left engine", "main engine", "right engine"),
        1000,
        200.0,
        teaches="Credit over hundreds of steps: hovering is a trap, and only a good baseline finds the way to land.",
        best_known=BestKnown(242.1, "RL Baselines3 Zoo, PPO, on LunarLander-v2"),
        options=_LANDER_OPTIONS,
    ),
    EnvironmentInfo(
        "LunarLanderContinuous-v3",
        "Lunar lander, continuous",
        "The same landing with engines that can be throttled; each fires only above half its lever's way.",
        _LANDER_SEES,
        box(2, "main engine", "side engines", bounds=_UNIT),
        1000,
        200.0,
        teaches="The same task with discrete and with continuous actions: what changes is the distribution alone.",
        best_known=BestKnown(278.0, "RL Baselines3 Zoo, TQC, on LunarLanderContinuous-v2"),
        options=_LANDER_OPTIONS,
    ),
    EnvironmentInfo(
        "BipedalWalker-v3",
        "Bipedal walker",
        "Walk to the far end on two legs with four motors: over 300 for it, −100 for a fall.",
        _WALKER_SEES,
        _WALKER_DOES,
        1600,
        300.0,
        teaches="Coordination: four joints have to find a rhythm together, and a fall ends what was being learned.",
        best_known=BestKnown(329.8, "RL Baselines3 Zoo, TQC"),
    ),
    EnvironmentInfo(
        "BipedalWalkerHardcore-v3",
        "Bipedal walker, hard",
        "The same walker among stumps, pits and stairs that lie elsewhere in every episode.",
        _WALKER_SEES,
        _WALKER_DOES,
        2000,
        300.0,
        teaches="Generalisation: no two courses are alike, so what was learned has to hold where it was never tried.",
        best_known=BestKnown(235.2, "RL Baselines3 Zoo, TQC"),
    ),
    EnvironmentInfo(
        "CarRacing-v3",
        "Car racing",
        "Drive a car around a track seen from above: 1000 shared among its tiles, and every frame costs 0.1.",
        pixels(96, 96, 3),
        box(3, "steer", "gas", "brake", bounds=((-1.0, 1.0), (0.0, 1.0), (0.0, 1.0))),
        1000,
        900.0,
        teaches="Learning from pixels: the policy has to find out what a road is before it can follow one.",
        best_known=BestKnown(906.0, "Ha & Schmidhuber 2018, World Models, on CarRacing-v0"),
        options=(
            Option(
                "lap_complete_percent",
                "Lap complete",
                0.95,
                "The share of tiles that has to be visited before the lap counts.",
                minimum=0.0,
                maximum=1.0,
            ),
            Option("domain_randomize", "Random colours", False, "Road and grass have other colours in every episode."),
            Option(
                "continuous",
                "Continuous actions",
                True,
                "Off, there are five actions: nothing, steer left, steer right, gas and brake.",
                reshapes=True,
            ),
        ),
    ),
)

FAMILY = Family(
    name="box2d",
    title="Box2D",
    summary="Gymnasium's environments with the physics of Box2D.",
    order=20,
    extra=None,
    making=None,
    batched=False,
    waits=False,
    environments=_ENVIRONMENTS,
)
