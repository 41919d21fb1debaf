"""What is known of every state at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.playback import snapshot
from engine.analysis.state_grids import state_grid
from engine.analysis.state_observations import observations, state_in
from engine.analysis.surfaces import surface_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.environments.making import registry
from engine.environments.making.known_dynamics import planned_process, process_of
from engine.mdp.exact import dynamics_of, value_iteration
from engine.reports.events import Planned
from engine.runs.snapshots import Snapshot, from_bytes, to_bytes
from engine.training.training import Training

CELLS = [
    ("GridWorld-v0", {}),
    ("Corridor-v0", {"length": 9}),
    ("Bandit-v0", {"means": [0.1, 0.9]}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("CliffWalking-v1", {}),
    ("Taxi-v4", {}),
    ("BlackjackHands-v0", {}),
    ("Ledge-v0", {}),
    ("GridWorld-v0", {"block": 2}),
]


@pytest.mark.parametrize(("id", "options"), CELLS)
def test_the_cells_of_an_environment_are_its_states_and_lead_where_its_dynamics_do(id: str, options: object) -> None:
    """Every state but Blackjack's naturals has one cell; a certain move to another cell is the way of its action."""
    environment = EnvironmentConfig.model_validate({"id": id, "options": options})
    grid, mdp = state_grid(environment), planned_process(environment)
    assert grid is not None
    assert mdp is not None
    places = {state: place for state in range(mdp.states) if (place := grid.place(state)) is not None}
    assert len(places) == mdp.states - (10 if id.startswith("Blackjack") else 0)
    for state, (page, row, column) in places.items():
        for action, way in enumerate(grid.ways):
            likeliest = mdp.probabilities[state, action].argmax()
            after = places.get(int(mdp.next_states[state, action, likeliest]))
            if way is None or not grid.acts(row, column) or after in (None, (page, row, column)):
                continue
            fell = id.startswith("Cliff") and mdp.rewards[state, action, likeliest] < -1.0
            if not fell and mdp.probabilities[state, action].max() > 0.4:
                assert after == (page, row + way[1], column + way[0])


def _of(config: RunConfig, **values: object) -> Training:
    return Training(with_values(config, {path.replace("__", "."): value for path, value in values.items()}))


def test_a_policy_shows_its_exact_values_and_action_values_show_their_largest() -> None:
    training = _of(PolicyGradientConfig(), environment="FrozenLake-v1", policy="tabular")
    found = surface_of(snapshot(training.policy, training.config, training.environment, 3))
    training.close()
    assert found is not None
    assert (found.source, found.iteration) == ("exact", 3)
    assert found.best is not None
    assert (found.best >= found.values - 1e-12).all()
    assert found.policy == pytest.approx(0.25)
    assert found.values[0] == pytest.approx(float(found.action_values[0].mean()))  # of a policy that picks blindly
    assert 0.0 < found.values[0] < 0.02
    learning = _of(PolicyGradientConfig(), environment="FrozenLake-v1", policy="tabular", update="q-learning")
    with torch.no_grad():
        learning.policy.head.rows[:] = torch.arange(64.0).reshape(16, 4)
        learning.policy.head.rows[5, 2] = learning.policy.head.rows[5, 3]
    found = surface_of(snapshot(learning.policy, learning.config, learning.environment, 1))
    learning.close()
    assert found is not None
    assert found.source == "learned"
    assert found.values == pytest.approx(np.arange(16) * 4 + 3)
    assert found.policy[4].tolist() == [0, 0, 0, 1]
    assert found.policy[5].tolist() == [0, 0, 0.5, 0.5]  # both are the best
    assert found.best is not None
    assert found.best[0] == pytest.approx(0.542, abs=1e-3)  # as a table may learn it, without a time limit


def test_a_state_is_worth_what_was_learned_of_it_of_the_greedy_policy_or_of_one_that_explores() -> None:
    """Q-learning learns of the greedy policy, SARSA of the ε-greedy one that acts (Sutton & Barto, 2018, 6.4, 6.5)."""
    worth = {}
    for rule in ("q-learning", "sarsa"):
        learning = _of(PolicyGradientConfig(), environment="FrozenLake-v1", policy="tabular", update=rule)
        with torch.no_grad():
            learning.policy.head.rows[:] = torch.arange(64.0).reshape(16, 4)
        found = surface_of(snapshot(learning.policy, learning.config, learning.environment, 1))
        assert found is not None
        worth[rule] = found.values
        learning.close()
    epsilon = learning.config.exploration.epsilon_start
    assert worth["q-learning"] == pytest.approx(np.arange(16) * 4 + 3)
    assert worth["sarsa"] == pytest.approx(np.arange(16) * 4 + 3 - 1.5 * epsilon)


def test_a_plan_shows_the_values_of_the_turns_that_are_left_and_what_was_just_backed_up() -> None:
    environment = EnvironmentConfig(id="FrozenLake-v1")
    config = with_values(
        PlanningConfig(), {"environment": environment.model_dump(), "policy": "tabular", "update": "value-iteration"}
    )
    mdp = process_of(environment)
    assert mdp is not None
    solved = value_iteration(dynamics_of(mdp), 0.99)
    arrays = [tensor.numpy() for tensor in solved[:3]]
    training = _of(config)
    policy = snapshot(training.policy, config, training.environment, 7)
    training.close()
    planned = Planned(7, arrays[0], arrays[1], arrays[2].astype(np.float32), np.array([14, 13]), 0.1, 3)
    found = surface_of(policy, planned)
    assert found is not None
    assert (found.source, found.backed_up, found.turns_left) == ("planned", (14, 13), 3)
    assert found.values == pytest.approx(arrays[0][len(arrays[0]) - 3])
    assert found.values[14] > 0.3 > found.values[0] == 0.0  # the goal is near, or out of reach


