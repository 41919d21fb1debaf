"""SAC's policy for continuous actions: a Gaussian squashed by tanh, whose noise is held still while it climbs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from engine.algorithms.actor_critic.temperature import Temperature
from engine.algorithms.outcome import Metrics
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import SAC
from engine.experience.replay_buffer import Minibatch
from engine.maths.action_values import sampled_soft_values
from engine.maths.consistency import squashed_log_probs
from engine.policies.distributions import TanhGaussian
from engine.policies.policy import Policy
from engine.runtime.state import Parts
from engine.values.action_critics import Critics
from engine.values.action_value import ActionValues

_CHECKED = 64  # actions whose density is computed apart
_LOG_2, _CONSTANT = math.log(2.0), 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Drawn:
    """``actions`` a = tanh u [n, d], u = μ + σ ε, with ``log_probs`` log π(a) [n] per unit of a, and ``noise`` ε and
    ``std`` σ [n, d]."""

    actions: Tensor
    log_probs: Tensor
    noise: Tensor
    std: Tensor


def drawn(mean: Tensor, log_std: Tensor, noise: Tensor) -> Drawn:
    """Actions of a squashed Gaussian with their densities.

    log π(a) = Σ_j [ −½ ε_j² − log σ_j − ½ log 2π − log(1 − tanh² u_j) ],
    log(1 − tanh² u) = 2 (log 2 − |u| − log(1 + e^(−2|u|)))

    Args:
        mean, log_std: μ and log σ, [n, d].
        noise: ε, standard normal, [n, d].

    Source: Haarnoja et al. (2018), "Soft actor-critic", appendix C.
    """
    std = log_std.exp()
    latent = torch.addcmul(mean, std, noise)
    distance = latent.abs()
    stretch = 2.0 * (_LOG_2 - distance - softplus(-2.0 * distance))
    log_probs = (-0.5 * noise.square() - log_std - stretch).sum(-1) - _CONSTANT * mean.shape[-1]
    return Drawn(latent.tanh(), log_probs, noise, std)


def soft_gradients(sample: Drawn, value_slopes: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """∂L/∂μ and ∂L/∂log σ, [n, d] each, of L = mean (α log π(a|s) − Q(s, a)) with the noise ε held still.

    With a = tanh u and u = μ + σ ε: ∂ log π/∂u = 2 a, ∂a/∂u = 1 − a², so that

    ∂L/∂μ = (2 α a − ∂Q/∂a · (1 − a²))/n,   ∂L/∂log σ = σ ε ∂L/∂μ − α/n

    Args:
        value_slopes: ∂Q/∂a, [n, d].
        temperature: α, [1].

    Source: Haarnoja et al. (2018), "Soft actor-critic", equation 13.
    """
    actions, count = sample.actions, len(sample.actions)
    by_mean = (2.0 * temperature * actions - value_slopes * (1.0 - actions.square())) / count
    return by_mean, by_mean * sample.std * sample.noise - temperature / count


class SquashedImprovement:
    """θ descends mean_s [ α log π_θ(a|s) − min_i Q_i(s, a) ], a = tanh(μ_θ(s) + σ_θ(s) ε);
    v(s′) = min_i Q⁻_i(s′, a′) − α log π(a′|s′), a′ ~ π(·|s′)."""

    critics = 2

    def __init__(
        self, config: ActorCriticConfig, policy: Policy, environment: EnvironmentInfo, generator: torch.Generator
    ) -> None:
        assert isinstance(config.update, SAC)
        self.parts = Parts()
        self._policy, self._outputs = policy, ActionValues(policy)
        self.vector = self._outputs.vector
        self._generator = self.parts.add_generator("noise", generator)
        self._temperature = Temperature(config.update, policy.device)
        self.parts.add("temperature", self._temperature.parts)
        bounds = environment.action.bounds
        self._size = environment.action.size
        widths = [0.5 * (high - low) for low, high in bounds] * (self._size // len(bounds))
        self._log_volume = sum(map(math.log, widths))  # of what the environment takes, by that of −1 … 1
        self._target = 0.0
        self._entropy = torch.zeros((), device=policy.device)
        self._latest: tuple[Tensor, Drawn] | None = None  # the outputs of the latest step, and what was drawn by them
        self.begin(config)

    def begin(self, config: ActorCriticConfig) -> None:
        assert isinstance(config.update, SAC)
        self._temperature.begin(config.update)
        self._target = config.update.target_entropy * self._size

    def _drawn(self, outputs: Tensor) -> Drawn:
        distribution = self._policy.distribution(outputs.detach())
        assert isinstance(distribution, TanhGaussian)
        mean, log_std = distribution.base.mean, distribution.base.log_std
        return drawn(mean, log_std, torch.empty_like(mean).normal_(generator=self._generator))

    def as_judged(self, actions: NDArray[Any]) -> NDArray[Any]:
        squashed: NDArray[Any] = np.tanh(actions)
        return squashed

    def next_values(self, batch: Minibatch, target: Critics) -> Tensor:
        sample = self._drawn(self._outputs.values(batch.next_observations))
        judged = target.judge(batch.next_observations, sample.actions)
        return sampled_soft_values(judged.smallest, sample.log_probs, self._temperature.value)

    def values(self, observations: Tensor, critics: Critics) -> Tensor:
        distribution = self._policy(observations)
        return critics.judge(observations, distribution.mode().tanh()).smallest

    def climbs(self) -> bool:
        return True

    def add_gradient(self, batch: Minibatch, online: Critics) -> None:
        with torch.enable_grad():
            evaluated = self._outputs.forward(batch.observations)
        sample = self._drawn(evaluated.values)
        judged = online.judge(batch.observations, sample.actions)
        smallest = (judged.values == judged.smallest).float()
        smallest /= smallest.sum(0)  # of equal ones each counts in part
        slopes = online.action_gradient(judged, smallest)
        gradients = self._gradients(sample, slopes, self._temperature.value)
        self._outputs.backward(evaluated, torch.cat(gradients, -1))
        self._entropy = -sample.log_probs.mean()
        self._latest = evaluated.values, sample

    def _gradients(self, sample: Drawn, slopes: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        """∂L/∂μ and ∂L/∂log σ."""
        return soft_gradients(sample, slopes, temperature)

    def stepped(self, rate: float) -> None:
        self._temperature.step(self._entropy, self._target, rate)

    def told(self) -> Metrics:
        return {
            "entropy": float(self._entropy) + self._log_volume,
            "temperature": float(self._temperature.value),
            "target_entropy": self._target + self._log_volume,
            "density_error": self._density_error(),
        }

    def _density_error(self) -> float | None:
        """How far log π of what was drawn last is from its density computed apart."""
        if self._latest is None:
            return None
        outputs, sample = self._latest[0][:_CHECKED].detach(), self._latest[1]
        self._latest = None
        distribution = self._policy.distribution(outputs)
        assert isinstance(distribution, TanhGaussian)
        mean, std = distribution.base.mean, sample.std[:_CHECKED]  # a spread of its own has moved on since
        latent = mean + std * sample.noise[:_CHECKED]
        apart = squashed_log_probs(latent, mean, std.log()) - sample.log_probs[:_CHECKED].double()
        return apart.abs().max().item()
