"""Twin delayed deterministic policy gradient."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.climbed_values import REPORTED, deterministic, learned_values_mislead
from engine.catalogue.methods.spec import ActorCriticSpec, Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.policies import MLPPolicy
from engine.runtime.errors import Refusal


def _fits(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from deterministic("TD3", config, environment)


def _biases(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[str]:
    yield "The smaller of two noisy values is too small on average."
    yield from learned_values_mislead(config)


SPEC = ActorCriticSpec(
    order=121,
    entry=Entry(
        "td3",
        "Twin delayed DDPG",
        "A deterministic policy climbs one of two learned action values, with delay and smoothed targets.",
        {"update": "td3"},
    ),
    algorithms=(
        Entry(
            "td3",
            "TD3",
            "DDPG mended: two networks of action values, a policy that waits for them, and targets made smooth.",
            {"policy": MLPPolicy().kind, "policy.distribution": "auto", "update": "td3"},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    biases=_biases,
    pinned=("update.learning_rate", "update.critic.learning_rate", "exploration.noise"),
    metrics=REPORTED,
)
