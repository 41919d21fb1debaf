"""Episodes of the tiny processes as the collectors sample them, and estimates from batches of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.collection.collectors import EpisodeCollector
from engine.config import RunConfig
from engine.environments.batches.batched import finite_environments
from engine.estimation.estimators import estimate
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.values.critics import Critic
from tests.engine.tiny_mdp import Learner, Process, finish

CPU = torch.device("cpu")


def sampled(process: Process, size: int, seed: int, policy: Policy | None = None, share: float = 0.0) -> Rollout:
    """``size`` whole episodes as a run would collect them, with that share of greedy actions."""
    batch = finite_environments(process.mdp(process.limit), [seed * 1_000_003 + n for n in range(size)])
    actor = Actor(process.policy() if policy is None else policy, torch.Generator().manual_seed(seed), CPU)
    actor.greedy_share = share
    rollout, _ = finish(EpisodeCollector(batch, process.info, CPU).collect(actor))
    return rollout


def part(rollout: Rollout, low: int, high: int) -> Rollout:
    """The whole episodes from ``low`` up to ``high``."""
    cuts = rollout.truncated.any(0).long()
    before, within = int(cuts[:low].sum()), int(cuts[low:high].sum())
    fields: dict[str, Any] = {}
    for name in ("observations", "actions", "rewards", "terminated", "truncated", "mask", "elapsed", "greedy"):
        tensor = getattr(rollout, name)
        fields[name] = None if tensor is None else tensor[:, low:high]
    steps = int(fields["mask"].any(1).sum())
    cropped = {name: None if tensor is None else tensor[:steps] for name, tensor in fields.items()}
    after = rollout.final_observations[before : before + within]
    return Rollout(**cropped, final_observations=after, greedy_share=rollout.greedy_share)


def estimates(rollout: Rollout, config: RunConfig, policy: Policy, size: int, critic: Critic | None = None) -> Tensor:
    """ĝ of one batch of ``size`` episodes after another, [batches, P]."""
    found, learner = [], Learner(config, policy)
    for low in range(0, rollout.environments - size + 1, size):
        found.append(learner.step(finish(estimate(part(rollout, low, low + size), config.estimator, policy, critic))))
    return torch.stack(found)


def deviation(found: Tensor, expected: Tensor) -> float:
    """How many standard errors the mean of ``found`` [batches, P] lies from ``expected``, in its worst component."""
    error = found.std(0) / len(found) ** 0.5
    return ((found.mean(0) - expected).abs() / error.clamp(min=1e-9)).max().item()
