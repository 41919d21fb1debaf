"""Where a learner parts from its teacher, and what the teacher would do in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.parting import parting_of, reference_of
from engine.analysis.playback import Playback, PolicySnapshot, frozen
from engine.config import ImitationConfig
from engine.config.imitation import BehaviouralCloning, DAgger
from engine.config.validation import validated
from engine.runs.giving import given_for
from engine.runtime.errors import RequestError
from engine.training.training import Training

CLONING = {"environment": {"id": "CartPole-v1", "time_limit": 40}, "imitation": {"dataset": "cartpole"}}
ASKING = {
    "environment": {"id": "GridWorld-v0", "options": {"slip": 0.0}},
    "policy": {"kind": "tabular"},
    "imitation": {"teacher": "optimal"},
    "update": {"kind": "dagger"},
}


def untrained(values: dict[str, Any]) -> PolicySnapshot:
    config = validated({"update": {"kind": "behavioural-cloning"}, **values})
    assert isinstance(config, ImitationConfig)
    training = Training(config, given=given_for(config, None))
    try:
        return frozen(training)
    finally:
        training.close()


def test_a_learner_parts_from_the_episodes_of_a_dataset() -> None:
    policy = untrained(CLONING)
    assert isinstance(policy.config.update, BehaviouralCloning)
    reference = reference_of(policy)
    parting = parting_of(policy, reference, greedy=True)
    again = parting_of(policy, reference, greedy=True)
    assert reference.own is not None
    assert len(reference.own.median) == 500
    assert sorted(parting.furthest) == [0, 1, 2, 3]
    late = len(parting.apart.median) - 1
    assert parting.apart.median[late] > 3.0 * reference.own.high[late]  # it falls, which the teacher never does
    assert np.array_equal(parting.learner.observations, again.learner.observations)  # from the same first states


def test_a_teacher_who_is_asked_is_compared_by_episodes_of_his_own() -> None:
    policy = untrained(ASKING)
    assert isinstance(policy.config.update, DAgger)
    reference = reference_of(policy)
    assert {len(each) for each in reference.episodes.episodes} == {8}  # the shortest way
    parting = parting_of(policy, reference, greedy=False)
    assert parting.furthest == ()
    assert parting.apart.mean[0] == 0.0
    assert parting.apart.mean.max() == 1.0


def test_without_a_teacher_it_is_said_what_would_do() -> None:
    policy = untrained(CLONING)
    with pytest.raises(RequestError, match="not there any more"):
        reference_of(replace(policy, given=type(policy.given)()))
    own = policy.config.model_copy(update={"imitation": policy.config.imitation.model_copy(update={"dataset": "own"})})
    with pytest.raises(RequestError, match="its own episodes"):
        reference_of(replace(policy, config=own))


def test_the_frame_says_what_the_teacher_would_do() -> None:
    policy = untrained(ASKING)
    teacher = policy.given.teacher
    assert teacher is not None
    playback = Playback(policy, seed=0)
    frames = [playback.advance(greedy=False, told=told) for told in (True, True, False, True)]
    playback.close()
    asked = teacher.policy(policy.environment, torch.device("cpu"))
    for frame in (frames[0], frames[1], frames[3]):
        assert frame.teachers_action is not None
        assert int(frame.teachers_action) == int(asked(torch.tensor([frame.state])).mode())
    assert frames[2].teachers_action is None
    assert untrained(CLONING).given.teacher is not None  # who played the shipped dataset
