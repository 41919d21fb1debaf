"""Functions of a policy's parameters that can be evaluated at many places at once, in single or double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.analysis.lab.subject import Subject
from engine.policies.distributions import Categorical, Distribution
from engine.policies.policy import Policy

_AT_ONCE = 4_000_000  # numbers that are held for all places at which it is evaluated at the same time


class _Outputs(nn.Module):
    """What a policy without a memory makes of its inputs, in the precision of both."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, inputs: Tensor) -> Distribution:
        return self.policy.distribution(self.policy.head(self.policy.body(inputs)))


@dataclass(frozen=True)
class Function:
    """f(θ), a number, of the parameters θ [P] of a policy of this precision.

    ``place`` is where the policy stands, and ``told`` what f is.
    """

    module: nn.Module
    inputs: Tensor
    of: Callable[[Distribution], Tensor]
    told: str
    held: int = 0  # numbers for each place, besides its parameters

    @property
    def place(self) -> Tensor:
        return torch.nn.utils.parameters_to_vector(self.module.parameters()).detach()

    def one(self, theta: Tensor) -> Tensor:
        """f at one place."""
        at, named = 0, {}
        for name, parameter in self.module.named_parameters():
            named[name] = theta[at : at + parameter.numel()].view_as(parameter)
            at += parameter.numel()
        found: Tensor = self.of(torch.func.functional_call(self.module, named, (self.inputs,)))
        return found

    @torch.no_grad()
    def at(self, thetas: Tensor) -> Tensor:
        """f at each of the places [n, P], [n]."""
        some = max(_AT_ONCE // (thetas.shape[1] + self.held), 1)
        return torch.cat([torch.func.vmap(self.one)(part) for part in torch.split(thetas, some)])

    def gradient(self) -> Tensor:
        """∇f where the policy stands, by automatic differentiation, [P]."""
        theta = self.place.requires_grad_()
        (found,) = torch.autograd.grad(self.one(theta), theta)
        return found


def _inputs(policy: Policy, observations: Tensor, precision: torch.dtype) -> Tensor:
    inputs = policy.inputs(observations)
    return inputs.to(precision) if inputs.is_floating_point() else inputs


def log_probability(policy: Policy, observation: Tensor, action: Tensor, precision: torch.dtype) -> Function:
    """log π(a|s) of one action in one state; ``observation`` [1, …], ``action`` [1, …]."""
    inputs = _inputs(policy, observation, precision)
    taken = action.to(precision) if action.is_floating_point() else action
    module = _Outputs(policy.to(precision))
    return Function(module, inputs, lambda distribution: distribution.log_prob(taken)[0], "log π(a|s)")


def expected_return(policy: Policy, subject: Subject, gamma: float, precision: torch.dtype) -> Function:
    """J(θ), by dynamic programming in this precision.

    J = Σ_{t<H} γᵗ Σ_s P(s_t = s) Σ_a π(a|s) r(s, a), and without a horizon μᵀ (I − γ P_π)⁻¹ r_π.
    """
    mdp = subject.mdp
    inputs = _inputs(policy, torch.arange(len(subject.probabilities)), precision)
    seen = torch.from_numpy(subject.seen)
    # Read-only arrays are copied, of which torch would warn.
    continuing, rewards, initial = (
        torch.tensor(table, dtype=precision) for table in (mdp.continuing, mdp.expected_rewards, mdp.initial)
    )
    horizon = mdp.horizon

    def of(distribution: Distribution) -> Tensor:
        assert isinstance(distribution, Categorical)
        policy_table = distribution.probabilities[seen]
        paid = (policy_table * rewards).sum(-1)
        transitions = torch.einsum("sa,sau->su", policy_table, continuing)
        if horizon is None:
            unit = torch.eye(len(initial), dtype=precision)
            solved: Tensor = torch.linalg.solve(unit - gamma * transitions, paid)
            return initial @ solved
        values = torch.zeros_like(paid)
        for _ in range(horizon):
            values = paid + gamma * transitions @ values
        return initial @ values

    return Function(_Outputs(policy.to(precision)), inputs, of, "J(θ)", held=2 * mdp.states**2)
