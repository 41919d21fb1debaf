"""An iteration of what learns while episodes are under way: a few steps, an update, and again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.collection.collector import FinishedEpisodes
from engine.collection.discounted_returns import DiscountedReturns
from engine.collection.step_collector import Acting, StepCollector, joined_episodes, joined_transitions
from engine.config import ActorCriticConfig, ValueBasedConfig
from engine.experience.transitions import Transitions
from engine.reports.events import Event, Heartbeat
from engine.reports.update_events import UpdateStep
from engine.runtime.heartbeat import HeartbeatTimer
from engine.training.learner import Moment
from engine.training.learners.condition import condition, is_looked_at
from engine.training.learners.interaction import Interaction
from engine.training.learners.step_checks import StepChecks


class StepwiseRule(Protocol):
    """A rule that is updated with the latest steps."""

    def broke_off(self, environments: NDArray[np.int64]) -> None: ...

    def learn(self, transitions: Transitions) -> Iterable[UpdateStep | None]: ...


Learning = Callable[[StepwiseRule], StepwiseRule]


def learns_itself(rule: StepwiseRule) -> StepwiseRule:
    """What learns from the steps is the rule as it is."""
    return rule


@dataclass(frozen=True)
class Stepwise:
    """What an iteration takes: where steps come from, what learns from them, what they have brought so
    far, and what is told of them apart."""

    interaction: Interaction[StepCollector]
    rule: StepwiseRule
    returns: DiscountedReturns
    checks: StepChecks


def stepwise(
    parts: Stepwise, moment: Moment, actor: Callable[[], Acting]
) -> Generator[Event, None, tuple[FinishedEpisodes, list[NDArray[Any]]]]:
    """``collection.steps`` steps in every environment, with an update after every ``train_frequency`` of them.

    Args:
        actor: what acts until the next update.

    Returns:
        The episodes that ended, and for ``look_at`` what was observed before each step, in their order.
    """
    config, collector, returns = moment.config, parts.interaction.collector, parts.returns
    assert isinstance(config, ValueBasedConfig | ActorCriticConfig)
    timer = HeartbeatTimer()
    returns.begin()
    anew = collector.interrupted if collector.observations is not None else np.arange(collector.environments)
    if len(anew):
        parts.rule.broke_off(anew)
        returns.broke_off(anew)
    yield from collector.begin()
    ended: list[FinishedEpisodes] = []
    observed: list[NDArray[Any]] = []
    observes = parts.interaction.normalizer is not None or _shows_condition(parts.interaction, moment.iteration)
    for _ in range(max(1, config.collection.steps // config.collection.train_frequency)):
        acting = actor()
        taken: list[Transitions] = []
        for _ in range(config.collection.train_frequency):
            transitions, finished = collector.collect(acting, 1)
            taken.append(transitions)
            ended.append(finished)
            parts.checks.took(transitions)
            if timer.due():
                yield Heartbeat("collecting", sum(found.steps for found in ended))
        transitions = joined_transitions(taken)
        rewards = config.environment.reward_scale * transitions.rewards + config.environment.reward_offset
        returns.add(transitions, rewards, config.estimator.gamma)
        if observes:
            observed.append(transitions.observations)
        for told in parts.rule.learn(transitions):
            if told is not None:
                yield replace(told, iteration=moment.iteration)
            if timer.due():
                yield Heartbeat("updating the policy", sum(found.steps for found in ended))
    return joined_episodes(ended), observed


def look_at(interaction: Interaction[StepCollector], observed: Sequence[NDArray[Any]], iteration: int) -> Metrics:
    """What state the policy's network is in by what was observed in an iteration, now and then; and take that into the
    running mean and spread of observations, once all has been learned from it."""
    if not observed:
        return {}
    size = interaction.environment.observation.size
    rows = torch.from_numpy(np.concatenate([each.reshape(-1, size) for each in observed])).to(interaction.device)
    told = condition(interaction.policy, rows) if _shows_condition(interaction, iteration) else {}
    if interaction.normalizer is not None:
        interaction.normalizer.update(rows)
    return told


def _shows_condition(interaction: Interaction[StepCollector], iteration: int) -> bool:
    """Whether it is looked in this iteration in what state the policy's network is, which can be seen of numbers."""
    seen = interaction.environment.observation
    return is_looked_at(iteration) and seen.kind == "box" and not seen.shape


def achieved(returns: DiscountedReturns, values: Callable[[NDArray[Any]], Tensor]) -> Metrics:
    """What the episodes that have ended were taken to be worth as they began, by the ``values`` of first observations
    as they are now, and what they brought; nothing where none has ended."""
    if returns.ended is None:
        return {}
    first, brought = returns.ended
    return {"first_value": float(values(first).mean()), "discounted_return": float(brought.mean())}


def mean_length(played: FinishedEpisodes) -> Metrics:
    """Of the episodes that ended."""
    return {"mean_length": float(np.mean(played.lengths)) if len(played.lengths) else None}
