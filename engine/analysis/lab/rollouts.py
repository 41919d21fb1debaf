"""Episodes of the lab as the rollouts that training learns from."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.analysis.lab.episodes import Episodes
from engine.analysis.lab.subject import Subject
from engine.analysis.lab.values import Values
from engine.experience.rollouts import Rollout
from engine.values.critics import Values as Valued


def rollout_of(subject: Subject, episodes: Episodes) -> Rollout:
    """All of ``episodes`` side by side, padded to the longest."""
    shape = (int(episodes.lengths.max()), episodes.count)
    at = episodes.step, episodes.episode

    def grid(values: object, kind: torch.dtype) -> Tensor:
        found = torch.zeros(shape, dtype=kind)
        found[at] = torch.as_tensor(values, dtype=kind)
        return found

    pairs, actions = episodes.pairs, subject.probabilities.shape[1]
    mask = grid(1, torch.bool)
    ends = torch.from_numpy(episodes.lengths) - 1, torch.arange(episodes.count)
    cut = torch.from_numpy(episodes.last >= 0)
    terminated, truncated = torch.zeros_like(mask), torch.zeros_like(mask)
    terminated[ends], truncated[ends] = ~cut, cut
    return Rollout(
        observations=grid(pairs // actions, torch.int64),
        actions=grid(pairs % actions, torch.int64),
        rewards=grid(episodes.rewards, torch.float32),
        terminated=terminated,
        truncated=truncated,
        mask=mask,
        elapsed=torch.arange(shape[0]).unsqueeze(1).expand(shape),
        final_observations=torch.from_numpy(subject.seen[episodes.last[episodes.last >= 0]]),
    )


class KnownValues:
    """V of episodes as a critic gives it to the estimators of training."""

    def __init__(self, episodes: Episodes, found: Values) -> None:
        self._episodes, self._found = episodes, found

    def values(self, rollout: Rollout) -> Valued:
        steps = torch.zeros(rollout.mask.shape)
        steps[self._episodes.step, self._episodes.episode] = torch.from_numpy(self._found.steps).float()
        yield from ()
        last = torch.from_numpy(self._found.last[self._episodes.last >= 0]).float()
        return steps, rollout.at_cuts(last)
