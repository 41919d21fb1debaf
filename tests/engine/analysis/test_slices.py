"""Slices through continuous state spaces: at every point what the policy does there, and what it is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.coordinates import Coordinates, coordinates_of
from engine.analysis.playback import frozen, thawed
from engine.analysis.slices import Cut, PolicyAtPoints
from engine.config.parameters import with_values
from engine.environments.making.lookup import inspect
from engine.policies.distributions import EpsilonGreedy
from engine.runs.snapshots import Snapshot, from_bytes, to_bytes
from engine.training.training import Training
from tests.engine.support import configured


def coordinates(**changes: Any) -> Coordinates | str:
    config = configured(**changes)
    return coordinates_of(config, Training(config).environment)


def test_a_cut_is_a_rectangle_of_points_row_by_row_while_the_others_are_held() -> None:
    cut = Cut((2, 0), ((-1.0, 1.0), (10.0, 20.0)), (9.0, 0.5, 9.0), points=3)
    assert cut.states().tolist() == [
        [10.0, 0.5, -1.0],
        [10.0, 0.5, 0.0],
        [10.0, 0.5, 1.0],
        [15.0, 0.5, -1.0],
        [15.0, 0.5, 0.0],
        [15.0, 0.5, 1.0],
        [20.0, 0.5, -1.0],
        [20.0, 0.5, 0.0],
        [20.0, 0.5, 1.0],
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "CartPole-v1", "estimator__baseline": "value"},
        {"environment": "CartPole-v1", "estimator__baseline": "shared-value", "environment__hidden": (1, 3)},
        {"environment": "MountainCar-v0", "update": "dqn"},
        {"environment": "Pendulum-v1", "environment__frame_stack": 2, "environment__normalize_observations": True},
        {"environment": "Pendulum-v1", "update": "sac", "policy__distribution": "tanh-gaussian"},
        {"environment": "Pendulum-v1", "policy__distribution": "beta", "estimator__baseline": "none"},
        {"environment": "CartPolePositions-v0", "policy": "gru"},
    ],
    ids=["critic", "shared", "q", "stacked", "sac", "beta", "gru"],
)
def test_what_stands_on_a_slice_is_what_the_policy_does_point_by_point(changes: dict[str, Any]) -> None:
    training = Training(configured(**changes))
    _stir(training)
    snapshot = frozen(training)
    found = PolicyAtPoints(snapshot)
    components = found.coordinates.components
    held = tuple(0.3 * one.high for one in components)
    ranges = tuple((one.low, one.high) for one in components[:2])
    points = Cut((0, 1), ranges, held, points=3).states()  # type: ignore[arg-type]
    shown, policy = found.at(points), thawed(snapshot)
    seen = torch.from_numpy(found.coordinates.observed(points))
    assert seen.shape[1] == snapshot.environment.observation.size
    with torch.no_grad():
        for index in range(len(points)):
            one = policy.step(seen[index : index + 1], policy.start(1))[0]
            if shown.chances is not None:
                assert shown.chances[:, index] == pytest.approx(one.probabilities[0].numpy(), abs=1e-6)  # type: ignore[attr-defined]
                assert shown.greedy is not None
                assert shown.greedy[index] == int(one.mode())
            else:
                assert shown.middle is not None
                assert shown.middle[:, index] == pytest.approx(policy.taken(one.mode())[0].numpy(), abs=1e-5)
            if isinstance(one, EpsilonGreedy):
                assert shown.action_values is not None
                assert shown.action_values[:, index] == pytest.approx(one.values[0].numpy(), abs=1e-6)
            if shown.values is not None:
                assert shown.values[index] == pytest.approx(_value(training, seen[index : index + 1]), abs=1e-5)
    assert (shown.values is None) == (changes.get("estimator__baseline") == "none")


def _value(training: Training, seen: torch.Tensor) -> float:
    """V in one state, by what the run itself learns with."""
    learner: Any = training.learner
    policy = training.policy
    if policy.epsilon is not None:
        return float(policy.action_values(seen).max())
    if policy.value_head is not None:
        return float(policy.evaluate(seen, None)[1])
    if policy.squashes:
        return float(learner._rule._online.judge(seen, policy(seen).mode().tanh()).smallest)
    return float(learner._critic.value(seen))


def _stir(training: Training) -> None:
    """Weights that are not as flat as at the beginning."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in training.policy.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)


