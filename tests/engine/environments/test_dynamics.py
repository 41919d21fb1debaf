"""The batched dynamics against Gymnasium's own environments, step by step from the same seeds."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.environments.batches.gymnasium import to_environment
from engine.environments.dynamics.finite import FiniteDynamics
from engine.environments.dynamics.interface import NUMPY
from engine.mdp.finite import from_outcomes

CLASSIC = (
    "CartPole-v1",
    "CartPolePositions-v0",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "Acrobot-v1",
)
FINITE = (
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
    "GridWorld-v0",
    "Corridor-v0",
    "Bandit-v0",
)
# All is equal to the last digit but what contains a square: numpy squares its scalars and its arrays by different
# routines, which now and then differ in the last bit. That concerns what Pendulum pays and how Acrobot moves; the
# first angles of Acrobot are, besides, seen through a cosine in float32. Acrobot's motion is chaotic: so that it is the
# steps that are compared and not what became of a last digit after hundreds of them, it follows Gymnasium's states.
REWARDS = {"Pendulum-v1": 1e-9}
OBSERVATIONS = {"Acrobot-v1": 2e-6}
FOLLOWS = "Acrobot-v1"


def built(id: str, seeds: list[int], time_limit: int = 0, **options: Any) -> BatchedEnvironments:
    batch = batched(EnvironmentConfig(id=id, time_limit=time_limit, options=options), seeds)
    assert batch is not None
    return batch


class Reference:
    """Gymnasium's environments, one after the other, fed as the general batch feeds them."""

    def __init__(self, id: str, seeds: list[int], time_limit: int = 0, **options: Any) -> None:
        limit = {"max_episode_steps": time_limit} if time_limit else {}
        self.environments = [gymnasium.make(id, disable_env_checker=True, **limit, **options) for _ in seeds]
        self.space: Any = self.environments[0].action_space
        self._seeds: list[int | None] = list(seeds)

    def reset(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        first = []
        for index in indices.tolist():
            seed, self._seeds[index] = self._seeds[index], None
            first.append(self.environments[index].reset(seed=seed)[0])
        return np.array(first)

    def step(self, actions: NDArray[Any], indices: NDArray[np.int64]) -> list[NDArray[Any]]:
        prepared = to_environment(actions, self.space)
        stepped = [
            self.environments[index].step(action) for index, action in zip(indices.tolist(), prepared, strict=True)
        ]
        return [np.array([one[part] for one in stepped]) for part in range(4)]

    def states(self) -> NDArray[np.float64]:
        """What the environments hold, [components, n]."""
        held: list[Any] = [environment.unwrapped for environment in self.environments]
        return np.array([environment.state for environment in held], np.float64).T


def chance(space: Any, observations: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    """Any action, those of a box also beyond its bounds."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return generator.integers(space.n, size=len(observations))
    return (generator.normal(size=(len(observations), *space.shape)) * 2.0).astype(np.float32)


def skilled(id: str, observations: NDArray[Any]) -> NDArray[Any]:
    """What balances the pole, rocks the car up the hill, or pumps energy into the links."""
    if id == "CartPole-v1":
        return (observations @ np.array([0.1, 0.5, 3.0, 1.0]) > 0).astype(np.int64)
    if id == "MountainCar-v0":
        return np.where(observations[:, 1] < 0, 0, 2)
    if id == "MountainCarContinuous-v0":
        return np.sign(observations[:, 1:]).astype(np.float32)
    if id == "Pendulum-v1":
        return 3.0 * np.sign(observations[:, 2:]).astype(np.float32)
    return np.where(observations[:, 5] < 0, 0, 2)


def compared(
    ours: BatchedEnvironments, theirs: Reference, id: str, skill: float = 0.0, steps: int = 1100
) -> set[tuple[bool, bool]]:
    """Step both alike, at times only some of them, and begin anew what has ended; which ways of ending were met."""
    generator, every, met = np.random.default_rng(8), np.arange(ours.size), set()
    seen, expected = ours.reset(every), theirs.reset(every)
    for _ in range(steps):
        np.testing.assert_allclose(seen, expected, rtol=0, atol=OBSERVATIONS.get(id, 0.0))
        indices = every if generator.random() < 0.8 else np.flatnonzero(generator.random(ours.size) < 0.5)
        actions = chance(theirs.space, expected[indices], generator)
        if skill and len(indices):
            better = (generator.random(len(indices)) < skill).reshape(-1, *[1] * (actions.ndim - 1))
            actions = np.where(better, skilled(id, expected[indices]), actions)
        if not len(indices):
            continue
        moved, reference = ours.step(actions, indices), theirs.step(actions, indices)
        seen[indices], expected[indices] = moved.observations, reference[0]
        np.testing.assert_allclose(seen, expected, rtol=0, atol=OBSERVATIONS.get(id, 0.0))
        np.testing.assert_allclose(moved.rewards, reference[1], rtol=REWARDS.get(id, 0.0))
        assert moved.terminated.tolist() == reference[2].tolist()
        assert moved.truncated.tolist() == reference[3].tolist()
        if id == FOLLOWS:
            np.testing.assert_allclose(ours.state()["states"], theirs.states(), rtol=1e-10, atol=1e-12)
            ours.load(ours.state() | {"states": theirs.states()})
        over = indices[moved.terminated | moved.truncated]
        if len(over):
            met |= {
                ended for ended in zip(moved.terminated.tolist(), moved.truncated.tolist(), strict=True) if any(ended)
            }
            seen[over], expected[over] = ours.reset(over), theirs.reset(over)
    return met


@pytest.mark.parametrize(
    ("id", "skill", "ends"),
    [
        ("CartPole-v1", 0.0, {(True, False)}),
        ("CartPole-v1", 1.0, {(False, True)}),
        ("CartPolePositions-v0", 0.0, {(True, False)}),
        ("MountainCar-v0", 0.0, {(False, True)}),
        ("MountainCar-v0", 0.97, {(True, False)}),
        ("MountainCarContinuous-v0", 0.0, {(False, True)}),
        ("MountainCarContinuous-v0", 0.97, {(True, False)}),
        ("Pendulum-v1", 0.0, {(False, True)}),
        ("Pendulum-v1", 0.97, {(False, True)}),
        ("Acrobot-v1", 0.0, {(False, True)}),
        ("Acrobot-v1", 0.97, {(True, False)}),
    ],
)
def test_every_step_equals_gymnasiums(id: str, skill: float, ends: set[tuple[bool, bool]]) -> None:
    """Episodes end at different times, terminated or cut off, and begin anew while the others go on."""
    seeds = [3, 14, 159]
    assert compared(built(id, seeds), Reference(id, seeds), id, skill) >= ends


@pytest.mark.parametrize("id", FINITE)
def test_every_step_of_a_finite_process_equals_gymnasiums(id: str) -> None:
    seeds = [3, 14, 159]
    assert compared(built(id, seeds, 40), Reference(id, seeds, 40), id, steps=1500)


@pytest.mark.parametrize(
    ("id", "options"),
    [
        ("CartPole-v1", {"sutton_barto_reward": True}),
        ("CartPole-v1", {"sutton_barto_reward": False}),
        ("MountainCar-v0", {"goal_velocity": 0.03}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.03}),
        ("Pendulum-v1", {"g": 9}),
    ],
)
def test_options_do_what_they_do_in_gymnasium(id: str, options: dict[str, Any]) -> None:
    seeds = [3, 14]
    skill = 0.0 if id == "CartPole-v1" else 0.97
    ends = compared(built(id, seeds, **options), Reference(id, seeds, **options), id, skill, 700)
    assert ends == {(id != "Pendulum-v1", id == "Pendulum-v1")}


@pytest.mark.parametrize(
    ("id", "options"),
    [
        ("CartPole-v1", {"gravity": 5.0}),
        ("CartPole-v1", {"sutton_barto_reward": 1}),
        ("CartPolePositions-v0", {"sutton_barto_reward": True}),
        ("MountainCar-v0", {"goal_velocity": True}),
        ("Pendulum-v1", {"g": "9"}),
        ("Acrobot-v1", {"dt": 0.1}),
        ("LunarLander-v3", {}),
        ("CartPole-v0", {}),
    ],
)
def test_what_has_no_dynamics_of_ours_is_left_to_gymnasium(id: str, options: dict[str, Any]) -> None:
    assert batched(EnvironmentConfig(id=id, options=options), [0]) is None


@pytest.mark.parametrize("id", [*CLASSIC, "GridWorld-v0"])
def test_a_time_limit_takes_the_place_of_the_environments_own(id: str) -> None:
    seeds = [1, 2]
    assert compared(built(id, seeds, 3), Reference(id, seeds, 3), id, steps=20) >= {(False, True)}


# --- what chance hardly ever meets ------------------------------------------------------------------------------------

RARE: dict[str, list[tuple[list[float], list[Any]]]] = {  # states, and the actions to be taken in each
    "CartPole-v1": [
        ([2.39, 1.0, 0.0, 0.0], [0, 1]),
        ([-2.39, -1.0, 0.0, 0.0], [0, 1]),
        ([2.4, 0.0, 0.0, 0.0], [0, 1]),  # at the limit, which is not beyond it
        ([0.0, 0.0, 12 * 2 * np.pi / 360, 0.0], [0, 1]),
        ([0.0, 0.0, 0.2, 1.0], [0, 1]),
        ([0.0, 0.0, -0.2, -1.0], [0, 1]),
        ([0.0, 0.0, 3.0, 40.0], [0, 1]),
    ],
    "MountainCar-v0": [
        ([-1.19, -0.05], [0, 1, 2]),  # into the wall
        ([-1.2, 0.0], [0, 1, 2]),
        ([-1.2, -0.07], [0, 1, 2]),
        ([0.49, 0.07], [0, 1, 2]),  # over the goal
        ([0.59, 0.07], [0, 1, 2]),  # beyond the right end
        ([0.5, -0.0001], [0, 1, 2]),
        ([0.5, -0.07], [0, 1, 2]),
        ([-0.9, -0.07], [0]),  # as fast as it may be
        ([-0.2, 0.07], [2]),
    ],
    "Pendulum-v1": [
        ([np.pi / 2, 7.99], [[2.0], [5.0], [-5.0]]),  # faster than it may be
        ([-np.pi / 2, -7.99], [[-2.0], [5.0], [-5.0]]),
        ([np.pi, 0.0], [[0.0]]),
        ([-np.pi, 8.0], [[0.5]]),
        ([100.0, -8.0], [[0.5]]),  # many turns later
        ([-100.0, 8.0], [[0.5]]),
    ],
    "Acrobot-v1": [
        ([3.1, 0.0, 12.5, 0.0], [0, 1, 2]),  # round by the first joint
        ([-3.1, 0.0, -12.5, 0.0], [0, 1, 2]),
        ([0.0, 3.1, 0.0, 28.2], [0, 1, 2]),  # and by the second
        ([0.0, -3.1, 0.0, -28.2], [0, 1, 2]),
        ([0.3, -2.0, 12.5, 28.2], [0, 1, 2]),  # faster than it may be
        ([1.0, 2.5, -12.5, 28.2], [0, 1, 2]),
        ([np.pi, 0.0, 0.0, 0.0], [0, 1, 2]),  # up
        ([np.pi / 2, np.pi / 2, 0.0, 0.0], [0, 1, 2]),
    ],
}
RARE["MountainCarContinuous-v0"] = [
    (state, [[action - 1.0] for action in actions] + [[7.0]]) for state, actions in RARE["MountainCar-v0"]
]


@pytest.mark.parametrize("goal_velocity", [0.0, 0.05, 0.07])
@pytest.mark.parametrize("id", list(RARE))
def test_rare_states_are_left_as_gymnasium_leaves_them(id: str, goal_velocity: float) -> None:
    options: dict[str, Any] = {"goal_velocity": goal_velocity} if id.startswith("MountainCar") else {}
    for state, actions in RARE[id]:
        ours, theirs = built(id, [0] * len(actions), **options), Reference(id, [0] * len(actions), **options)
        every = np.arange(len(actions))
        ours.reset(every)
        theirs.reset(every)
        kept = np.array(state, np.float32 if id == "MountainCarContinuous-v0" else np.float64)
        for environment in theirs.environments:
            environment.unwrapped.state = kept.copy()  # type: ignore[attr-defined]
        ours.load(ours.state() | {"states": np.repeat(kept.astype(np.float64)[:, None], len(actions), 1)})
        taken = np.array(actions, np.float32 if isinstance(actions[0], list) else np.int64)
        moved, reference = ours.step(taken, every), theirs.step(taken, every)
        np.testing.assert_allclose(moved.observations, reference[0], rtol=1e-6, atol=1e-6 if id == "Acrobot-v1" else 0)
        np.testing.assert_allclose(moved.rewards, reference[1], rtol=1e-9)
        assert moved.terminated.tolist() == reference[2].tolist()
        np.testing.assert_allclose(ours.state()["states"], theirs.states(), rtol=1e-12, atol=1e-12)


def test_one_step_of_acrobot_equals_gymnasiums_from_anywhere() -> None:
    """Its motion is chaotic, so that single steps are compared as well, which no earlier difference reaches."""
    generator, size = np.random.default_rng(3), 400
    ours, theirs, every = built("Acrobot-v1", [0] * size), Reference("Acrobot-v1", [0]), np.arange(size)
    ours.reset(every)
    theirs.reset(np.arange(1))
    states = generator.uniform(-1.0, 1.0, (4, size)) * np.array([np.pi, np.pi, 4 * np.pi, 9 * np.pi])[:, None]
    ours.load(ours.state() | {"states": states})
    actions = generator.integers(3, size=size)
    moved, bare = ours.step(actions, every), theirs.environments[0].unwrapped
    assert moved.terminated.any()
    for i in range(size):
        bare.state = states[:, i].copy()  # type: ignore[attr-defined]
        observation, reward, terminated, *_ = bare.step(actions[i])
        np.testing.assert_allclose(ours.state()["states"][:, i], bare.state, rtol=1e-9, atol=1e-11)  # type: ignore[attr-defined]
        np.testing.assert_allclose(moved.observations[i], observation, rtol=1e-6, atol=1e-6)
        assert (moved.rewards[i], moved.terminated[i]) == (reward, terminated)


@pytest.mark.parametrize(
    ("id", "state", "action"), [("CartPole-v1", [2.39, 1.0, 0.0, 0.0], 1), ("MountainCar-v0", [0.49, 0.07], 2)]
)
def test_what_terminates_at_the_time_limit_is_truncated_as_well(id: str, state: list[float], action: int) -> None:
    batch, one = built(id, [0], 1), np.arange(1)
    batch.reset(one)
    batch.load(batch.state() | {"states": np.array(state)[:, None]})
    moved = batch.step(np.array([action]), one)
    assert (moved.terminated.tolist(), moved.truncated.tolist()) == ([True], [True])


def test_a_random_number_picks_the_first_outcome_whose_cumulative_probability_exceeds_it() -> None:
    """At the very bounds too, never one that is impossible, and the last possible one where a sum falls short of 1."""
    third = [(1.0 / 3.0, state, float(state), False) for state in range(3)]
    tenths = [(0.1, state % 3, float(state), state == 9) for state in range(10)]
    padded = [(0.25, 1, 1.0, False), (0.0, 0, -1.0, True), (0.75, 2, 2.0, False), (0.0, 0, -2.0, True)]
    mdp = from_outcomes("bounds", [[third, tenths, padded]] * 3, [0.0, 0.5, 0.5], None)
    dynamics, below = FiniteDynamics(NUMPY, mdp), np.nextafter(1.0, 0.0)
    assert dynamics.begin(np.array([[0.0, 0.49, 0.5, below]])).tolist() == [1, 1, 2, 2]
    picked = {0: [(0.0, 0), (1.0 / 3.0, 1), (below, 2)], 1: [(0.1, 1), (below, 9)]}
    picked[2] = [(0.0, 1), (0.24, 1), (0.25, 2), (below, 2)]
    for action, expected in picked.items():
        for number, reward in expected:
            _, paid, ended = dynamics.step(np.array([0]), np.array([action]), np.array([[number]]))
            assert (paid.tolist(), ended.tolist()) == ([reward], [action == 1 and reward == 9])
    # Ten tenths added one by one are less than 1 by just one digit, which is what ``below`` is.
    assert np.full(10, 0.1).cumsum()[-1] == below
