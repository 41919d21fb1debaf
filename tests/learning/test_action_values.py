"""Tables of action values come to the exact answers, and to what is known of them: seeded, a second or less each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.algorithms.value_based.tabular import TabularRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import discrete
from engine.config import PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.parameters import with_values
from engine.config.presets import shipped
from engine.environments.making.known_dynamics import finite_mdp, process_of
from engine.experience.transitions import Transitions
from engine.maths.exploration import epsilon_greedy_probabilities
from engine.mdp.exact import action_values, dynamics_of, policy_iteration
from engine.policies.epsilon_greedy import sampled
from engine.policies.policy import Policy
from engine.reports.events import Collected
from engine.training.training import Training

Floats = NDArray[np.float64]
GAMMA = 0.9
LAKE, GRID, CLIFF = "FrozenLake-v1", "GridWorld-v0", "CliffWalking-v1"


def trained(config: RunConfig) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Q, how often each of it was learned from, and the returns of all episodes."""
    training = Training(config)
    returns = [event.returns for event in training if isinstance(event, Collected)]
    training.close()
    rule = training.learner._rule  # type: ignore[attr-defined]
    return rule._acting.astype(np.float64), np.sum(rule._visits, axis=0), np.concatenate(returns)


def configured(algorithm: str, environment: str, epsilon: float, values: dict[str, Any]) -> RunConfig:
    """64 environments side by side, the same random share throughout, and steps that fall as 1/n^0.7."""
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    return with_values(
        config,
        {
            "environment": environment,
            "device": "cpu",
            "collection.environments": 64,
            "exploration.epsilon_start": epsilon,
            "exploration.epsilon_end": epsilon,
            "estimator.gamma": GAMMA,
            "update.step_size": "1/n^0.7",
            "budget.environment_steps": 150_000,
        }
        | values,
    )


def off(learned: Floats, visits: NDArray[np.int64], true: Floats) -> float:
    """By how much a learned value is off, each as often as it was learned from, in units of the largest true one."""
    return float(np.average(np.abs(learned - true), weights=visits) / np.abs(true).max())


def truths(config: RunConfig, learned: Floats, epsilon: float) -> tuple[Floats, Floats]:
    """q* by policy iteration, and q_π of the ε-greedy policy in what was learned."""
    mdp = process_of(config.environment)
    assert mdp is not None
    dynamics = dynamics_of(replace(mdp, horizon=None))
    acting = epsilon_greedy_probabilities(torch.from_numpy(learned), epsilon)
    best = policy_iteration(dynamics, GAMMA).action_values
    return best.numpy(), action_values(dynamics, acting, GAMMA).numpy()


# --- the exact answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "environment", "values"),
    [
        ("q-learning", LAKE, {}),
        ("q-learning", GRID, {}),
        ("q-learning", CLIFF, {"update.step_size": "constant", "update.learning_rate": 1.0}),  # nothing there is chance
        ("double-q-learning", GRID, {}),
    ],
)
def test_q_learning_comes_to_the_best_values_whatever_policy_acts(
    algorithm: str, environment: str, values: dict[str, Any]
) -> None:
    config = configured(algorithm, environment, 0.7, values)
    learned, visits, _ = trained(config)
    best, acting = truths(config, learned, 0.7)
    assert off(learned, visits, best) < 0.02
    assert off(learned, visits, acting) > 4.0 * off(learned, visits, best)
    often = visits > 1_000
    assert often.sum() >= 20
    assert np.abs(learned - best)[often].max() < 0.06 * np.abs(best).max()


@pytest.mark.parametrize(
    ("algorithm", "environment", "n"),
    [("sarsa", LAKE, 1), ("sarsa", CLIFF, 3), ("expected-sarsa", GRID, 1), ("expected-sarsa", LAKE, 3)],
)
def test_sarsa_comes_to_the_values_of_the_policy_that_acts(algorithm: str, environment: str, n: int) -> None:
    config = configured(algorithm, environment, 0.3, {"estimator.n": n})
    learned, visits, _ = trained(config)
    best, acting = truths(config, learned, 0.3)
    assert off(learned, visits, acting) < 0.015
    assert off(learned, visits, best) > 4.0 * off(learned, visits, acting)


def test_what_q_learning_counts_of_random_actions_makes_its_values_too_low() -> None:
    """With n = 3, uncorrected, and said as a bias: it comes neither to q* nor to q_π, but below the one."""
    learned, visits, _ = trained(configured("q-learning", GRID, 0.7, {"estimator.n": 3}))
    best, acting = truths(configured("q-learning", GRID, 0.7, {}), learned, 0.7)
    assert np.average(learned - best, weights=visits) < -0.05 * np.abs(best).max()
    assert np.average(learned - acting, weights=visits) > 0.05 * np.abs(best).max()


