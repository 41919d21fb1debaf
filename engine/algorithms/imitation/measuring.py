"""How like the teacher a policy is on steps whose actions are known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.imitation.labelled import Labelled
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer


class Likeness(NamedTuple):
    """Of the steps with a known action: −log π of it [steps], the mean of that, the mean entropy of the policy, and the
    share of them in which its greedy action is the teacher's, or, of continuous actions, the mean distance of the two
    in the environment's units; None where there are no such steps, and of what the actions are not."""

    surprises: Tensor
    loss: float | None
    entropy: float | None
    agreement: float | None
    error: float | None


def likeness(policy: Policy, steps: Labelled) -> Heartbeats[Likeness]:
    """Measured without a graph; yields signs of life."""
    if len(steps) == 0:
        return Likeness(steps.weights[:0], None, None, None, None)
    batch, timer = steps.batch(policy), HeartbeatTimer()
    known = steps.known if policy.recurrent else steps.known[steps.known]
    surprises, entropies, matches = list[Tensor](), list[Tensor](), list[Tensor]()
    for chunk in batch.chunks():
        with torch.no_grad():
            distribution = policy.over(chunk.observations, chunk.sequences)
            surprises.append(-distribution.log_prob(chunk.actions))
            entropies.append(distribution.entropy())
            matches.append(_match(policy, distribution.mode(), chunk.actions))
        if timer.due():
            yield Heartbeat("estimating")
    of_steps = [torch.cat(found)[known] for found in (surprises, entropies, matches)]
    surprise = of_steps[0]
    loss, doubt, mean = torch.stack([each.double().mean() for each in of_steps]).tolist()
    agreement, error = (None, mean) if policy.continuous else (mean, None)
    return Likeness(surprise, loss, doubt, agreement, error)


def _match(policy: Policy, greedy: Tensor, actions: Tensor) -> Tensor:
    """For each step whether all parts of both actions are the same; of numbers how far they are apart on average."""
    if policy.continuous:
        return (policy.taken(greedy) - policy.taken(actions)).abs().mean(-1)
    same = greedy == actions
    return (same if same.dim() == 1 else same.all(-1)).float()


def majority_share(actions: Tensor) -> float | None:
    """The share of the most frequent action among ``actions`` [M, …]; None of none, and of numbers."""
    if actions.is_floating_point() or len(actions) == 0:
        return None
    _, counts = torch.unique(actions, dim=0, return_counts=True)
    return float(counts.max()) / len(actions)
