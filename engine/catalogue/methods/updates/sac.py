"""Soft actor-critic, for continuous and for discrete actions."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.climbed_values import REPORTED, drawn_as, learned_values_mislead, replayed
from engine.catalogue.methods.spec import ActorCriticSpec, Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.policies import MLPPolicy
from engine.runtime.errors import Refusal


def _fits(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    actions = environment.action
    if actions.kind == "box":
        yield from drawn_as(
            "tanh-gaussian", config, environment, "SAC's actions are drawn between their bounds, with their density"
        )
    elif actions.kind != "discrete":
        yield Refusal(f"SAC knows one action at a time, and {environment.id} has several parts to it", "use PPO")
    yield from replayed(config, environment)


def _biases(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[str]:
    yield "The entropy is climbed as well as the return."
    yield "The smaller of two noisy values is too small on average."
    if config.estimator.n > 1:
        yield "Of the entropy, what the n steps themselves bring is not counted."
    yield from learned_values_mislead(config)


SPEC = ActorCriticSpec(
    order=120,
    entry=Entry(
        "sac",
        "Soft actor-critic",
        "The policy climbs the smaller of two learned action values and its own entropy.",
        {"update": "sac"},
    ),
    algorithms=(
        Entry(
            "sac",
            "SAC",
            "Two networks of action values from old experience, and a policy that stays as undecided as is wished.",
            {"policy": MLPPolicy().kind, "policy.distribution": "auto", "update": "sac"},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    biases=_biases,
    # Of the last two, the form shows the one that the actions call for.
    pinned=(
        "update.learning_rate",
        "update.critic.learning_rate",
        "update.target_entropy",
        "update.target_entropy_share",
    ),
    metrics=("entropy", "temperature", "target_entropy", *REPORTED),
)
