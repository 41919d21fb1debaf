"""Policies and value functions: their size, how they start, and what they see."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue import ENVIRONMENTS, POLICIES, EnvironmentInfo, Space, choose, parameter_count, refusal
from engine.config import RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.policies import LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.policies.distributions import Categorical, DiagonalGaussian
from engine.policies.networks import MLP, features
from engine.policies.policy import Policy, ValueFunction


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def environment(observation: Space, action: Space) -> EnvironmentInfo:
    return EnvironmentInfo("Any-v0", "Any", "Any.", observation, action)


MANY_BOXES = environment(Space("box", 17), Space("box", 6))
FITTING = [
    (policy_id, info)
    for policy_id in POLICIES
    for info in (*ENVIRONMENTS.values(), MANY_BOXES)
    if refusal(choose(RunConfig(), POLICIES[policy_id]), info) is None
]


def observations_of(space: Space, count: int) -> Tensor:
    if space.kind == "discrete":
        return torch.randint(space.size, (count,), generator=generator())
    return torch.randn(count, space.size, generator=generator())


@pytest.mark.parametrize(("policy_id", "info"), FITTING, ids=lambda x: x if isinstance(x, str) else x.id)
def test_the_parameter_count_is_the_models(policy_id: str, info: EnvironmentInfo) -> None:
    config = choose(RunConfig(), POLICIES[policy_id]).policy
    model = Policy(config, info, generator())
    assert parameter_count(config, info) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("hidden", [(1,), (5, 3), (2, 2, 2)])
def test_the_parameter_count_follows_the_hidden_layers(hidden: tuple[int, ...]) -> None:
    info = ENVIRONMENTS["Pendulum-v1"]
    config = MLPPolicy(hidden_sizes=hidden)
    model = Policy(config, info, generator())
    assert parameter_count(config, info) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("policy_id", "info"), FITTING, ids=lambda x: x if isinstance(x, str) else x.id)
def test_a_policy_starts_nearly_undecided(policy_id: str, info: EnvironmentInfo) -> None:
    config = choose(RunConfig(), POLICIES[policy_id]).policy
    distribution = Policy(config, info, generator())(observations_of(info.observation, 64))
    if isinstance(distribution, Categorical):
        assert (distribution.probabilities - 1.0 / info.action.size).abs().max().item() < 0.03
    else:
        assert distribution.mean.abs().max().item() < 0.1
        assert torch.equal(distribution.log_std, torch.zeros(info.action.size))


def test_the_initial_log_std_is_the_configured_one() -> None:
    model = Policy(LinearPolicy(initial_log_std=-1.5), MANY_BOXES, generator())
    distribution = model(torch.zeros(2, 17))
    assert isinstance(distribution, DiagonalGaussian)
    assert distribution.log_std.tolist() == [-1.5] * 6


@pytest.mark.parametrize("config", [MLPPolicy(), MLPPolicy(activation="relu"), MLPPolicy(hidden_sizes=(3,))])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(config: PolicyConfig) -> None:
    info = ENVIRONMENTS["CartPole-v1"]
    first, again, other = (Policy(config, info, generator(seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_initialisation_leaves_torchs_global_generator_alone_in_its_result() -> None:
    info = ENVIRONMENTS["CartPole-v1"]
    torch.manual_seed(1)
    first = Policy(MLPPolicy(), info, generator(4)).state_dict()
    torch.manual_seed(2)
    second = Policy(MLPPolicy(), info, generator(4)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_hidden_weights_are_orthogonal_and_biases_zero() -> None:
    network = MLP((4, 8, 8, 2), "tanh", 0.01, generator())
    square: Any = network.layers[1]
    torch.testing.assert_close(square.weight @ square.weight.T, 2.0 * torch.eye(8), atol=1e-5, rtol=1e-5)
    assert all(not layer.bias.any() for layer in network.layers)


def test_discrete_observations_enter_as_one_hot_vectors() -> None:
    got = features(torch.tensor([2, 0]), Space("discrete", 3))
    assert got.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert got.dtype == torch.float32


def test_box_observations_enter_as_they_are() -> None:
    observations = torch.randn(2, 3)
    assert features(observations, Space("box", 3)) is observations


def test_a_table_learns_each_state_by_itself() -> None:
    info = environment(Space("discrete", 3), Space("discrete", 2))
    model = Policy(TabularPolicy(), info, generator())
    model(torch.tensor([1])).log_prob(torch.tensor([0])).sum().backward()
    (rows,) = model.parameters()
    assert rows.grad is not None
    assert rows.grad.tolist() == [[0.0, 0.0], [0.5, -0.5], [0.0, 0.0]]


@pytest.mark.parametrize("space", [Space("discrete", 5), Space("box", 3)])
@pytest.mark.parametrize("hidden", [(), (4,), (4, 4)])
def test_a_value_function_gives_one_number_per_observation(space: Space, hidden: tuple[int, ...]) -> None:
    value = ValueFunction(ValueBaseline(hidden_sizes=hidden), space, generator())
    assert value(observations_of(space, 7)).shape == (7,)


def test_a_value_function_without_layers_has_one_value_per_state() -> None:
    value = ValueFunction(ValueBaseline(hidden_sizes=()), Space("discrete", 5), generator())
    value(torch.tensor([3])).sum().backward()
    weight: Any = next(value.parameters())
    assert weight.grad.tolist() == [[0.0, 0.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_network_computes_what_its_layers_say(activation: Any) -> None:
    network = MLP((3, 4, 2), activation, 1.0, generator())
    first: Any
    last: Any
    first, last = network.layers
    inputs = torch.randn(5, 3, generator=generator())
    hidden = getattr(torch, activation)(inputs @ first.weight.T + first.bias)
    torch.testing.assert_close(network(inputs), hidden @ last.weight.T + last.bias)


def test_a_gaussian_policys_entropy_starts_in_closed_form() -> None:
    distribution = Policy(MLPPolicy(), MANY_BOXES, generator())(torch.zeros(3, 17))
    assert distribution.entropy().tolist() == pytest.approx([3.0 * math.log(2.0 * math.pi * math.e)] * 3, rel=1e-6)
