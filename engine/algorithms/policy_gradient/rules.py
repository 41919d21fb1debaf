"""The update rule that a configuration asks for.

Every module of this folder that makes rules says so in a table ``RULES``; being there is enough to be found.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import torch

from engine.algorithms import policy_gradient
from engine.algorithms.policy_gradient.rule import RuleParts, Rules, UpdateRule
from engine.catalogue.methods.points import kind_of
from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.config import PolicyGradientConfig
from engine.policies.policy import Policy
from engine.values.fitting import ValueFitting


def _found() -> Rules:
    """The rules of all modules.

    Raises:
        ValueError: a rule is made twice, or has no record, or a record has no rule.
    """
    names = {f"{policy_gradient.__name__}.{module.name}" for module in iter_modules(policy_gradient.__path__)}
    tables: list[Rules] = [getattr(module, "RULES", {}) for module in map(import_module, sorted(names - {__name__}))]
    found = {config: make for table in tables for config, make in table.items()}
    if len(found) < sum(map(len, tables)):
        raise ValueError("An update rule is made by two modules.")
    require_same_kinds({kind_of(config): config for config in found}, UPDATE_SPECS)
    return found


RULES = _found()


def make_rule(
    config: PolicyGradientConfig, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None
) -> UpdateRule:
    """The rule with its optimiser; ``generator`` draws minibatches where it has any, and ``fitting`` fits a value
    function of its own, which PPO can do jointly with the policy.

    Raises:
        KeyError: there is no such rule.
    """
    return RULES[type(config.update)](config.update, RuleParts(policy, generator, fitting))
