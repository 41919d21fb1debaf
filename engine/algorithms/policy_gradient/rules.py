"""The update rule that a configuration asks for."""

from __future__ import annotations

import torch

from engine.algorithms.policy_gradient.gradient_ascent import GradientAscentRule
from engine.algorithms.policy_gradient.natural_gradient import NaturalGradientRule
from engine.algorithms.policy_gradient.off_policy import OffPolicyRule
from engine.algorithms.policy_gradient.proximal import ProximalRule
from engine.algorithms.policy_gradient.rule import UpdateRule
from engine.algorithms.policy_gradient.trpo import TRPORule
from engine.config import PolicyGradientConfig
from engine.config.updates import TRPO, GradientAscent, NaturalGradient, OffPolicy
from engine.policies.policy import Policy
from engine.values.fitting import ValueFitting


def make_rule(
    config: PolicyGradientConfig, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None
) -> UpdateRule:
    """The rule with its optimiser; ``generator`` draws minibatches where it has any, and ``fitting`` fits a value
    function of its own, which PPO can do jointly with the policy."""
    update = config.update
    if isinstance(update, GradientAscent):
        return GradientAscentRule(update, policy)
    if isinstance(update, NaturalGradient):
        return NaturalGradientRule(policy)
    if isinstance(update, TRPO):
        return TRPORule(policy)
    if isinstance(update, OffPolicy):
        return OffPolicyRule(update, policy)
    return ProximalRule(update, policy, generator, fitting)
