"""Learning itself, on problems of seconds: seeded, with thresholds far above chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, Updated
from engine.training.training import Training
from tests.engine.support import Bandit, Corridor, Recall, Target, register


def trained(values: dict[str, Any]) -> tuple[Training, list[Updated], np.ndarray[Any, Any]]:
    """A finished run, its updates and the returns of all its episodes."""
    training = Training(with_values(PolicyGradientConfig(), {"device": "cpu"} | values))
    updates: list[Updated] = []
    returns: list[np.ndarray[Any, Any]] = []
    for event in training:
        if isinstance(event, Updated):
            updates.append(event)
        elif isinstance(event, Collected):
            returns.append(event.returns)
    training.close()
    return training, updates, np.concatenate(returns)


CARTPOLE_STEPS = 40_000


def test_the_default_configuration_learns_to_balance_a_pole() -> None:
    """Chance earns about 22."""
    _, updates, _ = trained({"budget.environment_steps": CARTPOLE_STEPS})
    mean_return = updates[-1].metrics["mean_return"]
    assert mean_return is not None
    assert mean_return > 150.0


def better_arm(values: dict[str, Any]) -> float:
    """The probability of the arm that pays, of a table that has been trained."""
    training, _, _ = trained(
        {
            "environment": register("Tests/Bandit-v0", Bandit),
            "policy": "tabular",
            "budget.environment_steps": 600,
        }
        | values
    )
    with torch.no_grad():
        probability: float = training.policy(torch.tensor([0])).probabilities[0, 1].item()
    return probability


@pytest.mark.parametrize(
    ("credit", "baseline"),
    [
        *(("total-return", kind) for kind in ("none", "average", "time-average", "leave-one-out", "optimal", "value")),
        *(("reward-to-go", kind) for kind in ("none", "average", "time-average", "leave-one-out", "optimal", "value")),
        ("n-step", "value"),
        ("gae", "value"),
    ],
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_estimator_finds_the_better_arm(credit: str, baseline: str, optimizer: str) -> None:
    rate = 2.0 if optimizer == "sgd" else 0.2
    values = {"estimator.credit": credit, "estimator.baseline": baseline, "update.learning_rate": rate}
    assert better_arm(values | {"update.optimizer": optimizer}) > 0.9


RULES = {
    "gradient-ascent": {"update.learning_rate": 0.2},
    "natural-gradient": {"update.max_kl": 0.1},
    "trpo": {"update.max_kl": 0.1},
    "ppo-clip": {"update.learning_rate": 0.05},
    "ppo-penalty": {"update.learning_rate": 0.05, "update.kl_coefficient": 0.1},
    "ppo-lagrangian": {"update.learning_rate": 0.05, "update.target_kl": 0.1},
    "off-policy": {"update.learning_rate": 0.1},
}


@pytest.mark.parametrize("rule", RULES)
def test_every_update_rule_finds_the_better_arm(rule: str) -> None:
    assert better_arm({"update": rule, "estimator.baseline": "average"} | RULES[rule]) > 0.9


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_every_optimiser_finds_the_better_arm(optimizer: str) -> None:
    rate = {"sgd": 2.0, "momentum": 0.5}.get(optimizer, 0.2)
    values = {"update.optimizer": optimizer, "estimator.baseline": "average"}
    assert better_arm(values | {"update.learning_rate": rate}) > 0.9


def test_off_policy_ascent_finds_the_better_arm_though_half_its_actions_are_greedy() -> None:
    values = {"update": "off-policy", "update.learning_rate": 0.1, "estimator.baseline": "average"}
    assert better_arm(values | {"exploration.greedy_start": 0.5, "exploration.greedy_end": 0.5}) > 0.9


@pytest.mark.parametrize("rule", ["ppo-clip", "ppo-lagrangian", "gradient-ascent"])
def test_fixed_length_rollouts_find_the_way_through_a_corridor(rule: str) -> None:
    """The best return is 5; of the episodes that end first, which are short, chance earns about −10."""
    _, _, returns = trained(
        {
            "environment": register("Tests/Corridor-v0", Corridor, limit=30),
            "policy": "tabular",
            "collection": {"kind": "fixed-length", "environments": 8, "steps": 16},
            "estimator.credit": "gae",
            "estimator.normalize_advantages": True,
            "estimator.baseline.learning_rate": 0.02,
            "update": rule,
            "update.learning_rate": 0.2 if rule == "gradient-ascent" else 0.05,
            "budget.environment_steps": 6_000,
        }
    )
    assert returns[:16].mean() < -5.0
    assert returns[-32:].mean() > 3.0


@pytest.mark.parametrize(("policy", "remembers"), [("gru", True), ("mlp", False)])
@pytest.mark.parametrize("rule", ["gradient-ascent", "ppo-clip"])
def test_only_a_memory_recalls_what_was_shown_once(policy: str, remembers: bool, rule: str) -> None:
    """Without one, no policy is right more often than in half of the episodes."""
    _, _, returns = trained(
        {
            "environment": register("Tests/Recall-v0", Recall),
            "policy": policy,
            "collection.episodes_per_update": 64,
            "estimator.baseline": "average",
            "estimator.normalize_advantages": True,
            "update": rule,
            "update.learning_rate": 0.01,
            "budget.environment_steps": 12_000,
        }
    )
    assert (returns[-500:].mean() > 0.9) == remembers
    assert remembers or abs(returns[-500:].mean() - 0.5) < 0.1


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
