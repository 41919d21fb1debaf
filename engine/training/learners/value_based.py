"""Learning action values: act, learn from single steps, and again; the policy follows from the values."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.algorithms.value_based.exploration import epsilon_at
from engine.algorithms.value_based.rule import ValueRule, make_value_rule
from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.discounted_returns import DiscountedReturns
from engine.collection.step_collector import Acting, StepCollector
from engine.config import ValueBasedConfig
from engine.config.value_based import DQN
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Estimated, Event, Updated
from engine.reports.metrics import METRICS
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, Interaction, collected, step_collector_alone
from engine.training.learners.step_checks import StepChecks
from engine.training.learners.stepwise import (
    Learning,
    Stepwise,
    achieved,
    learns_itself,
    look_at,
    mean_length,
    stepwise,
)

MakeValueRule = Callable[[ValueBasedConfig, Policy, EnvironmentInfo, Seeds], ValueRule]


def acts_itself(actor: Actor) -> Acting:
    """What acts is the actor as it is."""
    return actor


@dataclass(frozen=True)
class ValueMaking:
    """What the parts of a learner are made with, where they are to be others than those of a run by itself."""

    rule: MakeValueRule = make_value_rule
    acting: Callable[[Actor], Acting] = acts_itself
    learning: Learning = learns_itself


class ValueBasedLearner(InteractingLearner[Interaction[StepCollector]]):
    """One iteration is ``collection.steps`` steps in every environment, with an update after every
    ``collection.train_frequency`` of them.

    Raises:
        RequestError, RunError: on construction, as ``Interaction``.
    """

    def __init__(self, config: ValueBasedConfig, run: str, making: ValueMaking | None = None) -> None:
        making = making or ValueMaking()
        seeds = Seeds(config.seed)
        dueling = isinstance(config.update, DQN) and config.update.dueling
        super().__init__(run, Interaction(config, seeds, dueling, step_collector_alone))
        self.policy.epsilon = epsilon_at(config.exploration, 0.0)
        self._acting = making.acting(self._interaction.actor)
        self._rule: ValueRule = making.rule(config, self.policy, self.environment, seeds)
        self.parts.add("rule", self._rule.parts)
        self._taught = making.learning(self._rule)
        self._returns = self.parts.add("returns", DiscountedReturns(config.collection.environments))

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ValueBasedConfig)
        epsilon = epsilon_at(config.exploration, moment.progress)
        self._rule.begin(config, moment.progress, moment.watched)

        def actor() -> Acting:
            share = 1.0 if self._rule.explores_only else epsilon
            if self.policy.epsilon != share:  # which takes a module longer than it looks
                self.policy.epsilon = share
            return self._acting

        checks = StepChecks(self.policy, moment.iteration)
        parts = Stepwise(self._interaction, self._taught, self._returns, checks)
        played, observed = yield from stepwise(parts, moment, actor)
        yield collected(moment, played)
        outcome = self._rule.outcome()
        yield Estimated(moment.iteration, outcome.td_errors, outcome.td_errors)
        told: Metrics = {
            **mean_length(played),
            "epsilon": self.policy.epsilon,
            **achieved(self._returns, self._values),
        }
        told |= look_at(self._interaction, observed, moment.iteration) | checks.told()
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)

    def _values(self, observations: NDArray[Any]) -> Tensor:
        """max Q of each."""
        with torch.inference_mode():
            return self.policy.action_values(torch.from_numpy(observations).to(self._interaction.device)).amax(-1)
