"""A policy over a few actions that climbs the values of all of them: discrete SAC's, and the all-actions gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.actor_critic.temperature import Temperature
from engine.algorithms.outcome import Metrics
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import SAC, QActorCritic
from engine.experience.replay_buffer import Minibatch
from engine.maths.action_values import expected_values, soft_values, taken_values
from engine.policies.policy import Policy
from engine.runtime.state import Parts
from engine.values.action_critics import Critics
from engine.values.action_value import ActionValues


def all_actions_gradient(log_probabilities: Tensor, action_values: Tensor, temperature: float | Tensor) -> Tensor:
    """∂L/∂z of L = mean_s Σ_a π(a|s) (α log π(a|s) − Q(s, a)) in the logits z of a softmax π, [n, A].

    With f_a = α log π_a − Q_a it is π_a (f_a − Σ_b π_b f_b)/n: no action has to be drawn, so that the gradient has no
    noise but that of the states.

    Args:
        log_probabilities, action_values: log π and Q, [n, A].
        temperature: α ≥ 0.

    Source: [lecture]; Sutton et al. (2000), "Policy gradient methods for reinforcement learning with function
        approximation"; Christodoulou (2019), "Soft actor-critic for discrete action settings".
    """
    probabilities = log_probabilities.exp()
    costs = temperature * log_probabilities - action_values
    return probabilities * (costs - (probabilities * costs).sum(-1, keepdim=True)) / len(costs)


def gradient_noise(log_probabilities: Tensor, action_values: Tensor) -> tuple[Tensor, Tensor]:
    """The spread over n states of the policy gradient in the logits, as it is summed over all actions, and as it would
    be with one action drawn from π in each and its advantage from the same values, Q(s, a) − Σ_b π_b Q(s, b).

    √(E|x|² − |E x|²) with x = Σ_a π_a A_a (e_a − π) = π A for all actions, and x = A_a (e_a − π), a ~ π, for one, over
    whose actions the mean is taken exactly. Both have the same mean, and the second is never the smaller.

    Args:
        log_probabilities, action_values: log π and Q, [n, A].

    Source: Sutton et al. (2000); that the mean over the actions can only take noise away: Rao (1945), Blackwell (1947).
    """
    chances = log_probabilities.exp()
    advantages = action_values - (chances * action_values).sum(-1, keepdim=True)
    of_all = chances * advantages
    square = of_all.mean(0).square().sum()
    lengths = 1.0 - 2.0 * chances + chances.square().sum(-1, keepdim=True)  # |e_a − π|²
    drawn = (chances * advantages.square() * lengths).sum(-1).mean()
    whole = of_all.square().sum(-1).mean()
    return (whole - square).clamp(min=0.0).sqrt(), (drawn - square).clamp(min=0.0).sqrt()


class AllActionsImprovement:
    """θ descends mean_s Σ_a π_θ(a|s) (α log π_θ(a|s) − Q(s, a)), the smaller of two Q in SAC;

    v(s′) = Σ_a π(a|s′) (min_i Q⁻_i(s′, a) − α log π(a|s′))    discrete SAC
    v(s′) = Σ_a π(a|s′) Q⁻(s′, a)                               the all-actions policy gradient with a learned Q
    """

    def __init__(
        self, config: ActorCriticConfig, policy: Policy, environment: EnvironmentInfo, generator: torch.Generator
    ) -> None:
        self.parts = Parts()
        self._outputs = ActionValues(policy)
        self.vector = self._outputs.vector
        self._most_entropy = math.log(environment.action.size)
        self._temperature: Temperature | None = None
        self.critics = 1
        if isinstance(config.update, SAC):
            self.critics = 2
            self._temperature = Temperature(config.update, policy.device)
            self.parts.add("temperature", self._temperature.parts)
        self._target, self._bonus = 0.0, 0.0
        self._entropy = torch.zeros((), device=policy.device)
        self._latest: tuple[Tensor, Tensor] | None = None  # log π and Q, of whose noise is told
        self.begin(config)

    def begin(self, config: ActorCriticConfig) -> None:
        if isinstance(config.update, SAC):
            assert self._temperature is not None
            self._temperature.begin(config.update)
            self._target = config.update.target_entropy_share * self._most_entropy
        else:
            assert isinstance(config.update, QActorCritic)
            self._bonus = config.update.entropy_coefficient

    def as_judged(self, actions: NDArray[Any]) -> NDArray[Any]:
        return actions

    def log_probs(self, observations: Tensor, actions: Tensor) -> Tensor:
        """log π(a|s) of these actions, [n]."""
        return taken_values(self._outputs.values(observations).log_softmax(-1), actions)

    def next_values(self, batch: Minibatch, target: Critics) -> Tensor:
        log_probabilities = self._outputs.values(batch.next_observations).log_softmax(-1)
        smallest = target.judge(batch.next_observations).smallest
        if self._temperature is None:
            return expected_values(smallest, log_probabilities.exp())
        return soft_values(smallest, log_probabilities, self._temperature.value)

    def values(self, observations: Tensor, critics: Critics) -> Tensor:
        likeliest = self._outputs.values(observations).argmax(-1)
        return taken_values(critics.judge(observations).smallest, likeliest)

    def climbs(self) -> bool:
        return True

    def add_gradient(self, batch: Minibatch, online: Critics) -> None:
        with torch.enable_grad():
            evaluated = self._outputs.forward(batch.observations)
        log_probabilities = evaluated.values.detach().log_softmax(-1)
        weight = self._bonus if self._temperature is None else self._temperature.value
        values = online.judge(batch.observations).smallest
        self._outputs.backward(evaluated, all_actions_gradient(log_probabilities, values, weight))
        if self._temperature is None:
            self._latest = log_probabilities, values
        self._entropy = -(log_probabilities.exp() * log_probabilities).sum(-1).mean()

    def stepped(self, rate: float) -> None:
        if self._temperature is not None:
            self._temperature.step(self._entropy, self._target, rate)

    def told(self) -> Metrics:
        told: Metrics = {"entropy": float(self._entropy)}
        if self._latest is not None:
            of_all, of_one = gradient_noise(*self._latest)
            told |= {"gradient_noise": float(of_all), "sampled_gradient_noise": float(of_one)}
        if self._temperature is not None:
            told |= {"temperature": float(self._temperature.value), "target_entropy": self._target}
        return told
