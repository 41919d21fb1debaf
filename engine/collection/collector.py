"""What collecting comes to, whatever collects: a rollout, and the episodes that ended in it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.reports.events import EpisodeEnded, Heartbeat
from engine.runtime.errors import RunError
from engine.runtime.state import Stateful

LONGEST_EPISODE = 200_000  # steps; an episode longer than this has no end that learning could wait for
BUDGETS, FEWEST = 2, 10_000  # whole budgets, and at least steps, that episodes without a time limit may take at once
_ADVICE = "set a time limit, which cuts them off: environment.time_limit, for example 500."


@dataclass(frozen=True)
class FinishedEpisodes:
    """The episodes that ended: undiscounted raw ``returns``, ``lengths`` in steps, how many steps had been ``taken``
    since collecting began when each ended, and the ``environments`` they were played in; [episodes] each. Whole
    episodes are in the order in which they were begun, those of a fixed-length rollout in the order in which they
    ended. ``steps`` were taken in all."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    taken: NDArray[np.int64]
    steps: int
    environments: NDArray[np.int64]


Collection = tuple[Rollout, FinishedEpisodes]
Collecting = Generator[Heartbeat | EpisodeEnded, None, Collection]


class Collector(Stateful, Protocol):
    """What collects the experience of one iteration. Its state is that between two collections."""

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """Experience for one update, with the actions of ``actor``.

        Yields heartbeats, and where it is ``watched`` each episode as it ends, unless they are all on a device or
        belong to several runs; returns the rollout and what its episodes came to.

        Raises:
            RunError: the environment raised or gave what cannot be learned from, or an episode had no end.
        """


def endless(environment: EnvironmentInfo) -> RunError:
    """What to report of an episode of ``LONGEST_EPISODE`` steps."""
    return RunError(f"An episode of {environment.id} did not end within {LONGEST_EPISODE} steps; {_ADVICE}")


class EpisodeBound:
    """How many steps whole episodes may take in one collection: as many as their time limit gives, since they are
    played to their end, but where there is none ``BUDGETS`` times the run's whole ``budget`` or ``FEWEST``, whichever
    is more. A run is so never longer than asked for by more than that."""

    def __init__(self, environment: EnvironmentInfo, budget: int | None) -> None:
        self._id, self._budget = environment.id, budget
        limited = environment.time_limit is not None and environment.time_limit < LONGEST_EPISODE
        self.most = sys.maxsize if limited or budget is None else max(BUDGETS * budget, FEWEST)

    def outgrown(self, steps: int) -> RunError:
        """What to report once there are more."""
        return RunError(
            f"Episodes of {self._id} have not ended after {steps:,} steps, where the whole run was to take "
            f"{self._budget:,}; {_ADVICE}"
        )


@dataclass(frozen=True)
class Steps:
    """Steps of N environments, time-major [T, N, …]: what was seen before each, done, paid, and where ``greedy_share``
    is not 0 which actions were greedy. ``memory`` [N, hidden] is what a recurrent policy remembered before all."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    greedy: Tensor | None
    greedy_share: float
    memory: Tensor | None = None


@dataclass(frozen=True)
class WholeEpisodes:
    """How one episode in each of N environments ended, all begun at the first step: its raw return, length and last
    observation, and whether it terminated or else was truncated; [N, …] each."""

    returns: NDArray[np.float64]
    lengths: Tensor
    terminated: Tensor
    final: Tensor


def whole_episodes(steps: Steps, episodes: WholeEpisodes) -> Collection:
    """The rollout of one episode in each environment; what ``steps`` hold after an episode's end is left out."""
    lengths, terminated = episodes.lengths, episodes.terminated
    longest = int(lengths.max())
    time = torch.arange(longest, device=lengths.device).unsqueeze(1)
    mask, last = time < lengths, time == lengths - 1
    rollout = Rollout(
        observations=steps.observations[:longest],
        actions=steps.actions[:longest],
        rewards=(steps.rewards[:longest] * mask).float(),
        terminated=last & terminated,
        truncated=last & ~terminated,
        mask=mask,
        elapsed=time * mask,
        final_observations=episodes.final[~terminated],
        greedy=None if steps.greedy is None else steps.greedy[:longest],
        greedy_share=steps.greedy_share,
        states=steps.memory,
    )
    taken = mask.sum(1).cumsum(0)[lengths - 1]
    everywhere = np.arange(len(lengths))
    return rollout, FinishedEpisodes(episodes.returns, counts(lengths), counts(taken), int(lengths.sum()), everywhere)


@dataclass(frozen=True)
class Ends:
    """Where episodes ended: whether a step terminated or truncated one (never both), and how many steps came before it
    there, [T, N] each; raw returns and lengths of those that ended, in the order in which they did, [episodes]."""

    terminated: Tensor
    truncated: Tensor
    elapsed: Tensor
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]


def fixed_length(steps: Steps, ends: Ends, after_cuts: Tensor) -> Collection:
    """The rollout of the same number of steps in every environment, at whose end all that goes on is cut off.

    Args:
        after_cuts: what was seen after each cut, environment by environment, [E, …].
    """
    ended = ends.terminated | ends.truncated
    times, environments = (counts(found) for found in ended.nonzero(as_tuple=True))
    truncated = ends.truncated.clone()
    torch.logical_not(ends.terminated[-1], out=truncated[-1])
    rollout = Rollout(
        observations=steps.observations,
        actions=steps.actions,
        rewards=steps.rewards.float(),
        terminated=ends.terminated,
        truncated=truncated,
        mask=torch.ones_like(ended),
        elapsed=ends.elapsed,
        final_observations=after_cuts,
        whole_episodes=False,
        greedy=steps.greedy,
        greedy_share=steps.greedy_share,
        states=steps.memory,
    )
    size = ended.shape[1]
    finished = FinishedEpisodes(
        returns=ends.returns,
        lengths=ends.lengths,
        taken=(times + 1) * size,
        steps=ended.numel(),
        environments=environments,
    )
    return rollout, finished


def numbers(tensor: Tensor) -> NDArray[np.float64]:
    """Numbers of any type and place, float64."""
    found: NDArray[np.float64] = tensor.cpu().double().numpy()
    return found


def counts(tensor: Tensor) -> NDArray[np.int64]:
    """Whole numbers, wherever they are."""
    found: NDArray[np.int64] = tensor.cpu().numpy()
    return found
