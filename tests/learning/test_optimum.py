"""Learning as far as it can go: runs of seconds on processes whose best return is known, from policy iteration.

Returns are the oracle's, of the policy that a run ends with, so that no luck of its last episodes enters.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.config.validation import validated
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp import exact
from engine.reports.events import Updated
from engine.training.training import Training

GRID, LAKE = "GridWorld-v0", "FrozenLake-v1"
GAMMA = 0.97

CRITIC = {"credit": {"kind": "gae", "gae_lambda": 0.95}, "baseline": {"kind": "value", "hidden_sizes": []}}
CRITIC["baseline"] |= {"learning_rate": 0.1}  # type: ignore[operator]

EXACT = {
    "update": {"kind": "exact-gradient", "optimizer": "adam", "learning_rate": 0.3},
    "evaluation": {"episodes": 1},
}
NATURAL = {
    "update": {"kind": "natural-gradient", "learning_rate": 1.0, "max_kl": 0.05, "damping": 0.01},
    "collection": {"kind": "episodes", "episodes_per_update": 32},
    "estimator": CRITIC,
}
TRPO = NATURAL | {"update": {"kind": "trpo", "max_kl": 0.03, "damping": 0.01}}
PPO = {
    "update": {"kind": "ppo-clip", "learning_rate": 0.05, "epochs": 10, "minibatch_size": 256},
    "collection": {"kind": "fixed-length", "environments": 16, "steps": 64},
    "estimator": CRITIC,
}


def dynamics_of(id: str) -> exact.Dynamics:
    mdp = finite_mdp(id)
    assert mdp is not None
    return exact.dynamics_of(mdp)


def best_return(id: str, gamma: float) -> float:
    """Of policies that may change with the time left; a table that may not can fall short of it a little."""
    dynamics = dynamics_of(id)
    return (dynamics.initial @ exact.policy_iteration(dynamics, gamma).values[0]).item()


def undecided_return(id: str, gamma: float) -> float:
    dynamics = dynamics_of(id)
    uniform = torch.full_like(dynamics.rewards, 1.0 / dynamics.rewards.shape[-1])
    return exact.expected_return(dynamics, uniform, gamma).item()


def trained(id: str, gamma: float, steps: int, settings: dict[str, Any]) -> tuple[float, list[Updated]]:
    """J of the policy a run of ``steps`` ends with, and its updates."""
    estimator = {"gamma": gamma} | settings.get("estimator", {})
    rest = {"environment": id, "policy": "tabular", "device": "cpu", "budget": {"environment_steps": steps}}
    training = Training(validated(settings | rest | {"estimator": estimator}))
    updates = [event for event in training if isinstance(event, Updated)]
    training.close()
    dynamics = dynamics_of(id)
    with torch.no_grad():
        logits: Tensor = training.policy(torch.arange(len(dynamics.rewards))).logits  # type: ignore[union-attr]
    return exact.expected_return(dynamics, logits.double().softmax(-1), gamma).item(), updates


@pytest.mark.parametrize(
    ("settings", "steps", "margin"),
    [(EXACT, 2_000, 0.01), (NATURAL, 25_000, 0.05), (TRPO, 25_000, 0.05), (PPO, 25_000, 0.1)],
    ids=["exact ascent", "natural gradient", "trpo", "ppo"],
)
def test_a_table_learns_the_best_way_through_the_grid(settings: dict[str, Any], steps: int, margin: float) -> None:
    """The best return is 7.05, an undecided policy's −5.56."""
    best = best_return(GRID, GAMMA)
    assert undecided_return(GRID, GAMMA) < best - 10.0
    got, _ = trained(GRID, GAMMA, steps, settings)
    assert best - margin < got <= best + 1e-6


@pytest.mark.parametrize(("gamma", "margin"), [(0.99, 0.01), (1.0, 0.02)])
def test_exact_ascent_crosses_the_frozen_lake(gamma: float, margin: float) -> None:
    """The time limit of 100 counts: the best returns are 0.522 and 0.744, an undecided policy's 0.012 and 0.014."""
    best = best_return(LAKE, gamma)
    got, updates = trained(LAKE, gamma, 8_000, EXACT)
    assert undecided_return(LAKE, gamma) < 0.02
    assert best - margin < got <= best + 1e-9
    first = updates[0].metrics["exact_return"]
    assert first == pytest.approx(undecided_return(LAKE, gamma), abs=1e-6)


def test_exact_ascent_with_small_steps_only_climbs() -> None:
    slow = EXACT | {"update": {"kind": "exact-gradient", "optimizer": "sgd", "learning_rate": 0.02}}
    _, updates = trained(GRID, GAMMA, 3_000, slow)
    returns = [update.metrics["exact_return"] or 0.0 for update in updates]
    assert len(returns) > 20
    assert returns == sorted(returns)
