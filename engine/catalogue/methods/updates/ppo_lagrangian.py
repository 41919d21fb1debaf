"""PPO with a price on the divergence that adjusts itself."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.reasons import mean_over_steps
from engine.catalogue.methods.spec import Entry, UpdateSpec, fits_all
from engine.config.estimators import GAE, FixedLengthRollouts, ValueBaseline
from engine.config.updates import PPOLagrangian

SPEC = UpdateSpec(
    order=60,
    entry=Entry(
        "ppo-lagrangian",
        "PPO, Lagrange multiplier",
        "Moving away has a price that rises while the policy moves too far and falls while it does not.",
        {"update": "ppo-lagrangian"},
    ),
    algorithms=(
        algorithm(
            "ppo-lagrangian",
            "PPO with a Lagrange multiplier",
            "The surrogate with a price on the divergence that adjusts itself.",
            Point(GAE, ValueBaseline, PPOLagrangian, FixedLengthRollouts, normalize=True),
        ),
    ),
    fits=fits_all,
    whole_episodes=None,
    shares_layers=True,
    one_advantage=True,
    weighs_actors=False,
    biases=mean_over_steps,
    pinned=("update.learning_rate", "update.target_kl"),
    metrics=("approx_kl", "multiplier"),
    ratios="step",
)
