"""The exact answers for finite decision processes, by dynamic programming in float64.

Notation: π(a|s) the policy, r(s, a) the expected reward, P(s'|s, a) the probability that the episode goes on in s', μ
the distribution of first states, γ the discount, H the horizon, after which nothing more is paid.

Shapes: without a horizon a policy is [S, A], values are [S], action values and advantages [S, A]. With a horizon
everything depends on how many steps were taken: values are [H, S], action values and advantages [H, S, A], indexed
t = 0 … H−1, and a policy is [H, S, A], or [S, A] where it does not change with t. Units: values and returns are in the
environment's reward; γ and all probabilities have none. Everything but the optimal policies is differentiable in π.

Every function that takes them raises ValueError where ``gamma`` lies outside [0, 1], a policy has the wrong shape, is
not float64 or does not sum to 1; and EndlessError, which is one, where γ = 1 without a horizon and an episode may come
to a state from which it never ends. What none comes to counts as ending at once then.

Sources: Sutton & Barto (2018), chapters 3 and 4, for values and visitation; Sutton et al. (1999) for the policy
gradient theorem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor

from engine.mdp.ending import ended, may_end, reachable
from engine.mdp.finite import FiniteMDP
from engine.mdp.greedy import ROUNDING, equally_good, greedy_policy, that_ends

Probabilities = Callable[[Tensor], Tensor]
"""Maps parameters, a float64 tensor of any shape, to a policy; differentiable."""

MANY = 64  # states, from which on it pays to leave out what is impossible


@dataclass(frozen=True)
class Dynamics:
    """What the exact answers need of a process: ``continuing`` P [S, A, S], ``rewards`` r [S, A] and ``initial`` μ [S],
    all float64, and the ``horizon``, or None."""

    continuing: Tensor
    rewards: Tensor
    initial: Tensor
    horizon: int | None

    @property
    def shape(self) -> tuple[int, ...]:
        """That of action values: [S, A], or [H, S, A] with a horizon."""
        steps = () if self.horizon is None else (self.horizon,)
        return (*steps, *self.rewards.shape)

    @cached_property
    def reachable(self) -> Tensor:
        """The states that an episode may come to by some actions, bool [S]."""
        return reachable(self.continuing, self.initial)

    @cached_property
    def without_traps(self) -> Dynamics:
        """The same, but that a state ends at once which no episode comes to, and from which none ever ends whatever is
        done: without discounting it would have no value."""
        trap = ~may_end(self.continuing.mean(1)) & ~self.reachable
        if self.horizon is not None or not trap.any():
            return self
        return replace(self, continuing=self.continuing * ~trap.reshape(-1, 1, 1))

    @cached_property
    def possible(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Of a large process in which most steps are impossible: the pair s · A + a, the state s' and P(s'|s, a) of
        each that is not, [n] each; else None."""
        if len(self.initial) < MANY or self.continuing.count_nonzero() > self.continuing.numel() // MANY:
            return None
        pairs, following = self.continuing.flatten(0, 1).nonzero(as_tuple=True)
        return pairs, following, self.continuing.flatten(0, 1)[pairs, following]


def dynamics_of(mdp: FiniteMDP) -> Dynamics:
    """The expectations over ``mdp``'s outcomes, on the CPU."""
    return Dynamics(
        torch.tensor(mdp.continuing), torch.tensor(mdp.expected_rewards), torch.tensor(mdp.initial), mdp.horizon
    )


def softmax_policy(logits: Tensor) -> Tensor:
    """π(a|s) = exp(θ_{s,a}) / Σ_b exp(θ_{s,b}) from the table of logits θ [S, A] (or [H, S, A]): the tabular policy."""
    return logits.softmax(-1)


# --- one policy -------------------------------------------------------------------------------------------------------


