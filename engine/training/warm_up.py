"""What is loaded before the first run, so that it starts without delay."""

from __future__ import annotations

from typing import get_args

import torch

from engine.config.optimization import Optimizer
from engine.maths.trust_region import fisher_matrix, kl_gradient, solve_exactly
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer


def warm_up() -> None:
    """Load what torch loads only when it is first used, so that the first run starts without delay."""
    parameter = torch.nn.Parameter(torch.eye(2))
    vector = ParameterVector([parameter])
    for kind in get_args(Optimizer):
        add_gradient(parameter.square().sum(), vector)
        make_optimizer(kind, vector).step(0.1)
    torch.linalg.qr(parameter.detach())
    gradient = kl_gradient(parameter.square().sum(), [parameter])
    solve_exactly(fisher_matrix(gradient, [parameter], 0.1), vector.values)
