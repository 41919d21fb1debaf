"""Learning action values: act, learn from single steps, and again; the policy follows from the values."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from engine.algorithms.outcome import Metrics
from engine.algorithms.value_based.exploration import epsilon_at
from engine.algorithms.value_based.rule import ValueRule, make_value_rule
from engine.collection.collector import FinishedEpisodes
from engine.collection.step_collector import StepCollector, joined_episodes
from engine.config import ValueBasedConfig
from engine.config.value_based import DQN
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

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ValueBasedConfig)
        epsilon = epsilon_at(config.exploration, moment.progress)
        collector, timer = self._interaction.collector, HeartbeatTimer()
        self._rule.begin(config, moment.progress)
        anew = collector.interrupted if collector.observations is not None else np.arange(collector.environments)
        if len(anew):
            self._rule.broke_off(anew)
        yield from collector.begin()
        ended: list[FinishedEpisodes] = []
        for _ in range(max(1, config.collection.steps // config.collection.train_frequency)):
            self.policy.epsilon = 1.0 if self._rule.explores_only else epsilon
            transitions, finished = collector.collect(self._interaction.actor, config.collection.train_frequency)
            ended.append(finished)
            self._rule.learn(transitions)
            if timer.due():
                yield Heartbeat("collecting", sum(found.steps for found in ended))
        played = joined_episodes(ended)
        yield collected(moment, played)
        outcome = self._rule.outcome()
        yield Estimated(moment.iteration, outcome.td_errors, outcome.td_errors)
        told: Metrics = {
            "mean_length": float(np.mean(played.lengths)) if len(played.lengths) else None,
            "epsilon": self.policy.epsilon,
        }
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)
