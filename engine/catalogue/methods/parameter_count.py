"""How many numbers a policy learns."""

from __future__ import annotations

from itertools import pairwise

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.network_sizes import cnn_parameters, feature_count, gru_parameters
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.policies import PolicyConfig


def parameter_count(policy: PolicyConfig, environment: EnvironmentInfo) -> int:
    """How many numbers the policy learns in ``environment``: weights and biases, and a Gaussian's log-stds.

    A discrete observation enters as a one-hot vector. What a learned baseline needs is not counted.

    Raises:
        RequestError: the policy's features or its network cannot be made for these observations.
    """
    seen, actions = environment.observation, environment.action.size
    if policy.kind == "tabular":
        return seen.size * actions
    distribution = distribution_of(policy, environment)
    gaussian = distribution in ("gaussian", "tanh-gaussian")
    two_each = distribution == "beta" or (gaussian and policy.spread == "per-state")
    outputs = 2 * actions if two_each else actions
    apart = actions if gaussian and policy.spread == "one" else 0
    if policy.kind == "linear":
        return (feature_count(policy.features, seen.size, policy.feature_order) + 1) * outputs + apart
    if policy.kind == "mlp":
        sizes = (seen.size, *policy.hidden_sizes, outputs)
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes)) + apart
    body = (
        gru_parameters(seen.size, policy.hidden_size)
        if policy.kind == "gru"
        else cnn_parameters(seen.shape, policy.hidden_size)
    )
    return body + (policy.hidden_size + 1) * outputs + apart
