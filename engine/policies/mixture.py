"""A learner and a teacher who take turns by chance."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.policies.actor import Actor
from engine.policies.policy import Policy


class MixedActor(Actor):
    """π_k = β π* + (1 − β) π: at every step the teacher's action with probability β = ``share``, else the learner's.

    Source: Ross, Gordon & Bagnell (2011), "A reduction of imitation learning and structured prediction to no-regret
        online learning", algorithm 3.1.

    Args:
        generator: of the coins and of the learner's samples.
        teacher: sees and does the same as ``policy``, on the same device, and takes its greedy action.
    """

    def __init__(self, policy: Policy, generator: torch.Generator, device: torch.device, teacher: Policy) -> None:
        super().__init__(policy, generator, device)
        self._teacher, self.share = teacher, 1.0

    def start(self, size: int) -> Tensor | None:
        """What both remember, side by side."""
        both = [state for state in (self._policy.start(size), self._teacher.start(size)) if state is not None]
        return torch.cat(both, 1) if both else None

    def decide(self, observations: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor | None]:
        own = self._policy.start(1)
        width = 0 if own is None else own.shape[1]
        mine = state[:, :width] if state is not None and width else None
        theirs = state[:, width:] if state is not None and state.shape[1] > width else None
        chosen, greedy, mine = super().decide(observations, mine)
        distribution, theirs = self._teacher.step(observations, theirs)
        answers = self._policy.from_environment(self._teacher.taken(distribution.mode()))
        coins = torch.rand(len(chosen), generator=self.generator, device=chosen.device) < self.share
        chosen = torch.where(coins.view(-1, *[1] * (chosen.dim() - 1)), answers, chosen)
        both = [state for state in (mine, theirs) if state is not None]
        return chosen, greedy, torch.cat(both, 1) if both else None
