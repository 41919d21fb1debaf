"""Policies that climb learned action values, small and on the CPU."""

from __future__ import annotations

from typing import Any

import torch

from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.distribution import policy_of
from engine.config import ActorCriticConfig
from engine.config.parameters import with_values
from engine.policies.policy import Policy
from engine.runtime.seeds import Seeds


def configured(environment: str, **values: Any) -> ActorCriticConfig:
    config: Any = ActorCriticConfig()
    small = {"environment": environment, "device": "cpu"}
    for path, value in (small | {path.replace("__", "."): value for path, value in values.items()}).items():
        config = with_values(config, {path: value})
    assert isinstance(config, ActorCriticConfig)
    return config


def made(config: ActorCriticConfig) -> tuple[ActorCriticRule, Policy]:
    environment = ENVIRONMENTS[config.environment.id]
    policy = Policy(policy_of(config, environment), environment, torch.Generator().manual_seed(1))
    rule = ActorCriticRule(config, policy, environment, Seeds(1))
    rule.begin(config, 0.0)
    return rule, policy
