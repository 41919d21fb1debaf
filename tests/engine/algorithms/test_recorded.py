"""PPO as a GPU is given it, with the CPU in its place: nothing differs, and no step is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.algorithms.outcome import Outcome
from engine.algorithms.policy_gradient import proximal, recorded
from engine.networks.optimizers import Adam
from engine.reports.events import Updated
from engine.runtime import cuda_graph
from engine.runtime.cuda_graph import CudaGraph
from engine.training.training import Training
from tests.engine.replaying import Tape
from tests.engine.support import configured

WAITS = {"_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique", "_unique2"}
VALUE: dict[str, Any] = {"kind": "value", "hidden_sizes": (8,), "fit_steps": 0}
SHARED: dict[str, Any] = {"kind": "shared-value"}


def ppo(update: dict[str, Any] | None = None, baseline: dict[str, Any] = VALUE, **values: Any) -> Any:
    kind = values.get("policy", {}).get("kind", "mlp")
    given: dict[str, Any] = {"kind": "ppo-clip", "epochs": 3, "minibatch_size": 32, "learning_rate": 0.01}
    return configured(
        environment=values.pop("environment", "CartPole-v1"),
        policy=values.pop("policy", {}) | ({} if kind == "linear" else {"kind": kind, "hidden_sizes": (8,)}),
        collection={"kind": "fixed-length", "environments": 4, "steps": 24},
        estimator={"credit": "gae", "baseline": baseline, "normalize_advantages": True},
        update=given | (update or {}),
        budget={"environment_steps": 4 * 24 * 4},
        device="cpu",
        **values,
    )


def trained(config: Any) -> tuple[list[dict[str, float | None]], Tensor]:
    """What every iteration reports, and the parameters at the end."""
    training = Training(config)
    metrics = [
        {name: value for name, value in event.metrics.items() if "second" not in name}
        for event in training
        if isinstance(event, Updated)
    ]
    training.close()
    return metrics, torch.cat([parameter.detach().flatten() for parameter in training.policy.parameters()])


@pytest.fixture
def _as_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proximal, "on_device", lambda _: True)
    monkeypatch.setattr(proximal, "replays", lambda _: True)


CASES = {
    "value of its own": ppo(),
    "shared value": ppo(baseline=SHARED),
    "value fitted afterwards": ppo(baseline=VALUE | {"fit_steps": 3}),
    "penalty": ppo({"kind": "ppo-penalty"}),
    "multiplier": ppo({"kind": "ppo-lagrangian"}),
    "continuous": ppo(environment="Pendulum-v1"),
    "squashed": ppo(environment="Pendulum-v1", policy={"distribution": "tanh-gaussian", "spread": "per-state"}),
    "beta": ppo(environment="Pendulum-v1", policy={"distribution": "beta"}),
    "linear": ppo(policy={"kind": "linear"}),
    "normalised observations": ppo(environment={"id": "CartPole-v1", "normalize_observations": True}),
    "with an entropy bonus": ppo({"entropy_coefficient": 0.01}),
    "whole batch": ppo({"minibatch_size": 0}),
    "ragged minibatches": ppo({"minibatch_size": 36}),
    "schedules": ppo({"learning_rate_schedule": "linear", "clip_range_schedule": "linear"}),
    "stopped by the KL": ppo({"target_kl": 0.002, "learning_rate": 0.05}),
    "unclipped gradients": ppo({"max_grad_norm": 0.0}),
}


@pytest.mark.parametrize("case", ["value of its own", "shared value", "continuous"])
def test_what_cannot_be_recorded_is_the_same_as_on_the_cpu(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is done where one that was recorded would read and write."""
    config = CASES[case]
    before, reached = trained(config)
    monkeypatch.setattr(proximal, "on_device", lambda _: True)
    monkeypatch.setattr(proximal, "replays", lambda _: True)
    after, there = trained(config)
    assert after == before
    assert torch.equal(there, reached)


