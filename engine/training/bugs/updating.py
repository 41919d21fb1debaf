"""Updates that go wrong: policy gradients that learn from another batch than was estimated, and what V is fitted to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.proximal import ProximalRule
from engine.algorithms.policy_gradient.rule import log_probs_of
from engine.algorithms.policy_gradient.surrogates import Proximal
from engine.config.estimators import SharedValueBaseline, ValueBaseline
from engine.experience.batch import Batch, retargeted
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction


def against_the_gradient(batch: Batch) -> Batch:
    """Every ∇ log π is weighed with the negative of what it should be."""
    return replace(batch, state_weights=-batch.state_weights)


def averaged_over_time(batch: Batch) -> Batch:
    """Every step of an episode of T steps is weighed with 1/T."""
    lengths = batch.lengths.to(batch.advantages.device)
    return replace(batch, state_weights=batch.state_weights / lengths.repeat_interleave(lengths))


def clipped_to_bounds(batch: Batch) -> Batch:
    """Actions of a Gaussian between bounds are taken to be what was left of them; it counts in half-widths, so that the
    bounds are −1 and 1."""
    rollout = batch.rollout
    return replace(batch, rollout=replace(rollout, actions=rollout.actions.clamp(-1.0, 1.0)))


class StaleRule(ProximalRule):
    """PPO with log π_old of the policy before the last update; at the first they are the same."""

    def __init__(
        self, config: Proximal, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None = None
    ) -> None:
        super().__init__(config, policy, generator, fitting)
        self._earlier = self.parts.add("earlier", copy.deepcopy(policy).requires_grad_(False))

    def _acting_log_probs(self, batch: Batch) -> Heartbeats[Tensor]:
        found = yield from log_probs_of(self._earlier, batch)
        self._earlier.load_state_dict(self._policy.state_dict())
        self._earlier.temperature = self._policy.temperature
        return found


# --- a baseline through which the gradient flows ----------------------------------------------------------------------


def attached_targets(batch: Batch, log_probs: Tensor, coefficient: float) -> Tensor:
    """Where V is drawn to if the policy's loss is differentiated through it as well, [M].

    L = −1/N Σ_m w_m log π_m (G_m − V_m) + c/M Σ_m (V_m − G_m)² has ∂L/∂V_m = w_m log π_m / N + 2 c (V_m − G_m)/M, which
    is the gradient of c/M Σ (V_m − y_m)² with

    y_m = G_m − M/N · w_m log π_m / (2 c)

    Args:
        log_probs: log π(a|s), [M].
        coefficient: c > 0; 1 where V has a network and a loss of its own.
    """
    pull = batch.state_weights * log_probs * (batch.size / batch.divisor)
    return batch.learned.targets - pull / (2.0 * coefficient)


@torch.no_grad()
def _log_probs(policy: Policy, batch: Batch) -> Tensor:
    chunks = batch.chunks()
    return torch.cat([policy.over(each.observations, each.sequences).log_prob(each.actions) for each in chunks])


class AttachedFitting(ValueFitting):
    """Fits V to ``attached_targets`` of the ``policy``, which is set once there is one."""

    policy: Policy

    def __init__(self, config: ValueBaseline, value: ValueFunction, generator: torch.Generator) -> None:
        super().__init__(config, value, generator)
        self._of: tuple[Batch, Batch] | None = None  # the latest batch, and what is made of it

    def add_gradient(self, batch: Batch, rows: Tensor | slice, config: ValueBaseline, share: float) -> Tensor:
        if self._of is None or self._of[0] is not batch:
            self._of = batch, retargeted(batch, attached_targets(batch, _log_probs(self.policy, batch), 1.0))
        return super().add_gradient(self._of[1], rows, config, share)


def attached_to(baseline: SharedValueBaseline) -> Callable[[Batch, Policy], Batch]:
    """What makes a batch into one whose targets are ``attached_targets``, for a value of the policy's own network."""

    def change(batch: Batch, policy: Policy) -> Batch:
        if baseline.coefficient == 0.0:
            return batch
        return retargeted(batch, attached_targets(batch, _log_probs(policy, batch), baseline.coefficient))

    return change
