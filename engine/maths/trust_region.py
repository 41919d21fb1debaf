"""Steps of a bounded divergence: Fisher-vector products, conjugate gradients and a line search, as pure functions.

P is the number of parameters θ of the policy, all flattened into one vector in the order of its parameters. What takes
long comes as an iterator, so that its host can do other things between chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

ROWS_AT_ONCE = 64  # of a Fisher matrix: each row takes as much memory as a backward pass of its own


def flattened(tensors: Iterable[Tensor]) -> Tensor:
    """All tensors' numbers as one vector [P].

    Raises:
        ValueError: there is no tensor.
    """
    parts = [tensor.reshape(-1) for tensor in tensors]
    if not parts:
        raise ValueError("there are no tensors to flatten.")
    return torch.cat(parts)


def kl_gradient(kl: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """∇θ of a divergence, [P], with the graph that ``fisher_vector_product`` differentiates again.

    Args:
        kl: the mean of KL(π_old(·|s)‖π_θ(·|s)) over states, a scalar with a graph in θ and π_old constant.
        parameters: θ; what ``kl`` does not depend on has gradient 0. cuDNN's recurrent layers cannot be differentiated
            twice: compute ``kl`` with them under ``torch.backends.cudnn.flags(enabled=False)``.

    Raises:
        ValueError: ``kl`` is not a scalar, or its gradient does not depend on θ.
    """
    if kl.ndim != 0:
        raise ValueError(f"kl {tuple(kl.shape)} must be a scalar.")
    parts = torch.autograd.grad(kl, parameters, create_graph=True, allow_unused=True)
    gradient = flattened(
        torch.zeros_like(parameter) if part is None else part for parameter, part in zip(parameters, parts, strict=True)
    )
    if gradient.grad_fn is None:
        raise ValueError("the gradient of kl does not depend on the parameters, so it has no second derivative.")
    return gradient


def fisher_vector_product(gradient: Tensor, parameters: Sequence[Tensor], vector: Tensor, damping: float) -> Tensor:
    """(F + damping·I) v without ever forming F.

    F = E_s E_{a∼π_θ}[∇ log π_θ(a|s) ∇ log π_θ(a|s)ᵀ] is the Hessian of E_s KL(π_old‖π_θ) at θ = θ_old; as a Hessian is
    symmetric, its product with v is what back-propagating v through the gradient gives. For a batch in chunks, the
    chunks' products add up, weighted by their shares of the states, with the damping once.

    Args:
        gradient: from ``kl_gradient`` at θ = θ_old, [P]; its graph is kept, so one serves for many products.
        vector: v, [P].
        damping: added to the diagonal, ≥ 0.

    Returns:
        [P], without a graph.

    Raises:
        ValueError: the vector or the gradient is not [P].

    Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian"; Schulman et al. (2015), "Trust region policy
        optimization", appendix C; F after [textbook].
    """
    size = sum(parameter.numel() for parameter in parameters)
    _require_vector(gradient, size)
    _require_vector(vector, size)
    product = torch.autograd.grad(gradient, parameters, vector, retain_graph=True, materialize_grads=True)
    return flattened(product) + damping * vector


def fisher_bands(gradient: Tensor, parameters: Sequence[Tensor]) -> Iterator[Tensor]:
    """The rows of F, some at a time, for policies of few parameters.

    Args:
        gradient: from ``kl_gradient`` at θ = θ_old, [P].

    Yields:
        [rows, P], without a graph.

    Raises:
        ValueError: the gradient is not [P].
    """
    size = sum(parameter.numel() for parameter in parameters)
    _require_vector(gradient, size)
    identity = torch.eye(size, dtype=gradient.dtype, device=gradient.device)
    for rows in torch.split(identity, ROWS_AT_ONCE):
        products = torch.autograd.grad(
            gradient, parameters, rows, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        parts = [
            rows.new_zeros(len(rows), parameter.numel()) if product is None else product.reshape(len(rows), -1)
            for parameter, product in zip(parameters, products, strict=True)
        ]
        yield torch.cat(parts, 1)


def fisher_matrix(gradient: Tensor, parameters: Sequence[Tensor], damping: float) -> Tensor:
    """F + damping·I as a matrix, [P, P], in one go; arguments and errors as for ``fisher_bands`` and ``assembled``.

    Source: [textbook]; Kakade (2001), "A natural policy gradient".
    """
    return assembled(list(fisher_bands(gradient, parameters)), damping)


def assembled(bands: Sequence[Tensor], damping: float) -> Tensor:
    """F + damping·I from all the bands of F, symmetric to the last bit.

    Args:
        bands: all of ``fisher_bands``.
        damping: added to the diagonal, ≥ 0.

    Returns:
        [P, P], without a graph.
    """
    matrix = torch.cat(list(bands))
    return (matrix + matrix.mT) / 2.0 + damping * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)


class SingularMatrixError(ValueError):
    """A matrix is singular to within its precision; with ``damping`` more on its diagonal it would not be."""

    def __init__(self, damping: float) -> None:
        super().__init__("the matrix is singular; more damping makes it solvable.")
        self.damping = damping


def solve_exactly(matrix: Tensor, b: Tensor) -> Tensor:
    """The x with A x = b, for a symmetric matrix.

    A Fisher matrix is often singular: logits may all grow alike without changing a probability, and states that were
    not visited leave no trace. No single x is then right, so it is refused rather than answered with rounding errors.

    Args:
        matrix: A, [P, P], symmetric; only its lower triangle is read.
        b: [P].

    Returns:
        x, [P].

    Raises:
        SingularMatrixError: A is singular to within its precision.
        ValueError: the shapes do not fit, or something is not finite.
    """
    _require_vector(b, b.numel())
    if matrix.shape != (len(b), len(b)):
        raise ValueError(f"the matrix {tuple(matrix.shape)} must be {(len(b), len(b))}.")
    if not bool(matrix.isfinite().all() and b.isfinite().all()):
        raise ValueError("the matrix and the vector must be finite.")
    # In double precision, and on the CPU because not every device has that.
    values, vectors = torch.linalg.eigh(matrix.detach().cpu().double())
    least = len(b) * torch.finfo(matrix.dtype).eps * values.abs().max().item()
    if not values.abs().min() > least:
        raise SingularMatrixError(max(4.0 * least, 1e-6))
    x: Tensor = vectors @ (vectors.mT @ b.detach().cpu().double() / values)
    return x.to(b.dtype).to(b.device)


def conjugate_gradient_iterates(
    product: Callable[[Tensor], Tensor], b: Tensor, iterations: int, tolerance: float = 1e-10
) -> Iterator[Tensor]:
    """Ever better x with A x ≈ b, from nothing but products with a symmetric positive definite A.

    r_0 = p_0 = b, x_0 = 0;   α = r_kᵀr_k / p_kᵀA p_k,   x_{k+1} = x_k + α p_k,   r_{k+1} = r_k − α A p_k,
    p_{k+1} = r_{k+1} + (r_{k+1}ᵀr_{k+1} / r_kᵀr_k) p_k

    Args:
        product: v ↦ A v, both [P].
        b: [P].
        iterations: how many products at most.
        tolerance: stops once ‖r‖² ≤ tolerance·‖b‖², so that the scale of b does not matter.

    Yields:
        x_0 = 0, then x_1, x_2 … [P], each after one product. It ends early where A turns out not to be positive along
        p_k, or a product not to be finite: nothing beyond the last x could be trusted.

    Raises:
        ValueError: b is not a vector, or ``iterations`` < 1.

    Source: Hestenes & Stiefel (1952); Schulman et al. (2015), appendix C.
    """
    _require_vector(b, b.numel())
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, not {iterations}.")
    x, residual, direction = torch.zeros_like(b), b.clone(), b.clone()
    size = residual.dot(residual)
    enough = tolerance * size
    yield x
    for _ in range(iterations):
        if not bool(size > enough):
            return
        image = product(direction)
        curvature = direction.dot(image)
        if not bool((curvature > 0.0) & curvature.isfinite()):
            return
        length = size / curvature
        x = x + length * direction
        residual = residual - length * image
        size, before = residual.dot(residual), size
        direction = residual + (size / before) * direction
        yield x


def backtracking_fractions(coefficient: float, tries: int) -> tuple[float, ...]:
    """c^k for k = 0 … tries − 1: the whole step first, then ever less of it.

    Raises:
        ValueError: c is not between 0 and 1, or ``tries`` < 1.
    """
    if not 0.0 < coefficient < 1.0:
        raise ValueError(f"coefficient must be between 0 and 1, not {coefficient}.")
    if tries < 1:
        raise ValueError(f"tries must be at least 1, not {tries}.")
    return tuple(coefficient**k for k in range(tries))


def acceptable(improvement: float, kl: float, max_kl: float) -> bool:
    """Whether a step gains something and stays within the bound; never where a number is not finite."""
    return math.isfinite(improvement) and math.isfinite(kl) and improvement > 0.0 and kl <= max_kl


def _require_vector(vector: Tensor, size: int) -> None:
    if vector.shape != (size,):
        raise ValueError(f"a vector of {size} numbers is needed, not one of shape {tuple(vector.shape)}.")
