"""A beta distribution over continuous actions in an interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine.maths.divergences import log_gamma_excess
from engine.policies.bounds import Bounds
from engine.policies.discrete import checked_temperature


@dataclass(frozen=True)
class Beta:
    """Independent beta distributions stretched to bounds; α, β ≥ 1 [batch, d], so that each has a single peak.

    The environment takes low + (high − low) x. Actions are the logit u = log x − log(1 − x), float [batch, d], which
    keeps what x itself rounds off next to 0 and 1; ``Bounds.squashed(u)`` is what the environment takes. The density
    is that per unit of the latter, a:

    log π(a) = Σ_j [ (α_j − 1) log x_j + (β_j − 1) log(1 − x_j) − log B(α_j, β_j) − log(high_j − low_j) ]

    with B(α, β) = Γ(α)Γ(β)/Γ(α + β) (Chou et al., 2017). As log B is a difference of large numbers, what follows from
    it is computed in float64, where the device has it.
    """

    alpha: Tensor
    beta: Tensor
    bounds: Bounds

    @cached_property
    def _shapes(self) -> tuple[Tensor, Tensor, Tensor]:
        """α, β and α + β, for sums in which large numbers meet."""
        alpha, beta = _precise(self.alpha), _precise(self.beta)
        return alpha, beta, alpha + beta

    @cached_property
    def _log_beta(self) -> Tensor:
        alpha, beta, total = self._shapes
        return alpha.lgamma() + beta.lgamma() - total.lgamma()

    def sample(self, generator: torch.Generator) -> Tensor:
        """log G_α − log G_β of two gamma variates, since x = G_α/(G_α + G_β)."""
        # torch.distributions takes no generator; the gamma variates beneath it do.
        gammas = torch._standard_gamma(torch.stack((self.alpha.detach(), self.beta.detach())), generator=generator)
        logs = gammas.log_()
        return logs[0] - logs[1]

    def mode(self) -> Tensor:
        """The logit of (α − 1)/(α + β − 2), which is at most 28 from 0; the middle where the distribution is
        uniform."""
        tiny = 1e-12
        return (self.alpha - 1.0 + tiny).log() - (self.beta - 1.0 + tiny).log()

    def log_prob(self, actions: Tensor) -> Tensor:
        """The formula above, [batch]."""
        alpha, beta, _ = self._shapes
        latent = _precise(actions)
        powers = (alpha - 1.0) * logsigmoid(latent) + (beta - 1.0) * logsigmoid(-latent)
        return (powers - self._log_beta).sum(-1).to(self.alpha.dtype) - self.bounds.log_volume

    def entropy(self) -> Tensor:
        """Σ_j [ log B − (α − 1)ψ(α) − (β − 1)ψ(β) + (α + β − 2)ψ(α + β) + log(high − low) ] in nats, [batch].

        ψ is the derivative of log Γ.
        """
        alpha, beta, total = self._shapes
        ends = (alpha - 1.0) * alpha.digamma() + (beta - 1.0) * beta.digamma()
        on_unit = (self._log_beta - ends + (total - 2.0) * total.digamma()).sum(-1)
        return on_unit.to(self.alpha.dtype) + self.bounds.log_volume

    def kl(self, other: Beta) -> Tensor:
        """Σ_j [ log B'/B + (α − α')ψ(α) + (β − β')ψ(β) − (α + β − α' − β')ψ(α + β) ] in nats, [batch].

        That is D(α', α) + D(β', β) − D(α' + β', α + β) with D(y, x) = log Γ(y) − log Γ(x) − ψ(x)(y − x), the Bregman
        divergence of log Γ, and is computed so. The bounds must agree; they have no part in it.
        """
        excesses = log_gamma_excess(torch.stack(other._shapes), torch.stack(self._shapes))
        divergence = (excesses[0] + excesses[1] - excesses[2]).clamp(min=0.0)
        return divergence.sum(-1).to(self.alpha.dtype)

    def tempered(self, temperature: float) -> Beta:
        """α becomes (α − 1)/τ + 1, and β likewise: the peak stays where it is."""
        scale = 1.0 / checked_temperature(temperature)
        return Beta((self.alpha - 1.0) * scale + 1.0, (self.beta - 1.0) * scale + 1.0, self.bounds)

    def detach(self) -> Beta:
        return Beta(self.alpha.detach().clone(), self.beta.detach().clone(), self.bounds)

    def rows(self, index: slice | Tensor) -> Beta:
        return Beta(self.alpha[index], self.beta[index], self.bounds)


def _precise(numbers: Tensor) -> Tensor:
    """In float64; as they are on Apple's GPUs, which hold no doubles."""
    return numbers if numbers.device.type == "mps" else numbers.double()