def state_values(dynamics: Dynamics, policy: Tensor, gamma: float, there: Tensor | None = None) -> Tensor:
    """The expected discounted return from each state on.

    V = r_π + γ P_π V, solved as (I − γ P_π) V = r_π, without a horizon;
    V_t = r_π + γ P_π V_{t+1},   t = H−1 … 0,   V_H = 0, with one;

    where r_π(s) = Σ_a π(a|s) r(s, a) and P_π(s'|s) = Σ_a π(a|s) P(s'|s, a).

    Args:
        there: the states whose values are wanted where γ = 1 without a horizon, bool [S]; None for all that an episode
            may come to by some actions.

    Returns:
        V, [S] or [H, S].
    """
    policy = _checked(dynamics, policy, gamma)
    rewards = (policy * dynamics.rewards).sum(-1)
    if dynamics.horizon is None:
        return _solved(_unit(dynamics) - gamma * _lasting(dynamics, policy, gamma, there), rewards)
    following = torch.zeros_like(dynamics.initial)
    backwards = []
    # P_π is the same at every step where the policy is; it pays off where most steps are possible.
    once = _transitions(dynamics, policy[0]) if policy.stride(0) == 0 and dynamics.possible is None else None
    for at_step, reward in zip(reversed(policy.unbind()), reversed(rewards.unbind()), strict=True):
        if once is None:
            following = (at_step * backup(dynamics, following, gamma)).sum(-1)
        else:
            following = reward + gamma * once @ following
        backwards.append(following)
    return torch.stack(backwards).flip(0)


