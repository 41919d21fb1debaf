"""Several seeds of one configuration, trained in one process as if each had it to itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from engine.algorithms.policy_gradient.rule import UpdateRule
from engine.algorithms.policy_gradient.rules import make_rule
from engine.collection.collector import Collector, EpisodeBound
from engine.collection.collectors import FixedLengthCollector
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.parameters import with_values
from engine.config.updates import GradientAscent
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.make import make_batch, stepping_of
from engine.policies.policy import Policy
from engine.reports.events import Event, Failed, Heartbeats, Updated
from engine.runtime.errors import RequestError, RunError
from engine.runtime.state import Parts, State
from engine.training.learner import Moment
from engine.training.learners.interaction import MadeCollector, Placement
from engine.training.learners.policy_gradient import Making, PolicyGradientLearner
from engine.training.many_seeds.actor import JointActor, activation_of
from engine.training.many_seeds.collectors import (
    JointCollector,
    JointEpisodeCollector,
    JointFixedLengthCollector,
    PendingCollection,
)
from engine.training.many_seeds.refusal import joint_refusal
from engine.training.many_seeds.rules import JointFitting, JointGradientAscent, JointRequests
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction

_T = TypeVar("_T")


def _of_seed(config: PolicyGradientConfig, seed: int) -> PolicyGradientConfig:
    seeded = with_values(config, {"seed": seed, "device": "cpu"})
    assert isinstance(seeded, PolicyGradientConfig)
    return seeded


class SeedLearner:
    """The learner of one seed, whose iteration waits while its experience is collected, or a gradient or fit computed,
    together with those of other seeds."""

    def __init__(self, config: PolicyGradientConfig, run: str, requests: JointRequests) -> None:
        self.run, self._config, self._requests = run, config, requests
        self.pending = PendingCollection()
        self.placement: Placement
        self._joint: list[JointGradientAscent | JointFitting] = []
        self._iteration: Iterator[Event] | None = None
        making = Making(self._take_placement, self._make_rule, self._make_fitting)
        self.learner = PolicyGradientLearner(config, run, making)

    @property
    def idle(self) -> bool:
        """Whether no iteration is under way."""
        return self._iteration is None

    @property
    def repeats(self) -> bool:
        """Whether its iteration only waits for what is collected: that is in the joint collector's state, and what was
        played before for V alone is in its own."""
        return self.pending.waiting

    @property
    def computing(self) -> bool:
        """Whether it waits for a gradient or a fit."""
        return any(part.waiting for part in self._joint)

    def begin(self, moment: Moment) -> None:
        """Begin an iteration."""
        self._iteration = self.learner.iterate([moment])

    def advance(self) -> Iterator[Event]:
        """What happens until it waits, or the iteration is over."""
        assert self._iteration is not None
        try:
            for event in self._iteration:
                if self.pending.waiting or self.computing:
                    return
                if isinstance(event, Updated):  # the last; whoever iterates may leave it at that
                    self._iteration = None
                yield event
        except RunError as error:
            self._iteration = None
            yield Failed(str(error), run=self.run)

    def state(self) -> State:
        """That of its learner, between two iterations or where it ``repeats``."""
        return self.learner.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``; an iteration that is under way is left."""
        self._iteration = None
        self.pending.forget()
        self._requests.forget()
        for part in self._joint:
            part.waiting = False
        self.learner.parts.load(state)

    def _take_placement(self, placement: Placement) -> MadeCollector[Collector]:
        self.placement = placement
        return MadeCollector(self.pending, "auto", "", lambda: None)

    def _make_rule(
        self, config: PolicyGradientConfig, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None
    ) -> UpdateRule:
        if not isinstance(config.update, GradientAscent):
            return make_rule(config, policy, generator, fitting)
        rule = JointGradientAscent(config.update, policy, self._requests)
        self._joint.append(rule)
        return rule

    def _make_fitting(self, config: ValueBaseline, value: ValueFunction, generator: torch.Generator) -> ValueFitting:
        if not isinstance(self._config.update, GradientAscent):
            return ValueFitting(config, value, generator)
        fitting = JointFitting(config, value, generator, self._requests)
        self._joint.append(fitting)
        return fitting


