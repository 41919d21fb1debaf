"""Q-learning and SARSA on a table of action values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from engine.algorithms.outcome import Metrics
from engine.algorithms.value_based.outcome import ValueOutcome
from engine.algorithms.value_based.steps import Floats, Indices, Step, Tables, Window
from engine.algorithms.value_based.told_table import LearnedStep, told
from engine.algorithms.value_based.true_values import TrueValues
from engine.catalogue.methods.specs import VALUE_SPECS
from engine.config import ValueBasedConfig
from engine.config.value_based import DECAY, SARSA, QLearning
from engine.experience.transitions import Transitions
from engine.networks.networks import Table
from engine.policies.policy import Policy
from engine.reports.update_events import UpdateStep
from engine.runtime.errors import RunError
from engine.runtime.state import Parts

_ONE = np.ones(1, np.int64)


class TabularRule:
    """Q(s, a) ← Q(s, a) + α δ with δ = y − Q(s, a), for every step once its target is known,

    y = r_t + γ r_{t+1} + … + γ^{n−1} r_{t+n−1} + γ^n v

    with the value v of what follows the n steps, s′:

    v = max_b Q(s′, b)               Q-learning (Watkins, 1989)
    v = Q₂(s′, argmax_b Q₁(s′, b))   double Q-learning, for Q₁ (van Hasselt, 2010)
    v = Q(s′, a′)                    SARSA (Rummery & Niranjan, 1994)
    v = Σ_b π(b|s′) Q(s′, b)         expected SARSA (van Seijen et al., 2009)

    Where the episode ends before, as many rewards count as there are: v = 0 behind a termination; behind a truncation v
    is that of the true final observation, with one γ for each reward, and SARSA, whose a′ never comes, takes expected
    SARSA's. With n > 1 Q-learning counts rewards of actions that were not greedy, and does not correct for it.

    Where k environments do the same in the same state at once, their errors are averaged and the value moves by the
    share that k steps towards that mean would move it, 1 − (1 − α)ᵏ. With the step size 1/n a value is the mean of all
    targets it has had since γ last changed; with 1/n^0.7 the later ones weigh more. The policy of double Q-learning is
    ε-greedy in the mean of both tables; each step is learned from by one of them, drawn evenly.

    Source: Sutton & Barto (2018), chapters 6 and 7; for the step sizes Even-Dar & Mansour (2003), "Learning rates for
        Q-learning".
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
        self._acting: NDArray[np.float32] = rows.numpy()
        self._kept = self.parts.add("values", Tables(self._acting, 2 if double else 1))
        self._tables, self._visits = self._kept.values, self._kept.visits
        self._window = self.parts.add("window", Window(config.estimator.n, config.collection.environments))
        estimates = VALUE_SPECS[config.update.kind].estimates
        self._true = self.parts.add("true_values", TrueValues(config.environment, estimates))
        self._errors: list[Floats] = []
        self._acted_in: list[Indices] = []
        self._is_watched, self._told, self._learned = False, 0, list[LearnedStep]()

    def begin(self, config: ValueBasedConfig, progress: float, watched: bool = False) -> None:
        assert isinstance(config.update, QLearning | SARSA)
        if self._kept.average(config.estimator.gamma):  # nor is what has been summed up of steps under way
            self._window.leave(np.arange(config.collection.environments))
        self._config, self._update = config, config.update
        self._errors, self._acted_in = [], []
        self._is_watched, self._told, self._learned = watched, 0, []

    def broke_off(self, environments: Indices) -> None:
        self._window.leave(environments)

    def learn(self, transitions: Transitions) -> tuple[UpdateStep, ...]:
        before = self._acting.copy() if self._is_watched else None
        self._learn(transitions)
        if before is None or not self._learned:
            return ()
        self._told += 1
        step = told(self._told, self._learned, before, self._acting)
        self._learned = []
        return (step,)

    def _learn(self, transitions: Transitions) -> None:
        environment = self._config.environment
        rewards = environment.reward_scale * transitions.rewards + environment.reward_offset
        looks_ahead = self._looks_ahead
        for t in range(len(rewards)):
            states, actions = transitions.observations[t], transitions.actions[t]
            terminated, next_states = transitions.terminated[t], transitions.next_observations[t]
            if not (looks_ahead or self._config.estimator.n > 1):  # nothing has to be waited for
                following = partial(self._unless, terminated, next_states)
                self._learn_from(Step(states, actions, rewards[t], 1), following, terminated)
                continue
            if looks_ahead:
                self._learn_oldest(self._window.lengths, states, actions)
            self._window.add(states, actions, rewards[t], self._config.estimator.gamma)
            ended = terminated | transitions.truncated[t]
            if not looks_ahead:
                self._learn_oldest(np.where(ended, 0, self._window.lengths), next_states, None)
            if ended.any():
                self._learn_rest(np.flatnonzero(ended), terminated, next_states)
        self._acted_in.append(transitions.observations)

    @property
    def _looks_ahead(self) -> bool:
        """Whether a target waits for the next action, as SARSA's does."""
        return isinstance(self._update, SARSA) and not self._update.expected

    def _learn_oldest(self, lengths: Indices, next_states: Indices, next_actions: Indices | None) -> None:
        """Learn from the steps that n rewards have been counted of, where so many are kept."""
        n = self._config.estimator.n
        full = np.flatnonzero(lengths == n)
        if len(full):
            taken = None if next_actions is None else next_actions[full]
            following = partial(self._following, next_states[full], taken)
            self._learn_from(self._window.at(n - 1, full), following)
            self._window.leave_oldest(full)

    def _learn_rest(self, ended: Indices, terminated: NDArray[np.bool_], next_states: Indices) -> None:
        """Learn from all that is kept of episodes that have ended, the oldest steps first."""
        lengths = self._window.lengths[ended]
        for age in reversed(range(int(lengths.max()))):
            which = ended[lengths > age]
            following = partial(self._unless, terminated[which], next_states[which])
            self._learn_from(self._window.at(age, which), following, terminated[which])
        self._window.leave(ended)

    def _learn_from(
        self, step: Step, following: Callable[[int], Floats], over: NDArray[np.bool_] | None = None
    ) -> None:
        """Learn from steps behind which nothing follows where they are ``over``."""
        which = 0
        if len(self._tables) == 2:
            which = int(torch.randint(2, (), generator=self._generator))
        values, visits = self._tables[which].reshape(-1), self._visits[which].reshape(-1)
        entries = step.states * self._acting.shape[1] + step.actions
        errors = step.rewards + self._config.estimator.gamma**step.length * following(which) - values[entries]
        self._errors.append(errors)
        if self._is_watched:
            self._learned.append(LearnedStep(step, values[entries].astype(np.float64), errors, over))
        if len(entries) > 1:
            entries, place, counts = np.unique(entries, return_inverse=True, return_counts=True)
            errors = np.bincount(place, errors) / counts
        else:
            counts = _ONE
        visits[entries] += counts
        if self._update.step_size == "1/n":
            share = counts / visits[entries]
        else:
            decaying = self._update.step_size != "constant"
            rate = visits[entries] ** -DECAY if decaying else self._update.learning_rate
            share = 1.0 - (1.0 - rate) ** counts
        values[entries] += share * errors
        if len(self._tables) == 2:
            first, second = (table.reshape(-1)[entries] for table in self._tables)
            self._acting.reshape(-1)[entries] = 0.5 * (first + second)

    def _unless(self, terminated: NDArray[np.bool_], states: Indices, which: int) -> Floats:
        """As ``_following``, 0 behind a termination."""
        return np.where(terminated, 0.0, self._following(states, None, which))

    def _following(self, states: Indices, actions: Indices | None, which: int) -> Floats:
        """v, what the states after some steps are taken to be worth by a table, [m]; ``actions`` are those taken there,
        where there are any."""
        rows: Floats = self._tables[which][states].astype(np.float64)
        found: Floats
        if actions is not None:
            found = rows[np.arange(len(states)), actions]
        elif isinstance(self._update, SARSA):
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
        config, steps = self._config, sum(len(states) for states in self._acted_in)
        visits: Indices = np.sum(self._visits, axis=0)
        errors = np.concatenate(self._errors) if self._errors else np.zeros(0)
        if not np.isfinite(errors).all():
            raise RunError("A value is no longer a finite number; the rewards are probably too large.")
        metrics: Metrics = {
            "td_error_mean": float(errors.mean()) if len(errors) else None,
            "td_error_size": float(np.abs(errors).mean()) if len(errors) else None,
            "largest_value": float(self._acting[np.concatenate(self._acted_in)].max(-1).mean()),
            "value_error": self._true.error(
                self._acting, visits, config.estimator.gamma, self._policy.epsilon or 0.0, steps
            ),
        }
        return ValueOutcome(errors.astype(np.float32), metrics)