def action_values(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """The expected discounted return of doing a in s and following π from then on.

    Q(s, a) = r(s, a) + γ Σ_s' P(s'|s, a) V(s'), and with a horizon Q_t from V_{t+1}, V_H = 0.

    Returns:
        Q, [S, A] or [H, S, A].
    """
    return backup_all(dynamics, state_values(dynamics, policy, gamma), gamma)


def advantages(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """How much better doing a in s is than following π at once: A(s, a) = Q(s, a) − V(s), and Σ_a π(a|s) A(s, a) = 0.

    Returns:
        A, [S, A] or [H, S, A].
    """
    values = state_values(dynamics, policy, gamma)
    return backup_all(dynamics, values, gamma) - values.unsqueeze(-1)


def discounted_visitation(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """How often a state is visited, discounted, before the episode ends; not normalised.

    d(s) = Σ_t γ^t P(s_t = s), solved as (I − γ P_πᵀ) d = μ, without a horizon;
    d_t(s) = γ^t P(s_t = s),   d_0 = μ,   d_{t+1} = γ P_πᵀ d_t,   t = 0 … H−1, with one.

    An ended episode is in no state, so Σ d is the expected number of discounted steps: the mean episode length for
    γ = 1, and at most 1 / (1 − γ) for γ < 1. d / Σ d is the distribution over states that texts often mean.

    Returns:
        d, [S] or [H, S].
    """
    policy = _checked(dynamics, policy, gamma)
    if dynamics.horizon is None:
        visited = come_to(dynamics, policy) if gamma == 1.0 else None
        return _solved(_unit(dynamics) - gamma * _lasting(dynamics, policy, gamma, visited).mT, dynamics.initial)
    forwards = [dynamics.initial]
    once = _transitions(dynamics, policy[0]) if policy.stride(0) == 0 and dynamics.possible is None else None
    for at_step in policy.unbind()[:-1]:
        goes_on = _gone_on(dynamics, at_step, forwards[-1]) if once is None else once.mT @ forwards[-1]
        forwards.append(gamma * goes_on)
    return torch.stack(forwards)


def expected_return(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """J(π) = Σ_s μ(s) V(s), with V_0 where there is a horizon; a scalar. For γ = 1 it is enough that the episode ends
    from wherever the policy itself comes to."""
    visited = come_to(dynamics, policy) if gamma == 1.0 and dynamics.horizon is None else None
    values = state_values(dynamics, policy, gamma, visited)
    return dynamics.initial @ (values if dynamics.horizon is None else values[0])


# --- gradients --------------------------------------------------------------------------------------------------------


def exact_gradient(dynamics: Dynamics, probabilities: Probabilities, parameters: Tensor, gamma: float) -> Tensor:
    """∇θ J(π_θ), by differentiating the solution of Bellman's equation itself.

    Args:
        probabilities: θ to π_θ, for example ``softmax_policy``.
        parameters: θ, float64, any shape; left unchanged.

    Returns:
        The gradient, shaped as ``parameters``, detached.
    """
    theta = parameters.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(expected_return(dynamics, probabilities(theta), gamma), theta)
    return gradient


def policy_gradient(dynamics: Dynamics, probabilities: Probabilities, parameters: Tensor, gamma: float) -> Tensor:
    """∇θ J(π_θ) by the policy gradient theorem, which differentiates neither dynamics nor values.

    ∇J = Σ_s d(s) Σ_a ∇π(a|s) Q(s, a), summed over t as well where there is a horizon.

    d carries γ^t: estimators that leave that weight out follow another direction where γ < 1.

    Args and returns as ``exact_gradient``, to which it is equal.

    Source: Sutton et al. (1999), theorem 1, for the start-state return.
    """
    theta = parameters.detach().requires_grad_()
    policy = probabilities(theta)
    fixed = policy.detach()
    weights = discounted_visitation(dynamics, fixed, gamma).unsqueeze(-1) * action_values(dynamics, fixed, gamma)
    (gradient,) = torch.autograd.grad((_per_step(dynamics, policy) * weights).sum(), theta)
    return gradient


# --- the best policy --------------------------------------------------------------------------------------------------


class Solution(NamedTuple):
    """What planning found: V* [S], Q* [S, A] and a deterministic policy [S, A] of zeros and ones that is greedy in Q*,
    each with a leading [H] where there is a horizon; and the number of sweeps it took."""

    values: Tensor
    action_values: Tensor
    policy: Tensor
    sweeps: int


def backup(dynamics: Dynamics, values: Tensor, gamma: float) -> Tensor:
    """Q(s, a) = r(s, a) + γ Σ_s' P(s'|s, a) V(s'), [S, A], from the values V [S] of what follows the step."""
    if dynamics.possible is None:
        return dynamics.rewards + gamma * dynamics.continuing @ values
    pairs, following, chances = dynamics.possible
    table = dynamics.rewards.flatten().index_add(0, pairs, gamma * chances * values[following])
    return table.view_as(dynamics.rewards)


def greedy_to_the_end(dynamics: Dynamics, action_values: Tensor, gamma: float, kept: Tensor | None = None) -> Tensor:
    """As ``greedy_policy``; where nothing is discounted and there is no horizon, of equally good actions it does one by
    which the episode ends, if any."""
    policy = greedy_policy(action_values, kept)
    if gamma < 1.0 or dynamics.horizon is not None:
        return policy
    return that_ends(policy, equally_good(action_values), dynamics.continuing)


def value_iteration(dynamics: Dynamics, gamma: float, tolerance: float = 1e-10, max_sweeps: int = 100_000) -> Solution:
    """Bellman's optimality equation, applied until it holds.

    V_{k+1}(s) = max_a [r(s, a) + γ Σ_s' P(s'|s, a) V_k(s')],   V_0 = 0.

    With a horizon, H sweeps give the exact values of every step and nothing is approximate. Without one, sweeps stop
    once no value changed by more than ``tolerance`` · (1 − γ) / γ: then |V_k − V*| ≤ ``tolerance``, as far as float64
    can tell. For γ = 1 they stop once none changed by more than ``tolerance``, and there is no such bound.

    Args:
        tolerance: in the environment's reward, > 0.
        max_sweeps: after how many sweeps to give up.

    Raises:
        ValueError: as every function here, or the values still change after ``max_sweeps``.
    """
    _check_gamma(gamma)
    values = torch.zeros_like(dynamics.initial)
    if dynamics.horizon is not None:
        backwards = []
        for _ in range(dynamics.horizon):
            backwards.append(backup(dynamics, values, gamma))
            values = backwards[-1].amax(-1)
        table = torch.stack(backwards).flip(0)
        return Solution(table.amax(-1), table, greedy_policy(table), dynamics.horizon)
    slack = tolerance * ((1.0 - gamma) / gamma if 0.0 < gamma < 1.0 else 1.0)
    for sweep in range(1, max_sweeps + 1):
        updated = backup(dynamics, values, gamma).amax(-1)
        change = (updated - values).abs().max().item()
        values = updated
        if change <= max(slack, 4.0 * torch.finfo(values.dtype).eps * values.abs().max().item()):
            table = backup(dynamics, values, gamma)
            return Solution(values, table, greedy_to_the_end(dynamics, table, gamma), sweep)
    raise ValueError(
        f"The values still change by {change:.2g} after {max_sweeps} sweeps; with a smaller γ they settle."
    )


def policy_iteration(dynamics: Dynamics, gamma: float, start: Tensor | None = None) -> Solution:
    """Evaluate the policy exactly, make it greedy in its own action values, and again until it stays the same.

    No value ever falls from one policy to the next, and the last is optimal. An action is changed only for a better
    one, or at first for one that is as good and ends the episode, so that for γ = 1 every policy does if the first
    does.

    Args:
        start: the first policy; uniform if None.

    Returns:
        The solution; ``sweeps`` counts the policies that were evaluated.
    """
    uniform = torch.full_like(dynamics.rewards, 1.0 / dynamics.rewards.shape[-1])
    policy = _per_step(dynamics, uniform if start is None else start)
    last: Tensor | None = None
    for sweep in count(1):
        values = state_values(dynamics, policy, gamma)
        table = backup_all(dynamics, values, gamma)
        improved = greedy_to_the_end(dynamics, table, gamma, policy)
        gained = last is None or bool((values - last > ROUNDING * values.abs().max()).any())
        if torch.equal(improved, policy) or not gained:
            return Solution(values, table, improved, sweep)
        policy, last = improved, values
    raise AssertionError("there are only so many policies")


# --- parts ------------------------------------------------------------------------------------------------------------


def backup_all(dynamics: Dynamics, values: Tensor, gamma: float) -> Tensor:
    """Q [S, A] from V [S], or with a horizon Q_t [H, S, A] from the V_{t+1} of V [H, S], V_H = 0."""
    if dynamics.horizon is None:
        return backup(dynamics, values, gamma)
    following = torch.cat((values[1:], torch.zeros_like(values[:1])))
    return dynamics.rewards + gamma * torch.einsum("sau,tu->tsa", dynamics.continuing, following)


def _transitions(dynamics: Dynamics, policy: Tensor) -> Tensor:
    """P_π(s'|s) [S, S]."""
    return torch.einsum("sa,sau->su", policy, dynamics.continuing)


def come_to(dynamics: Dynamics, policy: Tensor) -> Tensor:
    """The states that an episode may come to by a policy [S, A], bool [S]."""
    return reachable(_transitions(dynamics, policy.detach()).unsqueeze(1), dynamics.initial)


def _lasting(dynamics: Dynamics, policy: Tensor, gamma: float, there: Tensor | None) -> Tensor:
    """P_π(s'|s) [S, S] of a process without a horizon; undiscounted, one in which all episodes end."""
    transitions = _transitions(dynamics, policy)
    if gamma < 1.0:
        return transitions
    return ended(transitions, dynamics.reachable if there is None else there)


def _gone_on(dynamics: Dynamics, policy: Tensor, visits: Tensor) -> Tensor:
    """Σ_s visits(s) P_π(s'|s), [S], for a policy [S, A]."""
    if dynamics.possible is None:
        return _transitions(dynamics, policy).mT @ visits
    pairs, following, chances = dynamics.possible
    leaving = (visits.unsqueeze(-1) * policy).flatten()[pairs] * chances
    return torch.zeros_like(visits).index_add(0, following, leaving)


def _unit(dynamics: Dynamics) -> Tensor:
    return torch.eye(len(dynamics.initial), dtype=dynamics.initial.dtype, device=dynamics.initial.device)


def _solved(matrix: Tensor, right: Tensor) -> Tensor:
    solution: Tensor = torch.linalg.solve(matrix, right)
    return solution


def _per_step(dynamics: Dynamics, policy: Tensor) -> Tensor:
    return policy.expand(dynamics.shape)


def _checked(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """``policy`` in the shape of action values, once all is well with it."""
    _check_gamma(gamma)
    shape = tuple(policy.shape)
    if shape not in (dynamics.shape, tuple(dynamics.rewards.shape)):
        raise ValueError(f"The policy has the shape {list(shape)}, but this process needs {list(dynamics.shape)}.")
    if policy.dtype != torch.float64:
        raise ValueError(f"The policy must be float64 for exact answers, not {policy.dtype}.")
    fixed = policy.detach()
    if not ((fixed >= 0.0).all() and ((fixed.sum(-1) - 1.0).abs() < 1e-6).all()):
        raise ValueError("The policy must give each state probabilities that sum to 1.")
    return _per_step(dynamics, policy)


def _check_gamma(gamma: float) -> None:
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"The discount must lie between 0 and 1, not be {gamma}.")
