"""Where a run's networks are computed, and why there."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection.device_collector import CHUNK, Chunk, DeviceEpisodes, environments_on
from engine.config import RunConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.experience.rollouts import Sequences
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

_HORIZON = 200  # steps of the iteration that is timed
_MOST_ROWS = 65_536  # of the gradient that is timed; of more, time and memory are in proportion
_MARGIN = 1.2  # a GPU is taken only when it is clearly faster, so that the choice does not flip between runs


@dataclass(frozen=True)
class DeviceChoice:
    device: torch.device
    reason: str


def choose_device(config: RunConfig, policy: Policy, environment: EnvironmentInfo, rows: int) -> DeviceChoice:
    """The device for ``config.device``; ``auto`` times one iteration of this size on the CPU and on the GPU there is.

    Args:
        environment: what is known of the environment, as learning sees it.
        rows: environments stepped side by side.

    Raises:
        RequestError: the wished device is not there.
    """
    wish = config.device
    if wish == "cpu":
        return DeviceChoice(torch.device("cpu"), "cpu, as chosen")
    found = _accelerator()
    if wish in ("cuda", "mps"):
        if found != wish:
            name = "an NVIDIA GPU that torch can use" if wish == "cuda" else "an Apple GPU that torch can use"
            raise RequestError(f"The device {wish} needs {name}, and there is none here; choose auto or cpu.")
        return DeviceChoice(torch.device(wish), f"{wish}, as chosen")
    if found is None:
        return DeviceChoice(torch.device("cpu"), "cpu, since there is no GPU that torch can use")
    cpu, gpu = torch.device("cpu"), torch.device(found)
    resident = environments_on(gpu, config, range(rows))
    beside = None if resident is None else batched(config.environment, range(rows), cpu)
    seconds = {
        "cpu": iteration_seconds(policy, environment, rows, cpu, beside),
        found: iteration_seconds(policy, environment, rows, gpu, resident),
    }
    return compared(seconds, found)


def compared(seconds: dict[str, float], accelerator: str) -> DeviceChoice:
    """The faster device of two measured ones, the CPU unless the accelerator is clearly faster."""
    chosen = accelerator if seconds[accelerator] * _MARGIN < seconds["cpu"] else "cpu"
    other = "cpu" if chosen == accelerator else accelerator
    return DeviceChoice(
        torch.device(chosen),
        f"{chosen}, since at this size an iteration takes {seconds[chosen] * 1e3:.0f} ms of network time there and "
        f"{seconds[other] * 1e3:.0f} ms on {other}",
    )


def is_there(device: str) -> bool:
    """Whether networks can be computed there."""
    return device in ("cpu", _accelerator())


def _accelerator() -> str | None:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def iteration_seconds(
    policy: Policy,
    environment: EnvironmentInfo,
    rows: int,
    device: torch.device,
    environments: BatchedEnvironments | None = None,
) -> float:
    """Seconds of an iteration of 200 steps with ``rows`` environments: choosing actions, and one gradient.

    Where ``environments`` are given, they are on the device and stepped as well; others are stepped elsewhere, so
    observations come from the host and actions go back to it.
    """
    model = copy.deepcopy(policy).to(device)
    generator = torch.Generator(device).manual_seed(0)
    actor = Actor(model, generator, device)
    shape, dtype = _rows(environment.observation, rows)
    observations = torch.zeros(shape, dtype=dtype)
    state = actor.start(rows)
    length = max(1, min(_HORIZON, _MOST_ROWS // rows))
    batch = observations.to(device).repeat(length, *[1] * (observations.dim() - 1))
    lengths = torch.full((rows,), length)
    sequences = Sequences(lengths, state, torch.zeros(rows, dtype=torch.bool, device=device))
    take = None
    if environments is not None and state is None:
        episodes = DeviceEpisodes(environments)
        episodes.restart()
        take = Chunk(episodes, actor, CHUNK).take

    def act() -> None:
        """``CHUNK`` steps."""
        if take is not None:
            take()
        else:
            with torch.inference_mode():
                for _ in range(CHUNK):
                    actor.decide(observations.to(device), state)[0].cpu()

    def update() -> None:
        distribution = model.over(batch, sequences)
        distribution.log_prob(distribution.sample(generator).detach()).sum().backward()  # type: ignore[no-untyped-call]
        sum(parameter.grad.sum() for parameter in model.parameters() if parameter.grad is not None).item()  # type: ignore[union-attr]

    for _ in range(2):  # the first of each pays for loading kernels, the second for recording them
        act()
    update()
    _wait(device)
    started = time.perf_counter()
    act()
    _wait(device)
    acted = time.perf_counter()
    update()
    return _HORIZON * ((acted - started) / CHUNK + (time.perf_counter() - acted) / length)


def _rows(space: Space, rows: int) -> tuple[tuple[int, ...], torch.dtype]:
    return ((rows,), torch.int64) if space.kind == "discrete" else ((rows, space.size), torch.float32)


def _wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
