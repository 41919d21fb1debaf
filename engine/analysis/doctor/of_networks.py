"""Rules about the policy's network: what it is given, and which of its units still say anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from engine.analysis.doctor.reported import Reported, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled, switched_on


def _told(metric: str, reported: Reported) -> float | None:
    """What it came to in the last three looks; None where there were fewer, or all is well anyhow."""
    found = reported.newest(metric, 3)
    return median(found) if len(found) == 3 and reported.iterations >= 8 and not reported.does_well else None


def _dead(reported: Reported) -> str | None:
    share = _told("dead_units", reported)
    if share is None or share < 0.9:
        return None
    return (
        f"{percent(share)} of the ReLU units in one of the policy's layers are dead: they are 0 in every state that "
        "was visited."
    )


def _saturated(reported: Reported) -> str | None:
    share = _told("saturated_units", reported)
    if share is None or share < 0.8 or not reported.is_flat:
        return None
    return f"{percent(share)} of the tanh outputs in one of the policy's layers are saturated, and returns do not rise."


def _out_of_scale(reported: Reported) -> str | None:
    size = _told("observation_scale", reported)
    if size is None or 0.01 <= size <= 50.0:
        return None
    which = "large" if size > 1.0 else "small"
    return (
        f"The policy's network is given {which} numbers: the root mean square of the largest component of what it "
        f"observes is {number(size, 3)}."
    )


def _alive(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "policy.activation", "tanh", "Use tanh units"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        switched_on(reported, "environment.normalize_observations", "Normalise observations"),
    )


def _unsaturated(reported: Reported) -> Iterator[Try]:
    return chain(
        switched_on(reported, "environment.normalize_observations", "Normalise observations"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        put(reported, "policy.activation", "relu", "Use ReLU units"),
    )


def _scaled(reported: Reported) -> Iterator[Try]:
    return switched_on(reported, "environment.normalize_observations", "Normalise observations")


RULES = (
    Rule(
        name="observations-out-of-scale",
        title="Observations out of scale",
        fits=lambda reported: reported.plays_itself,
        look=_out_of_scale,
        meaning="Networks begin with weights made for numbers around 1. Large ones saturate their units at once, small "
        "ones hardly move them, and where sizes differ the large component drowns the others.",
        tries=_scaled,
        panel="Diagnostics",
        curves=("observation_scale",),
        source="Schulman, “Nuts and bolts of deep RL research”: observations with mean 0 and standard deviation 1; "
        "huge or tiny scales make learning slow. Here: above 50 or below 0.01.",
    ),
    Rule(
        name="dead-units",
        title="Dead ReLU",
        fits=lambda reported: reported.plays_itself,
        look=_dead,
        meaning="A unit that is 0 everywhere passes no gradient, so that it stays so: the network has become that much "
        "smaller. One step too large, or inputs out of scale, have pushed them there.",
        tries=_alive,
        panel="Diagnostics",
        curves=("dead_units",),
        source="Maas et al. (2013), “Rectifier nonlinearities improve neural network acoustic models”. Here: nine "
        "tenths of a layer in the median of three looks; presets that learn well come to 0.78.",
    ),
    Rule(
        name="saturated-units",
        title="Saturated tanh",
        fits=lambda reported: reported.plays_itself,
        look=_saturated,
        meaning="Beyond ±0.97 a tanh hardly changes with its input, so that hardly any gradient gets through, and "
        "states that differ look alike. Weights or inputs are too large.",
        tries=_unsaturated,
        panel="Diagnostics",
        curves=("saturated_units",),
        source="Glorot and Bengio (2010), “Understanding the difficulty of training deep feedforward neural networks”. "
        "Here: 80 % of a layer's outputs, with flat returns.",
    ),
)
