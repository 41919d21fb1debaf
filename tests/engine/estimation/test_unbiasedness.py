"""Estimators whose mean is the policy gradient, shown exactly: as sums over every batch that could be drawn.

Nothing is left to chance here. What each expectation is compared with comes from differentiating the expected return
itself, and the catalogue must agree that there is no bias.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.methods.biases import biases
from engine.config import RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.policies import GRUPolicy, MLPPolicy
from engine.estimation.estimators import estimate
from engine.mdp import exact
from engine.policies.policy import Policy
from engine.values.critics import SeparateCritic, SharedCritic
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.tiny_mdp import (
    FEW,
    SHORT,
    TINY,
    UNROLLED,
    Enumeration,
    Learner,
    Process,
    assert_gradient,
    configured,
    finish,
    mean,
    rollout_of,
    true_values,
    values,
)

WRONG = (5.0, -3.0)
WRONG_UNROLLED = (5.0, -3.0, 1.0, 2.0, -4.0, 6.0, 0.5, 7.0)


def assert_unbiased(process: Process, config: RunConfig, size: int = 1, **how: Any) -> None:
    """For J with the configuration's γ, from an episode's start to its time limit; and the catalogue says so too."""
    endless = replace(process.info, time_limit=None if how.get("cut") is False else process.limit)
    assert biases(config, endless) == ()
    assert_gradient(mean(process, config, size, **how), process.gradient(config.estimator.gamma))


@pytest.mark.parametrize("process", [TINY, SHORT, FEW, UNROLLED])
def test_the_listed_episodes_are_all_there_are(process: Process) -> None:
    total = sum(episode.probability(process.probabilities).item() for episode in process.episodes)
    assert total == pytest.approx(1.0)


def test_the_listed_episodes_end_in_both_ways() -> None:
    assert {episode.terminated for episode in TINY.episodes} == {True, False}
    assert {len(episode.states) for episode in TINY.episodes} == {1, 2, 3}


@pytest.mark.parametrize("process", [TINY, SHORT, FEW, UNROLLED])
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_the_listed_episodes_give_the_gradient_of_dynamic_programming(process: Process, gamma: float) -> None:
    dynamics = exact.dynamics_of(process.mdp(process.limit))
    expected = exact.exact_gradient(dynamics, exact.softmax_policy, process.theta.double(), gamma)
    torch.testing.assert_close(process.gradient(gamma), expected.flatten())


# --- without a learned value ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
@pytest.mark.parametrize("size", [1, 2])
def test_without_a_baseline_the_estimate_is_unbiased(credit: str, size: int) -> None:
    assert_unbiased(TINY, configured(credit), size)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_the_discounted_total_return_is_unbiased_for_the_discounted_objective(gamma: float) -> None:
    assert_unbiased(TINY, configured("total-return", gamma=gamma))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_the_reward_to_go_with_weighted_states_is_unbiased_for_the_discounted_objective(gamma: float) -> None:
    assert_unbiased(TINY, configured("reward-to-go", gamma=gamma, discount_states=True))


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_leaving_one_of_two_out_is_unbiased(credit: str) -> None:
    assert_unbiased(TINY, configured(credit, "leave-one-out"), 2)


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_leaving_one_of_three_out_is_unbiased(credit: str) -> None:
    assert_unbiased(FEW, configured(credit, "leave-one-out"), 3)


def test_leaving_one_out_of_discounted_rewards_to_go_is_unbiased_with_weighted_states() -> None:
    assert_unbiased(TINY, configured("reward-to-go", "leave-one-out", gamma=0.5, discount_states=True), 2)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_tempered_policy_follows_the_gradient_of_what_it_does(temperature: float) -> None:
    cooled = replace(TINY, theta=TINY.theta / temperature)
    learner = Learner(configured(), TINY.policy())
    learner.policy.temperature = temperature
    total = torch.zeros(4, dtype=torch.float64)
    for episode in TINY.episodes:
        total += episode.probability(cooled.probabilities) * Enumeration(TINY).gradient((episode,), learner)
    assert_gradient(total, cooled.gradient(1.0) / temperature)


# --- with a learned value ---------------------------------------------------------------------------------------------

WHOLE_EPISODES: list[Any] = [
    "reward-to-go",
    {"kind": "gae", "gae_lambda": 1.0},
]


@pytest.mark.parametrize("credit", ["total-return", *WHOLE_EPISODES])
def test_a_value_baseline_is_unbiased_however_wrong_its_values(credit: Any) -> None:
    """With the time limit as part of the process, so that nothing is completed with the wrong values."""
    assert_unbiased(TINY, configured(credit, "value"), critic=values(WRONG), cut=False)


@pytest.mark.parametrize("credit", WHOLE_EPISODES)
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_a_wrong_value_stays_unbiased_with_discounting_and_weighted_states(credit: Any, gamma: float) -> None:
    config = configured(credit, "value", gamma=gamma, discount_states=True)
    assert_unbiased(TINY, config, critic=values(WRONG), cut=False)


@pytest.mark.parametrize("n", [3, 4, 1000])
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_as_many_steps_as_an_episode_has_leave_no_room_for_a_wrong_value(n: int, gamma: float) -> None:
    config = configured({"kind": "n-step", "n": n}, "value", gamma=gamma, discount_states=True)
    assert_gradient(mean(TINY, config, critic=values(WRONG), cut=False), TINY.gradient(gamma))


@pytest.mark.parametrize("credit", ["total-return", *WHOLE_EPISODES, {"kind": "n-step", "n": 3}])
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_a_truncated_episode_goes_on_with_the_value_of_its_final_state(credit: Any, gamma: float) -> None:
    """The estimate is then unbiased for the objective in which V(s_T) is paid at the time limit."""
    config = configured(credit, "value", gamma=gamma, discount_states=credit != "total-return")
    assert_gradient(mean(TINY, config, critic=values(WRONG)), TINY.gradient(gamma, tail=WRONG))


BOOTSTRAPPED: list[Any] = [{"kind": "gae", "gae_lambda": share} for share in (0.0, 0.3, 0.9)]
BOOTSTRAPPED += [{"kind": "n-step", "n": n} for n in (1, 2, 3)]


@pytest.mark.parametrize("credit", BOOTSTRAPPED)
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_the_true_value_makes_every_shortcut_unbiased(credit: Any, gamma: float) -> None:
    config = configured(credit, "value", gamma=gamma, discount_states=True)
    got = mean(UNROLLED, config, critic=values(true_values(gamma)), cut=False)
    assert_gradient(got, UNROLLED.gradient(gamma))


FITTING = ValueBaseline(hidden_sizes=(), optimizer="sgd", learning_rate=0.3, fit_steps=3)


def fitted_value() -> ValueFunction:
    """One value per state, the same before every fit."""
    return ValueFunction(FITTING, TINY.info.observation, torch.Generator().manual_seed(0))


def test_a_value_fitted_on_independent_trajectories_is_unbiased() -> None:
    """Over every pair of an episode to fit V to and an episode to learn from."""
    config = configured("reward-to-go", {"kind": "value", "fitted_on": "independent"})
    assert biases(config, replace(TINY.info, time_limit=None)) == ()
    learner = Learner(config, TINY.policy())
    total = torch.zeros(4, dtype=torch.float64)
    for seen in TINY.episodes:
        fitting = ValueFitting(FITTING, fitted_value(), torch.Generator())
        critic = SeparateCritic(fitting.value)
        batch = finish(estimate(rollout_of([seen], cut=False), config.estimator, learner.policy, critic))
        finish(fitting.fit(batch, FITTING))
        for episode in TINY.episodes:
            weight = seen.probability(TINY.probabilities) * episode.probability(TINY.probabilities)
            total += weight * Enumeration(TINY, critic=critic, cut=False).gradient((episode,), learner)
    assert_gradient(total, TINY.gradient(1.0))


# --- policies that are no tables --------------------------------------------------------------------------------------


def chances_under(policy: Policy, seen_as: Tensor) -> list[Tensor]:
    """P(τ; θ) of every episode of ``SHORT``, acted out step by step, where state s looks like ``seen_as[s]``."""
    found = []
    for episode in SHORT.episodes:
        chance, memory = torch.tensor(episode.chance), policy.start(1)
        for state, action in zip(episode.states, episode.actions, strict=True):
            distribution, memory = policy.step(seen_as[[state]], memory)
            chance = chance * distribution.log_prob(torch.tensor([action])).exp()[0]
        found.append(chance)
    return found


def assert_unbiased_for_network(policy: Policy, config: RunConfig, seen_as: Tensor) -> None:
    """Over batches of two episodes, against ∇θ Σ P(τ; θ) R(τ) by differentiating that sum."""
    chances = chances_under(policy, seen_as)
    returned = torch.stack(chances) @ torch.tensor([sum(episode.rewards) for episode in SHORT.episodes])
    parts = torch.autograd.grad(returned, list(policy.parameters()), allow_unused=True, materialize_grads=True)
    learner, total = Learner(config, policy), torch.zeros((), dtype=torch.float64)
    critic = SharedCritic(policy) if config.estimator.baseline.kind == "shared-value" else None
    drawn = [(episode, chance.item()) for episode, chance in zip(SHORT.episodes, chances, strict=True)]
    for (one, p), (two, q) in product(drawn, repeat=2):
        states = rollout_of([one, two], cut=False)
        rollout = replace(states, observations=seen_as[states.observations], states=policy.start(2))
        total = total + p * q * learner.step(finish(estimate(rollout, config.estimator, policy, critic)))
    assert_gradient(total, torch.cat([part.flatten() for part in parts]))


@pytest.mark.parametrize("seen_as", [[0, 1], [0, 0]])
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_a_policy_with_a_memory_is_unbiased_even_where_states_look_alike(seen_as: list[int], credit: str) -> None:
    """The score function needs no Markov property ([Jethro]): only how likely the actions were, given what was seen."""
    policy = Policy(GRUPolicy(hidden_size=3), SHORT.info, torch.Generator().manual_seed(1))
    torch.nn.init.normal_(policy.head.weight, generator=torch.Generator().manual_seed(2))  # type: ignore[arg-type]
    assert_unbiased_for_network(policy, configured(credit), torch.tensor(seen_as))


def test_a_value_that_shares_the_policys_layers_is_unbiased_however_wrong() -> None:
    """With the coefficient 0 the update follows the policy gradient alone."""
    policy = Policy(MLPPolicy(hidden_sizes=(3,)), SHORT.info, torch.Generator().manual_seed(1), with_value=True)
    assert policy.value_head is not None
    torch.nn.init.constant_(policy.value_head.bias, 2.0)
    config = configured("reward-to-go", {"kind": "shared-value", "coefficient": 0.0})
    assert_unbiased_for_network(policy, config, torch.tensor([0, 1]))
