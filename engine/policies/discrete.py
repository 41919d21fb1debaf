"""Distributions over discrete actions: one choice, several independent choices, several independent switches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine.maths.divergences import relative_entropy


def checked_temperature(temperature: float) -> float:
    """``temperature`` if it is above 0.

    Raises:
        ValueError: it is not.
    """
    if not temperature > 0.0:
        raise ValueError(f"a temperature must be above 0, not {temperature}")
    return temperature


def _with_gumbel_noise(logits: Tensor, generator: torch.Generator) -> Tensor:
    """logits − log E with E ~ Exp(1), whose argmax is distributed as their softmax (Gumbel, 1954)."""
    exponential = torch.empty_like(logits).exponential_(generator=generator)
    return logits - exponential.log_()


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

    @cached_property
    def probabilities(self) -> Tensor:
        """π for every action, [batch, n]."""
        return self.log_probabilities.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """The Gumbel-max form: the largest logit after adding Gumbel noise."""
        return _with_gumbel_noise(self.logits, generator).argmax(-1)

    def mode(self) -> Tensor:
        """The action with the largest logit, the first of several."""
        return self.logits.argmax(-1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log π(a) = logits_a − log Σ exp(logits), [batch]."""
        return self.log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    @cached_property
    def _entropy(self) -> Tensor:
        return -(self.probabilities * self.log_probabilities).sum(-1)

    def entropy(self) -> Tensor:
        """−Σ_a π(a) log π(a) in nats, [batch]."""
        return self._entropy

    def gradients(self, actions: Tensor, by_log_prob: Tensor, by_entropy: float) -> tuple[Tensor]:
        """∂L/∂logits [batch, n], given ∂L/∂log π(a) [batch] and ∂L/∂H, one number for the whole batch.

        ∂ log π(a)/∂logits_b = [a = b] − π(b),   ∂H/∂logits_b = −π(b) (log π(b) + H)
        """
        weights = by_log_prob.unsqueeze(-1)
        gradient = (self.probabilities * -weights).scatter_add_(-1, actions.unsqueeze(-1), weights)
        if by_entropy != 0.0:
            surprise = self.log_probabilities + self._entropy.unsqueeze(-1)
            gradient.addcmul_(self.probabilities, surprise, value=-by_entropy)
        return (gradient,)

    def kl(self, other: Categorical) -> Tensor:
        """Σ_a π(a) (log π(a) − log π'(a)) in nats, [batch]."""
        return relative_entropy(self.log_probabilities, other.log_probabilities)

    def tempered(self, temperature: float) -> Categorical:
        """The softmax of logits/τ."""
        return Categorical(self.logits / checked_temperature(temperature))

    def detach(self) -> Categorical:
        return Categorical(self.logits.detach().clone())

    def rows(self, index: slice | Tensor) -> Categorical:
        return Categorical(self.logits[index])


@lru_cache(maxsize=32)
def _offsets(sizes: tuple[int, ...], device: torch.device) -> Tensor:
    """Where each factor begins among the concatenated logits, int64 [k]."""
    return torch.tensor(list(accumulate(sizes[:-1], initial=0)), device=device)


