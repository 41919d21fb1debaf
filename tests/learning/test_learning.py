"""Learning itself, on problems of seconds: seeded, with thresholds far above chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.config import RunConfig
from engine.parameters import with_values
from engine.phases import Collected, Updated
from engine.training import Training
from tests.engine.support import Bandit, Corridor, Target, register


def trained(values: dict[str, Any]) -> tuple[Training, list[Updated], np.ndarray[Any, Any]]:
    """A finished run, its updates and the returns of all its episodes."""
    training = Training(with_values(RunConfig(), {"device": "cpu"} | values))
    updates: list[Updated] = []
    returns: list[np.ndarray[Any, Any]] = []
    for phase in training:
        if isinstance(phase, Updated):
            updates.append(phase)
        elif isinstance(phase, Collected):
            returns.append(phase.returns)
    training.close()
    return training, updates, np.concatenate(returns)


CARTPOLE_STEPS = 40_000


def test_the_default_configuration_learns_to_balance_a_pole() -> None:
    """Chance earns about 22."""
    _, updates, _ = trained({"budget.environment_steps": CARTPOLE_STEPS})
    mean_return = updates[-1].metrics["mean_return"]
    assert mean_return is not None
    assert mean_return > 150.0


@pytest.mark.parametrize(
    ("credit", "baseline"),
    [
        ("total-return", "none"),
        ("total-return", "average"),
        ("total-return", "value"),
        ("reward-to-go", "none"),
        ("reward-to-go", "average"),
        ("reward-to-go", "value"),
    ],
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_estimator_finds_the_better_arm(credit: str, baseline: str, optimizer: str) -> None:
    training, _, _ = trained(
        {
            "environment": register("Tests/Bandit-v0", Bandit),
            "policy": "tabular",
            "estimator.credit": credit,
            "estimator.baseline": baseline,
            "update.optimizer": optimizer,
            "update.learning_rate": 2.0 if optimizer == "sgd" else 0.2,
            "budget.environment_steps": 600,
        }
    )
    with torch.no_grad():
        assert training.policy(torch.tensor([0])).probabilities[0, 1].item() > 0.9


@pytest.mark.parametrize("policy", ["tabular", "linear", "mlp"])
def test_every_policy_finds_its_way_through_a_corridor(policy: str) -> None:
    """The best return is 5, six steps to the right; chance earns about −20."""
    _, _, returns = trained(
        {
            "environment": register("Tests/Corridor-v0", Corridor, limit=30),
            "policy": policy,
            "update.learning_rate": 0.01 if policy == "mlp" else 0.2,
            "budget.environment_steps": 5_000,
        }
    )
    assert returns[:32].mean() < -10.0
    assert returns[-32:].mean() > 3.0


@pytest.mark.parametrize("policy", ["linear", "mlp"])
def test_a_gaussian_learns_where_to_aim_and_to_aim_sharply(policy: str) -> None:
    """The best return is 0; a standard normal's is about −4."""
    _, _, returns = trained(
        {
            "environment": register("Tests/Target-v0", Target),
            "policy": policy,
            "update.learning_rate": 0.03,
            "collection.episodes_per_update": 32,
            "budget.environment_steps": 5_000,
        }
    )
    assert returns[:64].mean() < -2.0
    assert returns[-256:].mean() > -0.5


def test_the_entropy_bonus_keeps_a_policy_undecided() -> None:
    """β H outweighs a difference of 1 between the arms when β is 10: the optimum is a softmax of rewards / β."""
    training, _, _ = trained(
        {
            "environment": register("Tests/Bandit-v0", Bandit),
            "policy": "tabular",
            "update.entropy_coefficient": 10.0,
            "update.learning_rate": 0.02,
            "collection.episodes_per_update": 64,
            "budget.environment_steps": 5_000,
        }
    )
    with torch.no_grad():
        assert training.policy(torch.tensor([0])).probabilities[0, 1].item() == pytest.approx(
            1 / (1 + np.exp(-0.1)), abs=0.03
        )


def test_a_learning_rate_of_next_to_nothing_learns_nothing() -> None:
    """The thresholds above are not met by chance."""
    _, updates, _ = trained({"update.learning_rate": 1e-9, "budget.environment_steps": 5_000})
    mean_return = updates[-1].metrics["mean_return"]
    assert mean_return is not None
    assert mean_return < 40.0
