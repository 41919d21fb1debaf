"""What the catalogue says of DQN's targets is measured: their mean beside the true values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.algorithms.value_based.dqn import DQNRule
from engine.catalogue.spaces import Space
from engine.config import ValueBasedConfig
from engine.config.parameters import with_values
from engine.environments.making.lookup import inspect
from engine.experience.transitions import Transitions
from engine.policies.policy import Policy
from engine.runtime.seeds import Seeds
from tests.engine.algorithms.test_dqn import LAKE, configured

# --- the largest of several noisy estimates ---------------------------------------------------------------------------


def mean_target(double: bool, worth: torch.Tensor) -> float:
    """Of steps into every state of a lake, where the actions are worth as much as ``worth`` says and both networks are
    off by noise of spread 1."""
    config = configured(update__double=double, estimator__gamma=1.0, update__target__every=10**6)
    generator = torch.Generator().manual_seed(4)
    found = []
    for _ in range(40):
        policy = Policy(config.policy, LAKE, torch.Generator())
        rule = DQNRule(config, policy, LAKE, Seeds(1))
        rule._following.load({"values": (worth + torch.randn(16, 4, generator=generator)).flatten(), "steps": 0})
        rule._online.vector.values.copy_((worth + torch.randn(16, 4, generator=generator)).flatten())
        rule.begin(config, 0.0)
        found.append(rule._following_values(torch.arange(16)).mean().item())
    return float(np.mean(found))


def test_the_largest_of_noisy_estimates_is_too_large_and_double_is_not() -> None:
    alike = torch.zeros(16, 4)
    assert mean_target(False, alike) == pytest.approx(1.03, abs=0.1)  # of four normal numbers the mean of the largest
    assert mean_target(True, alike) == pytest.approx(0.0, abs=0.1)


def test_of_a_doubled_network_the_value_of_what_is_taken_for_the_best_is_too_low_where_it_is_not() -> None:
    one_better = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(16, 4)
    assert 0.2 < mean_target(True, one_better) < 0.8
    assert mean_target(False, one_better) > 1.2


# --- steps that are drawn more often ----------------------------------------------------------------------------------


def rarely_paid(correction: float) -> float:
    """What the one step of an episode is taken to be worth in the end that pays 1 in a tenth of all cases, else 0."""
    config = configured(
        update__replay__sampling="prioritized",
        update__replay__priority_exponent=1.0,
        update__replay__importance_exponent=correction,
        update__replay__learning_starts=200,  # all of them
        update__replay__minibatch_size=1000,
        update__gradient_steps=40,
        update__optimizer="sgd",
        update__learning_rate=0.2,
        update__loss="squared",
        update__max_grad_norm=0.0,
    )
    policy = Policy(config.policy, LAKE, torch.Generator())
    rule = DQNRule(config, policy, LAKE, Seeds(1))
    rule.begin(config, 0.0)
    ends = np.ones((1, 1), np.bool_)
    state = np.zeros((1, 1), np.int64)
    for each in range(200):
        rewards = np.full((1, 1), float(each % 10 == 9))
        list(rule.learn(Transitions(state, state, rewards, ends, ~ends, state, state[0])))
    return rule._online.values(torch.tensor([0]))[0, 0].item()


def test_what_is_drawn_more_often_is_taken_for_more_frequent_unless_weights_make_up_for_it() -> None:
    """Drawn in proportion to its error, 1 − q, what is rare balances the rest, of which the error is q, where
    0.1 (1 − q)² = 0.9 q²."""
    assert rarely_paid(0.0) == pytest.approx(0.25, abs=0.02)
    assert rarely_paid(1.0) == pytest.approx(0.1, abs=0.02)
    assert 0.17 < rarely_paid(0.4) < 0.23


# --- the deadly triad -------------------------------------------------------------------------------------------------


def values_after(states: list[float], config: ValueBasedConfig) -> float:
    """How far from their true 0 values are once a network linear in the state has learned for long from steps out of
    these; from the state 1 one comes to 2, from there to the end, and nothing is ever paid.

    Source: Tsitsiklis & Van Roy (1996), "Feature-based methods for large scale dynamic programming".
    """
    line = replace(inspect("CartPole-v1"), observation=Space("box", 1))
    policy = Policy(config.policy, line, torch.Generator().manual_seed(1))
    rule = DQNRule(config, policy, line, Seeds(1))
    rule._online.vector.values.fill_(1.0)
    rule._following.load({"values": rule._online.vector.values, "steps": 0})
    rule.begin(config, 0.0)
    for _ in range(100):
        for action in (0, 1):
            for state in states:
                list(rule.learn(step(state, action)))
    return rule._online.values(torch.tensor([[1.0], [2.0]])).abs().max().item()


def step(state: float, action: int) -> Transitions:
    ends = np.array([[state == 2.0]])
    return Transitions(
        np.full((1, 1, 1), state, np.float32),
        np.array([[action]]),
        np.zeros((1, 1)),
        ends,
        ~ends,
        np.full((1, 1, 1), state + 1.0, np.float32),
        np.full((1, 1), 0.0, np.float32),
    )


def test_values_run_away_where_a_network_learns_from_itself_what_another_policy_did() -> None:
    linear = configured(
        environment="CartPole-v1",
        policy={"kind": "linear"},
        update__optimizer="sgd",
        update__learning_rate=0.05,
        update__loss="squared",
        update__max_grad_norm=0.0,
        update__target__rate=1.0,
        estimator__gamma=0.99,
    )
    assert values_after([1.0, 2.0], linear) < 0.2  # on what its policy would do they come to 0
    assert values_after([1.0], linear) > 100.0
    slow = with_values(linear, {"update.target.rate": 0.01})
    assert isinstance(slow, ValueBasedConfig)
    assert 3.0 < values_after([1.0], slow) < 30.0  # a slow target network holds it up, and does not prevent it
