"""What every rule is that learns action values, and the one that a configuration asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.algorithms.value_based.dqn import DQNRule
from engine.algorithms.value_based.outcome import ValueOutcome
from engine.algorithms.value_based.tabular import TabularRule
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig
from engine.config.value_based import DQN
from engine.experience.transitions import Transitions
from engine.policies.policy import Policy
from engine.reports.update_events import UpdateStep
from engine.runtime.seeds import Seeds
from engine.runtime.state import Parts
from engine.values.target_network import Following, MakeFollowing


class ValueRule(Protocol):
    """Draws the values of a policy towards targets; ``parts`` are what it remembers beside them."""

    parts: Parts

    @property
    def explores_only(self) -> bool:
        """Whether actions are to be random, as nothing has been learned yet."""

    def begin(self, config: ValueBasedConfig, progress: float, watched: bool = False) -> None:
        """An iteration begins, with these settings at this share of the budget, 0 … 1. ``watched`` asks for every
        gradient step, where there are any; nothing else depends on it."""

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        """The episodes in these environments will not go on: what has not been learned of them yet is left."""

    def learn(self, transitions: Transitions) -> Iterable[UpdateStep | None]:
        """Update with the latest steps, to be gone through to the end; gives something now and then, where whoever goes
        through it may wait: None, or the gradient step that was taken, of whose iteration it does not know the number.

        Raises:
            RunError: a value is no longer a finite number.
        """

    def outcome(self) -> ValueOutcome:
        """What the updates since ``begin`` came to."""


def make_value_rule(
    config: ValueBasedConfig,
    policy: Policy,
    environment: EnvironmentInfo,
    seeds: Seeds,
    following: MakeFollowing = Following,
) -> ValueRule:
    """The rule of the configuration, for the values of ``policy``; a target network is made with ``following``."""
    if isinstance(config.update, DQN):
        return DQNRule(config, policy, environment, seeds, following)
    return TabularRule(config, policy, seeds.generator())
