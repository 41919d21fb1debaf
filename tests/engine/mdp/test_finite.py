"""Finite decision processes: their tables by hand, and their batch against the tables and against Gymnasium."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.catalogue.configured import described
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import BatchedEnvironments, finite_environments
from engine.environments.making import registry
from engine.environments.making.known_dynamics import finite_mdp, from_gymnasium
from engine.mdp.finite import (
    GRID,
    FiniteMDP,
    GridRewards,
    bandit,
    corridor,
    from_outcomes,
    gridworld,
)

OURS = ("Bandit-v0", "Corridor-v0", "GridWorld-v0")
TOYS = (
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
    "Taxi-v4",
    "BlackjackHands-v0",
)
LEFT, DOWN, RIGHT, UP = range(4)


def known(id: str) -> FiniteMDP:
    mdp = finite_mdp(id)
    assert mdp is not None
    return mdp


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", OURS + TOYS)
def test_an_episode_goes_on_or_ends(id: str) -> None:
    mdp = known(id)
    ending = (mdp.probabilities * mdp.ends).sum(-1)
    np.testing.assert_allclose(mdp.continuing.sum(-1) + ending, 1.0, atol=1e-12)
    assert mdp.continuing.shape == (mdp.states, mdp.actions, mdp.states)
    assert mdp.expected_rewards.shape == (mdp.states, mdp.actions)


def test_outcomes_that_lead_to_one_state_add_up() -> None:
    mdp = from_outcomes(
        "one", [[[(0.25, 1, 4.0, False), (0.25, 1, 0.0, False), (0.5, 0, 2.0, True)]], [[(1, 0, 0, 1)]]], [1, 0], 3
    )
    assert mdp.continuing.tolist() == [[[0.0, 0.5]], [[0.0, 0.0]]]
    assert mdp.expected_rewards.tolist() == [[2.0], [0.0]]
    assert mdp.probabilities.tolist()[1] == [[1.0, 0.0, 0.0]]


def test_a_bandit_pays_1_or_0_and_ends() -> None:
    mdp = bandit((0.25, 1.0))
    assert mdp.expected_rewards.tolist() == [[0.25, 1.0]]
    assert mdp.ends.all()
    assert not mdp.continuing.any()
    assert mdp.horizon == 1


def test_a_corridor_slips_the_other_way() -> None:
    mdp = corridor(4, slip=0.25)
    assert mdp.continuing[0].tolist() == [[0.75, 0.25, 0.0, 0.0], [0.25, 0.75, 0.0, 0.0]]
    assert mdp.continuing[2].tolist() == [[0.0, 0.75, 0.0, 0.0], [0.0, 0.25, 0.0, 0.0]]
    assert mdp.expected_rewards[2].tolist() == [0.25 * 10 - 0.75, 0.75 * 10 - 0.25]
    assert not mdp.continuing[3].any()
    assert not mdp.expected_rewards[3].any()


def test_a_grid_has_walls_edges_a_pit_and_sides() -> None:
    mdp = gridworld(("S#", ".H", ".G"), GridRewards(-1.0, 5.0, -7.0), slip=0.5, horizon=None)
    # From the start, right is a wall and up the edge; half of the steps go to a side.
    assert mdp.continuing[0, RIGHT].tolist() == [0.75, 0.0, 0.25, 0.0, 0.0, 0.0]
    assert mdp.continuing[0, DOWN].tolist() == [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]
    # Below it, a step to the right falls into the pit.
    assert mdp.continuing[2, RIGHT].tolist() == [0.25, 0.0, 0.0, 0.0, 0.25, 0.0]
    assert mdp.expected_rewards[2, RIGHT] == 0.5 * -7.0 + 0.5 * -1.0
    assert mdp.expected_rewards[4, RIGHT] == 0.5 * 5.0 + 0.5 * -1.0
    for nobody_acts_in in (1, 3, 5):
        assert not mdp.continuing[nobody_acts_in].any()
        assert not mdp.expected_rewards[nobody_acts_in].any()


def test_several_starts_are_equally_likely() -> None:
    assert gridworld(("S.S", "..G")).initial.tolist() == [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("id", "horizon"), [("FrozenLake-v1", 100), ("FrozenLake8x8-v1", 200), ("CliffWalking-v1", 200)]
)
def test_gymnasiums_tables_are_read_as_they_are(id: str, horizon: int | None) -> None:
    mdp, bare = from_gymnasium(id), gymnasium.make(id).unwrapped
    for s in range(mdp.states):
        for a in range(mdp.actions):
            listed: Any = bare.P[s][a]
            assert mdp.expected_rewards[s, a] == pytest.approx(sum(p * reward for p, _, reward, _ in listed))
            for following in range(mdp.states):
                goes = sum(p for p, target, _, ended in listed if target == following and not ended)
                assert mdp.continuing[s, a, following] == pytest.approx(goes)
    assert mdp.horizon == horizon


@pytest.mark.parametrize("options", [{}, {"is_rainy": True, "rainy_probability": 0.6}], ids=str)
def test_the_taxi_drives_as_gymnasiums_does(options: dict[str, Any]) -> None:
    mdp, bare = finite_mdp("Taxi-v4", options), gymnasium.make("Taxi-v4", **options)
    assert mdp is not None
    batch, one, generator = finite_environments(mdp, [5]), np.arange(1), np.random.default_rng(1)
    assert bare.reset(seed=5)[0] == batch.reset(one)[0]
    for _ in range(450):
        action = int(generator.integers(6))
        state, reward, terminated, truncated, _ = bare.step(action)
        assert [part[0] for part in batch.step(np.array([action]), one)] == [state, reward, terminated, truncated]
        if terminated or truncated:
            assert bare.reset()[0] == batch.reset(one)[0]


def test_hands_are_dealt_and_shown_as_the_table_has_it() -> None:
    mdp, game, generator = known("BlackjackHands-v0"), registry.make("BlackjackHands-v0"), np.random.default_rng(1)
    state, _ = game.reset(seed=3)
    began = np.zeros(mdp.states)
    for _ in range(900):
        action = int(generator.random() < 0.6)
        following, reward, terminated, _, _ = game.step(action)
        outcomes = (mdp.next_states == following) & (mdp.rewards == reward) & (mdp.ends == terminated)
        assert (mdp.probabilities * outcomes)[state, action].any()
        state = game.reset()[0] if terminated else following
        began[state] += terminated
    assert (mdp.initial[began > 0] > 0.0).all()
    natural = list(range(280, 290))
    assert began[natural].sum() / began.sum() == pytest.approx(8 / 169, abs=0.04)


def test_what_the_catalogue_calls_finite_has_a_process_whatever_is_switched() -> None:
    for info in ENVIRONMENTS.values():
        switches = [option for option in info.options if isinstance(option.default, bool) and not option.reshapes]
        for options in ({}, *({option.name: not option.default} for option in switches)):
            told, mdp = described(EnvironmentConfig(id=info.id, options=options)), finite_mdp(info.id, options)
            assert told is not None
            assert told.finite is (mdp is not None and mdp.seen is None), (info.id, options)
            assert told.aliased is (mdp is not None and mdp.seen is not None)
            if mdp is not None:
                assert (told.observation.size, told.action.size) == (mdp.observations, mdp.actions)


def test_only_environments_with_known_dynamics_have_a_process() -> None:
    assert finite_mdp("CartPole-v1") is None
    assert finite_mdp("Corridor-v0") is finite_mdp("Corridor-v0")
    with pytest.raises(ValueError, match="CartPole-v1 does not say what its dynamics are"):
        from_gymnasium("CartPole-v1")


def test_the_tables_cannot_be_changed() -> None:
    mdp = known("GridWorld-v0")
    for table in (mdp.probabilities, mdp.rewards, mdp.initial, mdp.continuing, mdp.expected_rewards):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probabilities": np.ones((2, 2))}, r"probabilities must have the shape \[S, A, K\], not \[2, 2\]"),
        ({"rewards": np.ones((4, 2, 1))}, r"rewards has the shape \[4, 2, 1\] where probabilities has \[4, 2, 2\]"),
        ({"initial": np.ones(3)}, r"initial must have the shape \[4\], not \[3\]"),
        ({"initial": np.full(4, 0.5)}, "initial must be probabilities that sum to 1"),
        ({"probabilities": np.full((4, 2, 2), 0.6)}, "whose probabilities sum to 1"),
        ({"probabilities": np.tile([1.5, -0.5], (4, 2, 1))}, "whose probabilities sum to 1"),
        ({"probabilities": np.full((4, 2, 2), np.nan)}, "whose probabilities sum to 1"),
        ({"next_states": np.full((4, 2, 2), 4)}, "next states must lie between 0 and 3"),
        ({"next_states": np.full((4, 2, 2), -1)}, "next states must lie between 0 and 3"),
        ({"rewards": np.full((4, 2, 2), np.inf)}, "every reward must be a finite number"),
        ({"horizon": 0}, "the horizon must be at least 1 step, not 0"),
    ],
)
def test_tables_that_are_no_process_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"^corridor: .*{said}"):
        dataclasses.replace(corridor(4), **changes)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Each arm needs a mean between 0 and 1, not \[0.5, 1.5\]"):
        bandit((0.5, 1.5))
    with pytest.raises(ValueError, match="Each arm needs a mean"):
        bandit(())
    with pytest.raises(ValueError, match="at least 2 states, not 1"):
        corridor(1)
    with pytest.raises(ValueError, match="a slip must lie between 0 and 1, not be -"):
        corridor(3, slip=-0.1)
    with pytest.raises(ValueError, match="equally long"):
        gridworld(("S.", "G"))
    with pytest.raises(ValueError, match="not of x"):
        gridworld(("Sx", ".G"))
    with pytest.raises(ValueError, match="needs a start S and a goal G"):
        gridworld(("S.", ".."))
    with pytest.raises(ValueError, match="a slip"):
        gridworld(GRID, slip=2.0)
    with pytest.raises(ValueError, match="every state must have the same number of actions"):
        from_outcomes("uneven", [[[(1.0, 0, 0.0, True)]], []], [1.0, 0.0], None)


# --- the batch --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mdp", [bandit((0.2, 0.9)), corridor(5, 0.3), gridworld(GRID, slip=0.4)], ids=lambda m: m.name)
def test_outcomes_have_the_frequencies_of_the_tables(mdp: FiniteMDP) -> None:
    """From each state and action that is met, next states and mean rewards lie within 4.5 standard errors."""
    size = 400
    batch, every = finite_environments(mdp, range(size)), np.arange(size)
    generator = np.random.default_rng(5)
    counts, went_on = np.zeros((mdp.states, mdp.actions)), np.zeros((mdp.states, mdp.actions, mdp.states))
    paid = np.zeros((mdp.states, mdp.actions))
    states = batch.reset(every)
    for _ in range(150):
        actions = generator.integers(mdp.actions, size=size)
        moved = batch.step(actions, every)
        np.add.at(counts, (states, actions), 1.0)
        np.add.at(paid, (states, actions), moved.rewards)
        on = ~moved.terminated
        np.add.at(went_on, (states[on], actions[on], moved.observations[on]), 1.0)
        states = moved.observations.copy()
        over = np.flatnonzero(moved.terminated | moved.truncated)
        if len(over):
            states[over] = batch.reset(over)
    met = counts > 100
    assert met.sum() > 0.5 * met.size
    tries = counts[met][:, None]
    expected = mdp.continuing[met]
    allowed = 4.5 * np.sqrt(expected * (1.0 - expected) / tries) + 1e-12
    assert (np.abs(went_on[met] / tries - expected) <= allowed).all()
    mean = mdp.expected_rewards[met]
    spread = (mdp.probabilities * mdp.rewards**2).sum(-1)[met] - mean**2
    assert (np.abs(paid[met] / counts[met] - mean) <= 4.5 * np.sqrt(np.maximum(spread, 0.0) / counts[met]) + 1e-9).all()


def episode_of(batch: BatchedEnvironments, index: int, actions: NDArray[np.int64]) -> list[tuple[Any, ...]]:
    """What one environment goes through under ``actions``, beginning anew after each end."""
    one = np.array([index])
    seen: list[tuple[Any, ...]] = [(int(batch.reset(one)[0]),)]
    for action in actions:
        moved = batch.step(np.array([action]), one)
        seen.append(tuple(part[0].item() for part in moved))
        if moved.terminated[0] or moved.truncated[0]:
            seen.append((int(batch.reset(one)[0]),))
    return seen


@pytest.mark.parametrize("id", ["GridWorld-v0", "FrozenLake-v1"])
def test_an_environment_depends_on_its_own_seed_and_actions_alone(id: str) -> None:
    mdp = known(id)
    actions = np.random.default_rng(1).integers(4, size=(2, 700))
    alone = episode_of(finite_environments(mdp, [7]), 0, actions[0])
    company = finite_environments(mdp, [5, 7, 6])
    assert episode_of(company, 1, actions[0]) == alone  # while the others have not begun
    company = finite_environments(mdp, [5, 7, 6])
    episode_of(company, 0, actions[1])
    assert episode_of(company, 1, actions[0]) == alone  # after another has had many episodes
    assert episode_of(finite_environments(mdp, [8]), 0, actions[0]) != alone


def test_a_call_moves_only_the_environments_it_names() -> None:
    first, second, every = *(finite_environments(known("GridWorld-v0"), [1, 2, 3]) for _ in range(2)), np.arange(3)
    first.reset(every)
    second.reset(every)
    for _ in range(5):
        first.step(np.array([RIGHT, DOWN]), np.array([0, 2]))
    alone = first.step(np.array([RIGHT]), np.array([1]))
    together = second.step(np.array([UP, RIGHT, LEFT]), every)
    assert alone.observations[0] == together.observations[1]


def test_an_episode_is_cut_off_at_the_horizon() -> None:
    batch, both = finite_environments(corridor(4, horizon=3), [0, 1]), np.arange(2)
    for _ in range(2):
        batch.reset(both)
        cut = [batch.step(np.array([0, 1]), both) for _ in range(3)]
        assert [moved.truncated.tolist() for moved in cut] == [[False, False], [False, False], [True, True]]
        # As with Gymnasium's TimeLimit, what terminates at the limit is truncated as well.
        assert [moved.terminated.tolist() for moved in cut] == [[False, False], [False, False], [False, True]]
        assert [moved.rewards.tolist() for moved in cut] == [[-1.0, -1.0], [-1.0, -1.0], [-1.0, 10.0]]


def test_without_a_horizon_nothing_is_cut_off() -> None:
    batch, one = finite_environments(corridor(4, horizon=None), [0]), np.arange(1)
    batch.reset(one)
    assert not any(batch.step(np.array([0]), one).truncated[0] for _ in range(500))


def test_observations_are_int64_states_and_rewards_raw_float64() -> None:
    batch, every = finite_environments(known("GridWorld-v0"), [0, 1]), np.arange(2)
    states = batch.reset(every)
    kept = states.copy()
    moved = batch.step(np.array([DOWN, RIGHT]), every)
    assert (states.dtype, states.shape) == (np.int64, (2,))
    assert (moved.observations.dtype, moved.rewards.dtype) == (np.int64, np.float64)
    assert (moved.terminated.dtype, moved.truncated.dtype) == (np.bool_, np.bool_)
    following = moved.observations.copy()
    batch.step(np.array([DOWN, RIGHT]), every)
    assert np.array_equal(states, kept)
    assert np.array_equal(moved.observations, following)


def test_first_states_follow_their_distribution() -> None:
    batch, every = finite_environments(gridworld(("SS.", "S.G")), range(3000)), np.arange(3000)
    frequencies = np.bincount(batch.reset(every), minlength=6) / 3000
    assert np.flatnonzero(frequencies).tolist() == [0, 1, 3]
    assert np.abs(frequencies[[0, 1, 3]] - 1 / 3).max() < 4.0 * math.sqrt(2 / 9 / 3000)
