"""Gradient ascent on the exact gradient of a finite MDP's expected return, natural or not."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.watching import WatchedStep
from engine.config import PlanningConfig
from engine.config.planning import ExactGradient, ExactNaturalGradient
from engine.experience.batch import NO_BASELINE, Batch
from engine.experience.rollouts import Rollout
from engine.mdp.exact import Dynamics, backup_all, dynamics_of, expected_return, state_values
from engine.mdp.finite import FiniteMDP
from engine.mdp.natural_gradient import natural_gradient_of_logits, natural_gradient_of_network
from engine.mdp.sharing import Sharing
from engine.networks.networks import Table
from engine.networks.optimizers import Optimizer, ParameterVector, add_gradient, make_optimizer
from engine.policies.distributions import Categorical
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Planned
from engine.runtime.state import Parts


class Known(NamedTuple):
    """V, Q and π of the policy as it is, on the CPU: V [S] and Q [S, A], or [H, S] and [H, S, A]; π [S, A].

    ``advantages`` are A(s, a), shaped as Q; of states that look alike [G, A], the mean of each group by its visits, of
    which ∇J is made.
    """

    values: Tensor
    action_values: Tensor
    policy: Tensor
    advantages: Tensor

    def planned(self, iteration: int) -> Planned:
        """The event that tells of it; every state's values are computed."""
        residual = (self.action_values.amax(-1) - self.values).abs().max().item()
        everywhere = torch.arange(len(self.policy)).numpy()
        values, table = self.values.numpy(), self.action_values.numpy()
        return Planned(iteration, values, table, self.policy.float().numpy(), everywhere, residual)


class ExactAscentRule:
    """θ ← θ + α ∇J(θ), with J the expected discounted return by dynamic programming; no sample enters.

    The natural gradient takes F⁻¹ ∇J, with F exact as well, in place of ∇J (Kakade, 2001).
    """

    def __init__(self, config: ExactGradient | ExactNaturalGradient, policy: Policy, mdp: FiniteMDP) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())
        self._optimizer: Optimizer | None = None  # the natural gradient is stepped along as it is
        if isinstance(config, ExactGradient):
            self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))
        self._dynamics: Dynamics = dynamics_of(mdp)
        self._observations = torch.arange(mdp.observations, device=self._vector.values.device)
        self._sharing = None if mdp.seen is None else Sharing.of(mdp.seen)

    def update(
        self,
        observations: Tensor,
        planning: PlanningConfig,
        progress: float,
        watched: bool = False,
        iteration: int = 0,
    ) -> UpdateEvents:
        """One step; the exact return is from before it.

        Args:
            observations: states that the policy came to [M], in which its entropy is told.
            progress: how much of the budget is used, 0 … 1.
            watched: whether to yield the step as well, as of the iteration of that number.
        """
        config = planning.update
        assert isinstance(config, ExactGradient | ExactNaturalGradient)
        yield Heartbeat("updating the policy")
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, progress)
        distribution = self._distribution()
        value = expected_return(self._dynamics, self._table(distribution), planning.estimator.gamma)
        self._vector.zero()
        add_gradient(-value, self._vector)
        norm = self._vector.clip(config.max_grad_norm if isinstance(config, ExactGradient) else 0.0).item()
        visited = distribution.rows(observations)
        metrics: Metrics = {
            "loss": -value.item(),
            "entropy": visited.entropy().mean().item(),
            "grad_norm": norm,
            "exact_return": value.item(),
        }
        require_finite([value.item(), norm], rate)
        seen = (
            WatchedStep(self._policy, self._vector, {"policy": -value.item()}, norm, torch.zeros(0))
            if watched
            else None
        )
        if isinstance(config, ExactNaturalGradient):
            direction = self._natural(self._table(distribution).detach(), planning.estimator.gamma, config.damping)
            self._vector.values.add_(direction, alpha=rate)
        elif self._optimizer is not None:
            self._optimizer.step(rate)
        if seen is not None:
            yield seen.event(iteration, 1)
        return Outcome(metrics | scheduled_metric(config.learning_rate_schedule, rate))

    @torch.no_grad()
    def known(self, gamma: float) -> Known:
        """All that dynamic programming says of the policy."""
        policy = self._table(self._distribution())
        values = state_values(self._dynamics, policy, gamma)
        table = backup_all(self._dynamics, values, gamma)
        advantages = table - values.unsqueeze(-1)
        if self._sharing is not None:
            advantages = self._sharing.fitted(advantages, self._sharing.weights(self._dynamics, policy, gamma))
        return Known(values, table, policy, advantages)

    def true_advantages(self, rollout: Rollout, known: Known) -> Batch:
        """The batch with A^π(s_t, a_t) by dynamic programming in place of estimates."""
        found = [rollout.flat(tensor).cpu() for tensor in (rollout.elapsed, rollout.observations, rollout.actions)]
        of_steps = known.advantages[tuple(found if known.advantages.ndim == 3 else found[1:])].float()
        of_steps = of_steps.to(self._observations.device)
        return Batch(rollout, of_steps, torch.ones_like(of_steps), NO_BASELINE)

    def _natural(self, policy: Tensor, gamma: float, damping: float) -> Tensor:
        """F⁻¹ ∇J, [P], on the policy's device."""
        device = self._vector.values.device
        if isinstance(self._policy.head, Table) and self._policy.temperature == 1.0 and self._sharing is None:
            found = natural_gradient_of_logits(self._dynamics, policy, gamma, damping)
        else:
            found = natural_gradient_of_network(self._dynamics, policy, self._jacobian(), gamma, damping)
        return found.flatten().to(device, self._vector.values.dtype)

    def _jacobian(self) -> Tensor:
        """The derivatives of every state's logits by all parameters, [S, A, P], in double precision on the CPU."""
        logits = self._distribution().logits
        unit = torch.eye(logits.numel(), dtype=logits.dtype, device=logits.device)
        rows = torch.autograd.grad(
            logits, self._vector.parameters, unit.view(-1, *logits.shape), is_grads_batched=True, allow_unused=True
        )
        flat = [
            torch.zeros(logits.numel(), parameter.numel()) if row is None else row.flatten(1).cpu()
            for row, parameter in zip(rows, self._vector.parameters, strict=True)
        ]
        return self._by_state(torch.cat(flat, 1).double().view(*logits.shape, -1))

    def _distribution(self) -> Categorical:
        distribution = self._policy(self._observations)
        assert isinstance(distribution, Categorical)
        return distribution

    def _table(self, distribution: Categorical) -> Tensor:
        """π [S, A] in double precision, on the CPU."""
        return self._by_state(distribution.logits.cpu().double().softmax(-1))

    def _by_state(self, rows: Tensor) -> Tensor:
        """What there is a row of for each observation, for each state [S, …]."""
        return rows if self._sharing is None else rows[self._sharing.groups]
