"""Environments from elsewhere: chance that a whole process shares, and a first look at what people write."""

from __future__ import annotations

import random
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.random import mtrand
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.processes import ProcessBatch
from engine.environments.making.foreign import UNREPEATABLE
from engine.environments.making.global_random import kept_in_place
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError, RunError
from engine.runtime.state import inexact
from engine.training.training import Training
from tests.engine.states import as_data
from tests.engine.support import configured, register, updates_of
from tests.engine.worker_environments import HERE

SHARED = EnvironmentConfig(id=f"{HERE}:Drawing-v0")
SEEDS, EVERY = [3, 4, 8], np.arange(3)


def played(batch: Any, steps: int = 30) -> NDArray[Any]:
    """What all three observe and are paid, before and after resets."""
    told = [batch.reset(EVERY)] if steps == 30 else []
    for _ in range(steps):
        moved = batch.step(np.zeros(3, np.int64), EVERY)
        told += [moved.observations, moved.rewards[:, None].repeat(7, 1)]
        ended = (moved.terminated | moved.truncated).nonzero()[0]
        if len(ended):
            told.append(batch.reset(ended))
    return np.concatenate(told)


def shared_numbers() -> tuple[Any, ...]:
    _, words, *rest = mtrand.get_state()
    return words.tolist(), rest, random.getstate(), torch.get_rng_state().tolist()


def test_each_environment_has_the_numbers_that_all_share_to_itself() -> None:
    first = played(GymnasiumBatch(SHARED, SEEDS))
    assert np.array_equal(first, played(GymnasiumBatch(SHARED, SEEDS)))
    reset = first[:3]
    assert len(np.unique(reset[:, 0])) == 1  # drawn once, when the module was imported
    assert all(len(np.unique(column)) == 3 for column in reset[:, [1, 2, 3, 5, 6]].T)
    alone = GymnasiumBatch(SHARED, SEEDS[1:2])
    assert np.array_equal(alone.reset(EVERY[:1])[0], reset[1])


def test_they_are_the_same_in_any_number_of_processes() -> None:
    with kept_in_place():  # as in those
        here = played(GymnasiumBatch(SHARED, SEEDS))[:, 2:]
    for workers in (1, 2):
        there = ProcessBatch(SHARED, SEEDS, workers)
        assert np.array_equal(played(there)[:, 2:], here)  # also the first, which load torch
        there.close()


def test_whoever_else_draws_from_them_does_not_notice() -> None:
    mtrand.seed(1)
    mtrand.standard_normal()  # holds back another one
    before = shared_numbers()
    batch = GymnasiumBatch(SHARED, SEEDS, render=True)
    played(batch)
    batch.render(0)
    batch.close()
    assert shared_numbers() == before


def test_they_go_on_exactly_from_a_state() -> None:
    batch, fresh = GymnasiumBatch(SHARED, SEEDS), GymnasiumBatch(SHARED, SEEDS)
    played(batch)
    state = as_data(batch.state())
    fresh.load(state)
    assert not len(fresh.interrupted)
    assert np.array_equal(played(fresh, 25)[:, 2:], played(batch, 25)[:, 2:])
    assert "draws from a generator that no seed reaches" in inexact(state)[0]


class Kind(gymnasium.Env[Any, Any]):
    """An environment as people write them, sound but for what a class below it changes."""

    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.zeros(2, np.float32), 1.0, True, False, {}


class OldStep(Kind):
    def step(self, action: Any) -> Any:
        return np.zeros(2), 1.0, True, {}


class OldReset(Kind):
    def reset(self, **_: Any) -> Any:
        return np.zeros(2)


class Seedless(Kind):
    def seed(self, seed: int) -> None: ...

    def reset(self) -> Any:  # type: ignore[override]
        return np.zeros(2)


class NoSpace(Kind):
    observation_space = None  # type: ignore[assignment]


class OtherSpace(Kind):
    action_space = type("Box", (), {"__module__": "gym.spaces", "__repr__": lambda _: "Box(2,)"})()


class NoEnvironment:
    """Has what it takes, but not the class."""

    observation_space, action_space = Kind.observation_space, Kind.action_space


class Several(gymnasium.vector.VectorEnv):  # type: ignore[type-arg]
    num_envs = 2


OldEnvironment = type("OldEnvironment", (type("Env", (), {"__module__": "gym.core"}),), {})


@pytest.mark.parametrize("limit", [None, 5])
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (OldStep, "returns four values from its step, as Gym did before 0.26; return observation, reward, "),
        (OldReset, "returns the observation alone from its reset"),
        (Seedless, "has a reset that takes no seed, as Gym's had none before 0.26; write "),
        (NoSpace, "has no observation_space; set self.observation_space to a space of gymnasium.spaces in "),
        (OtherSpace, r"has the action_space Box\(2,\), which is of the package gym; make it with gymnasium.spaces"),
        (NoEnvironment, "makes a NoEnvironment, which is no gymnasium.Env; have its class inherit "),
        (OldEnvironment, "is an environment of the package gym; have its class inherit from gymnasium.Env"),
        (Several, "makes several environments at once; name one that makes a single "),
    ],
)
def test_a_first_look_says_what_keeps_an_environment_from_being_one(
    kind: Any, limit: int | None, sentence: str
) -> None:
    with pytest.raises(RequestError, match=rf"^Tests/Kind-v0 {sentence}.*\.$"):
        inspect(register("Tests/Kind-v0", kind, limit))


class Bare(Kind):
    """No word of rendering, and nothing in its metadata; reads no options."""

    metadata = None  # type: ignore[assignment]

    def reset(self, *, seed: int | None = None) -> Any:  # type: ignore[override]
        return [0.0, 0.0], None

    def step(self, action: Any) -> Any:
        return [0, 1], np.array([1.0]), np.array([True]), [False], None


@pytest.mark.parametrize("limit", [None, 5])
def test_what_is_only_odd_is_trained_on_as_it_is_meant(limit: int | None) -> None:
    id = register("Tests/Kind-v0", Bare, limit)
    assert inspect(id).notice == ""
    last = updates_of(configured(environment=id))[-1]
    assert (last.metrics["mean_return"], last.metrics["mean_length"]) == (1.0, 1.0)


class TurnsOdd(Kind):
    """A flag that is none, in the second step."""

    def step(self, action: Any) -> Any:
        self._turned = hasattr(self, "_turned")
        return np.zeros(2), 1.0, {} if self._turned else False, False, {}


def test_what_turns_odd_only_later_is_a_run_error_that_names_it() -> None:
    batch = GymnasiumBatch(EnvironmentConfig(id=register("Tests/Kind-v0", TurnsOdd, 9)), [5])
    batch.reset(EVERY[:1])
    batch.step(np.array([0]), EVERY[:1])
    with pytest.raises(RunError, match=r"^Tests/Kind-v0 with the seed 5 gives a dict as terminated; return True or Fa"):
        batch.step(np.array([0]), EVERY[:1])


class Unseeded(Kind):
    def reset(self, **_: Any) -> Any:
        return np.random.default_rng().random(2), {}


def test_chance_that_no_seed_reaches_is_told_of() -> None:
    id = register("Tests/Kind-v0", Unseeded)
    assert inspect(id).notice == UNREPEATABLE
    training = Training(configured(environment=id))
    assert training.stepping_reason.endswith(f"; {UNREPEATABLE}")
    training.close()
    assert inspect(register("Tests/Kind-v0", Kind)).notice == ""
