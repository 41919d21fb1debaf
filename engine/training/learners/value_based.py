"""Learning action values: act, learn from single steps, and again; the policy follows from the values."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from engine.algorithms.outcome import Metrics
from engine.algorithms.value_based.exploration import epsilon_at
from engine.algorithms.value_based.rule import ValueRule, make_value_rule
from engine.collection.collector import FinishedEpisodes
from engine.collection.discounted_returns import DiscountedReturns
from engine.collection.step_collector import StepCollector, joined_episodes, joined_transitions
from engine.config import ValueBasedConfig
from engine.config.value_based import DQN
from engine.experience.transitions import Transitions
from engine.reports.events import Estimated, Event, Heartbeat, Updated
from engine.reports.metrics import METRICS
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, Interaction, collected, step_collector_alone


class ValueBasedLearner(InteractingLearner[Interaction[StepCollector]]):
    """One iteration is ``collection.steps`` steps in every environment, with an update after every
    ``collection.train_frequency`` of them.

    Raises:
        RequestError, RunError: on construction, as ``Interaction``.
    """

    def __init__(self, config: ValueBasedConfig, run: str) -> None:
        seeds = Seeds(config.seed)
        dueling = isinstance(config.update, DQN) and config.update.dueling
        super().__init__(run, Interaction(config, seeds, dueling, step_collector_alone))
        self.policy.epsilon = epsilon_at(config.exploration, 0.0)
        self._rule: ValueRule = make_value_rule(config, self.policy, self.environment, seeds)
        self.parts.add("rule", self._rule.parts)
        self._returns = self.parts.add("returns", DiscountedReturns(config.collection.environments))

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ValueBasedConfig)
        epsilon = epsilon_at(config.exploration, moment.progress)
        collector, timer = self._interaction.collector, HeartbeatTimer()
        self._rule.begin(config, moment.progress)
        self._returns.begin()
        anew = collector.interrupted if collector.observations is not None else np.arange(collector.environments)
        if len(anew):
            self._rule.broke_off(anew)
            self._returns.broke_off(anew)
        yield from collector.begin()
        ended: list[FinishedEpisodes] = []
        for _ in range(max(1, config.collection.steps // config.collection.train_frequency)):
            share = 1.0 if self._rule.explores_only else epsilon
            if self.policy.epsilon != share:  # which takes a module longer than it looks
                self.policy.epsilon = share
            taken: list[Transitions] = []
            for _ in range(config.collection.train_frequency):
                transitions, finished = collector.collect(self._interaction.actor, 1)
                taken.append(transitions)
                ended.append(finished)
                if timer.due():
                    yield Heartbeat("collecting", sum(found.steps for found in ended))
            transitions = joined_transitions(taken)
            rewards = config.environment.reward_scale * transitions.rewards + config.environment.reward_offset
            self._returns.add(transitions, rewards, config.estimator.gamma)
            for _ in self._rule.learn(transitions):
                if timer.due():
                    yield Heartbeat("updating the policy", sum(found.steps for found in ended))
        played = joined_episodes(ended)
        yield collected(moment, played)
        outcome = self._rule.outcome()
        yield Estimated(moment.iteration, outcome.td_errors, outcome.td_errors)
        told: Metrics = {
            "mean_length": float(np.mean(played.lengths)) if len(played.lengths) else None,
            "epsilon": self.policy.epsilon,
            **self._achieved(),
        }
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)

    def _achieved(self) -> Metrics:
        """What the episodes that have ended were taken to be worth as they began, by the values as they are now, and
        what they brought."""
        ended = self._returns.ended
        if ended is None:
            return {}
        first, returns = ended
        with torch.inference_mode():
            values = self.policy.action_values(torch.from_numpy(first).to(self._interaction.device)).amax(-1)
        return {"first_value": float(values.mean()), "discounted_return": float(returns.mean())}
