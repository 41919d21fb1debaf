"""Value and policy iteration as the rule of a run: a step of planning, and the policy that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.config import PlanningConfig, acts_by_values
from engine.config.planning import PolicyIteration, ValueIteration
from engine.mdp import planning
from engine.mdp.ending import EndlessError
from engine.mdp.exact import Dynamics, dynamics_of, expected_return
from engine.mdp.finite import FiniteMDP
from engine.mdp.sharing import SharedValueIteration, Sharing
from engine.mdp.state_names import state_names
from engine.networks.networks import Table
from engine.policies.policy import Policy
from engine.reports.events import Planned
from engine.runtime.errors import RunError
from engine.runtime.state import Parts, State
from engine.values.state_values import StateValues

_LEAST = 1e-30  # a probability that is written as a logarithm


@dataclass(frozen=True)
class SweepOutcome:
    """What a step of planning came to; ``errors`` are max_a Q − V of every state (and step), [S] or [H · S]."""

    planned: Planned
    errors: NDArray[np.float32]
    metrics: Metrics


class _Told:
    """What was told last of the values."""

    def __init__(self) -> None:
        self.values: StateValues | None = None

    def state(self) -> State:
        return {} if self.values is None else self.values._asdict()

    def load(self, state: Mapping[str, Any]) -> None:
        self.values = StateValues(**state) if state else None


class SweepRule:
    """Plans in a table that the policy is greedy in.

    The table holds the action values of the plan as single-precision numbers, of the first step where they depend on
    time; where several actions are equally good, that of the plan's choice is the largest by a hair. A plan whose
    policy is no greedy one leaves its log π there. States that look alike share a row, and all that is planned.

    Args:
        policy: tabular; its outputs are taken as action values, and it acts greedily in them, or as logits.
        generator: draws the order of backups.
    """

    def __init__(self, config: PlanningConfig, policy: Policy, mdp: FiniteMDP, generator: torch.Generator) -> None:
        assert isinstance(policy.head, Table)
        assert isinstance(config.update, ValueIteration | PolicyIteration)
        self.parts = Parts()
        self._policy, self._rows = policy, policy.head.rows.detach()
        self._process = dynamics_of(mdp)
        limited = config.update.horizon == "time-limit"
        self._planned = self._process if limited else replace(self._process, horizon=None)
        order = self.parts.add_generator("order", generator)
        self._sharing = None if mdp.seen is None else Sharing.of(mdp.seen, config.update.weighting)
        self._of_rows: Tensor | slice = slice(None) if self._sharing is None else self._sharing.representatives
        planner = _planner(config.update, self._planned, order, self._sharing)
        self._planner: Any = self.parts.add("planner", planner)
        self._by_values = acts_by_values(config)
        self._told = self.parts.add_later("told", _Told())
        self._best: dict[float, Tensor | None] = {}  # V*, by γ
        self._returned: tuple[float, Tensor, float | None] | None = None  # γ, a table, and what its policy returns

    @property
    def state_values(self) -> StateValues | None:
        """What each state is worth by the last step; None before the first."""
        return self._told.values

    def update(self, config: PlanningConfig, iteration: int) -> SweepOutcome:
        """One step of planning, after which the policy is greedy in what is known by then.

        Raises:
            RunError: the values do not exist, as for γ = 1 where the policy never ends an episode.
        """
        gamma, returns = config.estimator.gamma, self._return(config.estimator.gamma)
        try:
            plan = self._step(config)
        except EndlessError as error:
            place = state_names(config.environment, len(self._process.initial))[error.states[0]]
            raise RunError(
                f"Without discounting there is no value where the episode never ends, as from {place}; use a discount "
                "below 1, or plan for the time limit."
            ) from None
        except ValueError as error:
            raise RunError(str(error)) from None
        if not torch.isfinite(plan.values).all():
            raise RunError("The values are no longer finite numbers; with a discount below 1 they stay so.")
        self._act_by(plan)
        step = len(plan.values) - plan.turns_left if plan.values.ndim > 1 and plan.turns_left else 0
        values = plan.values[step] if plan.values.ndim > 1 else plan.values
        self._told.values = StateValues(values.clone(), plan.turns_left, plan.settled)
        errors = (plan.action_values.amax(-1) - plan.values).flatten()
        return SweepOutcome(
            Planned(
                iteration,
                plan.values.numpy(),
                plan.action_values.numpy(),
                plan.policy.float().numpy(),
                plan.backed_up.numpy(),
                plan.residual,
                plan.turns_left,
                plan.settled,
            ),
            errors.float().numpy(),
            {
                "exact_return": returns,
                "bellman_residual": plan.residual,
                "value_error": self._error(plan.values, gamma),
                "backups": float(plan.backups),
            },
        )

    def _step(self, config: PlanningConfig) -> planning.Plan:
        rule, gamma = config.update, config.estimator.gamma
        plan: planning.Plan
        if isinstance(self._planner, planning.AsynchronousValueIteration):
            assert isinstance(rule, ValueIteration)
            plan = self._planner.step(gamma, rule.backups)
        elif isinstance(self._planner, planning.PolicyIteration):
            assert isinstance(rule, PolicyIteration)
            plan = self._planner.step(gamma, rule.evaluation_sweeps, rule.step)
        else:
            plan = self._planner.step(gamma)
        return plan

    def _act_by(self, plan: planning.Plan) -> None:
        first = (...,) if plan.policy.ndim == 2 else (0,)
        action_values, policy = plan.action_values[first][self._of_rows], plan.policy[first][self._of_rows]
        if not self._by_values:
            self._rows.copy_(policy.clamp(min=_LEAST).log().float())
            return
        table, chosen = action_values.float(), policy > 0.0
        best = table.amax(-1, keepdim=True)
        below = torch.nextafter(best, torch.full_like(best, -torch.inf))
        below = torch.minimum(below, best - torch.finfo(best.dtype).tiny)  # which is not taken for 0 where that is best
        self._rows.copy_(torch.where(chosen, best, torch.minimum(table, below)))

    def _return(self, gamma: float) -> float | None:
        """That of the policy as it acts now; None where it never ends an episode that counts undiscounted."""
        if self._returned is not None and self._returned[0] == gamma and torch.equal(self._returned[1], self._rows):
            return self._returned[2]
        with torch.no_grad():
            distribution: Any = self._policy(torch.arange(len(self._rows), device=self._rows.device))
        policy = distribution.probabilities.cpu().double()
        policy = policy / policy.sum(-1, keepdim=True)
        try:
            shared = policy if self._sharing is None else policy[self._sharing.groups]
            found = expected_return(self._process, shared, gamma).item()
        except ValueError:
            found = None
        self._returned = gamma, self._rows.clone(), found
        return found

    def _error(self, values: Tensor, gamma: float) -> float | None:
        """‖V − V*‖, None where V* cannot be computed."""
        if gamma not in self._best:
            try:
                self._best[gamma] = planning.optimal_values(self._planned, gamma)
            except ValueError:
                self._best[gamma] = None
        best = self._best[gamma]
        return None if best is None else (values - best).abs().max().item()


def _planner(
    rule: ValueIteration | PolicyIteration, dynamics: Dynamics, order: torch.Generator, sharing: Sharing | None
) -> Any:
    if isinstance(rule, PolicyIteration):
        return planning.PolicyIteration(dynamics, None if sharing is None else sharing.fit(dynamics))
    if sharing is not None:
        return SharedValueIteration(dynamics, sharing)
    if rule.order == "synchronous":
        return planning.ValueIteration(dynamics)
    return planning.AsynchronousValueIteration(dynamics, rule.order, order)
