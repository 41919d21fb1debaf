"""Libraries with runs in them, made without training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.catalogue.configured import changed, described
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import CheckpointRecord, NotedEvent, Reached, RunRecord, Status
from engine.training.checkpoint import to_bytes

ITERATION_COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", *METRICS)
EPISODE_COLUMNS = ("iteration", "return", "length", "end", "seconds")


def opened(folder: Path) -> Library:
    return Library(folder / "library")


def record(values: Mapping[str, Any] | None = None, **fields: Any) -> RunRecord:
    """A run at rest after 3 iterations, whose configuration is the default one with some ``values`` replaced."""
    config = with_values(PolicyGradientConfig(), dict(values or {}))
    made = RunRecord(
        id="",
        number=0,
        configuration=config.model_dump(mode="json"),
        status=Status.FINISHED,
        created=1_790_000_000.0,
        ended=1_790_000_003.0,
        reached=Reached(3, 300, 2, 0.75, 22.5, 22.5),
    )
    return replace(made, **fields)


def filled(library: Library, values: Mapping[str, Any] | None = None, **fields: Any) -> RunRecord:
    """Such a run in ``library``, with 3 iterations, 2 episodes and a note; the first has no mean return yet."""
    run = library.begin(record(values, **fields))
    rows = [
        [i, 100.0 * i, float(i > 1), 0.25 * i] + [1.0 / (3 + k + i) for k in range(len(METRICS))] for i in (1, 2, 3)
    ]
    numbers = np.array(rows)
    numbers[0, ITERATION_COLUMNS.index("mean_return")] = math.nan
    library.append(run.id, ITERATIONS, ITERATION_COLUMNS, numbers)
    episodes = np.array([[2.0, 20.1, 20.0, 180.0, 0.4], [3.0, 24.9, 25.0, 260.0, 0.6]])
    library.append(run.id, EPISODES, EPISODE_COLUMNS, episodes)
    library.note(run.id, NotedEvent("note", 2, 200, 1, 0.5, {"sentence": "All is well."}))
    return library.run(run.id)


def policy_for(config: RunConfig, seed: int = 0) -> Policy:
    """A policy as a run of ``config`` learns it, its parameters drawn at random."""
    plain = described(config.environment)
    assert plain is not None
    environment = changed(plain, config.environment)
    generator = torch.Generator().manual_seed(seed)
    normalizer = Normalizer(environment.observation.size) if config.environment.normalize_observations else None
    policy = Policy(config.policy, environment, generator, False, normalizer)
    with torch.no_grad():
        for tensor in policy.parameters():
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 9
            tensor.copy_(torch.randn(tensor.shape, generator=generator) / fan_in**0.5)
        if normalizer is not None:
            normalizer.update(5.0 + torch.randn(100, environment.observation.size, generator=generator))
    return policy


def keep(library: Library, run: RunRecord, policy: Policy, iteration: int = 3, *kinds: str) -> CheckpointRecord:
    """Put a checkpoint that holds nothing but the policy into the library."""
    state = {"config": run.config_now.model_dump(mode="json"), "learner": {"interaction": {"policy": policy.state()}}}
    data = to_bytes(state)
    path = library.run_folder(run.id) / "checkpoints" / f"{iteration}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    kept = CheckpointRecord(run.id, iteration, 100 * iteration, 0.0, path.name, len(data), kinds or ("last",), 22.5)
    library.keep_checkpoint(kept)
    return kept
