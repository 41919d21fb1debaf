"""Runs of imitation, small and on the CPU, and what they give."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import torch

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.config.policies import MLPPolicy, PolicyConfig
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.training.training import Training

T = TypeVar("T")
SMALL = {"device": "cpu", "policy.hidden_sizes": (8,), "evaluation.episodes": 3, "budget.environment_steps": 10**6}


def over(work: Generator[Any, None, T]) -> T:
    """What ``work`` returns in the end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            found: T = stop.value
            return found


def updates(training: Training, count: int) -> list[Updated]:
    found: list[Updated] = []
    for event in training:
        if isinstance(event, Updated):
            found.append(event)
            if len(found) == count:
                break
    return found


def policy_in(environment: EnvironmentInfo, config: PolicyConfig | None = None) -> Policy:
    return Policy(config or MLPPolicy(hidden_sizes=(8,)), environment, torch.Generator().manual_seed(3))


def imitating(algorithm: str, environment: str, **values: Any) -> RunConfig:
    config = choose(PolicyGradientConfig.model_validate({"environment": environment}), ALGORITHMS[algorithm])
    given = {path.replace("__", "."): value for path, value in values.items()}
    return with_values(config, SMALL | given)
