"""Many whole episodes of a policy in a finite process, played side by side and packed without padding.

The M steps stand in the order of time; the episodes that are still running at a step are the first ones of those at the
step before, longest episode first, as in torch's packed sequences. So a recursion along all episodes at once takes one
operation on a slice per time step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.subject import Subject
from engine.environments.dynamics.finite import FiniteDynamics
from engine.environments.dynamics.interface import NUMPY
from engine.runtime.errors import RequestError

LONGEST = 20_000  # steps, after which an episode that nothing ends is given up
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Episodes:
    """E whole episodes of M steps in all.

    ``starts`` [T + 1] is where each time step begins among the M; ``episode`` [M] says whose step it is, ``step`` [M]
    which of that episode's, ``states``, ``pairs`` o · A + a and ``rewards`` [M] what was there, done and paid.
    ``lengths`` [E]; ``last`` [E] are the states after the last step, −1 where the episode terminated.
    """

    starts: Whole
    episode: Whole
    step: Whole
    states: Whole
    pairs: Whole
    rewards: Numbers
    lengths: Whole
    last: Whole

    @property
    def count(self) -> int:
        """E."""
        return len(self.lengths)

    @property
    def size(self) -> int:
        """M."""
        return len(self.rewards)

    @property
    def first(self) -> Whole:
        """The first step of each episode among the M, [E]."""
        found = np.empty(self.count, np.int64)
        found[self.episode[: self.count]] = np.arange(self.count)
        return found

    def sums(self, terms: Numbers, carry: float) -> Numbers:
        """S_t = x_t + c S_{t+1} along every episode, S_T = 0; [M]."""
        found, starts = terms.copy(), self.starts
        for t in range(len(starts) - 3, -1, -1):
            running = starts[t + 2] - starts[t + 1]
            found[starts[t] : starts[t] + running] += carry * found[starts[t + 1] : starts[t + 2]]
        return found

    def shifted(self, values: Numbers, steps: int, beyond: Numbers | float = 0.0) -> Numbers:
        """What stands ``steps`` ≥ 1 steps later in the same episode, ``beyond`` [M] where that has ended; [M]."""
        found, starts = np.broadcast_to(np.asarray(beyond, np.float64), values.shape).copy(), self.starts
        for t in range(len(starts) - 1 - steps):
            later = starts[t + steps], starts[t + steps + 1]
            found[starts[t] : starts[t] + later[1] - later[0]] = values[slice(*later)]
        return found

    def by_episode(self, values: Numbers) -> Numbers:
        """Their sum over each episode, [E]."""
        return sums_of(values, self.episode, self.count)

    def counted(self, weights: Numbers, groups: Whole, shape: tuple[int, int, int]) -> Numbers:
        """Σ of ``weights`` [M] over the steps of each group, observation and action, [groups, O, A]; ``groups`` [M]
        says to which a step belongs."""
        pairs = shape[1] * shape[2]
        return sums_of(weights, groups * pairs + self.pairs, shape[0] * pairs).reshape(shape)


def sums_of(values: Numbers, groups: Whole, count: int) -> Numbers:
    """The sum of ``values`` [M] over each of the ``groups`` [M], [count]."""
    found: Numbers = np.bincount(groups, values, count).astype(np.float64, copy=False)
    return found


def play(subject: Subject, count: int, generator: np.random.Generator) -> Episodes:
    """``count`` episodes of the policy.

    Raises:
        RequestError: one does not end.
    """
    mdp = subject.mdp
    dynamics, actions = FiniteDynamics(NUMPY, mdp), mdp.actions
    thresholds = subject.probabilities.cumsum(-1)[:, :-1].T.copy()  # [A − 1, O]
    states = dynamics.begin(generator.random((1, count)))
    running, lengths = np.arange(count), np.zeros(count, np.int64)
    last = np.full(count, -1)
    told: list[tuple[Whole, Whole, Whole, Numbers]] = []
    while len(running):
        if mdp.horizon is None and len(told) == LONGEST:
            raise RequestError(
                f"An episode has not ended after {LONGEST:,} steps; choose a horizon, or a policy that ends it."
            )
        seen, numbers = subject.seen[states], generator.random(len(running))
        chosen = (thresholds[:, seen] <= numbers).sum(0)
        following, rewards, ended = dynamics.step(states, chosen, generator.random((1, len(running))))
        told.append((running, states, seen * actions + chosen, rewards))
        lengths[running] += 1
        running, states = running[~ended], following[~ended]
        if len(told) == mdp.horizon:
            last[running] = states
            break
    return _packed(told, lengths, last)


def _packed(told: list[tuple[Whole, Whole, Whole, Numbers]], lengths: Whole, last: Whole) -> Episodes:
    rank = np.empty(len(lengths), np.int64)
    rank[np.argsort(-lengths, kind="stable")] = np.arange(len(lengths))
    sizes = [len(running) for running, *_ in told]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    step = np.repeat(np.arange(len(told)), sizes)
    episode, states, pairs, rewards = (np.concatenate(column) for column in zip(*told, strict=True))
    order = np.empty(len(episode), np.int64)
    order[starts[step] + rank[episode]] = np.arange(len(episode))
    return Episodes(starts, episode[order], step, states[order], pairs[order], rewards[order], lengths, last)
