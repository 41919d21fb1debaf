"""What actions and states are worth by the networks beside a frozen policy, to be shown with what it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.methods.extent import critic_count
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, RunConfig
from engine.policies.distributions import Categorical, Distribution, TanhGaussian
from engine.policies.policy import Policy
from engine.reports.frames import PLACES
from engine.values.action_critics import Critics

_MOST = 4  # components of an action, along each of which values are looked up


class Worth:
    """The networks of action values of an actor-critic, beside a ``policy`` of its kind, whose normaliser they share.

    Args:
        parameters: as ``Critics.state`` has them.
    """

    def __init__(
        self, config: ActorCriticConfig, environment: EnvironmentInfo, policy: Policy, parameters: Tensor
    ) -> None:
        self._critics = Critics(
            config.update.critic, critic_count(config), environment, policy, torch.Generator().manual_seed(0)
        )
        self._size = environment.action.size
        self.load(parameters)

    def load(self, parameters: Tensor) -> None:
        """Go on with other parameters of as many."""
        self._critics.load({"values": parameters})

    def of_all(self, observations: Tensor) -> NDArray[np.float32]:
        """Q(s, ·) of a few discrete actions in the first of ``observations``, [A]; the smaller of two."""
        found: NDArray[np.float32] = self._critics.judge(observations).smallest[0].numpy()
        return found

    def along(self, observations: Tensor, greedy: Tensor) -> NDArray[np.float32] | None:
        """Q(s, a) in the first of ``observations`` at ``PLACES`` evenly between the bounds of each component in turn,
        the others as in the ``greedy`` action [1, d] in units of these, [d, PLACES]; None of many components."""
        if self._size > _MOST:
            return None
        actions = greedy.clamp(-1.0, 1.0).expand(self._size, PLACES, -1).clone()
        each = torch.arange(self._size)
        actions[each, :, each] = torch.linspace(-1.0, 1.0, PLACES)
        actions = actions.view(-1, self._size)
        seen = observations[:1].expand(len(actions), *observations.shape[1:])
        found: NDArray[np.float32] = self._critics.judge(seen, actions).smallest.view(self._size, PLACES).numpy()
        return found

    def of_states(self, observations: Tensor, distribution: Distribution) -> Valued:
        """What n states are worth where the policy does that."""
        if isinstance(distribution, Categorical):
            action_values = self._critics.judge(observations).smallest
            return Valued((distribution.probabilities * action_values).sum(-1), action_values)
        mode = distribution.mode()
        greedy = mode.tanh() if isinstance(distribution, TanhGaussian) else mode.clamp(-1.0, 1.0)
        return Valued(self._critics.judge(observations, greedy).smallest)


def worth_of(
    config: RunConfig, environment: EnvironmentInfo, policy: Policy, parameters: Tensor | None
) -> Worth | None:
    """None where nothing is known of what actions are worth."""
    if parameters is None or not isinstance(config, ActorCriticConfig):
        return None
    return Worth(config, environment, policy, parameters)


@dataclass(frozen=True)
class Valued:
    """What n states are worth, by what was learned beside a policy: ``values`` V(s) [n], and Q(s, a) of all actions,
    ``action_values`` [n, A], where that is what they follow from."""

    values: Tensor
    action_values: Tensor | None = None
