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

    Moments are merged in float64: in float32 the mean of numbers far from 0 is off by more than a small spread, and
    what is the same in every observation would not come out as 0. ``mean_rest`` is what float32 leaves of the mean.

    Source: running moments after Chan, Golub & LeVeque (1979); for policies see Andrychowicz et al. (2021), "What
        matters for on-policy deep actor-critic methods?".
    """

    mean: Tensor
    mean_rest: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("mean_rest", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, observations: Tensor) -> Tensor:
        scaled: Tensor = (observations - self.mean) * torch.rsqrt(self.variance + _LEAST_VARIANCE)
        return scaled.clamp(-MOST, MOST)

    @torch.no_grad()
    def update(self, observations: Tensor) -> None:
        """Take in observations [M, size]."""
        seen = _precise(observations)
        count = torch.tensor(float(len(seen)), dtype=seen.dtype, device=seen.device)
        so_far = (_precise(self.mean) + _precise(self.mean_rest), _precise(self.variance), _precise(self.count))
        mean, variance, count = merged(so_far, (seen.mean(0), seen.var(0, correction=0), count))
        self.mean.copy_(mean)
        self.mean_rest.copy_(mean - _precise(self.mean))
        self.variance.copy_(variance)
        self.count.copy_(count)


def _precise(numbers: Tensor) -> Tensor:
    """In float64, which Apple's GPUs do not hold."""
    return (numbers.cpu() if numbers.device.type == "mps" else numbers).double()


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