def test_a_critic_of_known_weights_says_what_its_formula_says_also_when_read_from_the_library() -> None:
    """Without a hidden layer V(s) = w·s + b; the position is hidden from it."""
    config = configured(environment="MountainCar-v0", estimator__baseline="value")
    config = with_values(config, {"estimator.baseline.hidden_sizes": ()})
    training = Training(config)
    snapshot = frozen(training)
    assert snapshot.value is not None
    names = sorted(snapshot.value)
    weights = {name: torch.tensor([[2.0, -30.0]]) if "weight" in name else torch.tensor([0.5]) for name in names}
    snapshot = replace(snapshot, value=weights)
    points = Cut((0, 1), ((-1.0, 0.5), (-0.07, 0.07)), (0.0, 0.0), points=5).states()
    formula = points @ np.array([2.0, -30.0]) + 0.5
    kept = from_bytes(to_bytes(Snapshot(snapshot, 0)), config, snapshot.environment).policy
    for policy in (snapshot, kept):
        assert PolicyAtPoints(policy).at(points).values == pytest.approx(formula, abs=1e-5)
    at = PolicyAtPoints(frozen(training))
    assert at.use(kept)
    assert at.at(points).values == pytest.approx(formula, abs=1e-5)
    assert not at.use(frozen(Training(configured(environment="CartPole-v1"))))


def test_spreads_are_in_the_units_of_the_environment() -> None:
    training = Training(configured(environment="Pendulum-v1", policy__distribution="gaussian"))
    found = PolicyAtPoints(frozen(training)).at(np.zeros((1, 2)))
    assert found.spread is not None
    assert found.spread[0, 0] == pytest.approx(2.0 * float(training.policy.log_std.detach().exp()))  # type: ignore[union-attr, operator]


def test_points_are_states_where_these_are_known_and_else_what_is_seen() -> None:
    turning = coordinates(environment="Pendulum-v1")
    assert isinstance(turning, Coordinates)
    assert [one.name for one in turning.components] == ["angle", "angular velocity"]
    assert turning.points(turning.observed(np.array([[2.0, -3.0]])))[0] == pytest.approx([2.0, -3.0])
    hidden = coordinates(environment="CartPole-v1", environment__hidden=(0,), environment__frame_stack=2)
    assert isinstance(hidden, Coordinates)
    seen = hidden.observed(np.array([[1.0, 2.0, 0.1, 0.2]]))[0]
    assert seen == pytest.approx([0.0, 0.0, 0.0, 2.0, 0.1, 0.2])
    assert hidden.points(seen[None])[0] == pytest.approx([np.nan, 2.0, 0.1, 0.2], nan_ok=True)
    positions = coordinates(environment="CartPolePositions-v0")
    assert isinstance(positions, Coordinates)
    assert positions.points(np.array([[1.0, 0.1]], np.float32))[0] == pytest.approx(
        [1.0, np.nan, 0.1, np.nan], nan_ok=True
    )
    lander = coordinates_of(configured(environment="LunarLander-v3"), inspect("LunarLander-v3"))
    assert isinstance(lander, Coordinates)
    assert (len(lander.components), turning.why_not) == (8, "")
    assert "LunarLander-v3 cannot be set to a state" in lander.why_not


def test_what_has_no_slice_says_why_not() -> None:
    assert "states of Grid world are numbered" in str(coordinates(environment="GridWorld-v0"))
    racing = configured(environment="CarRacing-v3", environment__options={"continuous": False})
    assert "seen in pictures" in str(coordinates_of(racing, inspect("CarRacing-v3")))
