"""Learning action values and a policy by them: act, learn from old steps, and again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.discounted_returns import DiscountedReturns
from engine.collection.step_collector import StepCollector
from engine.config import ActorCriticConfig
from engine.policies.distributions import Categorical
from engine.policies.persistent_noise import PersistentNoise
from engine.policies.policy import Policy
from engine.policies.uniform import UniformActor
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
from engine.values.state_values import MOST_SHOWN, StateValues

MakeActorCriticRule = Callable[[ActorCriticConfig, Policy, EnvironmentInfo, Seeds], ActorCriticRule]


@dataclass(frozen=True)
class ActorCriticMaking:
    """What the parts of a learner are made with, where they are to be others than those of a run by itself."""

    rule: MakeActorCriticRule = ActorCriticRule
    learning: Learning = learns_itself


class ActorCriticLearner(InteractingLearner[Interaction[StepCollector]]):
    """One iteration is ``collection.steps`` steps in every environment, with an update after every
    ``collection.train_frequency`` of them.

    Raises:
        RequestError, RunError: on construction, as ``Interaction``.
    """

    def __init__(self, config: ActorCriticConfig, run: str, making: ActorCriticMaking | None = None) -> None:
        making = making or ActorCriticMaking()
        seeds = Seeds(config.seed)
        super().__init__(run, Interaction(config, seeds, False, step_collector_alone))
        actions = self.environment.action
        self._explorer = UniformActor(self._interaction.actor, actions, self.policy.squashes)
        self._rule = making.rule(config, self.policy, self.environment, seeds)
        self.parts.add("rule", self._rule.parts)
        self._taught = making.learning(self._rule)
        self._returns = self.parts.add("returns", DiscountedReturns(config.collection.environments))
        self._explore(config)
        if config.exploration.persistence > 0.0 and actions.kind == "box":
            noise = PersistentNoise(
                config.exploration.persistence, config.collection.environments, actions.size, self._interaction.device
            )
            self._interaction.actor.noise = self.parts.add("noise", noise)

    def critics(self) -> Tensor | None:
        return self._rule.critics.to("cpu", copy=True)

    @torch.no_grad()
    def state_values(self) -> StateValues | None:
        """Those of the policy, by the action values; None of more states than are shown."""
        seen = self.environment.observation
        if seen.kind != "discrete" or seen.size > MOST_SHOWN or self.environment.action.kind != "discrete":
            return None
        states = torch.arange(seen.size, device=self.policy.device)
        distribution = self.policy(states)
        assert isinstance(distribution, Categorical)
        return StateValues((distribution.probabilities * self._rule.action_values(states)).sum(-1).cpu().double())

    def _explore(self, config: ActorCriticConfig) -> None:
        if self.policy.deterministic:
            self.policy.temperature = config.exploration.noise**2

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ActorCriticConfig)
        self._explore(config)
        rule = self._rule
        rule.begin(config, moment.progress, moment.watched)
        checks = StepChecks(self.policy, moment.iteration)
        parts = Stepwise(self._interaction, self._taught, self._returns, checks)
        played, observed = yield from stepwise(
            parts, moment, lambda: self._explorer if rule.explores_only else self._interaction.actor
        )
        yield collected(moment, played)
        outcome = rule.outcome()
        yield Estimated(moment.iteration, outcome.td_errors, outcome.td_errors)
        told = mean_length(played) | achieved(self._returns, self._values)
        told |= look_at(self._interaction, observed, moment.iteration) | checks.told()
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)

    def _values(self, observations: NDArray[Any]) -> Tensor:
        """What the policy is taken to be worth in each."""
        return self._rule.values(torch.from_numpy(observations).to(self._interaction.device))
