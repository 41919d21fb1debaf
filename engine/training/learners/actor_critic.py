"""Learning action values and a policy by them: act, learn from old steps, and again."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.algorithms.outcome import Metrics
from engine.collection.collector import FinishedEpisodes
from engine.collection.step_collector import StepCollector, joined_episodes
from engine.config import ActorCriticConfig
from engine.policies.uniform import UniformActor
from engine.reports.events import Estimated, Event, Heartbeat, Updated
from engine.reports.metrics import METRICS
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, Interaction, collected, step_collector_alone


class ActorCriticLearner(InteractingLearner[Interaction[StepCollector]]):
    """One iteration is ``collection.steps`` steps in every environment, with an update after every
    ``collection.train_frequency`` of them.

    Raises:
        RequestError, RunError: on construction, as ``Interaction``.
    """

    def __init__(self, config: ActorCriticConfig, run: str) -> None:
        seeds = Seeds(config.seed)
        super().__init__(run, Interaction(config, seeds, False, step_collector_alone))
        actions = self.environment.action
        self._explorer = UniformActor(self._interaction.actor, actions, self.policy.squashes)
        self._rule = ActorCriticRule(config, self.policy, self.environment, seeds)
        self.parts.add("rule", self._rule.parts)
        self._explore(config)

    def _explore(self, config: ActorCriticConfig) -> None:
        if self.policy.deterministic:
            self.policy.temperature = config.exploration.noise**2

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ActorCriticConfig)
        self._explore(config)
        collector, timer, rule = self._interaction.collector, HeartbeatTimer(), self._rule
        rule.begin(config, moment.progress)
        if len(collector.interrupted):
            rule.broke_off(collector.interrupted)
        yield from collector.begin()
        ended: list[FinishedEpisodes] = []
        seen = []
        for _ in range(max(1, config.collection.steps // config.collection.train_frequency)):
            actor = self._explorer if rule.explores_only else self._interaction.actor
            transitions, finished = collector.collect(actor, config.collection.train_frequency)
            ended.append(finished)
            seen.append(transitions.observations)
            rule.learn(transitions)
            if timer.due():
                yield Heartbeat("collecting", sum(found.steps for found in ended))
        played = joined_episodes(ended)
        yield collected(moment, played)
        outcome = rule.outcome()
        yield Estimated(moment.iteration, outcome.td_errors, outcome.td_errors)
        if self._interaction.normalizer is not None:
            rows = np.concatenate(seen).reshape(-1, self.environment.observation.size)
            self._interaction.normalizer.update(torch.from_numpy(rows).to(self._interaction.device))
        told: Metrics = {"mean_length": float(np.mean(played.lengths)) if len(played.lengths) else None}
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | outcome.metrics | told)
