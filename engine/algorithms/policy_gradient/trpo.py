"""Trust region policy optimisation: the natural gradient's direction, and a line search that keeps its promises."""

from __future__ import annotations

import math

from engine.algorithms.outcome import Outcome, UpdateEvents
from engine.algorithms.policy_gradient.natural_gradient import OldDistributions, natural_direction, old_distributions
from engine.algorithms.policy_gradient.rule import Rules, UpdateInput, over_batch
from engine.algorithms.policy_gradient.watched import WatchedBatch
from engine.config.updates import TRPO
from engine.experience.batch import Chunk
from engine.maths.trust_region import acceptable, backtracking_fractions
from engine.networks.optimizers import ParameterVector
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats, detailed
from engine.reports.update_events import LineSearchTry
from engine.runtime.state import Parts


class TRPORule:
    """max_θ E[π_θ/π_old Â] subject to KL(π_old‖π_θ) ≤ δ (Schulman et al., 2015; [textbook]).

    The longest step along F⁻¹ĝ that the quadratic model of KL allows is tried first, then ever shorter ones, until one
    truly improves the surrogate and truly stays within δ. If none does, the policy stays as it was.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())

    def update(self, given: UpdateInput) -> UpdateEvents:
        """One step, or none."""
        config = given.config.update
        assert isinstance(config, TRPO)
        direction = yield from natural_direction(self._policy, self._vector, given, config)
        if direction.curvature <= 0.0:  # a gradient of 0, as where all advantages are
            return Outcome(direction.metrics | {"kl": 0.0, "line_search": 0.0}, steps=0)
        step = math.sqrt(2.0 * config.max_kl / direction.curvature) * direction.natural_gradient
        old = yield from old_distributions(self._policy, given.batch)
        batch, watched = None, None
        if given.watched:
            batch = WatchedBatch(self._policy, given)
            yield direction.trust_region(given.iteration, step, config.max_kl)
            watched = direction.watched(self._policy, self._vector, given.batch)
        before = self._vector.values.clone()
        start, _ = yield from self._evaluate(given, config, old)
        for number, fraction in enumerate(backtracking_fractions(config.backtracking, config.line_search_steps), 1):
            self._vector.values.copy_(before + fraction * step)
            objective, kl = yield from self._evaluate(given, config, old)
            gain, bound = objective - start, config.max_kl
            accepted = acceptable(gain, kl, bound)
            if watched is not None:
                yield LineSearchTry(
                    iteration=given.iteration,
                    number=number,
                    fraction=fraction,
                    gain=gain,
                    kl=kl,
                    kl_limit=bound,
                    accepted=accepted,
                )
            if accepted:
                if watched is not None and batch is not None:
                    yield watched.event(given.iteration, 1, policy=batch.change(bound))
                return Outcome(direction.metrics | {"kl": kl, "line_search": fraction})
        self._vector.values.copy_(before)
        return Outcome(direction.metrics | {"kl": 0.0, "line_search": 0.0}, steps=0)

    def _evaluate(self, given: UpdateInput, config: TRPO, old: OldDistributions) -> Heartbeats[tuple[float, float]]:
        """The surrogate with its entropy bonus, and KL(π_old‖π), both means over the batch's steps."""
        before = iter(old)

        def of_chunk(now: Distribution, chunk: Chunk) -> tuple[float, float]:
            acted = next(before)
            ratios = (now.log_prob(chunk.actions) - acted.log_prob(chunk.actions)).exp()
            gain = (ratios * given.weights[chunk.rows]).sum()
            if config.entropy_coefficient > 0.0:
                gain = gain + config.entropy_coefficient * now.entropy().sum()
            return gain.item(), acted.kl(now).sum().item()

        searching = detailed(over_batch(self._policy, given.batch, of_chunk), "line search")
        gains, divergences = zip(*(yield from searching), strict=True)
        return sum(gains) / given.batch.size, sum(divergences) / given.batch.size


RULES: Rules = {TRPO: lambda update, parts: TRPORule(parts.policy)}
