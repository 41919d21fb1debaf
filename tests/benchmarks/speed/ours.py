"""Runs of ours in a process of their own: how fast, where the time goes, and when a threshold is reached."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import engine.training.learners.interaction
from engine.config import RunConfig
from engine.config.validation import validated
from engine.environments.batches.interface import EnvironmentBatch
from engine.reports.events import Collected, Estimated, Updated
from engine.training.training import Training
from tests.benchmarks.speed import arithmetic
from tests.benchmarks.speed.zoo import BEYOND, MEAN_OVER


def run(config: str, steps: int, skip: int = 0) -> dict[str, Any]:
    """A fresh run of at least ``steps`` environment steps, whole iterations, timed without being made.

    The first ``skip`` iterations do not count.
    """
    training = Training(validated(json.loads(config)))
    iterations, before, mean_return = -skip, 0, None
    started = time.perf_counter()
    for event in training:
        if isinstance(event, Updated):
            iterations += 1
            mean_return = event.metrics["mean_return"]
            if iterations == 0:
                before, started = event.environment_steps, time.perf_counter()
            elif iterations > 0 and event.environment_steps - before >= steps:
                break
    elapsed = time.perf_counter() - started
    training.close()
    return {
        "steps": training.environment_steps - before,
        "seconds": elapsed,
        "iterations": iterations,
        "mean_return": mean_return,
        "stepping": training.stepping_reason,
    }


def split(config: str, steps: int) -> dict[str, Any]:
    """The same, and where its time went, in seconds per iteration.

    ``environment`` is stepping and resetting; ``acting`` the rest of collecting; then ``estimating`` and ``updating``.
    ``arithmetic`` is what their products alone take (``arithmetic.of_iteration``).
    """
    parsed = validated(json.loads(config))
    clock = {"environment": 0.0, "collecting": 0.0, "estimating": 0.0, "updating": 0.0}
    with _watched(clock):
        training = Training(parsed)
    clock["environment"] = 0.0
    iterations, calls = 0, 0
    last = started = time.perf_counter()
    for event in training:
        name = _ACTIVITIES.get(type(event))
        if name is not None:
            now = time.perf_counter()
            clock[name] += now - last
            last = now
        if isinstance(event, Collected):
            calls += _calls(parsed, event)
        if isinstance(event, Updated):
            iterations += 1
            if event.environment_steps >= steps:
                break
    elapsed = time.perf_counter() - started
    training.close()
    collecting = clock.pop("collecting")
    found = {name: spent / iterations for name, spent in clock.items()}
    found["acting"] = max(collecting - clock["environment"], 0.0) / iterations
    sizes = (training.environment.observation.size, *_hidden(parsed), training.environment.action.size)
    each, asked = training.environment_steps // iterations, max(1, calls // iterations)
    return found | {
        "total": elapsed / iterations,
        "steps": each,
        "arithmetic": arithmetic.of_iteration(parsed, sizes, each, asked),
        "stepping": training.stepping_reason,
    }


_ACTIVITIES: dict[type, str] = {Collected: "collecting", Estimated: "estimating", Updated: "updating"}


@contextmanager
def _watched(clock: dict[str, float]) -> Iterator[None]:
    """Have the environments of trainings that are made meanwhile add to the clock what they take."""
    make = engine.training.learners.interaction.make_batch

    def watched(*arguments: Any, **keywords: Any) -> tuple[EnvironmentBatch, str]:
        batch, how = make(*arguments, **keywords)
        for name in ("reset", "step"):
            setattr(batch, name, _timed(getattr(batch, name), clock))
        return batch, how

    with mock.patch.object(engine.training.learners.interaction, "make_batch", watched):
        yield


def _timed(work: Callable[..., Any], clock: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return work(*arguments)
        finally:
            clock["environment"] += time.perf_counter() - started

    return timed


def _calls(config: RunConfig, collected: Collected) -> int:
    """How often the policy was asked for what was collected."""
    collection = config.collection
    return collection.steps if collection.kind == "fixed-length" else int(collected.lengths.max())


def _hidden(config: RunConfig) -> tuple[int, ...]:
    return tuple(config.policy.hidden_sizes) if config.policy.kind == "mlp" else ()


def until(config: str, target: float, limit: float) -> dict[str, Any]:
    """Train until the mean return of the last 100 episodes is at ``target``, or ``limit`` seconds or ``BEYOND`` times
    the budget are used; timed from just before it is made."""
    parsed = validated(json.loads(config))
    started = time.perf_counter()
    training = Training(parsed)
    reached = False
    for factor in (1, BEYOND):
        if factor > 1:
            training.change("budget.environment_steps", factor * parsed.budget.environment_steps)
        for event in training:
            if isinstance(event, Updated):
                mean = event.metrics["mean_return"]
                reached = event.episodes >= MEAN_OVER and mean is not None and mean >= target
                if reached or time.perf_counter() - started > limit:
                    break
        if reached or time.perf_counter() - started > limit:
            break
    seconds = time.perf_counter() - started
    training.close()
    return {"reached": reached, "steps": training.environment_steps, "seconds": seconds}
