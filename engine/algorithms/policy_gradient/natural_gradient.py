"""The natural policy gradient: a step whose length is measured in the space of policies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import LossSums, Rules, UpdateInput, accumulate_gradient, over_batch
from engine.algorithms.policy_gradient.watched import WatchedBatch, plane_of, trust_region
from engine.algorithms.watching import WatchedStep
from engine.config.updates import TRPO, NaturalGradient
from engine.experience.batch import Batch
from engine.maths.trust_region import (
    SingularMatrixError,
    assembled,
    conjugate_gradient_iterates,
    fisher_bands,
    fisher_vector_product,
    kl_gradient,
    solve_exactly,
)
from engine.networks.optimizers import ParameterVector
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.reports.update_events import TrustRegion
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import ROWS, HeartbeatTimer
from engine.runtime.state import Parts

EXACT_UP_TO = 200  # parameters, for which the solver ``auto`` inverts the Fisher matrix itself


class NaturalGradientRule:
    """θ ← θ + α F⁻¹ĝ, scaled down where ½ sᵀFs would exceed the longest step (Kakade, 2002; [textbook])."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())

    def update(self, given: UpdateInput) -> UpdateEvents:
        """One step; the divergence reported is the true one after it, not the quadratic model's."""
        config = given.config.update
        assert isinstance(config, NaturalGradient)
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)
        direction = yield from natural_direction(self._policy, self._vector, given, config)
        step = rate * direction.natural_gradient
        predicted = 0.5 * rate**2 * direction.curvature
        if 0.0 < config.max_kl < predicted:
            step = step * math.sqrt(config.max_kl / predicted)
        old = yield from old_distributions(self._policy, given.batch)
        limit, batch, watched = config.max_kl or None, None, None
        if given.watched:
            batch = WatchedBatch(self._policy, given)
            if direction.curvature > 0.0:  # else there is nowhere to go
                yield direction.trust_region(given.iteration, step, limit)
            watched = direction.watched(self._policy, self._vector, given.batch)
        before = self._vector.values.clone()
        self._vector.values.add_(step)
        kl = yield from mean_kl(self._policy, given.batch, old)
        if not math.isfinite(kl):
            self._vector.values.copy_(before)
        require_finite([kl], rate)
        if watched is not None and batch is not None:
            yield watched.event(given.iteration, 1, policy=batch.change(limit))
        return Outcome(direction.metrics | {"kl": kl} | scheduled_metric(config.learning_rate_schedule, rate))


@dataclass(frozen=True)
class Direction:
    """F⁻¹g [P] for the gradient g of the mean objective per step, its length ``grad_norm``, and gᵀF⁻¹g (with F as
    damped). ``losses`` are the parts of the mean loss by name where the update is watched; ``gradient`` is g itself and
    ``product`` what F comes to, times a vector [P]."""

    natural_gradient: Tensor
    curvature: float
    grad_norm: float
    metrics: Metrics
    losses: dict[str, float]
    gradient: Tensor
    product: Callable[[Tensor], Tensor]

    def watched(self, policy: Policy, vector: ParameterVector, batch: Batch) -> WatchedStep:
        """The step that is about to be taken in this direction."""
        return WatchedStep(policy, vector, self.losses, self.grad_norm, torch.zeros(batch.size))

    def trust_region(self, iteration: int, step: Tensor, limit: float | None) -> TrustRegion:
        """The ``step`` beside both gradients."""
        basis = plane_of(self.gradient, self.natural_gradient)
        products = torch.stack([self.product(each.to(self.gradient.dtype)) for each in basis])
        return trust_region(iteration, (self.gradient, self.natural_gradient, step), basis, products, limit)


