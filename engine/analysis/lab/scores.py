"""∇θ log π(a|s) of a policy that sees a finite number of observations: one row for every observation and action, from
which any weighted sum of scores follows by counting alone.

O observations, A actions, P parameters; a table is computed with in float64, a network in its own float32.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.maths.trust_region import flattened
from engine.networks.networks import Table
from engine.policies.policy import Policy

Numbers = NDArray[np.float64]
MOST_SCORES = 50_000_000  # numbers in the scores of a network, which take 200 MB


class Scores(Protocol):
    """The scores of a policy: ``size`` is P."""

    @property
    def size(self) -> int: ...

    def sums(self, weights: Numbers) -> Numbers:
        """Σ_{o,a} w_{o,a} ∇ log π(a|o), [n, P], from weights [n, O, A]."""

    def products(self, one: Numbers, other: Numbers) -> Numbers:
        """The inner products of such sums, [n], from the weights of both, [n, O, A] each."""


class TableScores:
    """A table of logits θ [O, A] at the temperature τ: ∂ log π(a|o)/∂θ_{o,b} = ([a = b] − π(b|o)) / τ."""

    def __init__(self, probabilities: Numbers, temperature: float) -> None:
        self._probabilities, self._temperature = probabilities, temperature
        self.size = probabilities.size

    def sums(self, weights: Numbers) -> Numbers:
        total = weights.sum(-1, keepdims=True)
        found: Numbers = (weights - self._probabilities * total).reshape(len(weights), -1)
        return found if self._temperature == 1.0 else found / self._temperature

    def products(self, one: Numbers, other: Numbers) -> Numbers:
        first = self.sums(one)
        found: Numbers = np.einsum("np,np->n", first, first if one is other else self.sums(other))
        return found


class NetworkScores:
    """Any other policy: ``rows`` are its scores [O · A, P], float32."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self._rows = rows
        self.size = rows.shape[1]

    @cached_property
    def _gram(self) -> Numbers:
        """The inner products of all pairs of scores, [O · A, O · A]: with these, P numbers need not be looked at."""
        found: Numbers = (self._rows @ self._rows.T).astype(np.float64)
        return found

    def sums(self, weights: Numbers) -> Numbers:
        return (weights.reshape(len(weights), -1).astype(np.float32) @ self._rows).astype(np.float64)

    def products(self, one: Numbers, other: Numbers) -> Numbers:
        first, second = one.reshape(len(one), -1), other.reshape(len(other), -1)
        found: Numbers = np.einsum("np,np->n", first @ self._gram, second)
        return found


def scores_of(policy: Policy, probabilities: Numbers) -> Scores | None:
    """The scores of ``policy`` whose probabilities [O, A] these are; None where there are too many to be kept."""
    if isinstance(policy.head, Table) and policy.normalizer is None:
        return TableScores(probabilities, policy.temperature)
    parameters = list(policy.parameters())
    pairs, count = probabilities.size, sum(parameter.numel() for parameter in parameters)
    if pairs * count > MOST_SCORES:
        return None
    log_probabilities: Tensor = policy(torch.arange(len(probabilities))).log_probabilities.flatten()
    rows = np.empty((pairs, count), np.float32)
    for row, log_probability in enumerate(log_probabilities):
        found = torch.autograd.grad(log_probability, parameters, retain_graph=True, materialize_grads=True)
        rows[row] = flattened(found).numpy()
    return NetworkScores(rows)
