"""The expected returns of many policies of one finite process at once, where each alone would take its own sweeps."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.mdp.exact import Dynamics


def expected_returns(dynamics: Dynamics, policies: Tensor, gamma: float) -> Tensor:
    """J(π) of each of ``policies``, as ``exact.expected_return`` has it of one:

    V_t = r_π + γ P_π V_{t+1},   t = H−1 … 0,   V_H = 0,   J = Σ_s μ(s) V_0(s).

    Args:
        policies: π(a|s), float64 [N, S, A], the same at every step.
        gamma: 0 … 1.

    Returns:
        J, [N].

    Raises:
        ValueError: the process has no horizon, or the policies are no such probabilities.
    """
    if dynamics.horizon is None:
        raise ValueError("The returns of many policies are computed step by step, which needs a horizon.")
    if policies.ndim != 3 or policies.shape[1:] != dynamics.rewards.shape or policies.dtype != torch.float64:
        raise ValueError(f"The policies must be float64 [N, {', '.join(map(str, dynamics.rewards.shape))}].")
    if not ((policies >= 0.0).all() and ((policies.sum(-1) - 1.0).abs() < 1e-6).all()):
        raise ValueError("The policies must give each state probabilities that sum to 1.")
    rewards = torch.einsum("nsa,sa->ns", policies, dynamics.rewards)
    transitions = torch.einsum("nsa,sau->nsu", policies, dynamics.continuing)
    values = torch.zeros_like(rewards)
    for _ in range(dynamics.horizon):
        values = torch.baddbmm(rewards.unsqueeze(-1), transitions, values.unsqueeze(-1), alpha=gamma).squeeze(-1)
    return values @ dynamics.initial
