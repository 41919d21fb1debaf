"""How far an update takes the policy in the states of its batch, for whoever watches; else nothing here runs."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.maths.losses import cut_off
from engine.policies.policy import Policy
from engine.reports.update_events import PolicyChange, TrustRegion

MOST, MOST_LARGE, MOST_THROUGH_TIME = 4096, 256, 1024  # steps that are looked at, of large observations, of memories
_LARGE = 256  # numbers in an observation
_ALONG = 1e-6  # of a vector's length; what is left of it after a projection is rounding where it is less


class WatchedBatch:
    """Made before an update's first step, and asked after each how far the policy has come.

    Args:
        reverse: whether the divergence is KL(π‖π_old), as the Lagrangian bounds it, and not KL(π_old‖π).
        old_log_probs: log π_old(a|s) of the batch's steps, [M], as a rule has them that holds ``policy`` against them.
    """

    @torch.no_grad()
    def __init__(
        self,
        policy: Policy,
        given: UpdateInput,
        *,
        clip_range: float | None = None,
        reverse: bool = False,
        old_log_probs: Tensor | None = None,
    ) -> None:
        batch = given.batch
        large = batch.observations[:1].numel() > _LARGE
        chunk = batch.sample(MOST_LARGE if large else MOST_THROUGH_TIME if batch.recurrent else MOST)
        self._policy, self._chunk, self._clip_range, self._reverse = policy, chunk, clip_range, reverse
        self._old = policy.over(chunk.observations, chunk.sequences).detach()
        self._log_probs = self._old.log_prob(chunk.actions)
        self._held = None if old_log_probs is None else old_log_probs[chunk.rows]
        rows = torch.arange(batch.size, device=self._log_probs.device)[chunk.rows]
        self._rows, self._weights = rows, given.weights[chunk.rows]

    @torch.no_grad()
    def change(self, kl_limit: float | None = None) -> PolicyChange:
        """How far the policy has come; ``kl_limit`` is what bounds its divergence."""
        now = self._policy.over(self._chunk.observations, self._chunk.sequences)
        log_probs = now.log_prob(self._chunk.actions)
        log_ratios = log_probs - self._log_probs
        held = log_ratios if self._held is None else log_probs - self._held
        kl = now.kl(self._old) if self._reverse else self._old.kl(now)
        cut = None if self._clip_range is None else cut_off(held, self._weights, self._clip_range)
        return PolicyChange(
            rows=self._rows.cpu().numpy(),
            log_ratios=log_ratios.cpu().numpy(),
            cut_off=None if cut is None else cut.cpu().numpy(),
            clip_range=self._clip_range,
            kl=kl.mean().item(),
            kl_limit=kl_limit,
            held_against=None if self._held is None else held.cpu().numpy(),
        )


def plane_of(gradient: Tensor, natural: Tensor) -> Tensor:
    """An orthonormal basis of the plane that ĝ and F⁻¹ĝ [P] span, the first along ĝ: [2, P] in double precision. Where
    both point the same way, the second is any at right angles, and of a gradient of 0 the first is any, too."""
    first, length = gradient.double(), gradient.double().norm()
    first = first / length if length > 0.0 else torch.eye(1, len(first), dtype=first.dtype, device=first.device)[0]
    across = _across(natural.double(), first)
    if across.norm() <= _ALONG * natural.double().norm():
        axis = torch.zeros_like(first)
        axis[first.abs().argmin()] = 1.0
        across = _across(axis, first)
    return torch.stack([first, across / across.norm().clamp(min=1e-300)])


def _across(vector: Tensor, first: Tensor) -> Tensor:
    """What of ``vector`` is at right angles to the unit vector ``first``."""
    for _ in range(2):  # once more, as rounding leaves something of it
        vector = vector - first.dot(vector) * first
    return vector


def trust_region(
    iteration: int, vectors: tuple[Tensor, Tensor, Tensor], basis: Tensor, products: Tensor, limit: float | None
) -> TrustRegion:
    """The event that tells of a step in the plane of ``basis`` [2, P].

    Args:
        vectors: ĝ, F⁻¹ĝ and the step, [P] each.
        products: F times each vector of the basis, as ``basis``.
    """
    gradient, natural, step = ((basis @ vector.double()).cpu().numpy() for vector in vectors)
    matrix = (basis @ products.double().mT).cpu().numpy()
    matrix = (matrix + matrix.T) / 2.0
    return TrustRegion(
        iteration=iteration,
        gradient=gradient,
        natural=natural,
        step=step,
        fisher=matrix,
        limit=limit,
        predicted=float(0.5 * step @ matrix @ step),
    )
