"""Environments with options and changes: what is known without making them, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.catalogue.configured import changed, described, option_problem
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo, Option, Space, pixels
from engine.config.environments import EnvironmentConfig
from engine.config.problems import sentence
from engine.environments.batches.batched import BatchedEnvironments
from engine.environments.batches.changed import ChangedBatch
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.make import make_batch
from engine.environments.making import registry
from engine.environments.making.known_dynamics import finite_mdp, process_of
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError

BOX = EnvironmentInfo(
    "Box-v0",
    "Box",
    "A test.",
    Space("box", 3, bounds=((-1.0, 1.0), (2.0, 4.0), (-5.0, -3.0))),
    Space("discrete", 2),
    50,
)
IMAGE = replace(BOX, observation=pixels(4, 4, 3))
STATES = replace(BOX, observation=Space("discrete", 7), finite=True)


def seen(info: EnvironmentInfo, **changes: Any) -> Space:
    return changed(info, EnvironmentConfig(**changes)).observation


def test_the_catalogue_answers_for_its_environments_and_no_others() -> None:
    assert described(EnvironmentConfig(id="CartPole-v1")) is ENVIRONMENTS["CartPole-v1"]
    assert described(EnvironmentConfig(id="Elsewhere-v0")) is None


@pytest.mark.parametrize(
    ("id", "options", "states", "actions"),
    [
        ("Bandit-v0", {"means": [0.1, 0.2, 0.9]}, 1, 3),
        ("Corridor-v0", {"length": 12}, 12, 2),
        ("GridWorld-v0", {"map": ["S.G", "..."]}, 6, 4),
    ],
)
def test_our_environments_are_known_with_any_options(
    id: str, options: dict[str, Any], states: int, actions: int
) -> None:
    config = EnvironmentConfig(id=id, options=options)
    info = described(config)
    assert info is not None
    assert (info.observation.size, info.action.size, info.solved_at) == (states, actions, None)
    environment = registry.make(id, config.options)
    assert (environment.observation_space.n, environment.action_space.n) == (states, actions)  # type: ignore[attr-defined]
    environment.close()
    mdp = finite_mdp(id, config.options)
    assert mdp is not None
    assert (mdp.states, mdp.actions) == (states, actions)


@pytest.mark.parametrize(
    ("id", "options", "sentence"),
    [
        ("GridWorld-v0", {"map": ["..."]}, "GridWorld-v0 could not be made: A grid needs a start S and a goal G."),
        ("GridWorld-v0", {"colour": 1}, "GridWorld-v0 has no option colour; there is "),
        ("Corridor-v0", {"length": 1.5}, "The option length of Corridor-v0 takes a whole number, not 1.5."),
        ("Bandit-v0", {"means": [0.5, 2.0]}, "The option means of Bandit-v0 is at most 1, not 2.0."),
        (
            "MountainCarContinuous-v0",
            {"goal_velocity": "fast"},
            "The option goal_velocity of MountainCarContinuous-v0 takes a number",
        ),
    ],
)
def test_an_option_that_does_not_fit_is_one_sentence(id: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        described(EnvironmentConfig(id=id, options=options))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        (Option("a", "A", 1.0, minimum=0.0), 2, None),
        (Option("a", "A", 1.0, minimum=0.0), -0.5, "is at least 0, not -0.5"),
        (Option("a", "A", 1), True, "takes a whole number, not true"),
        (Option("a", "A", True), 1, "takes true or false, not 1"),
        (Option("a", "A", "x", choices=("x", "y")), "z", 'is one of x, y, not "z"'),
        (Option("a", "A", (1.0,), maximum=3.0), (1.0, 4.0), "is at most 3, not 4.0"),
        (Option("a", "A", ("S",)), ("SG", 1.0), "takes a list of texts, not 1.0"),
        (Option("a", "A", ("S",)), (), "takes a list of texts, not an empty one"),
        (Option("a", "A", ("S",)), {"a": 1}, 'takes a list of texts, not {"a": 1}'),
        (Option("a", "A", 1, maximum=9), 10**400, f"is at most 9, not 1{'0' * 58}…"),
        (Option("a", "A", (1.0,)), (0.2, "x"), 'takes a list of numbers, not "x"'),
        (Option("a", "A", (1.0,)), (), None),
        (Option("a", "A", (1.0,)), 0.5, "takes a list of numbers, not 0.5"),
    ],
)
def test_options_have_types_bounds_and_choices(option: Option, value: Any, problem: str | None) -> None:
    found = option_problem("X-v0", option, value)
    assert (None if found is None else sentence(found)) == (problem and f"The option a of X-v0 {problem}.")


def test_lists_and_tuples_are_the_same_option() -> None:
    as_list, as_tuple = (EnvironmentConfig(options={"means": kind([0.5, 0.2])}) for kind in (list, tuple))
    assert as_list == as_tuple


def test_what_is_seen_after_hiding_and_stacking() -> None:
    assert seen(BOX, hidden=(1,)) == Space("box", 2, bounds=((-1.0, 1.0), (-5.0, -3.0)))
    # Zeros stand before an episode's first observation.
    assert seen(BOX, hidden=(0,), frame_stack=2).bounds == ((0.0, 4.0), (-5.0, 0.0)) * 2
    assert seen(BOX, frame_stack=4).size == 12
    assert seen(IMAGE, frame_stack=4).shape == (4, 4, 12)
    assert seen(IMAGE, frame_stack=4).bounds == ((0.0, 255.0),)
    assert seen(IMAGE, hidden=(0,)).shape == ()
    assert not seen(IMAGE, hidden=(0,)).image
    assert seen(IMAGE, frame_stack=4, normalize_observations=True).image
    features = replace(BOX, observation=Space("box", 25, shape=(5, 5)))
    assert (seen(features, frame_stack=64).size, seen(features, frame_stack=64).image) == (1600, False)
    assert seen(IMAGE, hidden=(0,), frame_stack=64).size == 47 * 64
    assert seen(BOX, normalize_observations=True).bounds == ()


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "Acrobot-v1"])
def test_what_is_said_is_what_a_batch_shows(id: str) -> None:
    numbers = ENVIRONMENTS[id].observation.kind == "box"
    config = EnvironmentConfig(id=id, **({"hidden": (1,), "frame_stack": 3} if numbers else {}))
    plain = inspect(id)
    batch, _ = make_batch(config, plain.observation, [1, 2])
    shape = batch.reset(np.arange(2)).shape
    batch.close()
    assert shape == ((2, changed(plain, config).observation.size) if numbers else (2,))


@pytest.mark.parametrize(
    ("info", "changes", "sentence"),
    [
        (
            STATES,
            {"hidden": (0,)},
            "Hiding components needs observations made of numbers, but Box-v0 has 7 discrete states.",
        ),
        (
            replace(BOX, observation=Space("discrete", 1)),
            {"frame_stack": 2},
            "A frame stack needs observations made of numbers, but Box-v0 has a single state.",
        ),
        (STATES, {"observation_noise": 0.1}, "Observation noise needs observations made of numbers"),
        (STATES, {"frame_stack": 2}, "A frame stack needs observations made of numbers"),
        (STATES, {"normalize_observations": True}, "Normalising observations needs observations made of numbers"),
        (BOX, {"hidden": (1, 3)}, "Box-v0 has no component 3 to hide; its components are 0 to 2."),
        (BOX, {"hidden": (2, 0, 1)}, "With all 3 components of Box-v0 hidden there is nothing left to see"),
        (
            replace(BOX, observation=pixels(10, 12, 3)),
            {"frame_stack": 4},
            "With more than 3 pictures",
        ),
        (replace(BOX, observation=pixels(4, 4)), {"frame_stack": 4}, "With more than 3 pictures"),
        (
            replace(BOX, observation=Space("box", 28_224)),
            {"frame_stack": 64},
            "64 frames of 28,224 numbers are more than",
        ),
        (BOX, {"reward_scale": 0.0}, "With a reward scale of 0 there is nothing to learn"),
    ],
)
def test_a_change_that_cannot_be_made_is_one_sentence(info: EnvironmentInfo, changes: Any, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        changed(info, EnvironmentConfig(**changes))
    assert str(caught.value).startswith(sentence)


def test_the_exact_process_has_the_changed_rewards_and_time_limit() -> None:
    plain, other = (
        finite_mdp("Corridor-v0"),
        process_of(EnvironmentConfig(id="Corridor-v0", time_limit=9, reward_scale=2.0, reward_offset=-1.0)),
    )
    assert plain is not None
    assert other is not None
    assert (other.horizon, plain.horizon) == (9, 50)
    assert np.array_equal(other.rewards, 2.0 * plain.rewards - 1.0)
    assert np.array_equal(other.probabilities, plain.probabilities)


def test_with_sticky_actions_the_process_is_not_finite() -> None:
    config = EnvironmentConfig(id="Corridor-v0", sticky_actions=0.1)
    assert process_of(config) is None
    assert not changed(STATES, config).finite


def test_a_time_limit_reaches_the_environment_and_what_is_told() -> None:
    config = EnvironmentConfig(id="Acrobot-v1", time_limit=3)
    plain = inspect("Acrobot-v1")
    assert changed(plain, config).time_limit == 3
    batch, _ = make_batch(config, plain.observation, [1])
    batch.reset(np.array([0]))
    cut = [bool(batch.step(np.array([1]), np.array([0])).truncated[0]) for _ in range(3)]
    batch.close()
    assert cut == [False, False, True]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"id": "CartPole-v1"}, BatchedEnvironments),
        ({"id": "Acrobot-v1", "time_limit": 9}, BatchedEnvironments),
        ({"id": "GridWorld-v0", "options": {"map": ["SG"]}}, BatchedEnvironments),
        ({"id": "CartPole-v1", "stepping": "in-process"}, GymnasiumBatch),
        ({"id": "Taxi-v4"}, BatchedEnvironments),
        ({"id": "Taxi-v4", "options": {"is_rainy": True}}, BatchedEnvironments),
        ({"id": "Taxi-v4", "options": {"fickle_passenger": True}}, GymnasiumBatch),
        ({"id": "BlackjackHands-v0", "options": {"sab": False, "natural": True}}, BatchedEnvironments),
        ({"id": "Blackjack-v1"}, GymnasiumBatch),
        ({"id": "CartPole-v1", "frame_stack": 2}, ChangedBatch),
    ],
    ids=str,
)
def test_the_batch_is_our_own_where_there_is_one_and_no_other_is_wished(values: dict[str, Any], kind: type) -> None:
    batch, how = make_batch(EnvironmentConfig(**values), inspect(values["id"]).observation, [1])
    batch.close()
    assert type(batch) is kind
    assert how.startswith("1 environment ")
