"""A whole batch as whoever looks into an update is shown it; where nobody does, nothing here runs."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Outcome
from engine.algorithms.policy_gradient.rule import UpdateInput, log_probs_of
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.experience.batch import Batch, ConstantBaseline, LearnedValue
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.reports.update_events import AfterUpdate, Inspected


def inspected(given: UpdateInput, policy: Policy) -> Heartbeats[Inspected]:
    """The batch of an update that is about to be made to ``policy``; yields signs of life."""
    batch, rollout = given.batch, given.batch.rollout
    log_probs = yield from log_probs_of(policy, batch)
    baseline = subtracted(batch, whole_return=CREDIT_SPECS[given.config.estimator.credit.kind].whole_return)
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    everywhere = torch.arange(rollout.environments, device=rollout.mask.device).expand(rollout.mask.shape)
    return Inspected(
        iteration=given.iteration,
        observations=_copied(batch.observations),
        actions=_copied(batch.actions),
        rewards=_copied(rollout.flat(rollout.rewards)),
        log_probs=_copied(log_probs),
        credit=_copied(batch.advantages + baseline),
        baseline=_copied(baseline),
        advantages=_copied(batch.advantages),
        weights=_copied(given.weights),
        divisor=batch.divisor,
        values=None if learned is None else _copied(learned.values),
        targets=None if learned is None else _copied(learned.targets),
        environments=_copied(rollout.flat(everywhere)),
        elapsed=_copied(rollout.flat(rollout.elapsed)),
        terminated=_copied(rollout.flat(rollout.terminated)),
        truncated=_copied(rollout.flat(rollout.truncated)),
    )


def after_update(given: UpdateInput, policy: Policy, outcome: Outcome) -> Heartbeats[AfterUpdate]:
    """The same steps under the ``policy`` that has been updated with them; yields signs of life."""
    log_probs = yield from log_probs_of(policy, given.batch)
    held = outcome.log_ratios if isinstance(given.config.update, PPOClip | PPOPenalty | PPOLagrangian) else None
    return AfterUpdate(given.iteration, _copied(log_probs), None if held is None else _copied(held))


def subtracted(batch: Batch, *, whole_return: bool) -> Tensor:
    """The b of every step, [M], that its credit was lessened by; 0 where there is one b per parameter.

    A learned value is that of the state from which the credit is counted: the first of the episode for the
    ``whole_return``, else that of the step.
    """
    baseline = batch.baseline
    if isinstance(baseline, LearnedValue):
        if not whole_return:
            return baseline.values
        first = batch.rollout.unflat(baseline.values)[0]
        return batch.rollout.flat(first.expand(batch.rollout.mask.shape))
    if isinstance(baseline, ConstantBaseline):
        return batch.rollout.flat(baseline.amount.expand(batch.rollout.mask.shape))
    return torch.zeros_like(batch.advantages)


def _copied(tensor: Tensor) -> NDArray[Any]:
    """Of its own: the batch's memory is used again by the next one."""
    copied: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return copied
