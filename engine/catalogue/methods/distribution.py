"""The policy and its distribution where these were left open."""

from __future__ import annotations

from typing import Literal, cast

from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, RunConfig
from engine.config.actor_critic import SAC, QActorCritic
from engine.config.policies import PolicyConfig, TabularPolicy

DistributionName = Literal["softmax", "bernoulli", "gaussian", "tanh-gaussian", "beta", "deterministic"]

_FOLLOWS = {kind: cast(DistributionName, id) for id, spec in DISTRIBUTION_SPECS.items() for kind in spec.follows}


def distribution_of(policy: PolicyConfig, environment: EnvironmentInfo) -> DistributionName:
    """The distribution a policy has in an environment; ``auto`` follows the action space."""
    if policy.distribution != "auto":
        return policy.distribution
    follows = _FOLLOWS[environment.action.kind]
    lacks_spread = DISTRIBUTION_SPECS[follows].spread and not POLICY_SPECS[policy.kind].spread
    return _FOLLOWS["discrete"] if lacks_spread else follows


def policy_of(config: RunConfig, environment: EnvironmentInfo) -> PolicyConfig:
    """The policy of a run as it is made: where action values are climbed, the rule says what actions it gives.

    SAC draws continuous ones between their bounds, each state with a spread of its own; others climb the values of a
    single action for each state.
    """
    policy = config.policy
    if not isinstance(config, ActorCriticConfig) or isinstance(policy, TabularPolicy):
        return policy
    if environment.action.kind != "box" or isinstance(config.update, QActorCritic):
        return policy
    soft = isinstance(config.update, SAC)
    update: dict[str, object] = {"spread": "per-state"} if soft else {}
    if policy.distribution == "auto":
        update["distribution"] = "tanh-gaussian" if soft else "deterministic"
    return policy.model_copy(update=update)


def distribution_in(config: RunConfig, environment: EnvironmentInfo) -> DistributionName:
    """That of the policy of a run as it is made."""
    return distribution_of(policy_of(config, environment), environment)