@dataclass(frozen=True)
class MultiCategorical:
    """Independent softmaxes over k factors: π(a) = Π_i softmax(logits of factor i)[a_i].

    Logits are the factors' side by side, [batch, Σn] for ``sizes`` (n1, …, nk); actions int64 [batch, k].
    """

    logits: Tensor
    sizes: tuple[int, ...]

    @cached_property
    def log_probabilities(self) -> Tensor:
        """log of every factor's probabilities, side by side as the logits are, [batch, Σn]."""
        return torch.cat([logits.log_softmax(-1) for logits in self._by_factor(self.logits)], -1)

    @cached_property
    def probabilities(self) -> Tensor:
        """Every factor's probabilities, side by side, [batch, Σn]; they sum to k."""
        return self.log_probabilities.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Gumbel-max in every factor, with one draw of noise for all of them."""
        return self._argmax(_with_gumbel_noise(self.logits, generator))

    def mode(self) -> Tensor:
        """The largest logit of every factor."""
        return self._argmax(self.logits)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Σ_i log π_i(a_i), [batch]."""
        return self.log_probabilities.gather(-1, actions + _offsets(self.sizes, actions.device)).sum(-1)

    def entropy(self) -> Tensor:
        """The sum of the factors' entropies in nats, [batch]."""
        return -(self.probabilities * self.log_probabilities).sum(-1)

    def kl(self, other: MultiCategorical) -> Tensor:
        """The sum of the factors' divergences in nats, [batch]."""
        return relative_entropy(self.log_probabilities, other.log_probabilities)

    def tempered(self, temperature: float) -> MultiCategorical:
        """The softmaxes of logits/τ."""
        return MultiCategorical(self.logits / checked_temperature(temperature), self.sizes)

    def detach(self) -> MultiCategorical:
        return MultiCategorical(self.logits.detach().clone(), self.sizes)

    def rows(self, index: slice | Tensor) -> MultiCategorical:
        return MultiCategorical(self.logits[index], self.sizes)

    def _by_factor(self, logits: Tensor) -> Sequence[Tensor]:
        return torch.split(logits, list(self.sizes), -1)

    def _argmax(self, logits: Tensor) -> Tensor:
        return torch.stack([factor.argmax(-1) for factor in self._by_factor(logits)], -1)


@dataclass(frozen=True)
class Bernoulli:
    """Independent switches: π(a_j = 1) = 1 / (1 + exp(−logits_j)).

    Logits are [batch, n], actions int64 0 or 1 [batch, n].
    """

    logits: Tensor

    @cached_property
    def _log_on(self) -> Tensor:
        return logsigmoid(self.logits)

    @cached_property
    def _log_off(self) -> Tensor:
        return logsigmoid(-self.logits)

    @property
    def probabilities(self) -> Tensor:
        """π(a_j = 1), [batch, n]."""
        return self.logits.sigmoid()

    def sample(self, generator: torch.Generator) -> Tensor:
        on = self.probabilities.detach().nan_to_num(0.0)  # where it is no number any more, off, as ``mode`` has it
        return torch.bernoulli(on, generator=generator).to(torch.int64)

    def mode(self) -> Tensor:
        """On where that is likelier than off; off at exactly one half."""
        return (self.logits > 0.0).to(torch.int64)

    def log_prob(self, actions: Tensor) -> Tensor:
        """Σ_j log σ(±logits_j), + where a_j = 1, [batch].

        It is the softplus form, −softplus(∓logits_j): exact for logits so large that a probability rounds to 0 or 1.
        """
        return logsigmoid(torch.where(actions.bool(), self.logits, -self.logits)).sum(-1)

    def entropy(self) -> Tensor:
        """−Σ_j [p_j log p_j + (1 − p_j) log(1 − p_j)] in nats, [batch]."""
        return -(self._log_on.exp() * self._log_on + self._log_off.exp() * self._log_off).sum(-1)

    def kl(self, other: Bernoulli) -> Tensor:
        """Σ_j [p_j log(p_j/p'_j) + (1 − p_j) log((1 − p_j)/(1 − p'_j))] in nats, [batch]."""
        log_p, log_q = (torch.cat((switches._log_on, switches._log_off), -1) for switches in (self, other))
        return relative_entropy(log_p, log_q)

    def tempered(self, temperature: float) -> Bernoulli:
        """p^(1/τ) over p^(1/τ) + (1 − p)^(1/τ), which is logits/τ."""
        return Bernoulli(self.logits / checked_temperature(temperature))

    def detach(self) -> Bernoulli:
        return Bernoulli(self.logits.detach().clone())

    def rows(self, index: slice | Tensor) -> Bernoulli:
        return Bernoulli(self.logits[index])
