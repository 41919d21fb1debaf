"""Policies and value functions: their size, how they start, and what they see."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig
from engine.config.estimators import ValueBaseline
from engine.config.parameters import with_values
from engine.config.policies import CNNPolicy, GRUPolicy, LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.experience.rollouts import Sequences
from engine.networks.networks import MLP, features
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    DiagonalGaussian,
    MultiCategorical,
    TanhGaussian,
)
from engine.policies.policy import LEAST_LOG_STD, MOST_LOG_STD, Policy
from engine.values.value_function import ValueFunction
from tests.each import each


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


SPREADS = [{"spread": "one"}, {"spread": "per-state"}]


def environment(observation: Space, action: Space) -> EnvironmentInfo:
    return EnvironmentInfo("Any-v0", "Any", "Any.", observation, action)


MANY_BOXES = environment(Space("box", 17), Space("box", 6, bounds=((-2.0, 2.0),)))
ACTIONS = {
    "softmax": [Space("discrete", 3), Space("multi-discrete", 5, parts=(2, 3))],
    "bernoulli": [Space("multi-binary", 3)],
    "gaussian": [Space("box", 2), Space("box", 2, bounds=((-1.0, 1.0), (0.0, 5.0)))],
    "tanh-gaussian": [Space("box", 2, bounds=((-1.0, 1.0), (0.0, 5.0)))],
    "beta": [Space("box", 2, bounds=((-2.0, 2.0),))],
}
SEEN = {
    "tabular": [Space("discrete", 5)],
    "linear": [Space("discrete", 5), Space("box", 3)],
    "mlp": [Space("discrete", 5), Space("box", 3), Space("box", 6, shape=(2, 3))],
    "gru": [Space("discrete", 5), Space("box", 3)],
    "cnn": [
        Space("box", 192, bounds=((0.0, 255.0),), shape=(8, 8, 3)),
        Space("box", 100, shape=(10, 10)),
        Space("box", 162, shape=(2, 9, 9)),
    ],
}
CONFIGS: dict[str, PolicyConfig] = {
    "tabular": TabularPolicy(),
    "linear": LinearPolicy(),
    "mlp": MLPPolicy(hidden_sizes=(8,)),
    "gru": GRUPolicy(hidden_size=8),
    "cnn": CNNPolicy(hidden_size=8),
}
FITTING = [
    (config.model_copy(update=spread | {"distribution": distribution}), environment(seen, action))
    for kind, config in CONFIGS.items()
    for seen in SEEN[kind]
    for distribution, actions in ACTIONS.items()
    for action in actions
    for spread in ([{}] if kind == "tabular" or "gaussian" not in distribution else SPREADS)
    if kind != "tabular" or distribution in ("softmax", "bernoulli")
]


def name(x: Any) -> str:
    if isinstance(x, EnvironmentInfo):
        return f"{x.observation}-{x.action}"
    return f"{x.kind}-{x.distribution}-{getattr(x, 'spread', '')}"


EVERY_FITTING = each(("config", "info"), FITTING, ids=name)


def observations_of(space: Space, count: int) -> Tensor:
    if space.kind == "discrete":
        return torch.randint(space.size, (count,), generator=generator())
    return torch.randn(count, space.size, generator=generator())


def first_step(model: Policy, observations: Tensor) -> Any:
    """The distribution at the start of an episode, of any policy."""
    with torch.no_grad():
        return model.step(observations, model.start(len(observations)))[0]


@EVERY_FITTING
def test_no_fitting_policy_is_refused(config: PolicyConfig, info: EnvironmentInfo) -> None:
    assert refusal(with_values(PolicyGradientConfig(), {"policy": config.model_dump()}), info) is None


@EVERY_FITTING
def test_the_parameter_count_is_the_models(config: PolicyConfig, info: EnvironmentInfo) -> None:
    model = Policy(config, info, generator())
    assert parameter_count(config, info) == sum(parameter.numel() for parameter in model.parameters())


@EVERY_FITTING
def test_actions_have_the_shape_and_type_the_environment_takes(config: PolicyConfig, info: EnvironmentInfo) -> None:
    distribution = first_step(Policy(config, info, generator()), observations_of(info.observation, 7))
    parts = {"discrete": (), "multi-discrete": (2,), "multi-binary": (3,), "box": (2,)}[info.action.kind]
    for actions in (distribution.sample(generator()), distribution.mode()):
        assert actions.shape == (7, *parts)
        assert actions.dtype == (torch.float32 if info.action.kind == "box" else torch.int64)
        assert distribution.log_prob(actions).shape == (7,)


@EVERY_FITTING
def test_every_parameter_of_a_policy_can_be_learned(config: PolicyConfig, info: EnvironmentInfo) -> None:
    model = Policy(config, info, generator())
    observations = observations_of(info.observation, 6)
    states = model.start(2)
    sequences = Sequences(torch.tensor([4, 2]), states, torch.zeros(2, dtype=torch.bool))
    distribution = model.over(observations, sequences)
    distribution.log_prob(distribution.sample(generator()).detach()).sum().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@EVERY_FITTING
def test_a_policy_as_it_was_does_not_change_with_the_policy(config: PolicyConfig, info: EnvironmentInfo) -> None:
    model = Policy(config, info, generator())
    distribution = first_step(model, observations_of(info.observation, 6))
    actions = distribution.sample(generator()).detach()
    before, old = distribution.log_prob(actions).detach().clone(), distribution.detach()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5)
    assert torch.equal(old.log_prob(actions), before)


@EVERY_FITTING
def test_acting_step_by_step_and_over_whole_sequences_is_the_same(config: PolicyConfig, info: EnvironmentInfo) -> None:
    model = Policy(config, info, generator())
    observations = observations_of(info.observation, 6)
    sequences = Sequences(torch.tensor([4, 2]), model.start(2), torch.zeros(2, dtype=torch.bool))
    with torch.no_grad():
        over = model.over(observations, sequences)
        actions, found = over.mode(), []
        for rows in (range(4), range(4, 6)):
            state = model.start(1)
            for row in rows:
                distribution, state = model.step(observations[row : row + 1], state)
                found.append(distribution.log_prob(actions[row : row + 1]))
    torch.testing.assert_close(over.log_prob(actions), torch.cat(found))


@pytest.mark.parametrize("hidden", [(1,), (5, 3), (2, 2, 2)])
def test_the_parameter_count_follows_the_hidden_layers(hidden: tuple[int, ...]) -> None:
    info = ENVIRONMENTS["Pendulum-v1"]
    config = MLPPolicy(hidden_sizes=hidden)
    model = Policy(config, info, generator())
    assert parameter_count(config, info) == sum(parameter.numel() for parameter in model.parameters())


@EVERY_FITTING
def test_a_policy_starts_nearly_undecided(config: PolicyConfig, info: EnvironmentInfo) -> None:
    distribution = first_step(Policy(config, info, generator()), observations_of(info.observation, 64))
    if isinstance(distribution, DiagonalGaussian):
        assert distribution.mean.abs().max().item() < 0.1
        assert distribution.log_std.abs().max().item() < 0.1
        return
    if isinstance(distribution, TanhGaussian | Beta):
        assert distribution.mode().std(0).max().item() < 0.1
        return
    even = 1.0 / info.action.size if isinstance(distribution, Categorical) else 0.5
    if isinstance(distribution, MultiCategorical):
        assert (distribution.probabilities - torch.tensor([1 / 2] * 2 + [1 / 3] * 3)).abs().max().item() < 0.03
    else:
        assert (distribution.probabilities - even).abs().max().item() < 0.03


@pytest.mark.parametrize("config", [LinearPolicy(), MLPPolicy(), GRUPolicy()], ids=lambda config: config.kind)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_divides_the_logits(config: PolicyConfig, temperature: float) -> None:
    info = environment(Space("box", 3), Space("discrete", 4))
    model = Policy(config, info, generator())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator(1))
    observations = observations_of(info.observation, 5)
    plain = first_step(model, observations)
    model.temperature = temperature
    torch.testing.assert_close(first_step(model, observations).logits, plain.logits / temperature)


@pytest.mark.parametrize("distribution", ["gaussian", "tanh-gaussian"])
def test_one_spread_is_the_same_in_every_state_and_a_spread_per_state_is_not(distribution: Any) -> None:
    info, observations = environment(Space("box", 3), ACTIONS["beta"][0]), torch.randn(9, 3, generator=generator())
    spreads = []
    for config in (MLPPolicy(distribution=distribution), MLPPolicy(distribution=distribution, spread="per-state")):
        found = first_step(Policy(config, info, generator()), observations)
        log_std = found.log_std if isinstance(found, DiagonalGaussian) else found.base.log_std
        spreads.append(log_std.expand(9, 2).std(0).max().item())
    assert spreads[0] == 0.0 < spreads[1]


@pytest.mark.parametrize("distribution", ["tanh-gaussian", "beta"])
def test_bounded_distributions_stay_between_the_bounds_of_each_action(distribution: Any) -> None:
    info = environment(Space("box", 3), Space("box", 2, bounds=((-1.0, 1.0), (0.0, 5.0))))
    policy = Policy(MLPPolicy(distribution=distribution), info, generator())
    actions = policy.to_environment(first_step(policy, torch.zeros(2000, 3)).sample(generator()))
    low, high = actions.min(0).values.tolist(), actions.max(0).values.tolist()
    assert (low[0] < -0.5, low[1] < 0.5, high[0] > 0.5, high[1] > 4.5) == (True, True, True, True)
    assert (low[0] >= -1.0, low[1] >= 0.0, high[0] <= 1.0, high[1] <= 5.0) == (True, True, True, True)


def test_a_tables_distribution_follows_the_switches_it_sets() -> None:
    info = environment(Space("discrete", 5), Space("multi-binary", 3))
    assert isinstance(first_step(Policy(TabularPolicy(), info, generator()), torch.tensor([0])), Bernoulli)


def test_the_value_head_stands_on_the_policys_own_features() -> None:
    """Its gradient reaches the body, and the policy's head not."""
    info = environment(Space("box", 3), Space("discrete", 4))
    model = Policy(MLPPolicy(hidden_sizes=(4,)), info, generator(), with_value=True)
    _, values = model.evaluate(torch.randn(5, 3, generator=generator()), None)
    assert values.shape == (5,)
    values.sum().backward()
    reached = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == {"body", "value_head"}


