"""Shorthands for experiments, shared by the tests of the model and of the panel."""

from __future__ import annotations

from app.models.experiment import Experiment
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values


def experiment(environment: str = "CartPole-v1", **values: object) -> Experiment:
    paths = {path.replace("__", "."): value for path, value in values.items()}
    config = with_values(PolicyGradientConfig(), {"environment": environment, **paths})
    return Experiment(config, ENVIRONMENTS[environment])


def heard(signal: object) -> list[object]:
    """What the signal carries from now on."""
    words: list[object] = []
    signal.connect(lambda *values: words.append(values[0] if len(values) == 1 else values))
    return words
