"""The batch around the dynamics: which environments it moves, what it remembers, and the same on a device."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.catalogue.environments import ENVIRONMENTS
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.streams import as_numpy
from engine.environments.dynamics.cartpole import POSITIONS
from engine.environments.dynamics.finite import FiniteDynamics
from engine.environments.dynamics.interface import Dynamics, torch_backend
from engine.environments.making.known_dynamics import finite_mdp

CPU, NOWHERE = torch.device("cpu"), torch.device("meta")
IDS = (
    "CartPole-v1",
    "CartPolePositions-v0",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "Acrobot-v1",
    "FrozenLake-v1",
    "GridWorld-v0",
    "Corridor-v0",
)


def built(id: str, seeds: list[int], device: torch.device | None = None, time_limit: int = 30) -> BatchedEnvironments:
    batch = batched(EnvironmentConfig(id=id, time_limit=time_limit), seeds, device)
    assert batch is not None
    return batch


def actions_for(id: str, count: int, generator: np.random.Generator) -> NDArray[Any]:
    space = ENVIRONMENTS[id].action
    if space.kind == "discrete":
        return generator.integers(space.size, size=count)
    return (2.0 * generator.normal(size=(count, space.size))).astype(np.float32)


def played(batch: BatchedEnvironments, id: str, steps: int, seed: int = 0) -> list[NDArray[Any]]:
    """All that a batch with numpy returns over ``steps`` steps by chance; what ends begins anew."""
    generator, every, told = np.random.default_rng(seed), np.arange(batch.size), []
    for _ in range(steps):
        moved = batch.step(actions_for(id, batch.size, generator), every)
        told += list(moved)
        over = np.flatnonzero(moved.terminated | moved.truncated)
        if len(over):
            told.append(batch.reset(over))
    return told


def same(one: list[NDArray[Any]], other: list[NDArray[Any]]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("id", IDS)
def test_shapes_and_types_are_those_of_every_batch(id: str) -> None:
    fast: EnvironmentBatch = built(id, [0, 1, 2], time_limit=0)
    general: EnvironmentBatch = GymnasiumBatch(EnvironmentConfig(id=id), [0, 1, 2])
    some, actions = np.array([0, 2]), actions_for(id, 2, np.random.default_rng(0))
    pairs = [(fast.reset(np.arange(3)), general.reset(np.arange(3))), (fast.reset(some), general.reset(some))]
    pairs += list(zip(fast.step(actions, some), general.step(actions, some), strict=True))
    for ours, theirs in pairs:
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    general.close()
    fast.close()


@pytest.mark.parametrize("id", IDS)
def test_a_call_moves_only_the_environments_it_names(id: str) -> None:
    one, other, every = built(id, [1, 2, 3]), built(id, [1, 2, 3]), np.arange(3)
    one.reset(every)
    other.reset(every)
    generator = np.random.default_rng(0)
    for _ in range(5):
        one.step(actions_for(id, 2, generator), np.array([0, 2]))
    actions = actions_for(id, 3, generator)
    alone, together = one.step(actions[1:2], np.array([1])), other.step(actions, every)
    for ours, theirs in zip(alone, together, strict=True):
        assert np.array_equal(ours[0], theirs[1])


@pytest.mark.parametrize("id", IDS)
def test_an_environment_depends_on_its_own_seed_alone(id: str) -> None:
    """Whatever the size of the batch, and however many episodes the others have begun."""
    steps, seven = 400, np.array([1])
    actions = actions_for(id, steps, np.random.default_rng(5))
    company, alone = built(id, [5, 7, 6], time_limit=3), built(id, [7], time_limit=3)
    company.reset(np.arange(3))
    alone.reset(np.arange(1))
    for step in range(steps):
        ours, theirs = company.step(actions[step : step + 1], seven), alone.step(actions[step : step + 1], np.arange(1))
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
        if ours.terminated[0] or ours.truncated[0]:
            company.reset(np.array([0]))
            assert np.array_equal(company.reset(seven), alone.reset(np.arange(1)))


@pytest.mark.parametrize("device", [None, CPU], ids=["numpy", "torch"])
@pytest.mark.parametrize("id", IDS)
def test_what_is_returned_is_not_overwritten_by_the_next_call(id: str, device: torch.device | None) -> None:
    batch, generator = built(id, [0, 1], device), np.random.default_rng(0)
    first = batch.restart()
    told = [first]
    for _ in range(3):
        taken = actions_for(id, 2, generator)
        told += list(batch.advance(taken if device is None else torch.from_numpy(taken)))
    kept = [as_numpy(part) for part in told]
    for _ in range(3):
        taken = actions_for(id, 2, generator)
        batch.advance(taken if device is None else torch.from_numpy(taken))
    batch.restart()
    assert same([as_numpy(part) for part in told], kept)


# --- stopping and going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", IDS)
def test_a_batch_goes_on_exactly_from_a_saved_state(id: str) -> None:
    """The same batch put back, and a fresh one of other seeds; all that follows is the same, later episodes too."""
    batch = built(id, [1, 2, 3], time_limit=7)
    batch.reset(np.arange(3))
    played(batch, id, 150)
    saved = batch.state()
    after = played(batch, id, 400, seed=1)
    for other in (batch, built(id, [9, 9, 9], time_limit=7)):
        other.load(saved)
        assert same(played(other, id, 400, seed=1), after)
    assert not same(played(batch, id, 400, seed=1), after)


@pytest.mark.parametrize("device", [None, CPU], ids=["numpy", "torch"])
def test_a_state_is_plain_data_of_its_own(device: torch.device | None) -> None:
    batch = built("CartPole-v1", [1, 2], device)
    batch.restart()
    saved = batch.state()
    parts = {name: saved[name] for name in ("states", "elapsed")} | saved["streams"]
    kept = copy.deepcopy(parts)
    batch.restart()
    assert all(isinstance(part, np.ndarray | int) and np.array_equal(part, kept[name]) for name, part in parts.items())


def test_the_state_of_a_batch_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"states must have the shape \[4, 3\], not \[4, 2\]"):
        built("CartPole-v1", [1, 2, 3]).load(built("CartPole-v1", [1, 2]).state())


# --- on a device ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("real", "close"), [(torch.float64, 1e-9), (torch.float32, 2e-3)], ids=["float64", "float32"])
@pytest.mark.parametrize("id", IDS)
def test_tensors_move_as_arrays_do(id: str, real: torch.dtype, close: float) -> None:
    """From the same states and random numbers; float32 is all that some devices have."""
    arrays, generator = built(id, [0]).dynamics, np.random.default_rng(0)
    tensors = on_torch(id, real)
    begins = generator.random((arrays.to_begin, 500))
    states, found = arrays.begin(begins), tensors.begin(torch.tensor(begins, dtype=real))
    for _ in range(60):
        np.testing.assert_allclose(found.numpy(), states, rtol=close, atol=close)
        assert found.dtype == (torch.int64 if states.dtype == np.int64 else real)
        seen = tensors.observe(found)
        np.testing.assert_allclose(seen.numpy(), arrays.observe(states), rtol=close, atol=close)
        assert seen.dtype == (torch.int64 if states.dtype == np.int64 else torch.float32)
        uniforms, actions = generator.random((1, 500)), actions_for(id, 500, generator)
        held = torch.tensor(states, dtype=found.dtype)
        found, rewards, terminated = tensors.step(held, torch.from_numpy(actions), torch.tensor(uniforms, dtype=real))
        states, paid, ended = arrays.step(states, actions, uniforms)
        np.testing.assert_allclose(rewards.numpy(), paid, rtol=close, atol=close)
        assert (terminated.numpy() != ended).mean() <= (0.0 if real == torch.float64 else 0.01)
        assert (rewards.dtype, terminated.dtype) == (real, torch.bool)


def on_torch(id: str, real: torch.dtype) -> Dynamics:
    backend = replace(torch_backend(CPU), real=real)
    mdp = finite_mdp(id)
    if mdp is not None:
        return FiniteDynamics(backend, mdp)
    return type(built(id, [0]).dynamics)(backend, **({"seen": POSITIONS} if id == "CartPolePositions-v0" else {}))  # type: ignore[call-arg]


@pytest.mark.parametrize("device", [None, CPU], ids=["numpy", "torch"])
@pytest.mark.parametrize("id", IDS)
def test_only_what_has_ended_begins_anew(id: str, device: torch.device | None) -> None:
    """The final observation stays in the transitions, and the others are shown as they were."""
    batch, generator, ended = (
        built(id, [1, 2, 3, 4], device),
        np.random.default_rng(0),
        np.array([1, 0, 0, 1], np.bool_),
    )
    batch.restart()
    for _ in range(3):
        taken = actions_for(id, 4, generator)
        moved = batch.advance(taken if device is None else torch.from_numpy(taken))
    before = batch.state()
    final = as_numpy(moved.observations)
    seen = as_numpy(batch.restart(ended if device is None else torch.from_numpy(ended)))
    after = batch.state()
    assert np.array_equal(as_numpy(moved.observations), final)
    assert np.array_equal(seen[~ended], final[~ended])
    assert np.array_equal(before["states"][..., ~ended], after["states"][..., ~ended])
    assert before["elapsed"].tolist() == [3, 3, 3, 3]
    assert after["elapsed"].tolist() == [0, 3, 3, 0]
    if after["states"].ndim > 1:
        assert not np.isclose(seen[ended], final[ended]).all(1).any()
    position = "used" if device is None else "drawn"
    moved_on = after["streams"][position] - before["streams"][position]
    assert moved_on.tolist() == (ended * batch.dynamics.to_begin).tolist()


@pytest.mark.parametrize("id", IDS)
def test_on_a_device_all_stays_in_the_same_memory(id: str) -> None:
    """A CUDA graph reads and writes the memory that it was captured with."""
    batch, generator = built(id, [1, 2], CPU), np.random.default_rng(0)
    memory = addresses(batch)
    batch.restart()
    for _ in range(3):
        with torch.inference_mode():
            moved = batch.advance(torch.from_numpy(actions_for(id, 2, generator)))
            batch.restart(moved.terminated | moved.truncated)
    batch.load(batch.state())
    assert addresses(batch) == memory


def addresses(batch: BatchedEnvironments) -> list[int]:
    held = [*vars(batch).values(), *vars(batch._streams).values()]
    return [tensor.data_ptr() for tensor in held if isinstance(tensor, torch.Tensor)]


class OnTheDeviceAlone(TorchDispatchMode):
    """Refuses whatever would read or write a tensor of the host's."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        met = [part for part in tree_leaves((args, kwargs, found)) if isinstance(part, torch.Tensor)]
        assert all(tensor.device == NOWHERE for tensor in met), func
        return found


