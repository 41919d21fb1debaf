"""Action distributions as light objects over tensors of any batch shape.

They replace ``torch.distributions``, whose argument checks and constructors double the cost of sampling for the small
networks used here. The families live in ``discrete``, ``epsilon_greedy``, ``gaussian`` and ``beta``; this module says
what they share and is the place to import them from.
"""

from __future__ import annotations

from typing import Protocol, Self

import torch
from torch import Tensor

from engine.policies.beta import Beta
from engine.policies.bounds import Bounds
from engine.policies.discrete import Bernoulli, Categorical, MultiCategorical
from engine.policies.epsilon_greedy import EpsilonGreedy
from engine.policies.gaussian import DiagonalGaussian, TanhGaussian

__all__ = [
    "Bernoulli",
    "Beta",
    "Bounds",
    "Categorical",
    "DiagonalGaussian",
    "Distribution",
    "EpsilonGreedy",
    "MultiCategorical",
    "TanhGaussian",
]


class Distribution(Protocol):
    """A distribution over actions for each element of a batch.

    Where an action has several components, they are independent given the state: log-probabilities, entropies and
    divergences are sums over them. All three are differentiable, twice, in the parameters.

    Continuous actions may be numbers that ``Policy.to_environment`` makes the environment's of. Densities are per unit
    of the latter, whatever they are evaluated at.
    """

    def sample(self, generator: torch.Generator) -> Tensor:
        """One action per element. Draw it without gradients: an action is data to the policy gradient.

        Where gradients are enabled nevertheless, the Gaussians' samples carry them (the reparameterisation of Kingma
        and Welling, 2014); those of the other families carry none.
        """

    def mode(self) -> Tensor:
        """What a greedy policy takes: the most likely action, or the nearest that the family has to it."""

    def log_prob(self, actions: Tensor) -> Tensor:
        """log π(a|s), shape [batch]; of a density where actions are continuous."""

    def entropy(self) -> Tensor:
        """H = −E[log π(a|s)] in nats, shape [batch]; may be negative where actions are continuous."""

    def kl(self, other: Self) -> Tensor:
        """KL(self ‖ other) = E_self[log π_self(a|s) − log π_other(a|s)] in nats, shape [batch].

        It is a sum of terms that cannot be negative, not a difference of logarithms: never below 0, and right to
        several digits where the two are close. At ``other`` equal to ``self`` it is 0, and its second derivative in
        other's parameters is the Fisher matrix (Kakade, 2001).
        """

    def tempered(self, temperature: float) -> Self:
        """The distribution proportional to π^(1/τ): greedier below τ = 1, more random above.

        Raises:
            ValueError: the temperature is not above 0.
        """

    def detach(self) -> Self:
        """The same distribution as data in memory of its own, which no gradient flows into and no later step of the
        policy changes. What an old policy is to a ratio."""

    def rows(self, index: slice | Tensor) -> Self:
        """The distributions of some rows of the batch: a slice, or an int64 or bool tensor along the first dimension.

        A policy evaluated once over a whole rollout is so cut into minibatches.
        """
