"""Deep deterministic policy gradient."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.climbed_values import REPORTED, deterministic, learned_values_mislead
from engine.catalogue.methods.spec import ActorCriticSpec, Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.policies import MLPPolicy
from engine.runtime.errors import Refusal


def _fits(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from deterministic("DDPG", config, environment)


def _biases(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[str]:
    yield "The policy seeks out what is valued too highly, so its values are too large on average."
    yield from learned_values_mislead(config)


SPEC = ActorCriticSpec(
    order=122,
    entry=Entry(
        "ddpg",
        "Deterministic policy gradient",
        "A deterministic policy climbs a learned action value by its slope in the action.",
        {"update": "ddpg"},
    ),
    algorithms=(
        Entry(
            "ddpg",
            "DDPG",
            "Q-learning for continuous actions: the policy finds the action that is worth most by climbing.",
            {"policy": MLPPolicy().kind, "policy.distribution": "auto", "update": "ddpg"},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    biases=_biases,
    pinned=("update.learning_rate", "update.critic.learning_rate", "exploration.noise"),
    metrics=REPORTED,
)
