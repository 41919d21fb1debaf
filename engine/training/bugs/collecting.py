"""Experience collected wrongly: environments that are copies of one another, and a normaliser that learns from
evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.collection.collector import Collecting, Collector
from engine.collection.collectors import EpisodeCollector
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.make import make_batch
from engine.networks.normalizer import Normalizer
from engine.policies.actor import Actor
from engine.runtime.state import Parts, State
from engine.training.learners.interaction import MadeCollector, Placement, collector_alone

_Decided = tuple[Tensor, Tensor | None, Tensor | None]


class AlikeActor(Actor):
    """The same actor, which draws the same random numbers in every environment."""

    def __init__(self, actor: Actor) -> None:
        self.__dict__ = actor.__dict__  # whatever is set in one holds for both

    def decide(self, observations: Tensor, state: Tensor | None) -> _Decided:
        if bool((observations == observations[:1]).all()):
            first = super().decide(observations[:1], None if state is None else state[:1])
            actions, greedy, after = (None if part is None else _repeated(part, len(observations)) for part in first)
            assert actions is not None
            return actions, greedy, after
        numbers = self.generator.get_state()
        found: list[_Decided] = []
        for row in range(len(observations)):
            self.generator.set_state(numbers)
            rows = slice(row, row + 1)
            found.append(super().decide(observations[rows], None if state is None else state[rows]))
        actions, *rest = (_joined(column) for column in zip(*found, strict=True))
        assert actions is not None
        return actions, rest[0], rest[1]


def _repeated(row: Tensor, size: int) -> Tensor:
    return row.expand(size, *row.shape[1:]).clone()


def _joined(rows: tuple[Tensor | None, ...]) -> Tensor | None:
    there = [row for row in rows if row is not None]
    return torch.cat(there) if there else None


class AlikeCollector:
    """Environments of one seed, in all of which the same is done."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def state(self) -> State:
        return self._collector.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._collector.load(state)

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        return self._collector.collect(AlikeActor(actor), watched=watched)


def alike(placement: Placement) -> MadeCollector[Collector]:
    """As ``collector_alone``, all environments with the first one's seed."""
    made = collector_alone(replace(placement, seeds=placement.seeds[:1] * len(placement.seeds)))
    return replace(made, collector=AlikeCollector(made.collector))


class EvaluatingActor(Actor):
    """The same policy, which takes its most likely actions, with random numbers of its own."""

    def __init__(self, actor: Actor, generator: torch.Generator) -> None:
        self.__dict__ = actor.__dict__ | {"generator": generator, "greedy_share": 1.0}

    @property
    def normalizer(self) -> Normalizer | None:
        return self._policy.normalizer


class EvaluatingCollector:
    """Plays a greedy episode after every collection, in an environment of its own, and has the policy's normaliser take
    in what is seen there: before anything is learned from what was collected."""

    def __init__(self, collector: Collector, batch: EnvironmentBatch, placement: Placement) -> None:
        self.parts = Parts()
        self._collector = self.parts.add("collected", collector)
        evaluation = EpisodeCollector(batch, placement.environment, placement.device)
        self._evaluation = self.parts.add("evaluation", evaluation)
        generator = torch.Generator(placement.device).manual_seed(_own_seed(placement))
        self._generator = self.parts.add_generator("evaluating", generator)

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load(state)

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        collected = yield from self._collector.collect(actor, watched=watched)
        evaluating = EvaluatingActor(actor, self._generator)
        rollout, _ = yield from self._evaluation.collect(evaluating)
        if evaluating.normalizer is not None:
            evaluating.normalizer.update(rollout.flat(rollout.observations))
        return collected


def evaluated(placement: Placement) -> MadeCollector[Collector]:
    """As ``collector_alone``, with evaluation in between."""
    made = collector_alone(placement)
    batch, _ = make_batch(placement.config.environment, placement.space, [_own_seed(placement)])

    def close() -> None:
        made.close()
        batch.close()

    return replace(made, collector=EvaluatingCollector(made.collector, batch, placement), close=close)


def _own_seed(placement: Placement) -> int:
    return int(np.random.SeedSequence(placement.seeds).generate_state(1)[0])
