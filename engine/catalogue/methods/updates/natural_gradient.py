"""The natural policy gradient: the gradient measured in changes of the policy."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.reasons import matrix_too_large, mean_over_steps
from engine.catalogue.methods.spec import Entry, UpdateSpec
from engine.config.estimators import GAE, ValueBaseline
from engine.config.updates import NaturalGradient

SPEC = UpdateSpec(
    order=20,
    entry=Entry(
        "natural-gradient",
        "Natural gradient",
        "The gradient measured in changes of the policy instead of its parameters: F⁻¹g.",
        {"update": "natural-gradient"},
    ),
    algorithms=(
        algorithm(
            "npg",
            "NPG",
            "GAE advantages, and a step along the natural gradient.",
            Point(GAE, ValueBaseline, NaturalGradient),
        ),
    ),
    fits=matrix_too_large,
    whole_episodes=None,
    shares_layers=False,
    one_advantage=False,
    weighs_actors=False,
    biases=mean_over_steps,
    pinned=("update.learning_rate", "update.max_kl", "update.damping"),
    metrics=("kl",),
    ratios=None,
)
