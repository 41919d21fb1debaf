"""Histories as runs report them, made up: one in which all is well, and others that differ from it in one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.analysis.doctor.reported import Reported
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.metrics import METRICS

ITERATIONS, EPISODES_EACH = 200, 8


def healthy(config: RunConfig | None = None, environment: str = "CartPole-v1", solved: float = 0.8) -> Reported:
    """A run that goes well, and has come ``solved`` of the way from a return of 20 to 500; its budget is used."""
    config = config or PolicyGradientConfig()
    config = with_values(config, {"environment.id": environment, "budget.environment_steps": ITERATIONS * 1000})
    draw = np.random.default_rng(1)
    rising = np.linspace(0.0, 1.0, ITERATIONS)
    steps = 1000.0 * (1 + np.arange(ITERATIONS))
    episodes = ITERATIONS * EPISODES_EACH
    returns = np.repeat(20.0 + solved * 480.0 * rising, EPISODES_EACH) * draw.uniform(0.7, 1.3, episodes)
    ends = np.repeat(steps, EPISODES_EACH) - np.tile(np.arange(EPISODES_EACH)[::-1], ITERATIONS)
    known = {
        "mean_return": 20.0 + solved * 480.0 * rising,
        "mean_length": 20.0 + solved * 480.0 * rising + draw.normal(0.0, 5.0, ITERATIONS),
        "loss": draw.normal(0.0, 1.0, ITERATIONS),
        "entropy": np.linspace(0.69, 0.3, ITERATIONS),
        "grad_norm": draw.uniform(0.5, 2.0, ITERATIONS),
        "explained_variance": np.minimum(rising * 3.0, 0.9) + draw.normal(0.0, 0.02, ITERATIONS),
        "value_loss": draw.uniform(50.0, 100.0, ITERATIONS),
        "advantage_mean": draw.normal(0.0, 1.0, ITERATIONS),
        "advantage_std": draw.uniform(8.0, 12.0, ITERATIONS),
        "largest_advantage": draw.uniform(3.0, 5.0, ITERATIONS),
        "surprise_at_limit": draw.normal(0.0, 0.3, ITERATIONS),
        "observation_scale": np.full(ITERATIONS, 1.0),
        "saturated_units": np.full(ITERATIONS, 0.1),
        "steps_per_second": draw.uniform(9e4, 1e5, ITERATIONS),
    }
    metrics = {name: known.get(name, np.full(ITERATIONS, np.nan)).astype(np.float32) for name in METRICS}
    return Reported(config, ENVIRONMENTS[environment], steps, steps / 1e3, metrics, returns, ends)


def told(reported: Reported, **metrics: Any) -> Reported:
    """The same, but that it told these of its metrics: a number, or one for each iteration."""
    changed = {name: np.broadcast_to(np.float32(value), reported.steps.shape) for name, value in metrics.items()}
    return replace(reported, metrics={**reported.metrics, **changed})


def returned(reported: Reported, returns: Any) -> Reported:
    """The same with other returns: a number, or one for each episode; their mean is reported with them."""
    given = np.broadcast_to(np.asarray(returns, np.float64), reported.ends.shape).copy()
    counts = np.searchsorted(reported.ends, reported.steps, "right")
    means = [given[max(count - 100, 0) : count].mean() for count in counts]
    return told(replace(reported, returns=given), mean_return=np.array(means))


def flat(reported: Reported, level: float = 25.0, spread: float = 5.0) -> Reported:
    """The same, with returns that never rise."""
    return returned(reported, level + spread * np.random.default_rng(2).standard_normal(len(reported.returns)))


def configured(reported: Reported, **values: Any) -> Reported:
    """The same with other values of its configuration, dots as two underscores."""
    paths = {path.replace("__", "."): value for path, value in values.items()}
    return replace(reported, config=with_values(reported.config, paths))
