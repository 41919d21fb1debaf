"""DAgger: play, ask the teacher about the states that were come to, learn all answers so far, and again."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.imitation.aggregation import Aggregate, chosen_states, teachers_share
from engine.algorithms.imitation.fitting import FitInput, FittingRule
from engine.algorithms.imitation.labelled import Labelled, labelled
from engine.algorithms.imitation.measuring import likeness, majority_share
from engine.algorithms.outcome import Metrics
from engine.config import ImitationConfig
from engine.config.imitation import PERSON, DAgger
from engine.experience.rollouts import Rollout, Sequences
from engine.policies.mixture import MixedActor
from engine.policies.policy import Policy
from engine.reports.events import Collected, Estimated, Event, NoAction, Updated
from engine.reports.metrics import METRICS
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.runtime.state import State
from engine.training.given import Given
from engine.training.learner import Moment
from engine.training.learners.asking import Asking, RoundParts
from engine.training.learners.interaction import InteractingLearner, RolloutInteraction
from engine.training.learners.teaching import require_fitting

_ROWS = 8192  # that the teacher is shown at once


class _Answered(NamedTuple):
    """A round's answers: the teacher's share of the actions (None where he had none to have), about how many states he
    was asked, the steps whose action is known now, and in how many a person did not know any, or said that they are
    lost whatever is done."""

    share: float | None
    asked: int
    steps: Labelled
    unknown: int = 0
    lost: int = 0


class DaggerLearner(InteractingLearner[RolloutInteraction]):
    """One iteration is a round. The policy plays, and where the teacher has a share in the round, both play by turns
    once more; the teacher says what he would have done in some of the states that were come to; and the policy learns
    all that he has said so far. Where there is a dataset, it stands for the first round.

    A person has no share: he is asked about episodes of the policy's own, and whatever hosts the run waits for him. The
    state is then that with which the round began, and the answers.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``; or the teacher or the dataset is missing or
            does not fit.
    """

    def __init__(self, config: ImitationConfig, run: str, given: Given) -> None:
        seeds = Seeds(config.seed)
        super().__init__(run, RolloutInteraction(config, seeds, with_value=False))
        assert isinstance(config.update, DAgger)
        device = self._interaction.device
        playing, choosing, minibatches = seeds.generator(device), seeds.generator(), seeds.generator()
        self._choosing, self._shown = choosing, given.demonstrations
        self._mean_return: float | None = None
        self._teacher: Policy | None = None
        self._person: Asking | None = None
        self.parts = self._round = RoundParts()
        self.parts.add("interaction", self._interaction.parts)
        try:
            if self._shown is not None:
                require_fitting(self._shown, config, self.environment)
            if config.imitation.teacher == PERSON:
                action, generators = self.environment.action, (playing, seeds.generator(), choosing)
                self._person = self.parts.add("person", Asking(config.environment, action, self.policy, generators))
            else:
                self._teacher = self._asked_of(config, given)
                self._mixed = self.parts.add("mixture", MixedActor(self.policy, playing, device, self._teacher))
                self.parts.add_generator("questions", choosing)
        except BaseException:
            self.close()
            raise
        self._rule = FittingRule(config.update, self.policy, minibatches)
        self.parts.add("rule", self._rule.parts)
        self._aggregate = self.parts.add("dataset", Aggregate(device))
        close = self.close
        self.close = lambda: self._closed(close)

    def _asked_of(self, config: ImitationConfig, given: Given) -> Policy:
        if given.teacher is None:
            raise RequestError(f"The teacher {config.imitation.teacher} was not given to this run; start it anew.")
        given.teacher.require_of(config.environment)
        self._mean_return = given.teacher.mean_return
        return given.teacher.policy(self.environment, self._interaction.device)

    # --- a person's answers -------------------------------------------------------------------------------------------

    @property
    def asking(self) -> bool:
        """As ``AskingLearner.asking``."""
        return self._person is not None and bool(self._person.open_of(self._round.answers))

    def answer(self, number: int, action: Any) -> None:
        """As ``AskingLearner.answer``."""
        if self._person is None:
            raise RequestError("A policy answers in this run, so nobody else is asked.")
        self._person.answer(self._round.answers, number, action)

    def answers(self) -> State:
        """As ``AskingLearner.answers``."""
        return self._round.answers.state()

    def repeats(self, run: str) -> bool:
        """While a person is asked: the state holds the answers, and all else comes again as it was."""
        return self._round.under_way

    # --- a round ------------------------------------------------------------------------------------------------------

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config, update, aggregate = moment.config, moment.config.update, self._aggregate
        assert isinstance(config, ImitationConfig)
        assert isinstance(update, DAgger)
        if self._person is not None:
            self._round.begin()
        self._interaction.explore(config, moment.progress)
        rollout, collected = yield from self._interaction.collect(moment)
        found = yield from self._answers(rollout, update, moment)
        new = yield from likeness(self.policy, found.steps)
        aggregate.take(found.asked, found.steps, found.unknown, found.lost)
        steps = aggregate.steps
        told: Metrics = {
            "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
            "held_out_loss": new.loss,
            "agreement": new.agreement,
            "action_error": new.error,
            "teacher_return": self._mean_return if aggregate.teacher_return is None else aggregate.teacher_return,
            "dataset_size": float(len(steps)),
            "mixture": found.share,
            "labels_asked": float(aggregate.asked),
            "labels_given": float(aggregate.given),
        }
        if self._person is not None:
            told |= {"labels_unknown": float(aggregate.unknown), "labels_lost": float(aggregate.lost)}
        if len(found.steps) and self._interaction.normalizer is not None:
            self._interaction.normalizer.update(found.steps.observations[found.steps.known])
        known = yield from likeness(self.policy, steps)
        surprises = known.surprises.cpu().numpy()
        yield Estimated(moment.iteration, surprises, surprises)
        told |= {"entropy": known.entropy, "training_loss": known.loss, "gradient_steps": 0.0}
        if len(steps):
            watched = moment.iteration if moment.watched else None
            given = FitInput(steps.batch(self.policy), len(steps), update, moment.progress, watched)
            outcome = yield from self._rule.update(given)
            told |= outcome.metrics | {"gradient_steps": outcome.steps}
            told["majority_share"] = majority_share(steps.actions[steps.known])
        self._round.end()
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | told)

    def _answers(self, rollout: Rollout, update: DAgger, moment: Moment) -> Generator[Event, None, _Answered]:
        round_ = self._aggregate.rounds + 1
        if round_ == 1 and self._shown is not None:
            returns = [each.total_return for each in self._shown.episodes]
            self._aggregate.teacher_return = _mean([each for each in returns if each is not None])
            return _Answered(None, 0, labelled(self._shown, self.policy))
        if self._person is not None:
            visited, questions = yield from self._person.questions(update)
            yield _steps_alone(moment, len(visited.known))
            answers = self._round.answers
            self._person.begin(questions, answers)
            while self._person.open_of(answers):
                yield self._person.asked(answers, moment.iteration, round_ - (self._shown is not None))
            unknown, lost = (len(answers.without(why)) for why in (NoAction.UNKNOWN, NoAction.LOST))
            return _Answered(None, len(questions), self._person.answered(visited, answers), unknown, lost)
        share = teachers_share(update, round_)
        if share > 0.0:
            rollout = yield from self._by_turns(share, moment)
        asked, steps = self._ask(rollout, update)
        return _Answered(share, asked, steps)

    def _by_turns(self, share: float, moment: Moment) -> Generator[Event, None, Rollout]:
        """Episodes in which the teacher takes a share of the actions. They count as steps; their returns are none of
        the policy's."""
        self._mixed.share, self._mixed.greedy_share = share, self._interaction.actor.greedy_share
        rollout, finished = yield from self._interaction.collector.collect(self._mixed)
        if share == 1.0:
            self._aggregate.teacher_return = _mean(finished.returns.tolist())
        yield _steps_alone(moment, finished.steps)
        return rollout

    def _ask(self, rollout: Rollout, update: DAgger) -> tuple[int, Labelled]:
        """A policy's answers for some of the states that were come to, and for how many."""
        assert self._teacher is not None
        lengths = rollout.sequences.lengths
        observations = rollout.flat(rollout.observations).clone()  # which the collector writes over
        known = torch.ones(len(observations), dtype=torch.bool, device=observations.device)
        answers = self.policy.from_environment(_greedy_actions(self._teacher, observations, lengths))
        visited = Labelled(observations, answers, known, known.float(), lengths)
        rows = chosen_states(self.policy, visited, update, self._choosing)
        asked = torch.zeros_like(known)
        asked[rows.to(known.device)] = True
        return len(rows), visited.part(asked, self.policy.recurrent)

    def _closed(self, close: Any) -> None:
        if self._person is not None:
            self._person.close()
        close()


@torch.no_grad()
def _greedy_actions(teacher: Policy, observations: Tensor, lengths: Tensor) -> Tensor:
    """What the teacher would do in each step of whole episodes, in the environment's units."""
    if not teacher.recurrent:
        return torch.cat([teacher.taken(teacher(rows).mode()) for rows in torch.split(observations, _ROWS)])
    states = teacher.start(len(lengths))
    sequences = Sequences(lengths, states, torch.zeros(len(lengths), dtype=torch.bool, device=observations.device))
    return teacher.taken(teacher.over(observations, sequences).mode())


def _steps_alone(moment: Moment, steps: int) -> Collected:
    """That steps were taken in episodes whose returns say nothing of the policy."""
    nothing = np.zeros(0, np.int64)
    return Collected(moment.iteration, steps, np.zeros(0), nothing, nothing)


def _mean(returns: list[float]) -> float | None:
    return float(np.mean(returns)) if returns else None
