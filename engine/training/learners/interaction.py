"""A policy in its environments: what every learner has that learns from acting."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from engine.catalogue.configured import changed
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection.collector import Collector, FinishedEpisodes
from engine.collection.collectors import EpisodeCollector, FixedLengthCollector
from engine.collection.device_collector import (
    DeviceEpisodeCollector,
    DeviceFixedLengthCollector,
    environments_on,
)
from engine.collection.reward_scaling import RewardScaling
from engine.collection.step_collector import StepCollector
from engine.config import ImitationConfig, PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.environments import Stepping
from engine.config.estimators import CollectionConfig, WholeEpisodes
from engine.config.value_based import StepwiseCollection
from engine.environments.batches.make import make_batch, stepping_of
from engine.environments.making.lookup import inspect
from engine.experience.rollouts import Rollout
from engine.networks.normalizer import Normalizer
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Collected, Event
from engine.runtime.errors import RefusedError, RequestError, RunError
from engine.runtime.seeds import Seeds
from engine.runtime.state import Parts, Stateful
from engine.training.devices import choose_device
from engine.training.learner import Moment
from engine.values.state_values import StateValues


@dataclass(frozen=True)
class Placement:
    """Where a policy is to act: what learning sees of the environment, what is observed before the changes made to it,
    a seed for each environment, and the policy's device."""

    config: RunConfig
    environment: EnvironmentInfo
    space: Space
    seeds: list[int]
    device: torch.device


C = TypeVar("C", bound=Stateful)


@dataclass(frozen=True)
class MadeCollector(Generic[C]):
    """A collector, how its environments are stepped, in a word and in a sentence, and what frees them."""

    collector: C
    stepping: Stepping
    reason: str
    close: Callable[[], None]


MakeCollector = Callable[[Placement], MadeCollector[Collector]]


class Interaction(Generic[C]):
    """The policy of a run, its actor, and the collector of its experience; all registered in ``parts``.

    Args:
        seeds: of the run's randomness, of which the first four are taken.
        with_value: whether the policy's network also predicts the value.
        make_collector: what collects.

    Raises:
        RequestError: the configuration cannot work, or the environment cannot be made.
        RunError: the environment fails while its cost is measured.
    """

    def __init__(
        self, config: RunConfig, seeds: Seeds, with_value: bool, make_collector: Callable[[Placement], MadeCollector[C]]
    ) -> None:
        plain = inspect(config.environment.id, config.environment.options, config.environment.patience)
        self.environment = changed(plain, config.environment)
        problem = refusal(config, self.environment)
        if problem is not None:
            raise RefusedError(problem)
        self.parts = Parts()
        normalize = config.environment.normalize_observations
        self.normalizer = Normalizer(self.environment.observation.size) if normalize else None
        wanted = policy_of(config, self.environment)
        policy = Policy(wanted, self.environment, seeds.generator(), with_value, self.normalizer)
        self.policy = self.parts.add("policy", policy)
        size = parallel_environments(config)
        chosen = choose_device(config, self.policy, self.environment, size)
        self.device, self.device_reason = chosen.device, chosen.reason
        self.policy.to(self.device)
        self.actor = self.parts.add("actor", Actor(self.policy, seeds.generator(self.device), self.device))
        self.value_generator = seeds.generator()
        self.rewards = self.parts.add("rewards", RewardScaling(config.environment))
        placement = Placement(config, self.environment, plain.observation, seeds.integers(size), self.device)
        made = make_collector(placement)
        self.collector = self.parts.add("collector", made.collector)
        self.stepping_reason, self.close = made.reason, made.close
        self.choices = {"device": self.device.type, "environment.stepping": made.stepping}


class RolloutInteraction(Interaction[Collector]):
    """One that a batch of experience at a time is learned from; its collector is of the run's own unless told
    otherwise."""

    def __init__(
        self, config: RunConfig, seeds: Seeds, with_value: bool, make_collector: MakeCollector | None = None
    ) -> None:
        super().__init__(config, seeds, with_value, make_collector or collector_alone)

    def explore(self, config: PolicyGradientConfig | PlanningConfig | ImitationConfig, progress: float) -> None:
        """Act as ``config`` has it at this share of the budget."""
        exploration = config.exploration
        self.policy.temperature = exploration.temperature
        self.policy.keep_within_limits()
        start, end = exploration.greedy_start, exploration.greedy_end
        self.actor.greedy_share = start + (end - start) * progress

    def collect(self, moment: Moment) -> Generator[Event, None, tuple[Rollout, Collected]]:
        """Experience for one update, with the rewards that learning is to see, and the event that tells of it."""
        rollout, finished = yield from self.collector.collect(self.actor, watched=moment.watched)
        told = collected(moment, finished)
        yield told
        return self.rewards.learned(rollout, moment.config.estimator.gamma), told


