"""Planning in known processes, sweep by sweep, so that it can be watched, changed on the way and gone on with.

Each algorithm does one sweep, or some backups, at a ``step``, and says what is known then: a ``Plan``. What it has to
remember between steps is its ``state``. ``exact`` holds the answers that they come to, computed at one go.

Notation and shapes as in ``exact``. With a horizon H, k = H − t is the number of turns left at step t, and V_k is the
value with k turns left; V_0 = 0. Units: values and residuals are in the environment's reward.

Sources: Sutton & Barto (2018), chapter 4, and section 8.4 for prioritised sweeping; [textbook], section 1.5.3; Moore &
Atkeson (1993) for prioritised sweeping; Puterman & Shin (1978) for truncated policy iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.mdp.exact import Dynamics, backup, backup_all, greedy_to_the_end, policy_iteration, state_values
from engine.mdp.exact import value_iteration as solved_by_values
from engine.mdp.greedy import greedy_policy
from engine.runtime.state import State

Order = Literal["in-place", "random", "prioritised"]

SETTLED = 1e-12  # a Bellman error this small, relative to the largest value, is rounding


class Plan(NamedTuple):
    """What is known after a step.

    Attributes:
        values: V [S], or [H, S] with a horizon; of policy iteration those of the policy that was evaluated.
        action_values: Q [S, A] or [H, S, A], a backup of ``values``.
        policy: greedy in Q, zeros and ones, shaped as Q; where it is mixed, on its way there.
        backed_up: the states that this step has backed up, int64 [n], in order.
        residual: max_s |max_a Q(s, a) − V(s)|, how far Bellman's optimality equation is from holding; of all t with a
            horizon.
        backups: of single states, so far.
        turns_left: the k of the V_k that this step has computed, where it did so for one k alone.
        settled: whether another step would change nothing but by rounding. Then, without a horizon, V is V*: it is off
            by residual / (1 − γ) at the most.
    """

    values: Tensor
    action_values: Tensor
    policy: Tensor
    backed_up: Tensor
    residual: float
    backups: int
    turns_left: int | None
    settled: bool


class Planner(Protocol):
    """A planning algorithm between two steps. γ may change from step to step."""

    def step(self, gamma: float) -> Plan:
        """Go on by one sweep, or by some backups.

        Raises:
            ValueError: as the functions of ``exact``.
        """

    def state(self) -> State: ...

    def load(self, state: Mapping[str, Any]) -> None: ...


def optimal_values(dynamics: Dynamics, gamma: float) -> Tensor:
    """V*, [S] or [H, S], exactly.

    Raises:
        ValueError: as ``exact.policy_iteration``; for γ = 1 without a horizon the uniform policy has to end everywhere.
    """
    if dynamics.horizon is not None:
        return solved_by_values(dynamics, gamma).values
    return policy_iteration(dynamics, gamma).values


class ValueIteration:
    """Synchronous sweeps of Bellman's optimality equation.

    V_{k+1}(s) = max_a [r(s, a) + γ Σ_s' P(s'|s, a) V_k(s')],   V_0 = 0.

    V_k is the best value with k turns left. With a horizon it stops at V_H; until then what has more turns left than
    have been computed is told as with those that have, which is what sweeps over all t at once would have come to.
    Without a horizon it never stops, and |V_{k+1} − V*| ≤ γ |V_k − V*|.

    A new γ starts the count of turns anew where there is a horizon; without one, sweeps go on from where they are, and
    what they come to is no V_k any more.
    """

    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics, self._gamma = dynamics, -1.0
        self._turns: int | None = 0  # k, without a horizon
        self._values = [torch.zeros_like(dynamics.initial)]  # V_0 … V_k; of the last alone without a horizon
        self._tables: list[Tensor] = []  # their action values Q_1 … Q_k, and what is greedy in each
        self._greedy: list[Tensor] = []
        self._backups = 0

    def step(self, gamma: float) -> Plan:
        dynamics, horizon = _defined(self._dynamics, gamma), self._dynamics.horizon
        everywhere = torch.arange(len(dynamics.initial))
        if horizon is None:
            counts = self._turns is not None and (gamma == self._gamma or self._turns == 0)
            self._gamma, self._turns = gamma, (self._turns or 0) + 1 if counts else None
            self._values = [backup(dynamics, self._values[-1], gamma).amax(-1)]
            self._backups += len(everywhere)
            plan = _plan(dynamics, self._values[-1], gamma, everywhere, self._backups)
            return plan._replace(turns_left=self._turns)
        if gamma != self._gamma:
            self._gamma, self._values, self._tables, self._greedy = gamma, self._values[:1], [], []
        if len(self._tables) < horizon:
            self._look_ahead(self._values[-1])
            self._values.append(self._tables[-1].amax(-1))
            self._backups += len(everywhere)
        else:
            everywhere = everywhere[:0]
        return self._with_turns_left(gamma, horizon, everywhere)

    def _with_turns_left(self, gamma: float, horizon: int, backed_up: Tensor) -> Plan:
        known = len(self._tables)
        rows = [min(horizon - t, known) for t in range(horizon)]
        table, policy = (torch.stack([each[row - 1] for row in rows]) for each in (self._tables, self._greedy))
        residual = 0.0
        if known < horizon:
            following = backup(self._dynamics, self._values[-1], gamma).amax(-1)
            residual = (following - self._values[-1]).abs().max().item()
        values = torch.stack([self._values[row] for row in rows])
        done = known == horizon
        return Plan(values, table, policy, backed_up, residual, self._backups, known, done)

    def _look_ahead(self, values: Tensor) -> None:
        self._tables.append(backup(self._dynamics, values, self._gamma))
        self._greedy.append(greedy_policy(self._tables[-1]))

    def state(self) -> State:
        values = torch.stack(self._values)
        return {"values": values, "gamma": self._gamma, "turns": self._turns, "backups": self._backups}

    def load(self, state: Mapping[str, Any]) -> None:
        values = _checked_values(state["values"], self._dynamics, rows=True)
        self._gamma, self._backups = state["gamma"], state["backups"]
        self._turns = state.get("turns")  # earlier versions did not count them
        self._values = list(values.clone().unbind())
        if self._dynamics.horizon is not None:
            self._tables, self._greedy = [], []
            for each in self._values[:-1]:
                self._look_ahead(each)


class AsynchronousValueIteration:
    """Bellman's optimality equation, applied to one state at a time, each backup with the newest values of all others.

    V(s) ← max_a [r(s, a) + γ Σ_s' P(s'|s, a) V(s')]

    Whatever the order, V becomes V* as long as every state comes up again and again:

    - in-place: state after state, as they are numbered, and from the beginning again (Gauss–Seidel);
    - random: a state drawn from all with equal chances;
    - prioritised: always the one whose Bellman error is the largest. A backup changes the errors of the states that may
      lead there alone, and only theirs are computed again. It stops where no error is more than rounding.

    Args:
        dynamics: without a horizon, as values that depend on the turns left are known after one sweep in their order.
        generator: draws the random order.

    Raises:
        ValueError: on construction, where there is a horizon.
    """

    def __init__(self, dynamics: Dynamics, order: Order, generator: torch.Generator) -> None:
        if dynamics.horizon is not None:
            raise ValueError("Asynchronous value iteration is for processes without a horizon.")
        self.order, self._dynamics, self._generator = order, dynamics, generator
        self._now = dynamics  # as the present γ has it
        self._values: NDArray[np.float64] = np.zeros(len(dynamics.initial))
        self._next, self._backups = 0, 0

    def step(self, gamma: float, backups: int = 0) -> Plan:
        """Go on by so many backups of single states, as many as there are states if 0."""
        self._now = _defined(self._dynamics, gamma)
        orders = {"in-place": self._in_turn, "random": self._drawn, "prioritised": self._worst}
        done = []
        for state in orders[self.order](gamma, backups or len(self._values)):
            self._values[state] = self._best(state, gamma)
            done.append(state)
        self._backups += len(done)
        backed_up = torch.tensor(done, dtype=torch.int64)
        return _plan(self._now, torch.from_numpy(self._values.copy()), gamma, backed_up, self._backups)

    def _best(self, states: int | NDArray[np.int64], gamma: float) -> Any:
        """max_a Q(s, a) of one state, or of some [n]."""
        rewards, continuing = self._now.rewards.numpy(), self._now.continuing.numpy()
        return (rewards[states] + gamma * continuing[states] @ self._values).max(-1)

    def _in_turn(self, gamma: float, backups: int) -> Iterator[int]:
        for _ in range(backups):
            yield self._next
            self._next = (self._next + 1) % len(self._values)

    def _drawn(self, gamma: float, backups: int) -> Iterator[int]:
        yield from torch.randint(len(self._values), (backups,), generator=self._generator).tolist()

    def _worst(self, gamma: float, backups: int) -> Iterator[int]:
        best = backup(self._now, torch.from_numpy(self._values), gamma).amax(-1)
        errors: NDArray[np.float64] = np.abs(best.numpy() - self._values)
        for _ in range(backups):
            state = int(errors.argmax())
            if not errors[state] > SETTLED * max(np.abs(self._values).max(), 1.0):
                return
            yield state
            touched = np.union1d(self._predecessors[state], state)
            errors[touched] = np.abs(self._best(touched, gamma) - self._values[touched])

    @cached_property
    def _predecessors(self) -> list[NDArray[np.int64]]:
        """The states from which an action may lead to each."""
        leads: NDArray[np.bool_] = np.any(self._dynamics.continuing.numpy() > 0.0, axis=1)
        return [np.flatnonzero(column) for column in leads.T]

    def state(self) -> State:
        return {"values": torch.from_numpy(self._values.copy()), "next": self._next, "backups": self._backups}

    def load(self, state: Mapping[str, Any]) -> None:
        self._values = _checked_values(state["values"], self._dynamics).numpy().copy()
        self._next, self._backups = state["next"], state["backups"]


class Fit(Protocol):
    """What stands in for the action values of a policy: Q [S, A] of Q [S, A] and π [S, A]."""

    def __call__(self, action_values: Tensor, policy: Tensor, gamma: float) -> Tensor: ...


class PolicyIteration:
    """Evaluate the policy, make it greedy in its own action values, and again.

    Exactly evaluated, no value falls from one policy to the next. Truncated, an evaluation is only so many sweeps

    V(s) ← Σ_a π(a|s) [r(s, a) + γ Σ_s' P(s'|s, a) V(s')]

    from the values before: one of them is a step of value iteration, infinitely many are policy iteration. An action is
    changed only for a better one. The first policy is uniform, and the first values are 0.

    Mixed, the policy moves only a part of the way, π ← (1 − β) π + β greedy(Q): conservative policy iteration, by which
    J does not fall where β is small enough, even where values are fitted, as long as it is to what the policy visits
    (Kakade & Langford, 2002).

    Args:
        fit: what the policy is made greedy in, in place of its own action values; None for these.
    """

    def __init__(self, dynamics: Dynamics, fit: Fit | None = None) -> None:
        self._dynamics, self._fit = dynamics, fit
        uniform = torch.full_like(dynamics.rewards, 1.0 / dynamics.rewards.shape[-1])
        self._policy = uniform.expand(dynamics.shape)
        self._values = torch.zeros(dynamics.shape[:-1], dtype=torch.float64)
        self._backups = 0

    def step(self, gamma: float, sweeps: int = 0, mixed: float = 1.0) -> Plan:
        """Evaluate by so many sweeps, exactly if 0, and improve; ``mixed`` is β."""
        dynamics, policy = _defined(self._dynamics, gamma), self._policy
        if sweeps == 0:
            self._values = state_values(dynamics, policy, gamma)
        for _ in range(sweeps):
            self._values = (policy * backup_all(dynamics, self._values, gamma)).sum(-1)
        values, table = self._values, backup_all(dynamics, self._values, gamma)
        if self._fit is not None:
            table = self._fit(table, policy, gamma)
            values = (policy * table).sum(-1)
        to_the_end = sweeps == 0 and self._fit is None  # as it can be told which actions are as good as others
        improved = greedy_to_the_end(dynamics, table, gamma, policy) if to_the_end else greedy_policy(table, policy)
        improved = improved if mixed == 1.0 else (1.0 - mixed) * policy + mixed * improved
        self._backups += max(sweeps, 1) * len(dynamics.initial)
        self._policy = improved
        residual = (table.amax(-1) - values).abs().max().item()
        settled = torch.equal(improved, policy) if mixed == 1.0 else True
        if mixed < 1.0 or not to_the_end:
            settled = settled and is_rounding(residual, values)
        everywhere = torch.arange(len(dynamics.initial))
        return Plan(values, table, improved, everywhere, residual, self._backups, None, settled)

    def state(self) -> State:
        return {"values": self._values.clone(), "policy": self._policy.clone(), "backups": self._backups}

    def load(self, state: Mapping[str, Any]) -> None:
        values, policy = state["values"], state["policy"]
        if values.shape != self._values.shape or policy.shape != self._policy.shape:
            raise ValueError(
                f"This state is of values {list(values.shape)} and a policy {list(policy.shape)}; what it is loaded "
                f"into has {list(self._values.shape)} and {list(self._policy.shape)}."
            )
        self._values, self._policy, self._backups = values.clone(), policy.clone(), state["backups"]


def _defined(dynamics: Dynamics, gamma: float) -> Dynamics:
    """The process in which every state has a value that can have one."""
    return dynamics if gamma < 1.0 else dynamics.without_traps


def _plan(dynamics: Dynamics, values: Tensor, gamma: float, backed_up: Tensor, backups: int) -> Plan:
    """What is known of a process without a horizon once its values are ``values``."""
    table = backup(dynamics, values, gamma)
    residual = (table.amax(-1) - values).abs().max().item()
    settled = is_rounding(residual, values)
    policy = greedy_to_the_end(dynamics, table, gamma) if settled else greedy_policy(table)
    return Plan(values, table, policy, backed_up, residual, backups, None, settled)


def is_rounding(residual: float, values: Tensor) -> bool:
    """Whether a Bellman error this large is none."""
    return residual <= SETTLED * max(values.abs().max().item(), 1.0)


def _checked_values(values: Tensor, dynamics: Dynamics, rows: bool = False) -> Tensor:
    """``values`` if they are of as many states as ``dynamics``, in rows or not."""
    if values.ndim != 1 + rows or values.shape[-1] != len(dynamics.initial):
        raise ValueError(
            f"This state is of values {list(values.shape)}; what it is loaded into has {len(dynamics.initial)} states."
        )
    return values
