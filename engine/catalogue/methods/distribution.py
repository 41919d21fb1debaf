"""The distribution that a policy has where none was asked for."""

from __future__ import annotations

from typing import Literal

from engine.catalogue.spaces import EnvironmentInfo
from engine.config.policies import PolicyConfig

DistributionName = Literal["softmax", "bernoulli", "gaussian", "tanh-gaussian", "beta"]

_NATURAL: dict[str, DistributionName] = {
    "discrete": "softmax",
    "multi-discrete": "softmax",
    "multi-binary": "bernoulli",
    "box": "gaussian",
}


def distribution_of(policy: PolicyConfig, environment: EnvironmentInfo) -> DistributionName:
    """The distribution a policy has in an environment; ``auto`` follows the action space."""
    if policy.distribution != "auto":
        return policy.distribution
    natural = _NATURAL[environment.action.kind]
    return "softmax" if policy.kind == "tabular" and natural == "gaussian" else natural
