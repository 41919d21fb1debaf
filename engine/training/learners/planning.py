"""Planning in known MDPs: ascent along the exact gradient. Episodes are played only to show what the policy does."""

from __future__ import annotations

from collections.abc import Generator

from engine.algorithms.outcome import Metrics
from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.config import PlanningConfig
from engine.config.planning import ExactGradient, ExactNaturalGradient
from engine.environments.making.known_dynamics import process_to_plan_in
from engine.reports.events import Event, Updated
from engine.reports.metrics import METRICS
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, RolloutInteraction
from engine.training.learners.summary import estimated, require_computable, summary


class PlanningLearner(InteractingLearner[RolloutInteraction]):
    """One iteration is one step along ∇J(θ), computed from the known dynamics, beside some episodes to be seen.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``.
    """

    def __init__(self, config: PlanningConfig, run: str) -> None:
        super().__init__(run, RolloutInteraction(config, Seeds(config.seed), with_value=False))
        mdp = process_to_plan_in(config.environment)
        assert isinstance(config.update, ExactGradient | ExactNaturalGradient)
        self._rule = ExactAscentRule(config.update, self.policy, mdp)
        self.parts.add("rule", self._rule.parts)

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, PlanningConfig)
        self._interaction.explore(config, moment.progress)
        rollout, collected = yield from self._interaction.collect(moment)
        known = self._rule.known(config.estimator.gamma)
        yield known.planned(moment.iteration)
        batch = self._rule.true_advantages(rollout, known)
        told = summary(collected, batch, self.environment)
        require_computable(told, batch, moment)
        yield estimated(moment.iteration, batch.advantages)
        outcome = yield from self._rule.update(
            batch.observations, config, moment.progress, moment.watched, moment.iteration
        )
        metrics: Metrics = dict.fromkeys(METRICS) | outcome.metrics | told | {"gradient_steps": outcome.steps}
        yield Updated(moment.iteration, metrics=metrics)
