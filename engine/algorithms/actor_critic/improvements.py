"""The improvement of the policy that a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.algorithms.actor_critic.all_actions import AllActionsImprovement
from engine.algorithms.actor_critic.deterministic import DeterministicImprovement
from engine.algorithms.actor_critic.improvement import Improvement
from engine.algorithms.actor_critic.squashed import SquashedImprovement
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import DDPG, TD3
from engine.policies.policy import Policy


def make_improvement(
    config: ActorCriticConfig, policy: Policy, environment: EnvironmentInfo, generator: torch.Generator
) -> Improvement:
    """That of the configuration's rule; ``generator`` is of the noise, where the policy is."""
    if isinstance(config.update, TD3 | DDPG):
        return DeterministicImprovement(config, policy, generator)
    if environment.action.kind == "discrete":
        return AllActionsImprovement(config, policy, environment, generator)
    return SquashedImprovement(config, policy, environment, generator)


MakeImprovement = Callable[[ActorCriticConfig, Policy, EnvironmentInfo, torch.Generator], Improvement]
