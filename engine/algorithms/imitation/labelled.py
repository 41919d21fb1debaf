"""What is learned from a teacher: steps with his actions, as a policy of its own would have taken them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.experience.batch import NO_BASELINE, Batch
from engine.experience.demonstrations import Demonstrations
from engine.experience.rollouts import Rollout
from engine.maths.returns import discounted_sums
from engine.policies.policy import Policy


@dataclass(frozen=True)
class Labelled:
    """M steps of K episodes, episode after episode, each in the order of time.

    Attributes:
        observations: [M, …], as a policy is given them.
        actions: [M, …], in the policy's own units.
        known: bool [M], whether there is an action to be learned; a step without one is only remembered by a policy
            with a memory.
        weights: [M], what ∇ log π of each step is multiplied with, 0 where there is nothing to be learned.
        lengths: int64 [K], on the CPU.
    """

    observations: Tensor
    actions: Tensor
    known: Tensor
    weights: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        """The number of actions that are to be learned."""
        return int(self.known.sum())

    def part(self, rows: Tensor, remembers: bool) -> Labelled:
        """The steps at ``rows``, bool [M], of which ``remembers`` says that what precedes each has to stay with it:
        then all steps of their episodes are kept, those that are not chosen without anything to be learned."""
        if not remembers:
            alone = torch.ones(int(rows.sum()), dtype=torch.int64)
            return Labelled(self.observations[rows], self.actions[rows], self.known[rows], self.weights[rows], alone)
        known = self.known & rows
        touched = torch.stack([each.any() for each in torch.split(known.cpu(), self.lengths.tolist())])
        kept = touched.repeat_interleave(self.lengths).to(known.device)
        weights = self.weights * known
        return Labelled(self.observations[kept], self.actions[kept], known[kept], weights[kept], self.lengths[touched])

    def batch(self, policy: Policy) -> Batch:
        """The steps as an update takes them, in one long sequence of episodes; of a policy without a memory only those
        that are to be learned. The weights stand in the place of advantages."""
        if not policy.recurrent and not bool(self.known.all()):
            return self.part(self.known, remembers=False).batch(policy)
        ends = torch.zeros_like(self.known)
        ends[self.lengths.cumsum(0).to(ends.device) - 1] = True
        starts = (self.lengths.cumsum(0) - self.lengths).repeat_interleave(self.lengths)
        elapsed = torch.arange(len(self.known)) - starts
        column = [each.unsqueeze(1) for each in (self.observations, self.actions, self.weights, ends, ~ends | ends)]
        observations, actions, weights, terminated, mask = column
        rollout = Rollout(
            observations,
            actions,
            rewards=torch.zeros_like(weights),
            terminated=terminated,
            truncated=torch.zeros_like(terminated),
            mask=mask,
            elapsed=elapsed.to(ends.device).unsqueeze(1),
            final_observations=observations[:0, 0],
            states=policy.start(1),
        )
        return Batch(rollout, self.weights, torch.ones_like(self.weights), NO_BASELINE)


def labelled(shown: Demonstrations, policy: Policy) -> Labelled:
    """All steps of ``shown``, each with the weight 1, on the policy's device."""
    device = policy.device
    observations = torch.from_numpy(np.ascontiguousarray(shown.observations)).to(device)
    actions = torch.from_numpy(np.ascontiguousarray(shown.actions)).to(device)
    lengths = torch.tensor([len(episode) for episode in shown.episodes if len(episode)])
    known = torch.ones(len(actions), dtype=torch.bool, device=device)
    return Labelled(observations, policy.from_environment(actions), known, known.float(), lengths)


def returns_to_go(rewards: Tensor, lengths: Tensor, gamma: float) -> Tensor:
    """Σ_{t'≥t} γ^(t'−t) r_t' of every step, to the end of its own episode, [M].

    Args:
        rewards: [M], episode after episode.
        lengths: [K], of the episodes.
    """
    carry = torch.full_like(rewards, gamma)
    carry[lengths.cumsum(0) - 1] = 0.0
    return discounted_sums(rewards, carry)


def whole_returns(rewards: Tensor, lengths: Tensor, gamma: float) -> Tensor:
    """Σ_t γᵗ r_t of the episode that each step is of, [M]; arguments as ``returns_to_go``."""
    first = lengths.cumsum(0) - lengths
    return returns_to_go(rewards, lengths, gamma)[first].repeat_interleave(lengths)


def held_out(steps: Labelled, share: float, generator: torch.Generator) -> Tensor:
    """About ``share`` of the steps, bool [M]: whole episodes, since the steps of one are alike; single steps where
    there is only one episode."""
    episodes, out = len(steps.lengths), torch.zeros(len(steps.known), dtype=torch.bool)
    if share > 0.0 and len(out) > 1:
        units = episodes if episodes > 1 else len(out)
        chosen = torch.zeros(units, dtype=torch.bool)
        count = min(max(round(share * units), 1), units - 1)
        chosen[torch.randperm(units, generator=generator)[:count]] = True
        out = chosen.repeat_interleave(steps.lengths) if episodes > 1 else chosen
    return out.to(steps.known.device)
