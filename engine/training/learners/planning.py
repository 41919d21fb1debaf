"""Planning in known MDPs: ascent along the exact gradient. Episodes are played only to show what the policy does."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from engine.algorithms.outcome import Metrics
from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.config import PlanningConfig
from engine.environments.making.known_dynamics import process_of
from engine.policies.policy import Policy
from engine.reports.events import Event, Updated
from engine.reports.metrics import METRICS
from engine.runtime.seeds import Seeds
from engine.runtime.state import Parts
from engine.training.learner import Moment
from engine.training.learners.interaction import Interaction, of_run
from engine.training.learners.summary import estimated, summary


class PlanningLearner:
    """One iteration is one step along ∇J(θ), computed from the known dynamics, beside some episodes to be seen.

    Raises:
        RequestError, RunError: on construction, as ``Interaction``.
    """

    def __init__(self, config: PlanningConfig, run: str) -> None:
        self._run = run
        seeds = Seeds(config.seed)
        self._interaction = Interaction(config, seeds, with_value=False)
        interaction = self._interaction
        self.parts = Parts()
        self.parts.add("interaction", interaction.parts)
        self.policy, self.environment = interaction.policy, interaction.environment
        self.device_reason, self.stepping_reason = interaction.device_reason, interaction.stepping_reason
        self.choices = interaction.choices
        self.close = interaction.close
        mdp = process_of(config.environment)
        assert mdp is not None  # the catalogue refuses others
        self._rule = ExactAscentRule(config.update, self.policy, mdp)
        self.parts.add("rule", self._rule.parts)

    @property
    def policies(self) -> dict[str, Policy]:
        return {self._run: self.policy}

    def iterate(self, moments: Sequence[Moment]) -> Iterator[Event]:
        """As ``Learner.iterate``, of its one run."""
        (moment,) = moments
        return of_run(self._run, self._iteration(moment))

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, PlanningConfig)
        self._interaction.explore(config, moment.progress)
        rollout, collected = yield from self._interaction.collect(moment)
        batch = self._rule.true_advantages(rollout, config.estimator.gamma)
        yield estimated(moment.iteration, batch.advantages)
        outcome = yield from self._rule.update(batch.observations, config, moment.progress)
        metrics: Metrics = dict.fromkeys(METRICS) | outcome.metrics | summary(collected, batch)
        yield Updated(moment.iteration, metrics=metrics)