def test_walls_of_the_taxi_stand_where_its_dynamics_let_nobody_pass() -> None:
    environment = EnvironmentConfig(id="Taxi-v4")
    grid, mdp = state_grid(environment), process_of(environment)
    assert grid is not None
    assert mdp is not None
    east = grid.ways.index((1, 0))
    stays = {
        (row, column)
        for row in range(5)
        for column in range(4)
        if mdp.next_states[grid.pages[0][row][column], east, 0] == grid.pages[0][row][column]
    }
    assert stays == set(grid.walls)


def test_beside_the_exact_values_stand_those_that_a_critic_has_learned() -> None:
    training = _of(PolicyGradientConfig(), environment="GridWorld-v0", policy="tabular", estimator__baseline="value")
    learned = training.state_values()
    found = surface_of(snapshot(training.policy, training.config, training.environment, 0, None, learned))
    training.close()
    assert found is not None
    assert found.source == "exact"
    assert found.critic is not None
    assert learned is not None
    assert found.critic == pytest.approx(learned.values.numpy())
    without = _of(PolicyGradientConfig(), environment="GridWorld-v0", policy="tabular", estimator__baseline="average")
    assert without.state_values() is None
    without.close()


def test_what_looks_alike_has_values_of_its_own_and_one_policy() -> None:
    training = _of(PolicyGradientConfig(), environment="Ledge-v0", policy="tabular", estimator__gamma=1.0)
    found = surface_of(snapshot(training.policy, training.config, training.environment, 0))
    training.close()
    assert found is not None
    assert found.values.tolist() == pytest.approx([-0.25, -1.5])  # of whoever goes on with probability 1/2
    assert found.policy == pytest.approx(0.5)
    grid = state_grid(training.config.environment)
    assert grid is not None
    assert grid.looking_like(0) == (0, 1)
    assert grid.seams == ()
    blocks = state_grid(EnvironmentConfig(id="GridWorld-v0", options={"map": ["S..", "..G"], "block": 2}))
    assert blocks is not None
    assert blocks.seams == (((0, 1), False), ((1, 1), False))  # between the second column and the third


def test_gymnasiums_blackjack_has_the_surface_of_its_hands() -> None:
    shown = []
    for id in ("Blackjack-v1", "BlackjackHands-v0"):
        training = _of(PolicyGradientConfig(), environment=id, policy="linear")
        found = surface_of(snapshot(training.policy, training.config, training.environment, 0))
        training.close()
        assert found is not None
        shown.append(found)
    one, other = shown
    assert one.policy == pytest.approx(0.5)  # a linear policy begins undecided
    assert one.values == pytest.approx(other.values, nan_ok=True)
    environment = EnvironmentConfig(id="Blackjack-v1")
    batch = training_batch(environment)
    for observation in batch:
        state = state_in(observation, environment, ENVIRONMENTS["Blackjack-v1"])
        assert state is not None
        every = observations(environment, ENVIRONMENTS["Blackjack-v1"], None)
        assert every is not None
        assert every[state].tolist() == observation.tolist()


def training_batch(environment: EnvironmentConfig) -> list[np.ndarray[Any, Any]]:
    made = registry.make(environment.id, {})
    found = [made.reset(seed=seed)[0] for seed in range(20)]
    made.close()
    return found


def test_of_equally_good_actions_a_plan_shows_all() -> None:
    table = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    chosen = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    config = with_values(
        PlanningConfig(), {"environment": "Bandit-v0", "policy": "tabular", "update": "value-iteration"}
    )
    training = _of(config)
    policy = snapshot(training.policy, config, training.environment, 1)
    training.close()
    planned = Planned(1, table.max(-1), table, chosen, np.array([0, 1]), 0.0, settled=True)
    found = surface_of(policy, planned)
    assert found is not None
    assert found.settled
    assert found.policy[0].tolist() == [0.0, 0.5, 0.5]
    assert found.policy[1] == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize("horizon", ["infinite", "time-limit"])
def test_a_plan_that_is_looked_back_at_is_as_it_was_told(horizon: str) -> None:
    """By way of the library too; of the states that were backed up nothing is known any more."""
    chosen = {"environment": "FrozenLake-v1", "policy": "tabular", "update": "value-iteration"}
    config = with_values(PlanningConfig(), chosen | {"evaluation.episodes": 1, "update.horizon": horizon})
    training = Training(config)
    planned = [event for event, _ in zip(training, range(40), strict=False) if isinstance(event, Planned)][-1]
    before = snapshot(training.policy, config, training.environment, planned.iteration, None, training.state_values())
    training.close()
    again = from_bytes(to_bytes(Snapshot(before, 10)), config, training.environment).policy
    told, kept = surface_of(before, planned), surface_of(again)
    assert told is not None
    assert kept is not None
    assert (kept.source, kept.turns_left, kept.settled) == (told.source, told.turns_left, told.settled)
    assert kept.turns_left == planned.turns_left
    assert kept.values.any()
    np.testing.assert_array_equal(kept.values, told.values)
    np.testing.assert_allclose(kept.action_values, told.action_values, rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(kept.policy, told.policy)
