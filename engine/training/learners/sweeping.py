"""Planning by sweeps: value iteration in any order, and policy iteration. Episodes are played only to show what the
plan is worth so far."""

from __future__ import annotations

from collections.abc import Generator

from engine.algorithms.planning.sweeps import SweepRule
from engine.config import PlanningConfig, acts_by_values
from engine.environments.making.known_dynamics import process_to_plan_in
from engine.reports.events import Estimated, Event, Heartbeat, Updated
from engine.reports.metrics import METRICS
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, RolloutInteraction
from engine.values.state_values import StateValues


class SweepingLearner(InteractingLearner[RolloutInteraction]):
    """One iteration plays some episodes by the plan as it is, and goes on planning by one step.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``.
    """

    def __init__(self, config: PlanningConfig, run: str) -> None:
        seeds = Seeds(config.seed)
        super().__init__(run, RolloutInteraction(config, seeds, with_value=False))
        self.policy.epsilon = 0.0 if acts_by_values(config) else None
        mdp = process_to_plan_in(config.environment)
        self._rule = SweepRule(config, self.policy, mdp, seeds.generator())
        self.parts.add("rule", self._rule.parts)

    def state_values(self) -> StateValues | None:
        """The plan's."""
        return self._rule.state_values

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, PlanningConfig)
        _, played = yield from self._interaction.collect(moment)
        yield Heartbeat("updating the policy")
        outcome = self._rule.update(config, moment.iteration)
        yield outcome.planned
        yield Estimated(moment.iteration, outcome.errors, outcome.errors)
        lengths = played.lengths
        told = {"mean_length": float(lengths.mean()) if len(lengths) else None}
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)