@pytest.mark.parametrize("id", IDS)
def test_a_step_on_a_device_neither_waits_for_it_nor_sends_to_it(id: str) -> None:
    """On a device whose tensors hold nothing, reading one raises; shapes are the same whatever has ended."""
    batch = built(id, [1, 2, 3], NOWHERE)
    actions = torch.from_numpy(actions_for(id, 3, np.random.default_rng(0))).to(NOWHERE)
    with OnTheDeviceAlone():
        observations = batch.restart()
        moved = batch.advance(actions)
        again = batch.restart(moved.terminated | moved.truncated)
    assert moved.observations.shape == again.shape == observations.shape
    assert [part.shape for part in moved[1:]] == [(3,)] * 3


@pytest.mark.parametrize("id", IDS)
def test_on_a_device_too_an_environment_depends_on_its_own_seed_alone(id: str) -> None:
    company, alone = built(id, [5, 7, 6], CPU, 4), built(id, [7], CPU, 4)
    actions = torch.from_numpy(actions_for(id, 60, np.random.default_rng(0)))
    pairs = [(company.restart(), alone.restart())]
    for step in range(60):
        ours = company.advance(actions[step].expand(3, *actions.shape[1:]))
        theirs = alone.advance(actions[step : step + 1])
        pairs += list(zip(ours, theirs, strict=True))
        pairs.append(
            (company.restart(ours.terminated | ours.truncated), alone.restart(theirs.terminated | theirs.truncated))
        )
    assert all(torch.equal(ours[1], theirs[0]) for ours, theirs in pairs)


@pytest.mark.parametrize("id", IDS)
def test_on_a_device_too_a_batch_goes_on_exactly_from_a_saved_state(id: str) -> None:
    batch, actions = built(id, [1, 2, 3], CPU, 4), torch.from_numpy(actions_for(id, 150, np.random.default_rng(0)))

    def on_from(these: BatchedEnvironments) -> list[torch.Tensor]:
        told = []
        for some in actions.reshape(50, 3, *actions.shape[1:]):
            moved = these.advance(some)
            told += [*moved, these.restart(moved.terminated | moved.truncated)]
        return told

    batch.restart()
    on_from(batch)
    saved = batch.state()
    after = on_from(batch)
    for other in (batch, built(id, [9, 9, 9], CPU, 4)):
        other.load(saved)
        assert all(torch.equal(one, two) for one, two in zip(on_from(other), after, strict=True))


def test_numpys_batches_do_not_load_torch() -> None:
    code = (
        "import sys; from engine.environments.batches.batched import batched; "
        "from engine.config.environments import EnvironmentConfig; "
        "batched(EnvironmentConfig(), [0]).restart(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
