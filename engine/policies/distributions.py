"""Action distributions as light objects over tensors of any batch shape.

They replace ``torch.distributions``, whose argument checks and constructors double the cost of sampling for the small
networks used here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor


class Distribution(Protocol):
    """A distribution over actions for each element of a batch."""

    def sample(self, generator: torch.Generator) -> Tensor:
        """One action per element."""

    def mode(self) -> Tensor:
        """The most likely action per element: what a greedy policy takes."""

    def log_prob(self, actions: Tensor) -> Tensor:
        """log π(a|s), shape [batch]."""

    def entropy(self) -> Tensor:
        """H = −E[log π(a|s)] in nats, shape [batch]."""


@dataclass(frozen=True)
class Categorical:
    """π(a) = exp(logits_a) / Σ exp(logits), a softmax over the last dimension.

    Logits are [batch, n], actions int64 [batch].
    """

    logits: Tensor

    @cached_property
    def log_probabilities(self) -> Tensor:
        """log π for every action, [batch, n]."""
        return self.logits.log_softmax(-1)

    @property
    def probabilities(self) -> Tensor:
        return self.log_probabilities.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """The Gumbel-max form: argmax(logits − log E) with E ~ Exp(1) is distributed as the softmax (Gumbel, 1954)."""
        exponential = torch.empty_like(self.logits).exponential_(generator=generator)
        return (self.logits - exponential.log_()).argmax(-1)

    def mode(self) -> Tensor:
        return self.logits.argmax(-1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log π(a) = logits_a − log Σ exp(logits), [batch]."""
        return self.log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        """−Σ_a π(a) log π(a) in nats, [batch]."""
        return -(self.probabilities * self.log_probabilities).sum(-1)


@dataclass(frozen=True)
class DiagonalGaussian:
    """Independent normals per action dimension; mean [batch, d], log_std broadcastable to it, actions float [batch, d].

    log π(a) = −½ Σ_j [ ((a_j − μ_j)/σ_j)² + 2 log σ_j + log 2π ]   (003…)
    """

    mean: Tensor
    log_std: Tensor

    def sample(self, generator: torch.Generator) -> Tensor:
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        return self.mean

    def log_prob(self, actions: Tensor) -> Tensor:
        standardised = (actions - self.mean) * (-self.log_std).exp()
        return -0.5 * (standardised.square() + 2.0 * self.log_std + math.log(2.0 * math.pi)).sum(-1)

    def entropy(self) -> Tensor:
        """Σ_j (log σ_j + ½ log 2πe), the same in every state."""
        per_dimension = self.log_std + 0.5 * math.log(2.0 * math.pi * math.e)
        return per_dimension.expand_as(self.mean).sum(-1)