@pytest.fixture
def tapes(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """What is recorded meanwhile, and replayed."""
    made: list[Tape] = []

    def recorded_on_tape(graph: CudaGraph) -> Tape:
        made.append(Tape(graph._work))
        return made[-1]

    monkeypatch.setattr(CudaGraph, "_recorded", recorded_on_tape)
    monkeypatch.setattr(cuda_graph, "replays", lambda _: True)
    return made


@pytest.mark.usefixtures("_as_on_a_device")
@pytest.mark.parametrize("config", CASES.values(), ids=list(CASES))
def test_what_is_replayed_is_the_same_as_on_the_cpu(
    config: Any, tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a number that Python had while recording is left in it, and no memory but its own is written to or read."""
    there, reached = trained(config)
    with monkeypatch.context() as plain:
        plain.setattr(proximal, "on_device", lambda _: False)
        plain.setattr(proximal, "replays", lambda _: False)
        expected, wanted = trained(config)
    assert there == expected
    assert torch.equal(reached, wanted)
    constant = config.update.kind != "ppo-lagrangian" and config.update.learning_rate_schedule == "constant"
    assert len(tapes) == (constant and getattr(config.update, "target_kl", 0.0) == 0.0)
    assert all(tape.replays >= 2 for tape in tapes)


@pytest.mark.usefixtures("_as_on_a_device")
def test_a_changed_number_is_recorded_anew(tapes: list[Tape], monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another, since the second would hide that the first is overlooked."""
    changes: list[tuple[str, Any]] = [
        ("update.clip_range", 0.05),
        ("estimator.baseline.learning_rate", 0.1),
        ("exploration.temperature", 2.0),
    ]

    def changed() -> Tensor:
        training = Training(CASES["value of its own"])
        for event in training:
            if isinstance(event, Updated) and event.iteration <= len(changes):
                training.change(*changes[event.iteration - 1])
        training.close()
        return torch.cat([parameter.detach().flatten() for parameter in training.policy.parameters()])

    there = changed()
    assert len(tapes) == 1 + len(changes)
    monkeypatch.setattr(proximal, "replays", lambda _: False)
    assert torch.equal(there, changed())


@pytest.mark.usefixtures("_as_on_a_device")
def test_steps_are_repeated_from_update_to_update(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    original = recorded.RecordedStep

    def counted(*arguments: Any) -> Any:
        made.append(original(*arguments))
        return made[-1]

    monkeypatch.setattr(proximal, "RecordedStep", counted)
    trained(CASES["value of its own"])
    assert len(made) == 1  # of 4 iterations with 9 steps each
    trained(CASES["schedules"])
    assert len(made) == 1


def test_the_kl_stops_an_update_in_the_case_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise that case would show nothing."""
    taken: list[int] = []
    original = proximal._read
    monkeypatch.setattr(proximal, "_read", lambda told, *others: (taken.append(len(told)), original(told, *others))[1])
    trained(CASES["stopped by the KL"])
    assert 0 < min(taken) < 9


class Waits(TorchDispatchMode):
    """Notes whatever makes the host wait for a tensor's numbers."""

    def __init__(self, noted: list[str]) -> None:
        super().__init__()
        self._noted = noted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            isinstance(index, Tensor) and index.dtype == torch.bool
            for index in (args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else ())
        )
        if name in WAITS or by_mask:
            self._noted.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """In their order: "step" for every step of an optimiser, and what was waited for."""
    found: list[str] = []
    for name in ("tolist", "numpy", "cpu"):
        original = getattr(Tensor, name)

        def waiting(self: Tensor, *given: Any, _name: str = name, _original: Any = original, **more: Any) -> Any:
            found.append(_name)
            return _original(self, *given, **more)

        monkeypatch.setattr(Tensor, name, waiting)
    for name in ("tensor", "as_tensor", "from_numpy"):  # each a copy to the device, for which it is waited
        made = getattr(torch, name)

        def copying(*given: Any, _name: str = name, _original: Any = made, **more: Any) -> Any:
            found.append(_name)
            return _original(*given, **more)

        monkeypatch.setattr(torch, name, copying)
    step = Adam.step
    monkeypatch.setattr(Adam, "step", lambda self, rate: (found.append("step"), step(self, rate))[1])
    return found


@pytest.mark.usefixtures("_as_on_a_device")
@pytest.mark.parametrize("config", CASES.values(), ids=list(CASES))
def test_no_step_comes_after_the_host_has_waited(
    config: Any, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second update: the first makes and records things."""
    updates: list[list[str]] = []
    original = proximal.ProximalRule.update

    def update(self: Any, given: Any) -> Iterator[Any]:
        noted.clear()
        with Waits(noted):
            outcome: Outcome = yield from original(self, given)
        updates.append(list(noted))
        return outcome

    monkeypatch.setattr(proximal.ProximalRule, "update", update)
    trained(config)
    for seen in updates[1:]:
        steps = [k for k, what in enumerate(seen) if what == "step"]
        assert len(steps) >= 3
        assert [what for what in seen[: steps[-1]] if what != "step"] == []
        assert any(what != "step" for what in seen[steps[-1] :])
