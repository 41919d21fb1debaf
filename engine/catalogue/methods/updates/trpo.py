"""TRPO: the natural gradient's direction, as far as a trust region and a line search allow."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.reasons import matrix_too_large, mean_over_steps
from engine.catalogue.methods.spec import Entry, UpdateSpec
from engine.config.estimators import GAE, ValueBaseline
from engine.config.updates import TRPO

SPEC = UpdateSpec(
    order=30,
    entry=Entry(
        "trpo",
        "TRPO",
        "The natural gradient's direction, as far as a KL limit and a true improvement allow.",
        {"update": "trpo"},
    ),
    algorithms=(
        algorithm(
            "trpo",
            "TRPO",
            "GAE advantages, and the longest natural-gradient step tried that stays in the trust region and improves.",
            Point(GAE, ValueBaseline, TRPO),
        ),
    ),
    fits=matrix_too_large,
    whole_episodes=None,
    shares_layers=False,
    one_advantage=True,
    weighs_actors=False,
    biases=mean_over_steps,
    pinned=("update.max_kl", "update.damping"),
    metrics=("kl", "line_search"),
    ratios=None,
)
