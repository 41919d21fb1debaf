"""The steps of one iteration as samples that a person can walk through, each with all that became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.analysis.clip_cases import clip_cases
from engine.analysis.inspecting import LookedInto
from engine.config import PolicyGradientConfig
from engine.reports.events import Collected

Quantity = Literal["advantage", "normalised", "ratio", "importance weight"]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """The M steps of a batch, in its order: sequence after sequence, each in the order of time.

    ``returns`` [M] are G, the discounted sum of rewards from each step to where its sequence ends or was cut off, of
    what was seen alone. ``sequences`` [M] count the uninterrupted parts of episodes from 0, and ``ratios`` [M] are
    π(a|s)/π_old(a|s) once the update was over, None where there was none. ``cases`` [M] are the numbers of the
    ``CLIP_CASES`` that these put each step in, and ``clip_range`` the ε in force; None where nothing is clipped.
    ``importance`` [M] are log₁₀ of the importance weight of each step's whole episode, where the update had such.
    """

    looked: LookedInto
    returns: Floats
    sequences: NDArray[np.int64]
    ratios: Floats | None
    cases: NDArray[np.int64] | None
    clip_range: float | None
    importance: Floats | None

    def __len__(self) -> int:
        return len(self.returns)

    def values(self, quantity: Quantity) -> Floats | None:
        """What a histogram of that ``quantity`` is of, [M]; None where there is none."""
        if quantity == "ratio":
            return self.ratios
        if quantity == "importance weight":
            return self.importance
        return self.looked.normalized if quantity == "normalised" else self.looked.batch.advantages

    def within(self, quantity: Quantity, low: float, high: float) -> NDArray[np.int64]:
        """The steps of which that is from ``low`` to below ``high``, as a bar of a histogram holds them."""
        values = self.values(quantity)
        if values is None:
            return np.zeros(0, np.int64)
        networks = self.looked.networks
        if networks is not None:  # of any of them
            inside = (networks.errors >= np.float64(low)) & (networks.errors < np.float64(high))
            return np.flatnonzero(inside.any(0))
        return np.flatnonzero((values >= np.float64(low)) & (values < np.float64(high)))

    def learned_in(self, taken: int) -> NDArray[np.int64]:
        """The rows that action values learned from in the gradient step of that number, counted from 1."""
        begins = 0
        for step in self.looked.steps:
            count = 0 if step.drawn is None else len(step.drawn.targets)
            if step.step == taken:
                return np.arange(begins, begins + count)
            begins += count
        return np.zeros(0, np.int64)

    def ratios_within(self, taken: int, low: float, high: float) -> NDArray[np.int64] | None:
        """The steps whose ratio was from ``low`` to below ``high`` once so many gradient steps of the update were
        ``taken``, of those that it was looked at; None where that is not known."""
        policy = next((step.policy for step in self.looked.steps if step.step == taken), None)
        if policy is None:
            return None
        ratios = np.exp(policy.rule_log_ratios.astype(np.float64))
        return policy.rows[(ratios >= low) & (ratios < high)]

    def sequence_of(self, row: int) -> NDArray[np.int64]:
        """All steps of the sequence that ``row`` is in."""
        return np.flatnonzero(self.sequences == self.sequences[row])

    def cut_in(self, row: int) -> tuple[int, int] | None:
        """In how many of the gradient steps that ``row`` was learned from it was cut off, and in how many it was; None
        where nothing is clipped."""
        cut = seen = 0
        for step in self.looked.steps:
            if step.clipped is None:
                return None
            there = step.rows == row
            seen += int(np.count_nonzero(there))
            cut += int(np.count_nonzero(step.clipped[there]))
        return (cut, seen) if seen else None

    def of_episode(self, place: int) -> NDArray[np.int64]:
        """The steps, in this batch, of the episode that was the ``place``-th to end in this iteration, from 0, in the
        order in which they are reported; none where it is not among these."""
        *before, told = self.looked.collected or (None,)
        if told is None or self.looked.single:
            return np.zeros(0, np.int64)
        place -= sum(len(each.returns) for each in before if each is not None)  # which were played for V alone
        ends = _ends(self.looked, told)
        return self.sequence_of(int(ends[place])) if 0 <= place < len(ends) else np.zeros(0, np.int64)


def _ends(looked: LookedInto, told: Collected) -> NDArray[np.int64]:
    """The last steps of the episodes that ended in a batch, in the order in which they are reported."""
    assert isinstance(looked.config, PolicyGradientConfig)
    batch, collection = looked.batch, looked.config.collection
    last: NDArray[np.int64] = np.flatnonzero(batch.terminated | batch.truncated)
    if collection.kind == "episodes":
        begun_together: NDArray[np.int64] = last[np.lexsort((batch.environments[last], batch.elapsed[last]))]
        return begun_together
    # As many steps in every environment, so that a row's place among them says when its step was taken. Whatever goes
    # on at the end is cut off there too, and has not ended.
    times = last % collection.steps
    began = told.environment_steps - len(batch.rewards)
    when = (told.ends - began) // collection.environments - 1
    left = Counter(zip(when.tolist(), told.lengths.tolist(), strict=True))
    pairs = list(zip(times.tolist(), (batch.elapsed[last] + 1).tolist(), strict=True))
    real = np.zeros(len(last), bool)
    for index in np.argsort(~batch.terminated[last], kind="stable"):  # what is only cut off may be as long
        if left[pairs[index]]:
            left[pairs[index]] -= 1
            real[index] = True
    kept: NDArray[np.int64] = last[real]
    order = np.lexsort((batch.environments[kept], kept % collection.steps))
    return kept[order]


def samples_of(looked: LookedInto) -> Samples:
    """The samples of an iteration."""
    batch = looked.batch
    ended = batch.terminated | batch.truncated
    if looked.single:
        alone = np.arange(len(batch.rewards))
        return Samples(looked, batch.rewards, alone, ratios=None, cases=None, clip_range=None, importance=None)
    sequences = np.concatenate(([0], np.cumsum(ended)[:-1])).astype(np.int64)
    log_ratios = looked.log_ratios
    told = looked.reweighted
    clip_range = told.clip_range if told is not None else None
    cases = None
    if log_ratios is not None and clip_range is not None:
        cases = clip_cases(log_ratios, batch.weights, clip_range)
    importance = None
    if told is not None and told.of == "episode" and len(told.log_ratios) == sequences[-1] + 1:
        importance = (told.log_ratios[sequences] / np.log(10.0)).astype(np.float32)
    return Samples(
        looked=looked,
        returns=_returns(batch.rewards, ended, looked.config.estimator.gamma),
        sequences=sequences,
        ratios=None if log_ratios is None else np.exp(log_ratios),
        cases=cases,
        clip_range=clip_range,
        importance=importance,
    )


def _returns(rewards: Floats, ended: NDArray[np.bool_], gamma: float) -> Floats:
    """G_t = r_t + γ G_{t+1}, from behind, where each sequence ends anew."""
    found, following = np.zeros(len(rewards)), 0.0
    for row in range(len(rewards) - 1, -1, -1):
        found[row] = following = float(rewards[row]) + (0.0 if ended[row] else gamma * following)
    return found.astype(np.float32)
