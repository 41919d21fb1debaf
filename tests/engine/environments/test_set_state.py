"""Environments set to a state: what is observed there is that, and they go on from it as their dynamics say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis.beginnings import begins_at, why_not
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import batched
from engine.environments.batches.interface import SeedableBatch
from engine.environments.batches.rendering import in_this_process, unseen
from engine.environments.making.known_dynamics import finite_mdp
from engine.environments.making.set_state import why_not_set
from engine.environments.making.state_spaces import STATE_SPACES
from engine.mdp.blackjack import HANDS, blackjack
from engine.mdp.finite import FiniteMDP
from engine.runtime.errors import RequestError, RunError

ONLY = np.array([0])
MOVING = [id for id, space in STATE_SPACES.items() if space.state is not None]
NUMBERED = ["GridWorld-v0", "Corridor-v0", "Ledge-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"]


def action(id: str, generator: np.random.Generator) -> NDArray[np.generic]:
    space = ENVIRONMENTS[id].action
    if space.kind == "discrete":
        return generator.integers(space.size, size=1)
    (low, high) = space.bounds[0]
    return generator.uniform(low, high, (1, space.size)).astype(np.float32)


@pytest.mark.parametrize("id", MOVING)
def test_set_to_what_was_observed_an_episode_goes_on_as_it_did(id: str) -> None:
    """What is observed is in single precision, and so are steps from there."""
    environment = EnvironmentConfig(id=id)
    behind, other = in_this_process(environment).stepped, in_this_process(environment).stepped
    generator = np.random.default_rng(3)
    seen = behind.begin(5)
    for _ in range(12):
        begun = other.begin_in(begins_at(seen[0], environment, ENVIRONMENTS[id]).state)
        assert begun == pytest.approx(seen, abs=1e-6)
        taken = action(id, generator)
        after, there = behind.step(taken, ONLY), other.step(taken, ONLY)
        assert there.observations == pytest.approx(after.observations, abs=1e-5)
        assert there.rewards == pytest.approx(after.rewards, abs=1e-5)
        seen = after.observations


@pytest.mark.parametrize("id", STATE_SPACES)
def test_any_state_can_be_set_to_and_the_next_step_is_that_of_the_equations(id: str) -> None:
    environment, space = EnvironmentConfig(id=id), STATE_SPACES[id]
    low, high = np.array([(one.low, one.high) for one in space.components]).T
    generator = np.random.default_rng(1)
    gymnasiums, ours = in_this_process(environment).stepped, batched(environment, [0])
    assert ours is not None
    for _ in range(5):
        state = generator.uniform(low, high).astype(np.float32).astype(np.float64)
        assert np.array_equal(gymnasiums.begin_in(state)[0], space.observe(state[None])[0])
        assert np.array_equal(ours.begin_all_in(state[:, None])[0], space.observe(state[None])[0])
        taken = action(id, generator)
        one, two = gymnasiums.step(taken, ONLY), ours.step(taken, ONLY)
        assert one.observations == pytest.approx(two.observations, abs=1e-6)
        assert (one.rewards, one.terminated) == (pytest.approx(two.rewards), two.terminated)


@pytest.mark.parametrize("id", [*NUMBERED, "BlackjackHands-v0", "Blackjack-v1"])
def test_every_state_of_a_finite_process_can_be_set_to_and_goes_on_by_its_tables(id: str) -> None:
    environment = EnvironmentConfig(id=id)
    of_cards = id.startswith("Blackjack")
    mdp = blackjack() if of_cards else finite_mdp(id)
    assert mdp is not None
    batch = in_this_process(environment).stepped
    generator = np.random.default_rng(0)
    for state in generator.permutation(mdp.states)[:40].tolist():
        seen = batch.begin_in(np.array(state))[0]
        if id == "Blackjack-v1":
            total, shown, usable, _ = HANDS[state]
            assert np.flatnonzero(seen).tolist() == [total, 32 + shown, 32 + 11 + usable]
        else:
            assert seen == (state if mdp.seen is None else mdp.seen[state])
            _goes_on_by(mdp, state, batch, generator)
    with pytest.raises(RunError, match=f"states are 0 to {mdp.states - 1}"):
        batch.begin_in(np.array(mdp.states))


def _goes_on_by(mdp: FiniteMDP, state: int, batch: SeedableBatch, generator: np.random.Generator) -> None:
    taken = generator.integers(mdp.actions, size=1)
    moved = batch.step(taken, ONLY)
    possible = [
        (mdp.next_states[at] if mdp.seen is None else mdp.seen[mdp.next_states[at]], mdp.rewards[at], mdp.ends[at])
        for at in ((state, int(taken[0]), outcome) for outcome in range(mdp.probabilities.shape[2]))
        if mdp.probabilities[at] > 0.0
    ]
    # Where it has ended nobody acts any more, and what is shown last is not looked at.
    found = (moved.rewards[0], bool(moved.terminated[0]))
    assert (moved.observations[0], *found) in possible or (found[1] and found in [one[1:] for one in possible])


def test_frames_before_it_are_seen_beside_it_and_the_time_limit_counts_from_there() -> None:
    environment = EnvironmentConfig(id="MountainCar-v0", frame_stack=3, time_limit=4)
    batch = in_this_process(environment).stepped
    seen = [batch.begin(3)[0]]
    seen += [batch.step(np.array([2]), ONLY).observations[0] for _ in range(3)]
    beginning = begins_at(seen[3], environment, ENVIRONMENTS["MountainCar-v0"])
    assert np.array_equal(batch.begin_in(beginning.state, beginning.earlier)[0], seen[3])
    assert np.array_equal(batch.begin_in(beginning.state)[0], [0.0, 0.0, 0.0, 0.0, *seen[3][4:]])
    assert [bool(batch.step(np.array([2]), ONLY).truncated[0]) for _ in range(4)] == [False, False, False, True]


def test_a_worker_process_sets_it_as_well() -> None:
    stepped = unseen(EnvironmentConfig(id="Pendulum-v1", hidden=(2,))).stepped
    try:
        assert stepped.begin_in(np.array([0.5, -3.0])) == pytest.approx(np.array([[np.cos(0.5), np.sin(0.5)]]))
        with pytest.raises(RunError, match="A state of Pendulum-v1 has 2 numbers"):
            stepped.begin_in(np.zeros(3))
        assert stepped.reset(ONLY).shape == (1, 2)
    finally:
        stepped.close()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": "LunarLander-v3"}, "does not tell all that is inside it"),
        ({"id": "Ant-v5"}, "forces"),
        ({"id": "Taxi-v4", "options": {"fickle_passenger": True}}, "passenger"),
        ({"id": "CartPole-v1", "observation_noise": 0.1}, "has noise in it"),
        ({"id": "CartPole-v1", "hidden": (1,)}, "Components are hidden"),
        ({"id": "CartPolePositions-v0"}, "does not show its velocities"),
        ({"id": "GridWorld-v0", "options": {"block": 2}}, "Several states look alike"),
    ],
)
def test_what_cannot_be_set_says_why_not(changes: dict[str, object], why: str) -> None:
    environment = EnvironmentConfig.model_validate(changes)
    assert why in why_not(environment)
    with pytest.raises(RequestError, match=why):
        begins_at(np.zeros(8), environment, ENVIRONMENTS[environment.id])


def test_what_is_not_observed_can_still_be_set() -> None:
    for changes in ({"id": "CartPole-v1", "hidden": (1,)}, {"id": "GridWorld-v0", "options": {"block": 2}}):
        assert why_not_set(EnvironmentConfig.model_validate(changes)) == ""


@pytest.mark.parametrize(
    "id", ["InvertedPendulum-v5", "InvertedDoublePendulum-v5", "Hopper-v5", "Swimmer-v5", "Reacher-v5"]
)
def test_robots_go_on_from_what_is_observed(id: str) -> None:
    pytest.importorskip("mujoco")
    environment = EnvironmentConfig(id=id)
    behind, other = in_this_process(environment).stepped, in_this_process(environment).stepped
    generator = np.random.default_rng(3)
    seen = behind.begin(5)
    for _ in range(6):
        begun = other.begin_in(begins_at(seen[0], environment, ENVIRONMENTS[id]).state)
        assert begun == pytest.approx(seen, abs=1e-4)
        taken = action(id, generator)
        after, there = behind.step(taken, ONLY), other.step(taken, ONLY)
        assert there.observations == pytest.approx(after.observations, abs=2e-3)
        seen = after.observations