def test_a_value_head_does_not_change_the_policy() -> None:
    info = environment(Space("box", 3), Space("discrete", 4))
    observations = observations_of(info.observation, 5)
    found = [
        first_step(Policy(MLPPolicy(), info, generator(), with_value=shared), observations).logits
        for shared in (False, True)
    ]
    assert torch.equal(*found)


def test_the_initial_log_std_is_the_configured_one() -> None:
    model = Policy(LinearPolicy(initial_log_std=-1.5), MANY_BOXES, generator())
    distribution = model(torch.zeros(2, 17))
    assert isinstance(distribution, DiagonalGaussian)
    assert distribution.log_std.expand(2, 6).tolist() == [[-1.5] * 6] * 2


@pytest.mark.parametrize(
    "config", [MLPPolicy(), MLPPolicy(initialization="default"), MLPPolicy(hidden_sizes=(3,)), GRUPolicy()]
)
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


@pytest.mark.parametrize("space", [Space("discrete", 5), Space("box", 3), *SEEN["cnn"]], ids=str)
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
    closed = 3.0 * math.log(2.0 * math.pi * math.e) + 6.0 * math.log(2.0)  # of half-widths of 2
    assert distribution.entropy().tolist() == pytest.approx([closed] * 3, rel=1e-6)


FAR = ((5.0, 10.0), (-1.0, 1.0), (100.0, 200.0))