def spoilt(how: str) -> Any:
    def learn(self: TabularRule, steps: Transitions) -> tuple[()]:
        ended, none = steps.terminated | steps.truncated, np.zeros_like(steps.truncated)
        if how == "bootstraps over terminations":
            return LEARN(self, replace(steps, terminated=none, truncated=ended))
        return LEARN(self, replace(steps, terminated=ended, truncated=none))

    return learn


LEARN = TabularRule.learn


@pytest.mark.parametrize("how", ["bootstraps over terminations", "takes truncations for ends"])
def test_what_confuses_the_ends_of_episodes_does_not(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world whose episodes are cut after 8 steps; what comes after its ends is never learned and stays at the
    initial value."""
    values = {"environment.time_limit": 8, "update.initial_value": 10.0, "budget.environment_steps": 80_000}
    config = configured("q-learning", GRID, 0.7, values)
    learned, visits, _ = trained(config)
    best, _ = truths(config, learned, 0.7)
    right = off(learned, visits, best)
    monkeypatch.setattr(TabularRule, "learn", spoilt(how))
    learned, visits, _ = trained(config)
    assert off(learned, visits, best) > 4.0 * right


# --- what the methods are told apart by -------------------------------------------------------------------------------


@cache
def on_the_cliff(name: str) -> tuple[list[int], float]:
    """The states of the greedy walk that a preset learns in 16 environments, and the mean return of the last 300
    episodes."""
    many = {"collection.environments": 16, "budget.environment_steps": 64_000}
    learned, _, returns = trained(with_values(shipped()[name].config, many))
    mdp = finite_mdp(CLIFF)
    assert mdp is not None
    walk, state = [], int(mdp.initial.argmax())
    while len(walk) < 30:
        walk.append(state)
        action = learned[state].argmax()
        if mdp.ends[state, action, 0]:
            break
        state = int(mdp.next_states[state, action, 0])
    return walk, float(returns[-300:].mean())


def test_sarsa_learns_the_safe_path_and_q_learning_the_one_along_the_edge() -> None:
    """Example 6.6 of Sutton & Barto (2018): rows of 12, the cliff in the last, the edge before it."""
    edge, falling = on_the_cliff("cliff-walking-q-learning")
    detour, careful = on_the_cliff("cliff-walking-sarsa")
    assert len(edge) == 13
    assert {state // 12 for state in edge[1:]} == {2}
    assert len(detour) in (15, 17)
    assert {state // 12 for state in detour if 3 <= state % 12 <= 8} <= {0, 1}
    assert falling < -40.0 < -30.0 < careful


def test_double_q_learning_is_not_taken_in_by_luck() -> None:
    """Example 6.7 of Sutton & Barto (2018): left of the first state one of 10 actions pays −0.1 on average, with a
    spread of 1, and right of it nothing. 300 learners side by side, each in two states of its own."""
    shares, values = {}, {}
    for algorithm in ("q-learning", "double-q-learning"):
        shares[algorithm], values[algorithm] = tempted(algorithm)
    assert shares["q-learning"] > shares["double-q-learning"] + 0.15
    assert values["q-learning"] > values["double-q-learning"] + 0.05


def tempted(algorithm: str, learners: int = 300, steps: int = 150) -> tuple[float, float]:
    """How often left is taken in the first state, and what it is taken to be worth in the end, −0.1 in truth."""
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    config = with_values(config, {"collection.environments": learners, "estimator.gamma": 1.0})
    assert isinstance(config, ValueBasedConfig)
    actions = 10
    info = replace(ENVIRONMENTS["Corridor-v0"], observation=discrete(2 * learners), action=discrete(actions))
    policy = Policy(config.policy, info, torch.Generator())
    policy.epsilon = 0.1
    generator, rng = torch.Generator().manual_seed(1), np.random.default_rng(1)
    rule = TabularRule(config, policy, generator)
    rule.begin(config, 0.0)
    first, in_second = 2 * np.arange(learners), np.zeros(learners, np.bool_)
    never, lefts, starts = np.zeros(learners, np.bool_), 0, 0
    for _ in range(steps):
        states = first + in_second
        taken = sampled(rule._acting[states], 0.1, generator)
        left = ~in_second & (taken % 2 == 0)  # of the ten actions of the first state every other goes left
        lefts, starts = lefts + int(left.sum()), starts + int((~in_second).sum())
        rewards = np.where(in_second, rng.normal(-0.1, 1.0, learners), 0.0)
        after = np.where(left, first + 1, states)
        done = Transitions(
            *(part[None] for part in (states, taken, rewards, ~left, never, after)), np.where(left, first + 1, first)
        )
        rule.learn(done)
        in_second = left
    return lefts / starts, float(rule._acting[first, ::2].max(-1).mean())
