"""Modules as parts of a run's state: complete, apart from the module it was taken from, and loaded in place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.estimators import ValueBaseline
from engine.config.policies import CNNPolicy, GRUPolicy, LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.networks.normalizer import Normalizer
from engine.networks.optimizers import ParameterVector
from engine.networks.stateful import StatefulModule
from engine.policies.policy import Policy
from engine.values.value_function import ValueFunction

BOX = EnvironmentInfo("Box", "Box", "", Space("box", 3, shape=(3,)), Space("box", 2, shape=(2,)))
IMAGE = EnvironmentInfo("Image", "Image", "", Space("box", 36 * 36, shape=(36, 36)), Space("discrete", 2))
STATES = EnvironmentInfo("States", "States", "", Space("discrete", 3), Space("discrete", 2))
VALUE = ValueBaseline(hidden_sizes=(4,))


def policy(config: PolicyConfig, environment: EnvironmentInfo = BOX) -> Callable[[int], StatefulModule]:
    def made(seed: int) -> Policy:
        normalizer = Normalizer(environment.observation.size) if environment is BOX else None
        if normalizer is not None:
            normalizer.update(torch.randn(5, environment.observation.size, generator=generator(seed)))
        return Policy(config, environment, generator(seed), config.kind == "mlp", normalizer)

    return made


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


MODULES: dict[str, Callable[[int], StatefulModule]] = {
    "tabular": policy(TabularPolicy(), STATES),
    "linear": policy(LinearPolicy(features="rbf")),
    "mlp": policy(MLPPolicy(hidden_sizes=(4,))),
    "gru": policy(GRUPolicy(hidden_size=4)),
    "cnn": policy(CNNPolicy(hidden_size=4), IMAGE),
    "value": lambda seed: ValueFunction(VALUE, BOX.observation, generator(seed), normalizer=Normalizer(3)),
    "normalizer": lambda _: Normalizer(3),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_what_its_state_says(name: str) -> None:
    first, second = MODULES[name](1), MODULES[name](2)
    vector = ParameterVector(second.parameters()) if list(second.parameters()) else None
    with torch.no_grad():
        for tensor in first.state_dict().values():
            tensor.copy_(torch.rand(tensor.shape, generator=generator(3)))
    state = first.state()
    expected = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    with torch.no_grad():
        for tensor in first.state_dict().values():
            tensor.zero_()
    second.load(state)
    assert second.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in second.state_dict().items())
    if vector is not None:
        assert torch.equal(vector.values, torch.cat([each.detach().flatten() for each in second.parameters()]))


def test_the_state_of_a_module_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="This state is of tensors"):
        policy(MLPPolicy(hidden_sizes=(4,)))(0).load(policy(MLPPolicy(hidden_sizes=(5,)))(0).state())
