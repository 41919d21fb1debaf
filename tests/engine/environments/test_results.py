"""What an environment's calls give, in every kind that is plain, and what is said of those that are not."""

from __future__ import annotations

import math
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.environments.making.results import InterfaceError, as_observation, as_reset, as_step

BOX, FOUR = spaces.Box(-9.0, 9.0, (2,)), spaces.Discrete(4)
SEEN = np.zeros(2, np.float32)
SCALARS = (1, 1.0, np.float32(1), np.int64(1), np.array(1.0), np.array([1]), [1], (1.0,), torch.tensor([1.0]), True)


def step(**odd: Any) -> Any:
    given = {"observation": SEEN, "reward": 0.0, "terminated": False, "truncated": False, "info": {}} | odd
    return as_step(tuple(given.values()), BOX)


@pytest.mark.parametrize("one", [*SCALARS, np.bool_(True), np.array([[True]]), torch.tensor(True)], ids=repr)
def test_rewards_and_flags_of_any_kind_are_taken_as_they_are_meant(one: Any) -> None:
    _, reward, terminated, truncated, _ = step(reward=one, terminated=one, truncated=one)
    assert (reward, terminated, truncated) == (1.0, True, True)
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)


@pytest.mark.parametrize("none", [0, 0.0, np.array([False]), [False], np.bool_(False)], ids=repr)
def test_a_flag_that_is_not_set_is_not_set(none: Any) -> None:
    assert step(terminated=none)[2] is False


def test_a_reward_may_be_decimal_or_beyond_all_floats_and_a_step_a_list_without_info() -> None:
    assert step(reward=Decimal("0.5"))[1] == 0.5
    assert [step(reward=sign * 10**400)[1] for sign in (1, -1)] == [math.inf, -math.inf]
    assert as_step([SEEN, 1, 0, 0, None], BOX)[1:] == (1.0, False, False, {})


@pytest.mark.parametrize(
    "seen", [[1, 2], (1.0, 2.0), np.array([1, 2]), np.array([1, 2], object), torch.tensor([1.0, 2.0]).requires_grad_()]
)
def test_observations_of_any_kind_are_taken_as_they_are_meant(seen: Any) -> None:
    assert as_observation(seen, BOX, "step").tolist() == [1, 2]


@pytest.mark.parametrize("seen", [2, np.int8(2), np.array([2]), [2], 2.0, torch.tensor(2)], ids=repr)
def test_states_of_any_kind_are_whole_numbers(seen: Any) -> None:
    found = as_observation(seen, FOUR, "reset")
    assert (type(found), found) == (int, 2)


def test_one_component_may_lack_its_axis_and_parts_are_looked_at_one_by_one() -> None:
    assert as_observation(0.5, spaces.Box(-1.0, 1.0, (1,)), "step").tolist() == [0.5]
    parts = spaces.Dict(where=BOX, what=spaces.Tuple((FOUR, spaces.MultiBinary(2))))
    found = as_observation(OrderedDict(what=[np.array([3]), [True, 0]], where=[1, 2], more=None), parts, "step")
    assert (found["where"].tolist(), found["what"][0], found["what"][1].tolist()) == ([1, 2], 3, [1, 0])


def test_an_observation_does_not_follow_the_memory_that_it_was_given_in() -> None:
    memory = SEEN.copy()
    found = as_observation(memory, BOX, "step")
    memory[:] = 5.0
    assert found.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((SEEN, 1.0, True, {}), "four values from its step, as Gym did before 0.26; return observation, reward, term"),
        ((SEEN, 1.0, True), "returns three values"),
        ((SEEN, 1.0, True, False, {}, {}), "returns six values"),
        (None, "returns nothing from its step"),
        (SEEN, r"returns an array of shape \(2,\) from its step"),
        ((SEEN, 1.0, False, {}, {}), "gives a dict as truncated; return True or False"),
        ((SEEN, 1.0, "no", False, {}), "gives the text 'no' as terminated"),
        ((SEEN, 1.0, None, False, {}), "gives None as terminated"),
        ((SEEN, 1.0, np.zeros(3, bool), False, {}), "gives 3 values as terminated"),
        ((SEEN, 1.0, 2, False, {}), "gives the number 2 as terminated"),
        ((SEEN, None, False, False, {}), "gives None as the reward of a step; return one number"),
        ((SEEN, "1", False, False, {}), "gives the text '1' as the reward"),
        ((SEEN, 1j, False, False, {}), "gives the complex number 1j as the reward"),
        ((SEEN, np.ones(3), False, False, {}), "gives 3 numbers as the reward"),
        ((SEEN, [], False, False, {}), "gives 0 numbers as the reward"),
        ((SEEN[:1], 0.0, False, False, {}), r"of the shape \(1,\) in its step, where .* has the shape \(2,\)"),
        ((SEEN[None], 0.0, False, False, {}), r"observation of the shape \(1, 2\)"),
        ((None, 0.0, False, False, {}), "observes None in its step, where Box.* is declared"),
        (({"a": 1}, 0.0, False, False, {}), "observes a dict in its step"),
        ((SEEN + 1j, 0.0, False, False, {}), "observes an array"),
    ],
)  # fmt: skip
def test_a_step_that_is_not_plain_is_named_for_what_it_is(given: Any, sentence: str) -> None:
    with pytest.raises(InterfaceError, match=sentence):
        as_step(given, BOX)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (SEEN, "returns the observation alone from its reset, as Gym did before 0.26; return observation, info"),
        ((0.0, 1.0), "returns the observation alone"),
        ([0.0, 1.0], "returns the observation alone"),
        ((SEEN, 3), "returns the number 3 in place of info, a dict, from its reset"),
        ((SEEN, {}, {}), "returns a tuple from its reset"),
        (None, "returns nothing from its reset"),
        ("start", "returns the text 'start' from its reset"),
    ],
)
def test_a_reset_that_is_not_plain_is_named_for_what_it_is(given: Any, sentence: str) -> None:
    with pytest.raises(InterfaceError, match=sentence):
        as_reset(given, BOX)


@pytest.mark.parametrize(
    ("given", "space", "sentence"),
    [
        (1.5, FOUR, "observes 1.5 in its step, where .* has whole numbers"),
        (4, FOUR, "observes 4 in its step, which lies outside"),
        ([1, 3], spaces.MultiDiscrete([2, 3]), "lies outside"),
        ({}, spaces.Dict(a=FOUR), "observes no a in its step"),
        ((1,), spaces.Tuple((FOUR, FOUR)), "observation of 1 parts in its step, where .* has 2 parts"),
    ],
)
def test_an_observation_outside_its_space_is_named(given: Any, space: Any, sentence: str) -> None:
    with pytest.raises(InterfaceError, match=sentence):
        as_observation(given, space, "step")