Acting = TypeVar("Acting", bound=Interaction[Any])


class InteractingLearner(Generic[Acting]):
    """The ``Learner`` of one run in which a policy acts; what an iteration makes of that is the family's."""

    def __init__(self, run: str, interaction: Acting) -> None:
        self._run, self._interaction = run, interaction
        self.parts = Parts()
        self.parts.add("interaction", interaction.parts)
        self.policy, self.environment = interaction.policy, interaction.environment
        self.device_reason, self.stepping_reason = interaction.device_reason, interaction.stepping_reason
        self.choices, self.close = interaction.choices, interaction.close

    @property
    def policies(self) -> dict[str, Policy]:
        return {self._run: self.policy}

    def state_values(self) -> StateValues | None:
        """What every numbered state is worth, as it is learned or planned beside the policy; None where it is not."""
        return None

    def critics(self) -> Tensor | None:
        """A copy, on the CPU, of the parameters of the networks of action values that the policy climbs; None where
        there are none."""
        return None

    def value_network(self) -> dict[str, Tensor] | None:
        """A copy, on the CPU, of the parameters of a network of V beside the policy, by name; None where there is
        none."""
        return None

    def repeats(self, run: str) -> bool:
        """Never: what it is collecting is not in the state."""
        return False

    def iterate(self, moments: Sequence[Moment]) -> Iterator[Event]:
        """As ``Learner.iterate``, of its one run."""
        (moment,) = moments
        for event in self._iteration(moment):
            yield replace(event, run=self._run)

    def _iteration(self, moment: Moment) -> Iterator[Event]:
        """What happens in an iteration, without the run's name."""
        raise NotImplementedError


def collection_of(config: RunConfig) -> CollectionConfig | StepwiseCollection:
    """What is played for an iteration; beside planning and a teacher, the episodes that show what the policy does."""
    if isinstance(config, PlanningConfig | ImitationConfig):
        return WholeEpisodes(episodes_per_update=config.evaluation.episodes)
    return config.collection


def parallel_environments(config: RunConfig) -> int:
    """How many environments are stepped side by side."""
    collection = collection_of(config)
    return collection.episodes_per_update if collection.kind == "episodes" else collection.environments


def collector_alone(placement: Placement) -> MadeCollector[Collector]:
    """Environments for this policy alone, on its device where they can be there.

    Raises:
        RequestError: the environment cannot be made, or takes too much memory.
        RunError: it fails while its cost is measured.
    """
    config, environment, device = placement.config, placement.environment, placement.device
    collection, budget = collection_of(config), config.budget.environment_steps
    assert collection.kind != "stepwise"
    resident = environments_on(device, config, placement.seeds)
    if resident is not None:
        on_device = (
            DeviceEpisodeCollector(resident, environment, budget)
            if collection.kind == "episodes"
            else DeviceFixedLengthCollector(resident, environment, collection.steps)
        )
        reason = f"environments are stepped on {device.type} as well"
        return MadeCollector(on_device, "auto", reason, resident.close)
    batch, reason = make_batch(config.environment, placement.space, placement.seeds)
    try:
        collector: Collector = (
            EpisodeCollector(batch, environment, device, budget)
            if collection.kind == "episodes"
            else FixedLengthCollector(batch, environment, device, collection.steps)
        )
        return MadeCollector(collector, stepping_of(batch), reason, batch.close)
    except RunError as error:
        batch.close()
        raise RequestError(str(error)) from None


def collected(moment: Moment, finished: FinishedEpisodes) -> Collected:
    """The event that tells of the episodes that an iteration ended."""
    return Collected(
        iteration=moment.iteration,
        environment_steps=finished.steps,
        returns=finished.returns,
        lengths=finished.lengths,
        ends=finished.taken,
    )


def step_collector_alone(placement: Placement) -> MadeCollector[StepCollector]:
    """As ``collector_alone``, of single steps."""
    batch, reason = make_batch(placement.config.environment, placement.space, placement.seeds)
    return MadeCollector(StepCollector(batch), stepping_of(batch), reason, batch.close)
