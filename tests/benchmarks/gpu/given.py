"""What all parts of the GPU script are given, and what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from unittest import mock

import torch

from engine.config import RunConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.training.learners import interaction

_T = TypeVar("_T")


@dataclass(frozen=True)
class Given:
    """The device that is looked at, whether only to see that all works (``small``), and when to have ended."""

    device: torch.device
    small: bool
    end: float = field(default=float("inf"))

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.perf_counter()


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it should be (None where it is only told), and in what words."""

    name: str
    good: bool | None
    words: str

    def __str__(self) -> str:
        return f"{ {True: 'good', False: 'BAD', None: 'told'}[self.good]:>5}  {self.name}: {self.words}"


Say = Callable[[Finding], None]


def finished(generator: Generator[Any, None, _T]) -> _T:
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            found: _T = end.value
            return found


@contextmanager
def environments_there(device: torch.device) -> Iterator[None]:
    """Have environments stepped on the CPU by torch, as on a GPU, where that is the device."""
    if device.type != "cpu":
        yield
        return
    original = interaction.environments_on

    def there(at: torch.device, config: RunConfig, seeds: Sequence[int]) -> BatchedEnvironments | None:
        possible = original(torch.device("meta"), config, seeds[:1]) is not None
        return batched(config.environment, seeds, at) if possible else None

    with mock.patch.object(interaction, "environments_on", there):
        yield


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """‖x − y‖ / ‖y‖, 0 where both are 0."""
    mine, theirs = one.detach().double().cpu(), other.detach().double().cpu()
    length = theirs.norm().item()
    distance = (mine - theirs).norm().item()
    return distance / length if length > 0.0 else distance
