"""Observations in units of their own spread."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.networks.stateful import StatefulModule

MOST = 10.0  # standard deviations from the mean; what lies beyond is taken for that
_LEAST_VARIANCE = 1e-8


class Normalizer(StatefulModule):
    """(o − μ)/σ, component by component, cut off at ±``MOST``; μ and σ are those of all observations so far.

    They change only in ``update``, between iterations, so that the policy that acted is the policy that is learned
    from; before the first they are 0 and 1. As buffers they travel with the policy's state.

    Source: running moments after Chan, Golub & LeVeque (1979); for policies see Andrychowicz et al. (2021), "What
        matters for on-policy deep actor-critic methods?".
    """

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, observations: Tensor) -> Tensor:
        scaled: Tensor = (observations - self.mean) * torch.rsqrt(self.variance + _LEAST_VARIANCE)
        return scaled.clamp(-MOST, MOST)

    @torch.no_grad()
    def update(self, observations: Tensor) -> None:
        """Take in observations [M, size]."""
        mean, variance, count = merged(
            (self.mean, self.variance, self.count),
            (observations.mean(0), observations.var(0, correction=0), self.count.new_tensor(len(observations))),
        )
        self.mean.copy_(mean)
        self.variance.copy_(variance)
        self.count.copy_(count)


Moments = tuple[Tensor, Tensor, Tensor]
"""Mean, variance (of all, not n − 1) and count."""


def merged(one: Moments, other: Moments) -> Moments:
    """The moments of both samples together.

    n = n₁ + n₂,  μ = μ₁ + δ n₂/n,  σ² = (n₁σ₁² + n₂σ₂² + δ² n₁n₂/n)/n,  with δ = μ₂ − μ₁

    Source: Chan, Golub & LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample variances".
    """
    (mean1, variance1, count1), (mean2, variance2, count2) = one, other
    count = count1 + count2
    share = count2 / count
    apart = mean2 - mean1
    variance = (1.0 - share) * variance1 + share * variance2 + apart.square() * share * (1.0 - share)
    return mean1 + apart * share, variance, count
