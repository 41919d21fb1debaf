"""The policy gradient over all actions, with learned action values."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.climbed_values import REPORTED, learned_values_mislead, one_of_several_actions, replayed
from engine.catalogue.methods.spec import ActorCriticSpec, Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.policies import MLPPolicy
from engine.runtime.errors import Refusal


def _fits(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from one_of_several_actions(config, environment)
    yield from replayed(config, environment)


def _biases(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[str]:
    if config.update.kind == "q-actor-critic" and config.update.entropy_coefficient > 0.0:
        yield "The entropy bonus is climbed as well as the return."
    yield from learned_values_mislead(config)


SPEC = ActorCriticSpec(
    order=123,
    entry=Entry(
        "q-actor-critic",
        "All-actions policy gradient",
        "The policy climbs Σ_a π(a|s) Q(s, a), summed over all actions, with learned action values.",
        {"update": "q-actor-critic"},
    ),
    algorithms=(
        Entry(
            "q-actor-critic",
            "Q actor-critic",
            "Q is trained as in DQN and used to train the policy: all actions are summed over, and none is drawn.",
            {"policy": MLPPolicy().kind, "policy.distribution": "auto", "update": "q-actor-critic"},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    biases=_biases,
    pinned=("update.learning_rate", "update.critic.learning_rate", "update.entropy_coefficient"),
    metrics=("entropy", "gradient_noise", "sampled_gradient_noise", *REPORTED),
)
