"""Acting by action values: the best of them most of the time, any action now and then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.maths.exploration import by_row, epsilon_greedy_probabilities, greedy_actions
from engine.policies.discrete import checked_temperature


@dataclass(frozen=True)
class EpsilonGreedy:
    """π(a) = ε/A + (1 − ε)·[Q(a) is the greatest], equal values sharing the second term.

    Values Q are [batch, A], actions int64 [batch]; ε from 0 to 1 is one number, or [batch] for each its own. What is
    drawn does not depend on how much greater the greatest value is, so no gradient flows from probabilities to values:
    these are learned from targets.

    Source: Watkins (1989), "Learning from delayed rewards"; Sutton & Barto (2018), section 2.2.
    """

    values: Tensor
    epsilon: float | Tensor

    @cached_property
    def probabilities(self) -> Tensor:
        """π for every action, [batch, A]."""
        return epsilon_greedy_probabilities(self.values.detach(), self.epsilon)

    @cached_property
    def log_probabilities(self) -> Tensor:
        """log π for every action, [batch, A]; −∞ where ε is 0 and the action not greedy."""
        return self.probabilities.log()

    def sample(self, generator: torch.Generator) -> Tensor:
        """One of all actions with probability ε, else one of the greedy ones: the largest of one exponential draw for
        each action that may be taken, among which all are equally likely to have it."""
        values = self.values.detach()
        draws = torch.empty_like(values).exponential_(generator=generator)
        coins = torch.rand(values.shape[:-1], dtype=values.dtype, device=values.device, generator=generator)
        explores = coins.unsqueeze(-1) < by_row(values, self.epsilon)
        return (draws * (explores | greedy_actions(values))).argmax(-1)

    def mode(self) -> Tensor:
        """The action with the greatest value, the first of several."""
        return self.values.argmax(-1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log π(a), [batch]; −∞ where ε is 0 and the action not greedy."""
        return self.log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        """−Σ_a π(a) log π(a) in nats, [batch]; with 0 log 0 = 0."""
        p = self.probabilities
        return -torch.xlogy(p, p).sum(-1)

    def kl(self, other: EpsilonGreedy) -> Tensor:
        """Σ_a π(a) (log π(a) − log π'(a)) in nats, [batch]; ∞ where π' never takes an action of π's."""
        ratios = self.log_probabilities - other.log_probabilities
        terms = torch.where(self.probabilities > 0.0, self.probabilities * ratios, 0.0)
        return terms.sum(-1).clamp(min=0.0)

    def tempered(self, temperature: float) -> EpsilonGreedy:
        """Itself: its randomness is ε, whatever the values' scale."""
        checked_temperature(temperature)
        return self

    def detach(self) -> EpsilonGreedy:
        epsilon = self.epsilon.detach().clone() if isinstance(self.epsilon, Tensor) else self.epsilon
        return EpsilonGreedy(self.values.detach().clone(), epsilon)

    def rows(self, index: slice | Tensor) -> EpsilonGreedy:
        epsilon = self.epsilon
        if isinstance(epsilon, Tensor) and epsilon.ndim > 0:
            epsilon = epsilon[index]
        return EpsilonGreedy(self.values[index], epsilon)


def sampled(values: NDArray[np.float32], epsilon: float, generator: torch.Generator) -> NDArray[np.int64]:
    """What ``EpsilonGreedy.sample`` draws of the same values [n, A], by the same random numbers, but with numpy: torch
    takes several times as long for the few numbers of a table.

    Returns:
        Actions, [n].
    """
    draws = torch.empty(values.shape).exponential_(generator=generator).numpy()
    explores = torch.rand(len(values), generator=generator).numpy() < epsilon
    taken: NDArray[np.int64] = (draws * (explores[:, None] | (values == values.max(-1, keepdims=True)))).argmax(-1)
    return taken
