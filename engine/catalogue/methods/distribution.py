"""The distribution that a policy has where none was asked for."""

from __future__ import annotations

from typing import Literal, cast

from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.policies import PolicyConfig

DistributionName = Literal["softmax", "bernoulli", "gaussian", "tanh-gaussian", "beta"]

_FOLLOWS = {kind: cast(DistributionName, id) for id, spec in DISTRIBUTION_SPECS.items() for kind in spec.follows}


def distribution_of(policy: PolicyConfig, environment: EnvironmentInfo) -> DistributionName:
    """The distribution a policy has in an environment; ``auto`` follows the action space."""
    if policy.distribution != "auto":
        return policy.distribution
    follows = _FOLLOWS[environment.action.kind]
    lacks_spread = DISTRIBUTION_SPECS[follows].spread and not POLICY_SPECS[policy.kind].spread
    return _FOLLOWS["discrete"] if lacks_spread else follows
