"""Several seeds of one configuration, trained in one process as if each had it to itself."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch

from engine.catalogue.spaces import Space
from engine.collection.collectors import Collector, FixedLengthCollector
from engine.config import RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.parameters import with_values
from engine.config.updates import GradientAscent
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.make import make_batch
from engine.reports.events import Event, Heartbeats
from engine.runtime.errors import RequestError, RunError
from engine.runtime.stopwatch import Stopwatch
from engine.training.many_seeds.actor import JointActor, activation_of
from engine.training.many_seeds.collectors import (
    JointCollector,
    JointEpisodeCollector,
    JointFixedLengthCollector,
    PendingCollection,
)
from engine.training.many_seeds.rules import Desk, JointAscent, JointFitting
from engine.training.training import Training

_T = TypeVar("_T")


def together_refusal(config: RunConfig) -> str | None:
    """Why seeds of ``config`` cannot be trained together; None where they can."""
    if config.policy.kind in ("gru", "cnn"):
        return f"a {config.policy.kind.upper()} policy does not act for several seeds at once"
    if config.update.kind == "exact-gradient":
        return "the exact gradient draws nothing that seeds could share the cost of"
    if config.device not in ("auto", "cpu"):
        return f"seeds are trained together on the CPU, not on {config.device}"
    return None


class Member(Training):
    """The run of one seed, which leaves the playing to the group it belongs to."""

    def __init__(self, config: RunConfig, desk: Desk, clock: Callable[[], float]) -> None:
        self.collection = PendingCollection()
        self._clock = clock
        super().__init__(config)
        self._learners: list[JointAscent | JointFitting] = []
        if isinstance(config.update, GradientAscent):
            self._rule = JointAscent(config.update, self.policy, desk)
            self._learners.append(self._rule)
            baseline = config.estimator.baseline
            if self._fitting is not None and isinstance(baseline, ValueBaseline) and baseline.minibatch_size == 0:
                self._fitting = JointFitting(baseline, self._fitting.value, desk)
                self._learners.append(self._fitting)

    @property
    def learning(self) -> bool:
        """Whether it waits for the desk."""
        return any(learner.waiting for learner in self._learners)

    def _collecting(self, space: Space, seeds: list[int]) -> Collector:
        self.space, self.places = space, seeds
        self.stepping_reason = ""
        return self.collection

    @property
    def seconds(self) -> float:
        """Seconds the whole group has been training."""
        return self._clock()

    def close(self) -> None:
        """The environments are the group's."""


class SeedsTogether:
    """Iterating gives the phases of all seeds' runs, each with its seed, until every budget is used.

    Every seed has a run of its own (``Training``), with its weights, environments and order of work: the same network
    at first and the same first observations as alone, the same estimates, updates and reports. What they share is the
    cost of playing: all environments step as one batch, and all policies are multiplied as one. Seeds are independent
    of each other; only the noise of their actions, and of changes to the environments, comes from other streams than
    alone.

    A seed that fails ends alone and is in ``failures``; the others go on.

    Raises:
        RequestError: on construction, when the configuration cannot work or its seeds cannot be trained together.
        RunError: while iterating, when the environments fail.
    """

    def __init__(self, config: RunConfig, seeds: Sequence[int]) -> None:
        if len(set(seeds)) < len(seeds) or not seeds:
            raise RequestError(f"Seeds trained together must be different numbers, not {list(seeds)}.")
        problem = together_refusal(config)
        if problem is not None:
            raise RequestError(f"These seeds cannot be trained together: {problem}.")
        own = [with_values(config, {"seed": seed, "device": "cpu"}) for seed in seeds]
        self._stopwatch = Stopwatch()
        self._desk = Desk()
        self.members = [Member(each, self._desk, lambda: self.seconds) for each in own]
        self.failures: dict[int, RunError] = {}
        self._collector, self._batch = self._playing(config, list(seeds))

    def _playing(self, config: RunConfig, seeds: list[int]) -> tuple[JointCollector, EnvironmentBatch]:
        first = self.members[0]
        places = [place for member in self.members for place in member.places]
        stream = np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0]
        noise = torch.Generator().manual_seed(int(stream >> 1))
        actor = JointActor(
            [member.policy for member in self.members], len(first.places), activation_of(config.policy), noise
        )
        batch, _ = make_batch(config.environment, first.space, places)
        try:
            if config.collection.kind == "episodes":
                return JointEpisodeCollector(batch, first.environment, actor, len(seeds)), batch
            collector = FixedLengthCollector(batch, first.environment, first.device, config.collection.steps)
            return JointFixedLengthCollector(collector, actor, len(seeds)), batch
        except RunError as error:
            batch.close()
            raise RequestError(str(error)) from None

    @property
    def seconds(self) -> float:
        """Seconds spent training so far; what the host does between phases does not count."""
        return self._stopwatch.seconds

    def close(self) -> None:
        """Free the environments."""
        self._batch.close()

    def __iter__(self) -> Iterator[tuple[int, Event]]:
        return self._stopwatch.timing(self._phases())

    def _phases(self) -> Generator[tuple[int, Event], None, None]:
        runs = [iter(member) for member in self.members]
        ready = list(range(len(runs)))
        while True:
            while ready:
                for index in ready:
                    yield from self._advance(index, runs[index])
                ready = [index for index in ready if self.members[index].learning]
                yield from self._alive(self._desk.settle())
            pending = {
                index: member.collection for index, member in enumerate(self.members) if member.collection.waiting
            }
            if not pending:
                return
            ready = yield from self._alive(self._collector.collect(pending))

    def _advance(self, index: int, run: Iterator[Event]) -> Generator[tuple[int, Event], None, None]:
        """One run's phases until it waits for others, ends or fails."""
        member = self.members[index]
        try:
            for phase in run:
                if member.collection.waiting or member.learning:
                    return
                yield member.config.seed, phase
        except RunError as error:
            self.failures[member.config.seed] = error

    def _alive(self, doing: Heartbeats[_T]) -> Generator[tuple[int, Event], None, _T]:
        """Hand on the signs of life of ``doing``, in the name of a seed that still runs."""
        running = (member for member in self.members if member.config.seed not in self.failures)
        member = next(running, self.members[0])
        while True:
            try:
                beat = next(doing)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            yield member.config.seed, replace(beat, environment_steps=member.environment_steps)
