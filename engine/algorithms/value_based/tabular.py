"""Q-learning and SARSA on a table of action values."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from engine.algorithms.outcome import Metrics
from engine.algorithms.value_based.outcome import ValueOutcome
from engine.algorithms.value_based.steps import Indices, PendingStep, Step
from engine.config import ValueBasedConfig
from engine.config.value_based import SARSA, QLearning
from engine.experience.transitions import Transitions
from engine.networks.networks import Table
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from engine.runtime.state import Parts, TensorState

Floats = NDArray[np.float64]


class TabularRule:
    """Q(s, a) ← Q(s, a) + α δ with δ = y − Q(s, a), after every step.

    y = r + γ max_b Q(s′, b)               Q-learning (Watkins, 1989)
    y = r + γ Q₂(s′, argmax_b Q₁(s′, b))   double Q-learning, for Q₁ (van Hasselt, 2010)
    y = r + γ Q(s′, a′)                    SARSA (Rummery & Niranjan, 1994)
    y = r + γ Σ_b π(b|s′) Q(s′, b)         expected SARSA, and SARSA where an episode is cut off and a′ never comes

    and y = r where s′ is an end. Where k environments do the same in the same state at once, their errors are averaged
    and the value moves by the share that k steps towards that mean would move it, 1 − (1 − α)ᵏ. With the step size 1/n
    a value is the mean of all targets it has had. The policy of double Q-learning is ε-greedy in the mean of both
    tables; each step is learned from by one of them, drawn evenly.
    """

    explores_only = False  # a table is learned from the first step on

    def __init__(self, config: ValueBasedConfig, policy: Policy, generator: torch.Generator) -> None:
        assert isinstance(policy.head, Table)
        assert isinstance(config.update, QLearning | SARSA)
        self.parts = Parts()
        self._generator = self.parts.add_generator("tables", generator)
        self._config, self._policy, self._update = config, policy, config.update
        rows = policy.head.rows.detach()
        rows.fill_(config.update.initial_value)
        double = isinstance(config.update, QLearning) and config.update.double
        tables = [rows.clone() for _ in range(2)] if double else [rows]
        visits = [torch.zeros(rows.shape, dtype=torch.int64) for _ in tables]
        named = {f"visits_{index}": counts for index, counts in enumerate(visits)}
        named |= {f"values_{index}": table for index, table in enumerate(tables)} if double else {}
        self.parts.add("values", TensorState(named))
        self._pending = self.parts.add("pending", PendingStep())
        self._acting: NDArray[np.float32] = rows.numpy()
        self._tables = [table.numpy() for table in tables]
        self._visits = [counts.numpy() for counts in visits]
        self._errors: list[Floats] = []
        self._largest: list[float] = []

    def begin(self, config: ValueBasedConfig, progress: float) -> None:
        assert isinstance(config.update, QLearning | SARSA)
        self._config, self._update = config, config.update
        self._errors, self._largest = [], []

    def broke_off(self, environments: Indices) -> None:
        self._pending.leave(environments)

    def learn(self, transitions: Transitions) -> tuple[()]:
        for t in range(len(transitions.rewards)):
            step = Step(
                transitions.observations[t],
                transitions.actions[t],
                self._config.environment.reward_scale * transitions.rewards[t] + self._config.environment.reward_offset,
                transitions.terminated[t],
                transitions.next_observations[t],
            )
            self._largest.append(float(self._acting[step.states].max(-1).mean()))
            if isinstance(self._config.update, SARSA) and not self._config.update.expected:
                self._learn_later(step, transitions.truncated[t])
            else:
                self._learn_from(step, None)
        return ()

    def _learn_later(self, step: Step, truncated: NDArray[np.bool_]) -> None:
        """SARSA: learn from the step before, now that it is known what was done after it, and from what has ended."""
        before, there = self._pending.take()
        if before is not None and there.any():
            self._learn_from(before.at(there), step.actions[there])
        ended = step.terminated | truncated
        if ended.any():
            self._learn_from(step.at(ended), None)
        self._pending.put(step, ~ended)

    def _learn_from(self, step: Step, next_actions: Indices | None) -> None:
        which = 0
        if len(self._tables) == 2:
            which = int(torch.randint(2, (), generator=self._generator))
        values, visits = self._tables[which].reshape(-1), self._visits[which].reshape(-1)
        entries = step.states * self._acting.shape[1] + step.actions
        following = self._following(step.next_states, next_actions, which)
        gamma = self._config.estimator.gamma
        errors = step.rewards + gamma * np.where(step.terminated, 0.0, following) - values[entries]
        self._errors.append(errors)
        if len(entries) > 1:
            entries, place, counts = np.unique(entries, return_inverse=True, return_counts=True)
            errors = np.bincount(place, errors) / counts
        else:
            counts = np.ones(1, np.int64)
        visits[entries] += counts
        if self._update.step_size == "1/n":
            share = counts / visits[entries]
        else:
            share = 1.0 - (1.0 - min(self._update.learning_rate, 1.0)) ** counts
        values[entries] += share * errors
        if len(self._tables) == 2:
            first, second = (table.reshape(-1)[entries] for table in self._tables)
            self._acting.reshape(-1)[entries] = 0.5 * (first + second)

    def _following(self, states: Indices, actions: Indices | None, which: int) -> Floats:
        """What the states after a step are taken to be worth, [n]."""
        rows: Floats = self._tables[which][states].astype(np.float64)
        everywhere = np.arange(len(states))
        found: Floats
        if actions is not None:
            found = rows[everywhere, actions]
        elif isinstance(self._config.update, SARSA):
            best = rows == rows.max(-1, keepdims=True)
            epsilon = self._policy.epsilon or 0.0
            chances = epsilon / rows.shape[1] + (1.0 - epsilon) * best / best.sum(-1, keepdims=True)
            found = (chances * rows).sum(-1)
        elif len(self._tables) == 2:
            found = self._tables[1 - which][states, rows.argmax(-1)].astype(np.float64)
        else:
            found = rows.max(-1)
        return found

    def outcome(self) -> ValueOutcome:
        errors = np.concatenate(self._errors) if self._errors else np.zeros(0)
        if not np.isfinite(errors).all():
            raise RunError("A value is no longer a finite number; the rewards are probably too large.")
        metrics: Metrics = {
            "td_error_mean": float(errors.mean()) if len(errors) else None,
            "td_error_size": float(np.abs(errors).mean()) if len(errors) else None,
            "largest_value": float(np.mean(self._largest)),
        }
        return ValueOutcome(errors.astype(np.float32), metrics)
