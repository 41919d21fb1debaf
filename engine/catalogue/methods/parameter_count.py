"""How many numbers a policy learns."""

from __future__ import annotations

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.policies import PolicyConfig, TabularPolicy


def parameter_count(policy: PolicyConfig, environment: EnvironmentInfo) -> int:
    """How many numbers the policy learns in ``environment``: weights and biases, and a Gaussian's log-stds.

    A discrete observation enters as a one-hot vector. What a learned baseline needs is not counted.

    Raises:
        RequestError: the policy's features or its network cannot be made for these observations.
    """
    distribution, actions = DISTRIBUTION_SPECS[distribution_of(policy, environment)], environment.action.size
    outputs, apart = distribution.outputs * actions, 0
    if distribution.spread and not isinstance(policy, TabularPolicy):
        if policy.spread == "per-state":
            outputs += actions
        else:
            apart = actions
    return POLICY_SPECS[policy.kind].weights(policy, environment, outputs) + apart
