"""A normal over continuous actions, and one squashed into an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from engine.maths.divergences import exponential_excess
from engine.policies.bounds import Bounds
from engine.policies.discrete import checked_temperature

_LOG_2 = math.log(2.0)


@dataclass(frozen=True)
class DiagonalGaussian:
    """Independent normals per action dimension; mean [batch, d], actions float [batch, d].

    ``log_std`` is [d] where the spread is alike in all states, or [batch, d] where it depends on the state.

    log π(a) = −½ Σ_j [ ((a_j − μ_j)/σ_j)² + 2 log σ_j + log 2π ]   ([Jabon 2023])

    Where the environment takes middle + h·a for a (``Bounds.scaled``), densities and entropies are those per unit of
    what it takes: log π(a) is less by Σ_j log h_j. ``log_scale`` is the mean of log h_j over the d dimensions.
    """

    mean: Tensor
    log_std: Tensor
    log_scale: float = 0.0

    def sample(self, generator: torch.Generator) -> Tensor:
        """μ + σ ε with ε standard normal."""
        return self.at(torch.empty_like(self.mean).normal_(generator=generator))

    def at(self, noise: Tensor) -> Tensor:
        """μ + σ ε for this ε, [batch, d]."""
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        """The mean."""
        return self.mean

    def log_prob(self, actions: Tensor) -> Tensor:
        """The formula above, [batch]."""
        standardised = (actions - self.mean) * (-self.log_std).exp()
        constant = math.log(2.0 * math.pi) + 2.0 * self.log_scale
        return -0.5 * (standardised.square() + 2.0 * self.log_std + constant).sum(-1)

    def entropy(self) -> Tensor:
        """Σ_j (log σ_j + log h_j + ½ log 2πe) in nats, [batch]; the mean has no part in it."""
        per_dimension = self.log_std + (0.5 * math.log(2.0 * math.pi * math.e) + self.log_scale)
        return per_dimension.expand_as(self.mean).sum(-1)

    def gradients(self, actions: Tensor, by_log_prob: Tensor, by_entropy: float) -> tuple[Tensor, Tensor]:
        """∂L/∂μ and ∂L/∂log σ, [batch, d] each, given ∂L/∂log π(a) [batch] and ∂L/∂H, one number for the whole batch.

        With z = (a − μ)/σ: ∂ log π(a)/∂μ = z/σ, ∂ log π(a)/∂log σ = z² − 1, and ∂H/∂log σ = 1.
        """
        precision = (-self.log_std).exp()
        standardised = (actions - self.mean) * precision
        weights = by_log_prob.unsqueeze(-1)
        return weights * standardised * precision, weights * (standardised.square() - 1.0) + by_entropy

    def kl(self, other: DiagonalGaussian) -> Tensor:
        """Σ_j [ log(σ'_j/σ_j) + (σ_j² + (μ_j − μ'_j)²) / (2 σ'_j²) − ½ ] in nats, [batch].

        With w = log(σ_j/σ'_j) that is ½ ((μ_j − μ'_j)/σ'_j)² + ½ (e^(2w) − 1 − 2w), of which no part is below 0.
        """
        widening = self.log_std - other.log_std
        shift = (self.mean - other.mean) * (-other.log_std).exp()
        return 0.5 * (shift.square() + exponential_excess(2.0 * widening)).sum(-1)

    def tempered(self, temperature: float) -> DiagonalGaussian:
        """The same mean with σ√τ."""
        log_std = self.log_std + 0.5 * math.log(checked_temperature(temperature))
        return DiagonalGaussian(self.mean, log_std, self.log_scale)

    def detach(self) -> DiagonalGaussian:
        # Either may be a parameter itself, which steps change in place.
        return DiagonalGaussian(self.mean.detach().clone(), self.log_std.detach().clone(), self.log_scale)

    def rows(self, index: slice | Tensor) -> DiagonalGaussian:
        per_state = self.log_std.shape == self.mean.shape
        return DiagonalGaussian(self.mean[index], self.log_std[index] if per_state else self.log_std, self.log_scale)


@lru_cache(maxsize=8)
def _normal_quadrature(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Nodes z and weights w, [51] each, with Σ w f(z) ≈ E[f(z)] under the standard normal, and Σ w = 1."""
    # Kept for later calls, which may need gradients even if this one is made in inference mode.
    with torch.inference_mode(False):
        nodes = torch.linspace(-5.0, 5.0, 51, dtype=torch.float64)
        weights = (-0.5 * nodes.square()).softmax(0)
        return nodes.to(device, dtype), weights.to(device, dtype)


@lru_cache(maxsize=8)
def _corner_quadrature(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Nodes u and weights w, [2n] each, with Σ w f(u) ≈ ∫ log(1 + e^(−2|u|)) f(u) du, f smooth on either side of 0."""
    nodes, weights = np.polynomial.laguerre.laggauss(20)
    weights = 0.5 * weights * np.exp(nodes) * np.log1p(np.exp(-nodes))
    with torch.inference_mode(False):
        both = [torch.from_numpy(np.concatenate(sides)) for sides in ((0.5 * nodes, -0.5 * nodes), (weights, weights))]
        return both[0].to(device, dtype), both[1].to(device, dtype)


_WIDE = math.log(2.0)  # log σ, beyond which the entropy's integrand has its corner between the nodes over ±5 σ


@dataclass(frozen=True)
class TanhGaussian:
    """A diagonal Gaussian squashed into bounds: the environment takes low + (high − low)(1 + tanh u)/2, u ~ ``base``.

    Its actions are u, float [batch, d], which keeps what tanh u rounds off (in float32 it is 1 from u ≈ 9 on);
    ``Bounds.squashed(2u)`` is what the environment takes. The density is that per unit of the latter, a:

    log π(a) = log N(u; μ, σ) − Σ_j log |da_j/du_j|,
    log |da/du| = log 2(high − low) − 2 |u| − 2 log(1 + e^(−2|u|))

    The second line is log (1 − tanh² u)(high − low)/2 (Haarnoja et al., 2018, appendix C), without a 1 − tanh² that
    would round to 0.
    """

    base: DiagonalGaussian
    bounds: Bounds

    def sample(self, generator: torch.Generator) -> Tensor:
        return self.base.sample(generator)

    def at(self, noise: Tensor) -> Tensor:
        """The action before squashing for this ε, [batch, d]."""
        return self.base.at(noise)

    def mode(self) -> Tensor:
        """The mean before squashing, which becomes the median: the density itself may peak at a limit instead."""
        return self.base.mode()

    def log_prob(self, actions: Tensor) -> Tensor:
        """The formula above, [batch]."""
        distance = actions.abs()
        log_det = self._log_scale - 2.0 * (distance + softplus(-2.0 * distance)).sum(-1)
        return self.base.log_prob(actions) - log_det

    def entropy(self) -> Tensor:
        """H(base) + E[log |da/du|] in nats, [batch]; the expectation has no closed form and is taken numerically.

        It is Σ_j log 2(high_j − low_j) − 2 E[|u_j| + log(1 + e^(−2|u_j|))], found by rules that are deterministic and
        differentiable: up to σ = 2 a 51-point trapezoidal one over ±5 standard deviations, exponentially convergent
        for so smooth a function (Goodwin, 1949). For wider ones E|u| is known (the folded normal's mean), and the rest,
        which lives near 0, is a Gauss–Laguerre rule on either side of it. Errors are below 1e-5 for every mean and σ.
        """
        log_std = self.base.log_std.expand_as(self.base.mean)
        narrow, wide = self._narrow_log_det(log_std), self._wide_log_det(log_std)
        log_det = torch.where(log_std > _WIDE, wide, narrow)
        return self.base.entropy() + self._log_scale - 2.0 * log_det.sum(-1)

    def _narrow_log_det(self, log_std: Tensor) -> Tensor:
        """E[|u| + log(1 + e^(−2|u|))], [batch, d]."""
        mean = self.base.mean
        nodes, weights = _normal_quadrature(mean.dtype, mean.device)
        distance = (mean.unsqueeze(-1) + log_std.exp().unsqueeze(-1) * nodes).abs()
        return (distance + softplus(-2.0 * distance)) @ weights

    def _wide_log_det(self, log_std: Tensor) -> Tensor:
        """The same for σ ≥ 2."""
        mean = self.base.mean
        std = log_std.clamp(min=_WIDE).exp()
        standardised = mean / std
        # Beyond 12 standard deviations nothing of the bell is left, and its square might overflow.
        bell = (-0.5 * standardised.clamp(-12.0, 12.0).square()).exp()
        distance = std * math.sqrt(2.0 / math.pi) * bell + mean * (standardised * math.sqrt(0.5)).erf()
        nodes, weights = _corner_quadrature(mean.dtype, mean.device)
        away = ((nodes - mean.unsqueeze(-1)) / std.unsqueeze(-1)).clamp(-12.0, 12.0)
        corner = (-0.5 * away.square()).exp() @ weights / (std * math.sqrt(2.0 * math.pi))
        return distance + corner

    def kl(self, other: TanhGaussian) -> Tensor:
        """That of the Gaussians, [batch]: one bijection applied to both leaves it as it is. The bounds must agree."""
        return self.base.kl(other.base)

    def tempered(self, temperature: float) -> TanhGaussian:
        """The Gaussian before the squashing is tempered: σ√τ. The density of the action itself is not raised to 1/τ."""
        return TanhGaussian(self.base.tempered(temperature), self.bounds)

    def detach(self) -> TanhGaussian:
        return TanhGaussian(self.base.detach(), self.bounds)

    def rows(self, index: slice | Tensor) -> TanhGaussian:
        return TanhGaussian(self.base.rows(index), self.bounds)

    @property
    def _log_scale(self) -> Tensor:
        return self.bounds.log_volume + self.base.mean.shape[-1] * _LOG_2
