"""What the rows about learning share: configurations of ours, and training until a condition holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig, RunConfig, presets
from engine.config.parameters import with_values
from engine.reports.events import Updated
from engine.training.totals import MEAN_OVER
from engine.training.training import Training

SOLVED = 475.0
LECTURE_POLICY = {"kind": "mlp", "hidden_sizes": [128], "activation": "relu"}


@dataclass(frozen=True)
class Reached:
    """Where a run stood when it ended; ``solved`` tells whether that was at the mean return asked for."""

    solved: bool
    steps: int
    episodes: int
    seconds: float


def algorithm(name: str, values: Mapping[str, Any]) -> RunConfig:
    """CartPole-v1 on the CPU with a named algorithm and, from there, ``values``."""
    config = with_values(PolicyGradientConfig(), {"environment": "CartPole-v1", "device": "cpu"})
    return with_values(choose(config, ALGORITHMS[name]), values)


def preset(name: str, values: Mapping[str, Any]) -> RunConfig:
    """A shipped preset's configuration on the CPU, with ``values``."""
    return with_values(presets.find(name).config, {"device": "cpu", **values})


def train_until(config: RunConfig, mean_return: float, keep: Callable[[Training], object] | None = None) -> Reached:
    """Train until the mean return of the last 100 episodes is reached, or the budget is used.

    ``seconds`` is wall clock from just before ``Training`` is made; ``keep`` is shown the training before it closes.
    """
    started = time.perf_counter()
    training = Training(config)
    solved = False
    for event in training:
        if isinstance(event, Updated) and event.episodes >= MEAN_OVER:
            mean = event.metrics["mean_return"]
            solved = mean is not None and mean >= mean_return
            if solved:
                break
    seconds = time.perf_counter() - started
    if keep is not None:
        keep(training)
    training.close()
    return Reached(solved, training.environment_steps, training.episodes, seconds)
