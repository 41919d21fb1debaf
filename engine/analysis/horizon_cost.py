"""What a policy costs more than its teacher by how many steps an episode may have, measured on episodes of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.experience.demonstrations import Demonstrations


class HorizonCost(NamedTuple):
    """By horizon T, all [n]: the mean reward of the teacher's first T steps less that of the policy's, and the standard
    error of it, NaN where either has played but one episode."""

    horizons: NDArray[np.int64]
    cost: NDArray[np.float64]
    error: NDArray[np.float64]


def cost_by_horizon(teacher: Demonstrations, learner: Demonstrations) -> HorizonCost:
    """J*_T − J_T with J_T = E[Σ_{t<T} r_t], undiscounted, from T = 1 to as long as is known of all episodes: one that
    has terminated pays nothing after its end, and of one that was cut off or left nobody knows what it would have paid.

    Its theory is in ``engine.mdp.compounding``.

    Raises:
        ValueError: an episode has no rewards, or there is none.
    """
    episodes = (*teacher.episodes, *learner.episodes)
    going_on = [len(each) for each in episodes if not each.terminated]
    longest = min(going_on) if going_on else max(map(len, episodes))
    (theirs, its), (ours, own) = _paid(teacher, longest), _paid(learner, longest)
    return HorizonCost(np.arange(1, longest + 1), theirs - ours, np.sqrt(its + own))


def _paid(shown: Demonstrations, longest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean over episodes of Σ_{t<T} r_t for T = 1 … longest, and the variance of that mean."""
    sums = np.empty((len(shown.episodes), longest))
    for row, episode in zip(sums, shown.episodes, strict=True):
        if episode.rewards is None:
            raise ValueError("an episode without rewards says nothing of what it cost.")
        paid = episode.rewards[:longest].cumsum()
        row[: len(paid)], row[len(paid) :] = paid, paid[-1]
    count = len(sums)
    variance = sums.var(0, ddof=1) / count if count > 1 else np.full(longest, np.nan)
    return sums.mean(0), variance