class ManySeedsLearner:
    """Learns in a run for every seed.

    Every seed has a learner of its own (``PolicyGradientLearner``), with its weights, environments and order of work:
    the same network at first and the same first observations as alone, the same estimates, updates and reports. What
    they share is the cost of collecting: all environments step as one batch, and all policies are multiplied as one.
    Seeds are independent of each other; only the noise of their actions, and of changes to the environments, comes from
    other streams than alone. A seed that fails ends alone; the others go on.

    Args:
        config: of every run, but for its seed.
        runs: the seed of each run, by the run's name.

    Raises:
        RequestError: the configuration cannot work or its seeds cannot be trained together.
    """

    def __init__(self, config: RunConfig, runs: Mapping[str, int]) -> None:
        problem = joint_refusal(config)
        if problem is not None:
            raise RequestError(f"These seeds cannot be trained together: {problem}.")
        assert isinstance(config, PolicyGradientConfig)  # others are refused
        self._requests = JointRequests()
        self._seeds = [SeedLearner(_of_seed(config, seed), run, self._requests) for run, seed in runs.items()]
        first = self._seeds[0].learner
        self.environment, self.device_reason = first.environment, "cpu, where seeds are trained together"
        self.parts = Parts()
        for seed, number in zip(self._seeds, runs.values(), strict=True):
            self.parts.add(f"seed {number}", seed)
        collector, self._batch, self.stepping_reason = self._joint_collector(config, list(runs.values()))
        self._collector = self.parts.add("collector", collector)
        self.ending = 0  # how many ``Updated`` follow the one that was just given, before anything else is done
        self.choices = {"device": "cpu", "environment.stepping": stepping_of(self._batch)}

    def _joint_collector(
        self, config: PolicyGradientConfig, seeds: list[int]
    ) -> tuple[JointCollector, EnvironmentBatch, str]:
        first = self._seeds[0].placement
        environment_seeds = [seed for each in self._seeds for seed in each.placement.seeds]
        stream = np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0]
        noise = torch.Generator().manual_seed(int(stream >> 1))
        policies = [each.learner.policy for each in self._seeds]
        actor = JointActor(policies, len(first.seeds), activation_of(config.policy), noise)
        batch, reason = make_batch(config.environment, first.space, environment_seeds)
        try:
            if config.collection.kind == "episodes":
                bound = EpisodeBound(first.environment, config.budget.environment_steps)
                return JointEpisodeCollector(batch, first.environment, actor, len(seeds), bound), batch, reason
            collector = FixedLengthCollector(batch, first.environment, first.device, config.collection.steps)
            return JointFixedLengthCollector(collector, actor, len(seeds)), batch, reason
        except RunError as error:
            batch.close()
            raise RequestError(str(error)) from None

    @property
    def policies(self) -> dict[str, Policy]:
        return {seed.run: seed.learner.policy for seed in self._seeds}

    def repeats(self, run: str) -> bool:
        """As ``Learner.repeats``: true of every run that is under way as the last ``Updated`` of an ``iterate`` is
        given."""
        return next(seed.repeats for seed in self._seeds if seed.run == run)

    def close(self) -> None:
        """Free the environments."""
        self._batch.close()

    def iterate(self, moments: Sequence[Moment]) -> Iterator[Event]:
        """As ``Learner.iterate``: seeds whose iteration takes longer go on with it when others begin their next, also
        where the last ``iterate`` was left at an ``Updated`` of another.

        ``Updated`` are given at the end, when all seeds have come as far as they come without more experience: at the
        last of them the state can be taken, and nothing has had to wait for that.
        """
        by_run = {moment.run: moment for moment in moments}
        for seed in self._seeds:
            if seed.idle and seed.run in by_run:
                seed.begin(by_run[seed.run])
        ready = [seed for seed in self._seeds if not seed.idle and not seed.pending.waiting]
        over, ended = False, []
        while not over:
            while ready:
                for seed in ready:
                    for event in seed.advance():
                        if isinstance(event, Updated):
                            ended.append(event)
                        else:
                            yield event
                    over |= seed.idle
                ready = [seed for seed in ready if seed.computing]
                yield from self._of_a_run(self._requests.compute())
            pending = {index: seed.pending for index, seed in enumerate(self._seeds) if seed.pending.waiting}
            if not over:
                complete = yield from self._of_a_run(self._collector.collect(pending))
                ready = [self._seeds[index] for index in complete]
        for told, event in enumerate(ended, start=1):
            self.ending = len(ended) - told
            yield event

    def _of_a_run(self, work: Heartbeats[_T]) -> Generator[Event, None, _T]:
        """Hand on the heartbeats of joint ``work`` in the name of a run that it is done for."""
        run = next((seed.run for seed in self._seeds if not seed.idle), self._seeds[0].run)
        while True:
            try:
                beat = next(work)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            yield replace(beat, run=run)
