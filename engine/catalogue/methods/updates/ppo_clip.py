"""PPO with a clipped surrogate."""

from __future__ import annotations

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.reasons import mean_over_steps
from engine.catalogue.methods.spec import Entry, UpdateSpec, fits_all
from engine.config.estimators import GAE, FixedLengthRollouts, ValueBaseline
from engine.config.updates import PPOClip

SPEC = UpdateSpec(
    order=40,
    entry=Entry(
        "ppo-clip",
        "PPO, clipped",
        "Many small steps on the same batch; change beyond the clip range earns nothing.",
        {"update": "ppo-clip"},
    ),
    algorithms=(
        algorithm(
            "ppo",
            "PPO",
            "GAE advantages, and several epochs on the clipped surrogate: what most people use.",
            Point(GAE, ValueBaseline, PPOClip, FixedLengthRollouts, normalize=True),
        ),
    ),
    fits=fits_all,
    whole_episodes=None,
    shares_layers=True,
    one_advantage=True,
    weighs_actors=False,
    biases=mean_over_steps,
    pinned=("update.learning_rate", "update.clip_range"),
    metrics=("approx_kl", "clip_fraction"),
    ratios="step",
)
