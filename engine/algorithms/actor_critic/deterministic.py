"""A deterministic policy that climbs learned action values: DDPG's and TD3's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.config import ActorCriticConfig
from engine.config.actor_critic import DDPG, TD3
from engine.experience.replay_buffer import Minibatch
from engine.policies.policy import Policy
from engine.runtime.state import Parts, TensorState
from engine.values.action_critics import Critics
from engine.values.action_value import ActionValues
from engine.values.target_network import Following


def smoothed(actions: Tensor, noise: Tensor, limit: float) -> Tensor:
    """a′ = clip(μ⁻(s′) + clip(ε, −c, c), −1, 1): like actions are to be worth alike.

    Args:
        actions, noise: μ⁻(s′) and ε, [n, d], in units in which the bounds of an action are −1 and 1.
        limit: c > 0, in the same.

    Returns:
        a′, [n, d].

    Source: Fujimoto et al. (2018), "Addressing function approximation error in actor-critic methods", equation 14 and
        algorithm 1; that a′ is kept within its bounds is as in their program.
    """
    return (actions + noise.clamp(-limit, limit)).clamp_(-1.0, 1.0)


class DeterministicImprovement:
    """θ climbs mean_s Q_1(s, μ_θ(s)), μ_θ = tanh of the policy's outputs, by ∇_θ μ · ∂Q_1/∂a.

    v(s′) = Q⁻(s′, μ⁻(s′))                 DDPG (Lillicrap et al., 2016), after Silver et al. (2014)
    v(s′) = min_i Q⁻_i(s′, a′), a′ around μ⁻(s′) as ``smoothed`` has it, and a step of the policy after every d of the
            values                         TD3 (Fujimoto et al., 2018)
    """

    def __init__(self, config: ActorCriticConfig, policy: Policy, generator: torch.Generator) -> None:
        assert isinstance(config.update, TD3 | DDPG)
        self.parts = Parts()
        self._update = config.update
        self.critics = 2 if isinstance(config.update, TD3) else 1
        self._outputs = ActionValues(policy)
        self.vector = self._outputs.vector
        self._generator = self.parts.add_generator("noise", generator)
        self._target = self._outputs.copy()
        self._following = self.parts.add("target", Following(self.vector, self._target.vector))
        self._count = torch.zeros((), dtype=torch.int64)  # steps of the values since the policy's latest
        self.parts.add("count", TensorState({"count": self._count}))

    def begin(self, config: ActorCriticConfig) -> None:
        assert isinstance(config.update, TD3 | DDPG)
        self._update = config.update
        self._following.begin()

    def as_judged(self, actions: NDArray[Any]) -> NDArray[Any]:
        cut: NDArray[Any] = np.clip(actions, -1.0, 1.0)
        return cut

    def next_values(self, batch: Minibatch, target: Critics) -> Tensor:
        actions = self._target.values(batch.next_observations).tanh()
        if isinstance(self._update, TD3) and self._update.smoothing_noise > 0.0:
            noise = torch.empty_like(actions).normal_(0.0, self._update.smoothing_noise, generator=self._generator)
            actions = smoothed(actions, noise, self._update.smoothing_limit)
        return target.judge(batch.next_observations, actions).smallest

    def values(self, observations: Tensor, critics: Critics) -> Tensor:
        return critics.judge(observations, self._outputs.values(observations).tanh()).smallest

    def climbs(self) -> bool:
        self._count += 1
        if isinstance(self._update, TD3) and int(self._count) < self._update.policy_delay:
            return False
        self._count.zero_()
        return True

    def add_gradient(self, batch: Minibatch, online: Critics) -> None:
        with torch.enable_grad():
            evaluated = self._outputs.forward(batch.observations)
        actions = evaluated.values.detach().tanh()
        judged = online.judge(batch.observations, actions)
        by_value = torch.zeros_like(judged.values)
        by_value[0] = -1.0 / len(actions)
        slopes = online.action_gradient(judged, by_value)
        self._outputs.backward(evaluated, slopes * (1.0 - actions.square()))

    def stepped(self, rate: float) -> None:
        self._following.step(self._update.target)

    def told(self) -> Metrics:
        return {}
