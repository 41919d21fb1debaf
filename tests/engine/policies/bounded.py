"""Actions between bounds, and densities over them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.policies.distributions import Bounds


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def double(*values: float | list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


LOW, HIGH = -2.0, 3.0
BOUNDS = Bounds(double(LOW), double(HIGH))


def logit(actions: Tensor, bounds: Bounds) -> Tensor:
    """What ``Bounds.squashed`` makes ``actions`` of."""
    return ((actions - bounds.low) / bounds.width).logit()


def density(log_prob: Callable[[Tensor], Tensor], scale: float = 1.0) -> Callable[[float], float]:
    """Of what the environment takes, between ``BOUNDS``, for a policy whose actions are its logit times ``scale``."""
    return lambda action: log_prob(scale * logit(double([action]), BOUNDS)).exp().item()
