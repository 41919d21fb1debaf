"""Where the networks are computed: what is not there is refused, and auto says why it chose."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.environments import EnvironmentConfig
from engine.config.policies import CNNPolicy, GRUPolicy, LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.environments.batches.batched import batched
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError
from engine.training import devices
from engine.training.devices import choose_device, compared, iteration_seconds
from tests.engine.support import configured

CARTPOLE = ENVIRONMENTS["CartPole-v1"]


@pytest.fixture
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def policy() -> Policy:
    return Policy(MLPPolicy(hidden_sizes=(4,)), CARTPOLE, torch.Generator())


@pytest.mark.usefixtures("_no_gpu")
@pytest.mark.parametrize("wish", ["cuda", "mps"])
def test_a_gpu_that_is_not_there_is_refused(wish: Any) -> None:
    with pytest.raises(RequestError, match=rf"^The device {wish} needs .*; choose auto or cpu\.$"):
        choose_device(configured(device=wish), policy(), CARTPOLE, 4)


@pytest.mark.usefixtures("_no_gpu")
def test_auto_without_a_gpu_is_the_cpu_and_says_why() -> None:
    choice = choose_device(configured(device="auto"), policy(), CARTPOLE, 4)
    assert choice.device.type == "cpu"
    assert "no GPU" in choice.reason


def test_the_cpu_is_taken_as_wished_without_timing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "iteration_seconds", None)
    assert choose_device(configured(device="cpu"), policy(), CARTPOLE, 4).reason == "cpu, as chosen"


@pytest.mark.parametrize(
    ("cpu", "cuda", "chosen"),
    [(1.0, 0.1, "cuda"), (1.0, 0.8, "cuda"), (1.0, 0.9, "cpu"), (1.0, 1.0, "cpu"), (0.1, 1.0, "cpu")],
)
def test_a_gpu_is_taken_only_when_it_is_clearly_faster(cpu: float, cuda: float, chosen: str) -> None:
    choice = compared({"cpu": cpu, "cuda": cuda}, "cuda")
    assert choice.device.type == chosen
    assert choice.reason.startswith(f"{chosen}, since ")


def test_environments_are_stepped_where_they_are_timed() -> None:
    environments = batched(EnvironmentConfig(id="CartPole-v1"), range(3), torch.device("cpu"))
    assert environments is not None
    assert iteration_seconds(policy(), CARTPOLE, 3, torch.device("cpu"), environments) > 0.0
    assert (environments.state()["states"] != 0.0).all()


def test_many_environments_take_no_more_memory_to_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 steps of 16,384 of them would be gigabytes, and seconds on the CPU, before a run begins."""
    seen: list[int] = []
    original = Policy.over
    monkeypatch.setattr(Policy, "over", lambda *given: (seen.append(len(given[1])), original(*given))[1])
    for rows, expected in ((4, 800), (10_000, 60_000)):
        iteration_seconds(policy(), CARTPOLE, rows, torch.device("cpu"))
        assert seen[-1] == expected


def test_the_reason_gives_both_times() -> None:
    reason = compared({"cpu": 0.25, "cuda": 0.05}, "cuda").reason
    assert "50 ms" in reason
    assert "250 ms" in reason


IMAGES = EnvironmentInfo("X-v0", "X", "X.", Space("box", 64, shape=(8, 8)), Space("multi-binary", 3))
PARTS = EnvironmentInfo("X-v0", "X", "X.", Space("box", 2), Space("multi-discrete", 5, parts=(2, 3)))
TIMED = [
    (config, info)
    for config in (LinearPolicy(), MLPPolicy(hidden_sizes=(4,)), GRUPolicy(hidden_size=4))
    for info in (CARTPOLE, ENVIRONMENTS["Pendulum-v1"], ENVIRONMENTS["FrozenLake-v1"], PARTS)
] + [(TabularPolicy(), ENVIRONMENTS["FrozenLake-v1"]), (CNNPolicy(hidden_size=4), IMAGES)]


@pytest.mark.parametrize(("config", "info"), TIMED, ids=lambda x: getattr(x, "kind", None) or x.id)
def test_an_iteration_can_be_timed_without_changing_the_policy(config: PolicyConfig, info: EnvironmentInfo) -> None:
    model = Policy(config, info, torch.Generator())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert iteration_seconds(model, info, 2, torch.device("cpu")) > 0.0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("config", [MLPPolicy(hidden_sizes=(4,)), GRUPolicy(hidden_size=4)], ids=lambda c: c.kind)
@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_the_timed_gradient_reaches_the_whole_network(
    environment: str, config: PolicyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the backward pass of an update is not in the measure."""
    info = ENVIRONMENTS[environment]
    model = Policy(config, info, torch.Generator())
    monkeypatch.setattr(devices.copy, "deepcopy", lambda given: given)
    iteration_seconds(model, info, 2, torch.device("cpu"))
    assert all(parameter.grad is not None for parameter in model.parameters())
