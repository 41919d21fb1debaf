"""PPO with a fixed price on the divergence from the old policy."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.reasons import mean_over_steps
from engine.catalogue.methods.spec import Entry, UpdateSpec, fits_all
from engine.config.estimators import GAE, FixedLengthRollouts, ValueBaseline
from engine.config.updates import PPOPenalty

SPEC = UpdateSpec(
    order=50,
    entry=Entry(
        "ppo-penalty",
        "PPO, KL penalty",
        "Many small steps on the same batch; moving away from the old policy has a fixed price.",
        {"update": "ppo-penalty"},
    ),
    algorithms=(
        algorithm(
            "ppo-penalty",
            "PPO with a KL penalty",
            "The surrogate with a fixed price on the KL divergence from the old policy.",
            Point(GAE, ValueBaseline, PPOPenalty, FixedLengthRollouts, normalize=True),
        ),
    ),
    fits=fits_all,
    whole_episodes=None,
    shares_layers=True,
    one_advantage=True,
    weighs_actors=False,
    biases=mean_over_steps,
    pinned=("update.learning_rate", "update.kl_coefficient"),
    metrics=("approx_kl",),
    ratios="step",
)
