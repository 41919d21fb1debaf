"""A run: phases of collecting, estimating and updating, yielded to whoever hosts it.

``Training`` knows no thread, no window and no clock but its own stopwatch. Its host iterates over it and may do
anything between two phases: stop, wait, or change a live parameter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from engine.algorithms.policy_gradient.exact_ascent import ExactAscentRule
from engine.algorithms.policy_gradient.proximal import fits_value_jointly
from engine.algorithms.policy_gradient.rule import Metrics, Outcome, UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.catalogue.configured import changed
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.spaces import Space
from engine.collection.collectors import Collector, EpisodeCollector, FinishedEpisodes, FixedLengthCollector
from engine.collection.device_collector import DeviceCollector, environments_on
from engine.collection.reward_scaling import RewardScaling
from engine.config import RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.parameters import parameters_of, with_values
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.make import make_batch
from engine.environments.making.lookup import inspect
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch, LearnedValue
from engine.experience.rollouts import Rollout
from engine.maths.losses import explained_variance
from engine.networks.normalizer import Normalizer
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Change, Collected, Estimated, Event, Heartbeats, Reweighted, Updated
from engine.reports.metrics import METRICS
from engine.runtime.errors import RequestError, RunError
from engine.runtime.seeds import Seeds
from engine.runtime.stopwatch import Stopwatch
from engine.training.devices import choose_device
from engine.values.critics import Critic, SeparateCritic, SharedCritic
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction

MEAN_OVER = 100  # episodes that the reported mean return covers
RATIOS = 20_000  # of a batch that are handed on to be shown; more look the same
_T = TypeVar("_T")


class Training:
    """Iterating gives the phases of one run, until its budget of environment steps is used.

    Raises:
        RequestError: on construction, when the configuration cannot work.
        RunError: while iterating, when the environment raises or the numbers are no longer finite, and what was yielded
            before stays valid; on construction, when the environment fails already while its cost is measured.
    """

    def __init__(self, config: RunConfig) -> None:
        torch.set_num_threads(1)  # these networks are too small to share; more threads only wait for each other
        self.config = config
        plain = inspect(config.environment.id, config.environment.options)
        self.environment = changed(plain, config.environment)
        problem = refusal(config, self.environment)
        if problem is not None:
            raise RequestError(problem)
        seeds = Seeds(config.seed)
        collection, baseline = config.collection, config.estimator.baseline
        shared = baseline.kind == "shared-value" and config.update.kind != "exact-gradient"
        normalize = config.environment.normalize_observations
        self._normalizer = Normalizer(self.environment.observation.size) if normalize else None
        self.policy = Policy(config.policy, self.environment, seeds.generator(), shared, self._normalizer)
        size = collection.episodes_per_update if collection.kind == "episodes" else collection.environments
        chosen = choose_device(config, self.policy, self.environment, size)
        self.device, self.device_reason = chosen.device, chosen.reason
        self.policy.to(self.device)
        self._actor = Actor(self.policy, seeds.generator(self.device), self.device)
        value_seed = seeds.generator()
        self._fitting: ValueFitting | None = None
        self._critic: Critic | None = SharedCritic(self.policy) if shared else None
        self._rewards = RewardScaling(config.environment)
        environment_seeds = seeds.integers(size)
        if isinstance(baseline, ValueBaseline) and config.update.kind != "exact-gradient":
            convolutional = config.policy.kind == "cnn"
            seen = self.environment.observation
            value = ValueFunction(baseline, seen, value_seed, convolutional, self._normalizer).to(self.device)
            self._fitting = ValueFitting(baseline, value, seeds.generator())
            self._critic = SeparateCritic(value)
        self._rule = make_rule(config, self.policy, seeds.generator(), self._fitting)
        self._collector = self._collecting(plain.observation, environment_seeds)
        self._recent: deque[float] = deque(maxlen=MEAN_OVER)
        self._pending: dict[str, Any] = {}
        self.iteration = self.environment_steps = self.episodes = 0
        self._stopwatch = Stopwatch()

    def _collecting(self, space: Space, seeds: list[int]) -> Collector:
        """What collects, from one environment per seed, which show ``space`` before the changes made to them."""
        collection = self.config.collection
        steps = None if collection.kind == "episodes" else collection.steps
        self._batch: EnvironmentBatch
        resident = environments_on(self.device, self.config, seeds)
        if resident is not None:
            self._batch, self.stepping_reason = resident, f"environments are stepped on {self.device.type} as well"
        else:
            self._batch, self.stepping_reason = make_batch(self.config.environment, space, seeds)
        try:
            if resident is not None:
                return DeviceCollector(resident, self.environment, steps)
            if steps is None:
                return EpisodeCollector(self._batch, self.environment, self.device)
            return FixedLengthCollector(self._batch, self.environment, self.device, steps)
        except RunError as error:
            self._batch.close()
            raise RequestError(str(error)) from None

    @property
    def seconds(self) -> float:
        """Seconds spent training so far; what the host does between phases does not count."""
        return self._stopwatch.seconds

    @property
    def progress(self) -> float:
        """How much of the budget has been used, 0 … 1."""
        return min(self.environment_steps / self.config.budget.environment_steps, 1.0)

    def change(self, path: str, value: Any) -> None:
        """Set a live parameter from the next iteration on.

        Raises:
            RequestError: there is no such parameter, it may not change while training, or the value does not fit.
        """
        changed = with_values(self.config, self._pending | {path: value})
        if path not in {parameter.path for parameter in parameters_of(self.config) if parameter.live}:
            raise RequestError(f"{path} cannot change while training; stop the run to change it.")
        problem = refusal(changed, self.environment)
        if problem is not None:
            raise RequestError(problem)
        self._pending[path] = value

    def close(self) -> None:
        """Free the environments."""
        self._batch.close()

    def __iter__(self) -> Iterator[Event]:
        return self._stopwatch.timing(self._phases())

    def _phases(self) -> Generator[Event, None, None]:
        while True:
            changes = self._apply_changes()
            if self.environment_steps >= self.config.budget.environment_steps:
                return
            self.iteration += 1
            started, steps_before, progress = self.seconds, self.environment_steps, self.progress
            self._set_exploration(progress)
            fitted: Metrics = {"value_loss": None}
            if self._fitted_on == "independent":
                fitted = yield from self._fit_independently()
            rollout, collected = yield from self._collect()
            yield collected
            batch = yield from self._estimate(rollout)
            if self._fitted_on == "same":
                fitted = yield from self._fit(batch)
                batch = yield from self._estimate(rollout)
            yield Estimated(self.iteration, batch.advantages.cpu().numpy())
            outcome = yield from self._alive(self._rule.update(UpdateInput(batch, self.config, progress)))
            if outcome.log_ratios is not None:
                yield _reweighted(self.iteration, outcome)
            if self._fitted_on == "previous" and not fits_value_jointly(self.config):
                fitted = yield from self._fit(batch)
            if self._normalizer is not None:
                self._normalizer.update(batch.observations)
            speed = (self.environment_steps - steps_before) / max(self.seconds - started, 1e-9)
            metrics = dict.fromkeys(METRICS) | fitted | outcome.metrics | _summary(collected, batch)
            metrics |= {"mean_return": self._mean_return, "steps_per_second": speed}
            yield Updated(self.iteration, self.environment_steps, self.episodes, self.seconds, metrics, changes)

    @property
    def _fitted_on(self) -> str | None:
        """What a value function of its own is fitted to; None without one."""
        baseline = self.config.estimator.baseline
        return baseline.fitted_on if self._fitting and isinstance(baseline, ValueBaseline) else None

    @property
    def _mean_return(self) -> float | None:
        return sum(self._recent) / len(self._recent) if self._recent else None

    def _alive(self, doing: Heartbeats[_T]) -> Generator[Event, None, _T]:
        """Hand on the signs of life of ``doing``."""
        while True:
            try:
                beat = next(doing)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            yield replace(beat, environment_steps=self.environment_steps + beat.environment_steps)

    def _set_exploration(self, progress: float) -> None:
        exploration = self.config.exploration
        self.policy.temperature = exploration.temperature
        start, end = exploration.greedy_start, exploration.greedy_end
        self._actor.greedy_share = start + (end - start) * progress

    def _collect(self) -> Generator[Event, None, tuple[Rollout, Collected]]:
        rollout, finished = yield from self._alive(self._collector.collect(self._actor))
        return self._rewards.learned(rollout, self.config.estimator.gamma), self._count(finished)

    def _estimate(self, rollout: Rollout) -> Generator[Event, None, Batch]:
        if isinstance(self._rule, ExactAscentRule):
            return self._rule.true_advantages(rollout, self.config.estimator.gamma)
        estimating = estimate(rollout, self.config.estimator, self.policy, self._critic)
        return (yield from self._alive(estimating))

    def _fit_independently(self) -> Generator[Event, None, Metrics]:
        """Fit V to trajectories played for it alone (002…); their episodes count like all others."""
        rollout, collected = yield from self._collect()
        yield collected
        batch = yield from self._estimate(rollout)
        fitted = yield from self._fit(batch)
        if self._normalizer is not None:
            self._normalizer.update(batch.observations)
        return fitted

    def _fit(self, batch: Batch) -> Generator[Event, None, Metrics]:
        baseline = self.config.estimator.baseline
        assert self._fitting is not None
        assert isinstance(baseline, ValueBaseline)
        return {"value_loss": (yield from self._alive(self._fitting.fit(batch, baseline)))}

    def _apply_changes(self) -> tuple[Change, ...]:
        if not self._pending:
            return ()
        pending, self._pending = self._pending, {}
        before = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        self.config = with_values(self.config, pending)
        after = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        at = (self.iteration + 1, self.environment_steps, self.episodes, self.seconds)
        return tuple(Change(path, before[path], after[path], *at) for path in pending if before[path] != after[path])

    def _count(self, finished: FinishedEpisodes) -> Collected:
        """Add what was collected to the totals; episodes are handed on in the order in which they ended.

        The running mean takes whole episodes as they were begun, so that where a batch holds more than it covers, it
        does not cover only the longest.
        """
        self._recent.extend(finished.returns.tolist())
        order = np.argsort(finished.taken, kind="stable")
        ends = self.environment_steps + finished.taken[order]
        self.environment_steps += finished.steps
        self.episodes += len(order)
        returns, lengths = finished.returns[order], finished.lengths[order]
        return Collected(self.iteration, self.environment_steps, returns, lengths, ends, self.seconds)


def _summary(collected: Collected, batch: Batch) -> Metrics:
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    return {
        "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
        "advantage_mean": batch.advantages.mean().item(),
        "advantage_std": batch.advantages.std(correction=0).item(),
        "explained_variance": explained_variance(learned.values, learned.targets) if learned else None,
    }


def _reweighted(iteration: int, outcome: Outcome) -> Reweighted:
    assert outcome.log_ratios is not None
    thinned = outcome.log_ratios[:: 1 + len(outcome.log_ratios) // RATIOS]
    return Reweighted(iteration, thinned.cpu().numpy(), outcome.of)