def test_a_gaussian_begins_in_the_middle_of_its_bounds_as_wide_as_they_are() -> None:
    info = environment(Space("box", 3), Space("box", 3, bounds=FAR))
    policy = Policy(MLPPolicy(), info, generator())
    found = first_step(policy, torch.zeros(20_000, 3))
    taken = policy.to_environment(found.sample(generator()))
    torch.testing.assert_close(taken.mean(0), torch.tensor([7.5, 0.0, 150.0]), atol=0.03 * 50.0, rtol=0.01)
    torch.testing.assert_close(taken.std(0), torch.tensor([2.5, 1.0, 50.0]), rtol=0.02, atol=0.0)
    entropy = sum(math.log(half) for half in (2.5, 1.0, 50.0)) + 1.5 * math.log(2.0 * math.pi * math.e)
    assert found.entropy()[0].item() == pytest.approx(entropy, rel=1e-6)


def test_of_an_action_only_some_of_whose_components_are_bounded_those_are_scaled() -> None:
    space = Space("box", 2, ranges=((5.0, 10.0), (-math.inf, math.inf)))
    policy = Policy(MLPPolicy(), environment(Space("box", 3), space), generator())
    assert policy.to_environment(torch.tensor([[-1.0, -7.0], [2.0, 0.5]])).tolist() == [[5.0, -7.0], [12.5, 0.5]]
    assert policy(torch.zeros(1, 3)).entropy().item() == pytest.approx(math.log(2.5) + math.log(2.0 * math.pi * math.e))


@pytest.mark.parametrize("bounds", [(), ((-1.0, 1.0),)])
def test_without_bounds_and_between_minus_1_and_1_the_environment_takes_a_gaussians_actions_themselves(
    bounds: tuple[tuple[float, float], ...],
) -> None:
    policy = Policy(MLPPolicy(), environment(Space("box", 3), Space("box", 2, bounds=bounds)), generator())
    actions = torch.randn(5, 2, generator=generator())
    assert not policy.translates
    assert policy.to_environment(actions) is actions


@pytest.mark.parametrize("spread", ["one", "per-state"])
@pytest.mark.parametrize("distribution", ["gaussian", "tanh-gaussian"])
@pytest.mark.parametrize(("far", "limit"), [(30.0, MOST_LOG_STD), (-30.0, LEAST_LOG_STD)])
def test_log_std_stays_within_its_limits_and_comes_back_from_them(
    spread: Any, distribution: Any, far: float, limit: float
) -> None:
    config = LinearPolicy(spread=spread, distribution=distribution)
    policy = Policy(config, environment(Space("box", 1), Space("box", 1, bounds=((-1.0, 1.0),))), generator())
    raw = policy.log_std if policy.log_std is not None else policy.head.bias  # type: ignore[union-attr]
    assert isinstance(raw, torch.nn.Parameter)
    with torch.no_grad():
        raw[-1] = far
    found: Any = policy(torch.zeros(4, 1))
    log_std = (found.base if distribution == "tanh-gaussian" else found).log_std
    assert set(log_std.flatten().tolist()) == {limit}
    log_std.sum().backward()
    assert raw.grad is not None
    assert raw.grad[-1].item() > 0.0
    if spread == "one":
        policy.keep_within_limits()
        assert raw.item() == limit
