"""Parts of Kullback–Leibler divergences, computed so that rounding neither takes their digits nor leaves them below 0.

Each is of second order in the difference between two distributions, while the formula that defines it subtracts numbers
of order 1. In a trust region that is all of a divergence's digits.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SHIFT = 8  # from which on Stirling's series is good to 1e-8


def exponential_excess(x: Tensor) -> Tensor:
    """e^x − 1 − x, elementwise, ≥ 0, and ½ x² for small x; twice differentiable, at x = 0 too.

    A bound of 0 is all that rounding needs: what it cuts off is smaller than the square of an ulp of 1.
    """
    return (x.expm1() - x).clamp(min=0.0)


def relative_entropy(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Σ p log(p/q) over the last dimension, [batch], ≥ 0.

    Where Σ p = Σ q = 1 it is Σ p (r − 1 − log r) with r = q/p, each term of which is of second order and ≥ 0. Where a
    gradient is wanted, it is the plain sum, which has the same one in a third of the operations; its value, exact to
    1e-7, is a penalty's, and is raised to 0 where rounding leaves it below.

    Args:
        log_p, log_q: logarithms of two distributions' probabilities, [batch, n].
    """
    if torch.is_grad_enabled() and (log_p.requires_grad or log_q.requires_grad):
        plain = (log_p.exp() * (log_p - log_q)).sum(-1)
        return plain - plain.detach().clamp(max=0.0)
    log_ratio, p = log_q - log_p, log_p.exp()
    # Beyond e, r may be more than a float can hold, though q = p·r is not.
    small = p * exponential_excess(log_ratio.clamp(max=1.0))
    return torch.where(log_ratio < 1.0, small, log_q.exp() - p * (1.0 + log_ratio)).sum(-1)


def log_gamma_excess(y: Tensor, x: Tensor) -> Tensor:
    """log Γ(y) − log Γ(x) − ψ(x)(y − x), elementwise, ≥ 0; twice differentiable in y.

    log Γ(x) = log Γ(x + 8) − Σ_{k<8} log(x + k), and Stirling's series for the rest, each of whose terms f is convex or
    small and gives f(y) − f(x) − f′(x)(y − x) in closed form: with u = (y − x)/x, u − log(1 + u) for −log x.

    Args:
        y, x: float64, ≥ 1. Relative error 1e-7 at 1, less above.

    Source: Abramowitz & Stegun (1964), "Handbook of mathematical functions", 6.1.15 and 6.1.41.
    """
    steps = torch.arange(_SHIFT, dtype=x.dtype, device=x.device).view(-1, *[1] * x.dim())
    changes = (y - x) / (x + steps)
    of_logarithms = (changes - changes.log1p()).sum(0)
    shifted = x + float(_SHIFT)
    u = (y - x) / shifted
    log_ratio = u.log1p()
    excess = u - log_ratio
    grown, square = 1.0 + u, u * u
    stirling = shifted * (u * log_ratio - excess) + 0.5 * excess
    first = square / (12.0 * shifted * grown)
    second = square * (6.0 + 8.0 * u + 3.0 * square) / (360.0 * (shifted * grown) ** 3)
    return of_logarithms + stirling + first - second
