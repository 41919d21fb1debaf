"""Environments in worker processes that misbehave, and what is seen of the processes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.processes import ProcessBatch

HERE = "tests.engine.worker_environments"
MISBEHAVING, SPACES = f"{HERE}:Misbehaving-v0", f"{HERE}:Spaces-v0"
SEEDS = [2, 4, 7, 8, 10]  # of which environments with an odd one misbehave: index 2
EVERY = np.arange(5)


def misbehaving(
    what: str, during: str = "step", patience: float = 60.0, workers: int = 2, render: bool = False
) -> ProcessBatch:
    configuration = EnvironmentConfig(id=MISBEHAVING, options={"what": what, "during": during}, patience=patience)
    return ProcessBatch(configuration, SEEDS, workers, render=render)


def pids(batch: ProcessBatch) -> list[int]:
    return [worker.pid for worker in batch._workers]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # which it is from while it goes
        return False


def wait_until_gone(pid: int) -> None:
    for _ in range(600):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")
