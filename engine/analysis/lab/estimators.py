"""Estimates of the policy gradient from many batches at once: every credit with every baseline, from the same steps.

The same numbers as ``engine.estimation`` and gradient ascent make of each batch, in float64 and vectorised over
batches: a sum of scores needs no more than to be counted, and advantages are recursions over slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from engine.analysis.lab.episodes import Episodes, Whole, sums_of
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import (
    AVERAGE,
    LAMBDA,
    LEAVE_ONE_OUT,
    N_STEP,
    OPTIMAL,
    OPTIMAL_PER_PARAMETER,
    PLAIN,
    TIME_AVERAGE,
    TOTAL_RETURN,
    VALUE,
    Pair,
    Settings,
)
from engine.analysis.lab.subject import Subject
from engine.analysis.lab.values import Values, ValueSource

_AT_ONCE = 6_000_000  # numbers of scores, episode by episode


class Weighed(NamedTuple):
    """Estimates of B batches, [B, P], of credit alone or less a baseline, and the batches' mean scores [B, P], which a
    constant baseline b takes off b times: ĝ(b) = ĝ(0) − b · score."""

    gradients: Numbers
    scores: Numbers


class Batches:
    """B batches of N episodes each, in the order of the episodes, and what estimators make of them."""

    def __init__(self, subject: Subject, episodes: Episodes, settings: Settings, source: ValueSource | None) -> None:
        self._subject, self._episodes, self._settings, self._source = subject, episodes, settings, source
        self._size = settings.episodes
        self.count = episodes.count // self._size
        self._batch: Whole = np.repeat(np.arange(self.count), self._size)  # of each episode

    # --- advantages ---

    @cached_property
    def _of_step(self) -> Whole:
        """The batch of each step, [M]."""
        return self._batch[self._episodes.episode]

    @cached_property
    def _returns(self) -> Numbers:
        """The reward-to-go of each step, [M]."""
        return self._episodes.sums(self._episodes.rewards, self._settings.gamma)

    def _whole(self, returns: Numbers) -> Numbers:
        """That of the first step, for all steps of the episode, [M]."""
        return returns[self._episodes.first][self._episodes.episode]

    @cached_property
    def _values(self) -> Values:
        assert self._source is not None
        return self._source.of(self._episodes, self._returns, self._batch)

    @cached_property
    def _errors(self) -> Numbers:
        """δ_t = r_t + γ V(s_{t+1}) − V(s_t), [M]."""
        episodes, (values, last) = self._episodes, self._values
        following = episodes.shifted(values, 1, last[episodes.episode])
        found: Numbers = episodes.rewards + self._settings.gamma * following - values
        return found

    def _credit(self, pair: Pair) -> Numbers:
        """Ψ, or Ψ − V where the baseline is V, [M]."""
        settings, episodes = self._settings, self._episodes
        if pair.credit == LAMBDA:
            return episodes.sums(self._errors, settings.gamma * settings.gae_lambda)
        if not pair.has_value:
            return self._whole(self._returns) if pair.credit == TOTAL_RETURN else self._returns
        advantages = episodes.sums(self._errors, settings.gamma)
        if pair.credit == N_STEP:
            return advantages - settings.gamma**settings.n * episodes.shifted(advantages, settings.n)
        return self._whole(advantages) if pair.credit == TOTAL_RETURN else advantages

    def _average(self, credit: Numbers) -> Numbers:
        found: Numbers = self._averages(credit).mean(1)[self._of_step]
        return found

    def _leave_one_out(self, credit: Numbers) -> Numbers:
        averages = self._averages(credit)
        others: Numbers = (averages.sum(1, keepdims=True) - averages) / (averages.shape[1] - 1)
        return others.reshape(-1)[self._episodes.episode]

    def _averages(self, credit: Numbers) -> Numbers:
        """1/T_i Σ_t Ψ_{i,t}, [B, N]."""
        found: Numbers = self._episodes.by_episode(credit) / self._episodes.lengths
        return found.reshape(self.count, -1)

    def _time_average(self, credit: Numbers) -> Numbers:
        groups = self._episodes.step * self.count + self._of_step
        sums = sums_of(credit, groups, len(self._episodes.starts) * self.count)
        found: Numbers = (sums / np.maximum(np.bincount(groups, minlength=len(sums)), 1))[groups]
        return found

    # --- gradients ---

    @cached_property
    def _state_weights(self) -> Numbers | None:
        settings = self._settings
        if not settings.discount_states or settings.gamma == 1.0:
            return None
        return np.power(settings.gamma, self._episodes.step.astype(np.float64))

    def _weighted(self, pair: Pair, weights: Numbers) -> Numbers:
        """With γᵗ where it is asked for and the credit is not discounted from the start already."""
        if self._state_weights is None or pair.credit == TOTAL_RETURN:
            return weights
        return weights * self._state_weights

    def _sums(self, weights: Numbers, groups: Whole, count: int) -> Numbers:
        observations, actions = self._subject.probabilities.shape
        counted = self._episodes.counted(weights, groups, (count, observations, actions))
        return self._subject.scores.sums(counted)

    def _mean(self, weights: Numbers) -> Numbers:
        """1/N Σ_i Σ_t w_{i,t} ∇ log π, [B, P]."""
        return self._sums(weights, self._of_step, self.count) / self._size

    def average(self, pair: Pair) -> float:
        """The mean credit: 1/N Σ_i 1/T_i Σ_t Ψ_{i,t}, over all batches."""
        return float(self._averages(self._credit(pair)).mean())

    def weighed(self, pair: Pair) -> Weighed:
        """The credit of ``pair`` without its baseline, and the scores."""
        credit = self._credit(Pair(pair.credit, PLAIN))
        return Weighed(self._mean(self._weighted(pair, credit)), self._mean(self._weighted(pair, np.ones_like(credit))))

    def gradients(self, pair: Pair) -> Numbers:
        """ĝ of every batch, [B, P]."""
        credit = self._credit(pair)
        if pair.baseline in (OPTIMAL, OPTIMAL_PER_PARAMETER):
            return self._less_optimal(pair, credit)
        baseline = _BASELINES[pair.baseline]
        return self._mean(self._weighted(pair, credit if baseline is None else credit - baseline(self, credit)))

    def _less_optimal(self, pair: Pair, credit: Numbers) -> Numbers:
        """b_k = Σ_i S_{ik} X_{ik} / Σ_i S_{ik}² over a batch's episodes, or pooled over k, as ``optimal_baseline``."""
        weights, ones = self._weighted(pair, credit), self._weighted(pair, np.ones_like(credit))
        if pair.baseline == OPTIMAL:
            amount = np.concatenate([self._pooled(*each) for each in self._by_episode(weights, ones)])
            return self._mean(weights - amount[self._of_step] * ones)
        scores = self._subject.scores
        found = []
        for each in self._by_episode(weights, ones):
            gradients, summed = (scores.sums(counted).reshape(-1, self._size, scores.size) for counted in each)
            covered, squares = (summed * gradients).sum(1), np.square(summed).sum(1)
            found.append(gradients.mean(1) - _ratio(covered, squares) * summed.mean(1))
        return np.concatenate(found)

    def _pooled(self, gradients: Numbers, summed: Numbers) -> Numbers:
        """b of each batch, [b], from the counted weights of its episodes."""
        scores = self._subject.scores
        covered, squares = scores.products(summed, gradients), scores.products(summed, summed)
        return _ratio(covered.reshape(-1, self._size).sum(1), squares.reshape(-1, self._size).sum(1))

    def _by_episode(self, weights: Numbers, ones: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Both counted by episode, observation and action, [n, O, A] each, some batches at a time."""
        episodes, shape = self._episodes, self._subject.probabilities.shape
        pairs = shape[0] * shape[1]
        some = max(_AT_ONCE // (self._size * max(self._subject.scores.size, pairs)), 1)
        for begin in range(0, self.count, some):
            end = min(begin + some, self.count)
            inside = slice(None) if some >= self.count else (self._of_step >= begin) & (self._of_step < end)
            groups = (episodes.episode[inside] - begin * self._size) * pairs + episodes.pairs[inside]
            count = (end - begin) * self._size
            first, second = (sums_of(each[inside], groups, count * pairs) for each in (weights, ones))
            yield first.reshape(count, *shape), second.reshape(count, *shape)


def _ratio(numbers: Numbers, by: Numbers) -> Numbers:
    """Their ratio, 0 where that is not defined."""
    return np.divide(numbers, by, out=np.zeros_like(numbers), where=by > 0.0)


# What is subtracted, by its name; none, or what credit has been lessened by already.
_BASELINES: dict[str, Callable[[Batches, Numbers], Numbers] | None] = {
    PLAIN: None,
    VALUE: None,
    AVERAGE: Batches._average,
    TIME_AVERAGE: Batches._time_average,
    LEAVE_ONE_OUT: Batches._leave_one_out,
}