def natural_direction(
    policy: Policy, vector: ParameterVector, given: UpdateInput, config: NaturalGradient | TRPO
) -> Heartbeats[Direction]:
    """Solve (F + ξI) x = g, exactly for few parameters, else by conjugate gradients; yields signs of life.

    Both are means over steps: g = 1/M Σ_m ∇ log π(a_m|s_m) Â_m and F of ``fisher_vector_product``, from at most 4096 of
    the steps, evenly spread. Where g weighs states by γᵗ, F still weighs all alike, as the trust region does. Leaves
    the parameters as they are.

    Raises:
        RunError: a number is not finite, or the matrix is singular and is to be solved exactly.
    """
    parameters = vector.parameters
    sums: LossSums = yield from accumulate_gradient(policy, vector, given, config)
    per_step = given.batch.divisor / given.batch.size
    gradient = -per_step * vector.gradient
    norm = gradient.norm().item()
    rate = config.learning_rate if isinstance(config, NaturalGradient) else None
    require_finite([sums.loss, sums.entropy, norm], rate)
    losses = {name: part * per_step for name, part in sums.losses.items()}
    metrics: Metrics = {"loss": sums.loss * per_step, "entropy": sums.entropy, "grad_norm": norm}
    graph = _kl_graph(policy, given.batch)
    yield Heartbeat("updating the policy")

    def product(of: Tensor) -> Tensor:
        return fisher_vector_product(graph, parameters, of, config.damping)

    exact = config.solver == "exact" or (config.solver == "auto" and len(gradient) <= EXACT_UP_TO)
    if exact:
        matrix = yield from _whole_matrix(graph, parameters, config.damping)
        require_finite([matrix.sum().item()], rate)
        try:
            solution = solve_exactly(matrix, gradient)
        except SingularMatrixError as error:
            enough = config.damping + error.damping
            raise RunError(
                f"The Fisher matrix cannot be inverted at a damping of {config.damping:g}, since some directions "
                f"hardly change the policy; use a damping of {enough:.1g} or more, or conjugate gradients."
            ) from None
        return Direction(solution, gradient.dot(solution).item(), norm, metrics, losses, gradient, product)

    timer = HeartbeatTimer()
    solution = torch.zeros_like(gradient)
    for better in conjugate_gradient_iterates(product, gradient, config.cg_iterations):
        solution = better
        if timer.due():
            yield Heartbeat("updating the policy", detail="conjugate gradients")
    curvature = solution.dot(product(solution)).item()
    return Direction(solution, curvature, norm, metrics, losses, gradient, product)


def _whole_matrix(graph: Tensor, parameters: list[torch.nn.Parameter], damping: float) -> Heartbeats[Tensor]:
    bands, timer = [], HeartbeatTimer()
    for band in fisher_bands(graph, parameters):
        bands.append(band)
        if timer.due():
            yield Heartbeat("updating the policy", detail="Fisher matrix")
    return assembled(bands, damping)


def _kl_graph(policy: Policy, batch: Batch) -> Tensor:
    """∇θ of the mean KL(π_old‖π_θ) at θ = θ_old, with its graph."""
    chunk = batch.sample(ROWS // 4 if batch.recurrent else ROWS)  # through time, a product takes longer
    with torch.backends.cudnn.flags(enabled=False):  # its recurrent layers cannot be differentiated twice
        distribution = policy.over(chunk.observations, chunk.sequences)
        kl = distribution.detach().kl(distribution).mean()
        return kl_gradient(kl, list(policy.parameters()))


OldDistributions = list[Distribution]


def old_distributions(policy: Policy, batch: Batch) -> Heartbeats[OldDistributions]:
    """π(·|s) over the batch's chunks, as it is now; yields signs of life."""
    return (yield from over_batch(policy, batch, lambda now, _: now.detach()))


def mean_kl(policy: Policy, batch: Batch, old: OldDistributions) -> Heartbeats[float]:
    """KL(π_old‖π) averaged over the batch's states; yields signs of life."""
    before = iter(old)
    sums = yield from over_batch(policy, batch, lambda now, _: next(before).kl(now).sum().item())
    return sum(sums) / batch.size


RULES: Rules = {NaturalGradient: lambda update, parts: NaturalGradientRule(parts.policy)}
