"""Where a run's networks are computed, and why there."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch

from engine.catalogue import EnvironmentInfo
from engine.config import Device
from engine.errors import RequestError
from engine.policies.policy import Policy
from engine.rollouts import Sequences

_MARGIN = 1.2  # a GPU is taken only when it is clearly faster, so that the choice does not flip between runs


@dataclass(frozen=True)
class DeviceChoice:
    device: torch.device
    reason: str


def choose_device(wish: Device, policy: Policy, environment: EnvironmentInfo, rows: int) -> DeviceChoice:
    """The device for ``wish``; ``auto`` times one iteration of this size on the CPU and on the GPU there is.

    Args:
        rows: environments stepped side by side.

    Raises:
        RequestError: the wished device is not there.
    """
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
    seconds = {name: iteration_seconds(policy, environment, rows, torch.device(name)) for name in ("cpu", found)}
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


def _accelerator() -> str | None:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def iteration_seconds(policy: Policy, environment: EnvironmentInfo, rows: int, device: torch.device) -> float:
    """Network time of an iteration of 200 steps with ``rows`` environments: choosing actions, and one gradient."""
    model = copy.deepcopy(policy).to(device)
    state = model.start(rows)
    generator = torch.Generator(device).manual_seed(0)
    space = environment.observation
    shape, dtype = ((rows,), torch.int64) if space.kind == "discrete" else ((rows, space.size), torch.float32)
    observations = torch.zeros(shape, dtype=dtype)
    horizon, measured = 200, 20

    def act() -> None:
        with torch.inference_mode():
            model.step(observations.to(device), state)[0].sample(generator).cpu()

    batch = observations.to(device).repeat(horizon, *[1] * (observations.dim() - 1))

    lengths = torch.full((rows,), horizon)
    sequences = Sequences(lengths, state, torch.zeros(rows, dtype=torch.bool, device=device))

    def update() -> None:
        distribution = model.over(batch, sequences)
        distribution.log_prob(distribution.sample(generator).detach()).sum().backward()  # type: ignore[no-untyped-call]
        sum(parameter.grad.sum() for parameter in model.parameters() if parameter.grad is not None).item()  # type: ignore[union-attr]

    act()  # the first of each pays for loading kernels
    update()
    started = time.perf_counter()
    for _ in range(measured):
        act()
    acted = time.perf_counter()
    update()
    return (acted - started) * horizon / measured + time.perf_counter() - acted
