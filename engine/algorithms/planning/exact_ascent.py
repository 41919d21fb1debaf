"""Gradient ascent on the exact gradient of a finite MDP's expected return."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.watching import WatchedStep
from engine.config import PlanningConfig
from engine.config.planning import ExactGradient
from engine.experience.batch import NO_BASELINE, Batch
from engine.experience.rollouts import Rollout
from engine.mdp.exact import Dynamics, advantages, dynamics_of, expected_return
from engine.mdp.finite import FiniteMDP
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer
from engine.policies.distributions import Categorical
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat
from engine.runtime.state import Parts


class ExactAscentRule:
    """θ ← θ + α ∇J(θ), with J the expected discounted return by dynamic programming; no sample enters."""

    def __init__(self, config: ExactGradient, policy: Policy, mdp: FiniteMDP) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))
        self._dynamics: Dynamics = dynamics_of(mdp)
        self._states = torch.arange(mdp.states, device=self._vector.values.device)

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
        yield Heartbeat("updating the policy")
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, progress)
        distribution = self._distribution()
        value = expected_return(self._dynamics, _table(distribution), planning.estimator.gamma)
        self._vector.zero()
        add_gradient(-value, self._vector)
        norm = self._vector.clip(config.max_grad_norm).item()
        visited = distribution.rows(observations)
        metrics: Metrics = {
            "loss": -value.item(),
            "entropy": visited.entropy().mean().item(),
            "grad_norm": norm,
            "exact_return": value.item(),
        }
        require_finite([value.item(), norm], rate)
        seen = WatchedStep(self._vector, {"policy": -value.item()}, norm, torch.zeros(0)) if watched else None
        self._optimizer.step(rate)
        if seen is not None:
            yield seen.event(iteration, 1)
        return Outcome(metrics | scheduled_metric(config.learning_rate_schedule, rate))

    def true_advantages(self, rollout: Rollout, gamma: float) -> Batch:
        """The batch with A^π(s_t, a_t) by dynamic programming in place of estimates."""
        with torch.no_grad():
            exact = advantages(self._dynamics, _table(self._distribution()), gamma)
        found = [rollout.flat(tensor).cpu() for tensor in (rollout.elapsed, rollout.observations, rollout.actions)]
        of_steps = exact[tuple(found if self._dynamics.horizon is not None else found[1:])].float()
        of_steps = of_steps.to(self._states.device)
        return Batch(rollout, of_steps, torch.ones_like(of_steps), NO_BASELINE)

    def _distribution(self) -> Categorical:
        distribution = self._policy(self._states)
        assert isinstance(distribution, Categorical)
        return distribution


def _table(distribution: Categorical) -> Tensor:
    """π [S, A] in double precision, on the CPU."""
    return distribution.logits.cpu().double().softmax(-1)
