"""DAgger: play, ask the teacher about the states that were come to, learn all answers so far, and again."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.imitation.aggregation import Aggregate, chosen_states, teachers_share
from engine.algorithms.imitation.fitting import FitInput, FittingRule
from engine.algorithms.imitation.labelled import Labelled, labelled
from engine.algorithms.imitation.measuring import likeness, majority_share
from engine.algorithms.outcome import Metrics
from engine.config import ImitationConfig
from engine.config.imitation import DAgger
from engine.experience.rollouts import Rollout, Sequences
from engine.policies.mixture import MixedActor
from engine.policies.policy import Policy
from engine.reports.events import Collected, Estimated, Event, Updated
from engine.reports.metrics import METRICS
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.training.given import Given, Teacher
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, RolloutInteraction
from engine.training.learners.teaching import require_fitting


class _Asked(NamedTuple):
    """A round's answers: how many were asked for, and the steps whose action is known now."""

    asked: int
    answers: Labelled


class DaggerLearner(InteractingLearner[RolloutInteraction]):
    """One iteration is a round. The policy plays, and where the teacher has a share in the round, both play by turns
    once more; the teacher says what he would have done in some of the states that were come to; and the policy learns
    all that he has said so far. Where there is a dataset, it stands for the first round.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``; or the teacher or the dataset is missing or
            does not fit.
    """

    def __init__(self, config: ImitationConfig, run: str, given: Given) -> None:
        seeds = Seeds(config.seed)
        super().__init__(run, RolloutInteraction(config, seeds, with_value=False))
        assert isinstance(config.update, DAgger)
        device = self._interaction.device
        try:
            self._shown = given.demonstrations
            if self._shown is not None:
                require_fitting(self._shown, config, self.environment)
            self._told = _required(config, given)
            self._teacher = self._told.policy(self.environment, device)
        except BaseException:
            self.close()
            raise
        mixed = MixedActor(self.policy, seeds.generator(device), device, self._teacher)
        self._mixed = self.parts.add("mixture", mixed)
        self._choosing = self.parts.add_generator("questions", seeds.generator())
        self._rule = FittingRule(config.update, self.policy, seeds.generator())
        self.parts.add("rule", self._rule.parts)
        self._aggregate = self.parts.add("dataset", Aggregate())

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config, update, aggregate = moment.config, moment.config.update, self._aggregate
        assert isinstance(config, ImitationConfig)
        assert isinstance(update, DAgger)
        self._interaction.explore(config, moment.progress)
        rollout, collected = yield from self._interaction.collect(moment)
        share = teachers_share(update, aggregate.rounds + 1)
        if aggregate.rounds == 0 and self._shown is not None:
            answers = labelled(self._shown, self.policy)
            returns = [each.total_return for each in self._shown.episodes]
            aggregate.teacher_return = _mean([each for each in returns if each is not None])
            found = _Asked(0, answers)
        else:
            if share > 0.0:
                rollout = yield from self._by_turns(share, moment)
            found = self._ask(rollout, update)
        new = yield from likeness(self.policy, found.answers)
        aggregate.add(found.answers)
        aggregate.rounds += 1
        aggregate.asked += found.asked
        aggregate.given += len(found.answers) if found.asked else 0
        if self._interaction.normalizer is not None:
            self._interaction.normalizer.update(found.answers.observations[found.answers.known])
        steps = aggregate.steps
        assert steps is not None
        known = yield from likeness(self.policy, steps)
        surprises = known.surprises.cpu().numpy()
        yield Estimated(moment.iteration, surprises, surprises)
        watched = moment.iteration if moment.watched else None
        given = FitInput(steps.batch(self.policy), len(steps), update, moment.progress, watched)
        outcome = yield from self._rule.update(given)
        told: Metrics = {
            "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
            "entropy": known.entropy,
            "training_loss": known.loss,
            "held_out_loss": new.loss,
            "agreement": new.agreement,
            "action_error": new.error,
            "majority_share": majority_share(steps.actions[steps.known]),
            "teacher_return": _first(aggregate.teacher_return, self._told.mean_return),
            "dataset_size": float(len(steps)),
            "mixture": share,
            "labels_asked": float(aggregate.asked),
            "labels_given": float(aggregate.given),
            "gradient_steps": outcome.steps,
        }
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | told | outcome.metrics)

    def _by_turns(self, share: float, moment: Moment) -> Generator[Event, None, Rollout]:
        """Episodes in which the teacher takes a share of the actions. They count as steps; their returns are none of
        the policy's."""
        self._mixed.share, self._mixed.greedy_share = share, self._interaction.actor.greedy_share
        rollout, finished = yield from self._interaction.collector.collect(self._mixed)
        if share == 1.0:
            self._aggregate.teacher_return = _mean(finished.returns.tolist())
        nothing = np.zeros(0, np.int64)
        yield Collected(moment.iteration, finished.steps, np.zeros(0), nothing, nothing)
        return rollout

    def _ask(self, rollout: Rollout, update: DAgger) -> _Asked:
        """The answers for some of the states that were come to."""
        lengths = rollout.sequences.lengths
        observations = rollout.flat(rollout.observations).clone()  # which the collector writes over
        known = torch.ones(len(observations), dtype=torch.bool, device=observations.device)
        answers = self.policy.from_environment(_answers(self._teacher, observations, lengths))
        visited = Labelled(observations, answers, known, known.float(), lengths)
        rows = chosen_states(self.policy, visited, update, self._choosing)
        asked = torch.zeros_like(known)
        asked[rows.to(known.device)] = True
        return _Asked(len(rows), visited.part(asked, self.policy.recurrent))


def _required(config: ImitationConfig, given: Given) -> Teacher:
    if given.teacher is None:
        raise RequestError(f"The teacher {config.imitation.teacher} was not given to this run; start it anew.")
    given.teacher.require_of(config.environment)
    return given.teacher


@torch.no_grad()
def _answers(teacher: Policy, observations: Tensor, lengths: Tensor) -> Tensor:
    """The greedy actions of the teacher over whole episodes, in the environment's units."""
    if not teacher.recurrent:
        return torch.cat([teacher.taken(teacher(rows).mode()) for rows in torch.split(observations, _ROWS)])
    states = teacher.start(len(lengths))
    sequences = Sequences(lengths, states, torch.zeros(len(lengths), dtype=torch.bool, device=observations.device))
    return teacher.taken(teacher.over(observations, sequences).mode())


_ROWS = 8192  # that the teacher is shown at once


def _mean(returns: list[float]) -> float | None:
    return float(np.mean(returns)) if returns else None


def _first(*numbers: float | None) -> float | None:
    return next((number for number in numbers if number is not None), None)
