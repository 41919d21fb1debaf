"""What is known of every state at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.analysis.playback import snapshot
from engine.analysis.state_grids import state_grid
from engine.analysis.surfaces import surface_of
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.environments.making.known_dynamics import process_of
from engine.mdp.exact import dynamics_of, value_iteration
from engine.reports.events import Planned
from engine.training.training import Training

CELLS = [
    ("GridWorld-v0", {}),
    ("Corridor-v0", {"length": 9}),
    ("Bandit-v0", {"means": [0.1, 0.9]}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("CliffWalking-v1", {}),
    ("Taxi-v4", {}),
    ("BlackjackHands-v0", {}),
]


@pytest.mark.parametrize(("id", "options"), CELLS)
def test_the_cells_of_an_environment_are_its_states_and_lead_where_its_dynamics_do(id: str, options: object) -> None:
    """Every state but Blackjack's naturals has one cell; a certain move to another cell is the way of its action."""
    environment = EnvironmentConfig.model_validate({"id": id, "options": options})
    grid, mdp = state_grid(environment), process_of(environment)
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
