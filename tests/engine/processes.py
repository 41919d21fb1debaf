"""Finite processes that the tests of the exact answers share."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp.exact import Dynamics, dynamics_of, softmax_policy

CASES = [(None, 0.9), (None, 1.0), (None, 0.0), (6, 0.9), (6, 1.0), (1, 1.0)]


def random_dynamics(horizon: int | None, seed: int = 0) -> Dynamics:
    """Five states, three actions; every step ends the episode with a probability of its own, some with none."""
    generator = torch.Generator().manual_seed(seed)
    goes = torch.rand(5, 3, 5, generator=generator, dtype=torch.float64) ** 3
    stays = torch.rand(5, 3, 1, generator=generator, dtype=torch.float64).mul(1.4).clamp(max=1.0)
    rewards = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    initial = torch.tensor([0.5, 0.3, 0.2, 0.0, 0.0], dtype=torch.float64)
    return Dynamics(goes / goes.sum(-1, keepdim=True) * stays, rewards, initial, horizon)


def random_logits(shape: tuple[int, ...] = (5, 3), seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def policy_of(seed: int = 1) -> Tensor:
    return softmax_policy(random_logits(seed=seed))


def known(id: str, **changes: int | None) -> Dynamics:
    mdp = finite_mdp(id)
    assert mdp is not None
    return dataclasses.replace(dynamics_of(mdp), **changes)  # type: ignore[arg-type]


def uniform(dynamics: Dynamics) -> Tensor:
    return torch.full_like(dynamics.rewards, 1.0 / dynamics.rewards.shape[-1])


def close(one: Tensor, other: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
