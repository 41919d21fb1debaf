"""Gradient ascent: one step along the estimated policy gradient."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.spec import UNBIASED, Entry, UpdateSpec, fits_all
from engine.config.estimators import (
    GAE,
    AverageBaseline,
    FixedLengthRollouts,
    LeaveOneOutBaseline,
    NoBaseline,
    NStepTD,
    OptimalBaseline,
    RewardToGo,
    TotalReturn,
    ValueBaseline,
)
from engine.config.updates import GradientAscent


def _told_by_n(entry: Entry) -> Entry:
    """Told from others on the same point by taking a single step."""
    path = "estimator.credit.n"
    return Entry(entry.id, entry.title, entry.summary, entry.values | {path: 1}, (*entry.told_by, path))


SPEC = UpdateSpec(
    order=10,
    entry=Entry(
        "gradient-ascent",
        "Gradient ascent",
        "One step uphill along the estimated gradient, then new experience.",
        {"update": "gradient-ascent"},
    ),
    algorithms=(
        algorithm(
            "reinforce",
            "REINFORCE",
            "As Williams wrote it: an episode's actions are pushed up in proportion to its return.",
            Point(TotalReturn, NoBaseline, GradientAscent),
        ),
        algorithm(
            "reinforce-causality",
            "REINFORCE + causality",
            "Rewards from before an action, which it cannot change, are left out of its credit: less noise.",
            Point(RewardToGo, NoBaseline, GradientAscent),
        ),
        algorithm(
            "reinforce-average-baseline",
            "REINFORCE + average baseline",
            "Causality, and the batch's average credit subtracted: better than usual, or worse.",
            Point(RewardToGo, AverageBaseline, GradientAscent),
        ),
        algorithm(
            "reinforce-optimal-baseline",
            "REINFORCE + optimal baseline",
            "Causality, and the constants subtracted that make the gradient's variance least.",
            Point(RewardToGo, OptimalBaseline, GradientAscent),
            **{"estimator.baseline.per_parameter": True},
        ),
        algorithm(
            "reinforce-learned-baseline",
            "REINFORCE + learned baseline",
            "Causality, and a learned value function subtracted: usually the least noisy of these.",
            Point(RewardToGo, ValueBaseline, GradientAscent),
        ),
        algorithm(
            "rloo",
            "RLOO",
            "REINFORCE with the average return of the other episodes subtracted: unbiased, and nothing to learn.",
            Point(TotalReturn, LeaveOneOutBaseline, GradientAscent),
        ),
        _told_by_n(
            algorithm(
                "actor-critic",
                "Actor-critic, one step",
                "The reward and the next state's learned value tell how an action went, without waiting for the end.",
                Point(NStepTD, ValueBaseline, GradientAscent, collection=FixedLengthRollouts),
            )
        ),
        algorithm(
            "a2c",
            "A2C",
            "Several environments in step, a few steps at a time, and the learned value for what comes after.",
            Point(NStepTD, ValueBaseline, GradientAscent, collection=FixedLengthRollouts),
            **{"estimator.credit.n": 8, "collection.steps": 8},
        ),
        algorithm(
            "vpg",
            "VPG with GAE",
            "The vanilla policy gradient: GAE(λ) advantages and one step uphill.",
            Point(GAE, ValueBaseline, GradientAscent),
        ),
    ),
    fits=fits_all,
    whole_episodes=None,
    shares_layers=True,
    one_advantage=False,
    weighs_actors=False,
    biases=UNBIASED,
    pinned=("update.learning_rate", "update.entropy_coefficient"),
    metrics=(),
    ratios=None,
)
