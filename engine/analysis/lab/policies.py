"""Policies that the lab looks at besides those that were kept."""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.analysis.playback import PolicySnapshot, snapshot
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.estimators import SharedValueBaseline
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds

NO_DENSITY = (
    "A greedy policy of action values, or one of a single action per state, has no probabilities that could be made "
    "larger; choose a run with a policy gradient."
)


def untrained(config: RunConfig, environment: EnvironmentInfo) -> PolicySnapshot:
    """The policy that a run of this configuration begins with.

    Raises:
        RequestError: it learns action values, and has no probabilities of its own.
    """
    if isinstance(config, ValueBasedConfig):
        raise RequestError(NO_DENSITY)
    normalizer = Normalizer(environment.observation.size) if config.environment.normalize_observations else None
    shared = isinstance(config, PolicyGradientConfig) and isinstance(config.estimator.baseline, SharedValueBaseline)
    generator: torch.Generator = Seeds(config.seed).generator()
    policy = Policy(policy_of(config, environment), environment, generator, shared, normalizer)
    return snapshot(policy, config, environment, 0)


def tempered(kept: PolicySnapshot, temperature: float) -> PolicySnapshot:
    """The same policy at another temperature, relative to its own: above 1 it is less decided, below 1 more."""
    return replace(kept, temperature=kept.temperature * temperature)
