"""A person as the teacher: questions, answers, and a round that is left and gone on with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.analysis.replaying import Replay
from engine.config import ImitationConfig
from engine.config.parameters import with_values
from engine.experience.demonstrations import Demonstration
from engine.reports.events import Asked, NoAction, Question, Updated
from engine.runs.autosave import Autosave
from engine.runtime.errors import RequestError
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.forking import forked
from engine.training.given import Given
from engine.training.training import Training, resumed
from tests.engine.algorithms.imitating import imitating
from tests.engine.teaching import demonstrated, teacher


def person_teaches(environment: str = "CartPole-v1", **values: Any) -> ImitationConfig:
    config = imitating("dagger", environment, imitation__teacher="person", update__labels=6, update__epochs=5, **values)
    config = with_values(config, {"environment.time_limit": 25})
    assert isinstance(config, ImitationConfig)
    return config


def asked(training: Training) -> Asked:
    """The next questions, or fails where an iteration ends before."""
    for event in training:
        assert not isinstance(event, Updated)
        if isinstance(event, Asked):
            return event
    raise AssertionError("nothing was asked")


def upright(question: Question) -> int:
    """What a person would do who wants the pole upright."""
    return int(question.observation[2] + question.observation[3] > 0.0)


def ended(training: Training) -> Updated:
    return next(event for event in training if isinstance(event, Updated))


def test_a_person_is_asked_until_all_is_answered() -> None:
    training = Training(person_teaches())
    first = asked(training)
    assert training.asking
    assert first.count == len(first.questions) == 6
    assert first.round == 1
    numbers = [question.number for question in first.questions]
    assert numbers == sorted(set(numbers))
    for question in first.questions[:3]:
        training.answer(question.number, upright(question))
    again = asked(training)  # who goes on too early is asked again
    assert [question.number for question in again.questions] == numbers[3:]
    training.answer(numbers[3], NoAction.UNKNOWN)
    training.answer(numbers[4], 0)
    training.answer(numbers[4], 1)  # on second thoughts
    training.answer(numbers[5], NoAction.LOST)
    assert not training.asking
    updated = ended(training)
    assert updated.metrics["labels_asked"] == 6
    assert updated.metrics["labels_given"] == updated.metrics["dataset_size"] == 4
    assert (updated.metrics["labels_unknown"], updated.metrics["labels_lost"]) == (1, 1)
    assert updated.metrics["mixture"] is None
    steps = training.learner._aggregate.steps  # type: ignore[attr-defined]
    assert steps.actions.tolist() == [*(upright(question) for question in first.questions[:3]), 1]
    assert np.array_equal(steps.observations[0].numpy(), first.questions[0].observation)
    assert asked(training).round == 2
    training.close()


def test_answers_that_nobody_asked_for_and_actions_that_there_are_not_are_refused() -> None:
    training = Training(person_teaches())
    (question, *_) = asked(training).questions
    for number, action, sentence in (
        (question.number, 2, "There is no action 2"),
        (question.number, [0.5], "There is no action"),
        (question.number, None, "There is no action None"),
        (10_000, 0, "Nobody asks question 10000"),
    ):
        with pytest.raises(RequestError, match=sentence):
            training.answer(number, action)
    assert len(asked(training).questions) == 6
    training.close()
    by_policy = Training(imitating("dagger", "CartPole-v1", imitation__teacher="x"), given=Given(teacher=_somebody()))
    with pytest.raises(RequestError, match="A policy answers"):
        by_policy.answer(0, 0)
    with pytest.raises(RequestError, match="Nobody is asked anything"):
        Training(imitating("behavioural-cloning", "CartPole-v1", imitation__dataset="own")).answer(0, 0)


def _somebody() -> Any:
    return teacher(person_teaches().environment.model_copy(update={"time_limit": 0}))


def test_a_round_that_was_left_is_gone_on_with_and_nothing_is_asked_twice() -> None:
    """Whoever walks away in the middle of a round loses nothing: the same questions come again, answered as they were,
    and the run comes to the same as if nobody had left."""
    one, other = Training(person_teaches()), Training(person_teaches())
    for training in (one, other):
        for question in asked(training).questions:
            training.answer(question.number, upright(question))
        ended(training)
    first = asked(one)
    for question in first.questions[:2]:
        one.answer(question.number, upright(question))
    one.answer(first.questions[2].number, NoAction.LOST)
    assert one.resting
    on = resumed(from_bytes(to_bytes(one.state())))
    later = asked(on)
    assert [question.number for question in later.questions] == [q.number for q in first.questions[3:]]
    for question, before in zip(later.questions, first.questions[3:], strict=True):
        assert np.array_equal(question.observation, before.observation)
        assert np.array_equal(question.actions, before.actions)
        on.answer(question.number, upright(question))
    for index, question in enumerate(asked(other).questions):
        other.answer(question.number, NoAction.LOST if index == 2 else upright(question))
    came_to, wanted = ended(on), ended(other)
    same = came_to.metrics.keys() - {"steps_per_second"}
    assert {name: came_to.metrics[name] for name in same} == {name: wanted.metrics[name] for name in same}
    assert came_to.environment_steps == wanted.environment_steps
    for training in (one, other, on):
        training.close()


def test_what_is_asked_about_can_be_shown_again() -> None:
    """From the seed of its episode, by the actions so far, whatever the learner would do by now."""
    training = Training(person_teaches())
    question = max(asked(training).questions, key=lambda question: len(question.actions))
    assert len(question.actions) > 0
    observations = np.zeros((len(question.actions), 4), np.float32)
    episode = Demonstration(observations, question.actions, final_observation=question.observation, seed=question.seed)
    from engine.environments.batches.rendering import in_this_process

    batch = in_this_process(training.config.environment).stepped
    seen = batch.begin(question.seed)
    for action in question.actions:
        seen = batch.step(action[None], np.array([0])).observations
    assert np.array_equal(seen[0], question.observation)
    assert Replay(training.config.environment, episode).problem == ""
    batch.close()
    training.close()


def test_a_persons_dataset_stands_for_the_first_round() -> None:
    config = with_values(person_teaches(), {"imitation.dataset": "mine"})
    shown = demonstrated(teacher(config.environment), (1, 2))
    training = Training(config, given=Given(shown))
    updated = ended(training)
    assert updated.metrics["labels_asked"] == 0
    assert updated.metrics["dataset_size"] == len(shown)
    assert asked(training).round == 1, "nobody was asked before"
    training.close()


def test_continuous_actions_are_answers_too() -> None:
    training = Training(person_teaches("Pendulum-v1"))
    for question in asked(training).questions:
        training.answer(question.number, [1.5])
    with pytest.raises(RequestError, match=r"There is no action \[2.5\]"):
        training.answer(question.number, [2.5])
    assert ended(training).metrics["dataset_size"] == 6
    assert training.policy.to_environment(
        training.learner._aggregate.steps.actions  # type: ignore[attr-defined]
    ).flatten().tolist() == pytest.approx([1.5] * 6)
    training.close()


def test_what_was_answered_in_a_round_is_kept_though_the_state_before_it_is_kept_already() -> None:
    training, autosave = Training(person_teaches()), Autosave()
    for question in asked(training).questions:
        training.answer(question.number, upright(question))
    ended(training)
    assert autosave.between(training, now=True) is not None
    first, *others = asked(training).questions
    training.answer(first.number, upright(first))
    taken = autosave.between(training, now=True)
    assert taken is not None
    again = resumed(from_bytes(to_bytes(taken.state)))
    assert [question.number for question in asked(again).questions] == [question.number for question in others]
    again.close()
    training.close()


def test_an_answer_is_one_to_the_state_that_was_asked_about() -> None:
    """A fork that comes to other states asks about them, and takes no answer for one to another state."""
    training = Training(with_values(person_teaches(), {"update.labels": 100}))
    first = asked(training)
    for question in first.questions:
        training.answer(question.number, 0)
    training.answer(first.questions[-1].number, NoAction.UNKNOWN)
    assert training.resting
    state = from_bytes(to_bytes(training.state()))
    same, _ = forked(state, {"update.learning_rate": 0.5})
    assert isinstance(next(event for event in same if isinstance(event, Asked | Updated)), Updated)
    other, _ = forked(state, {"seed": 9})
    later = asked(other)
    before = {question.number: question.observation for question in first.questions}
    known = [question for question in later.questions if question.number in before]
    assert known  # of other states, under the same numbers
    assert not any(np.array_equal(question.observation, before[question.number]) for question in known)
    for each in (training, same, other):
        each.close()
