"""A run: phases of collecting, estimating and updating, yielded to whoever hosts it.

``Training`` knows no thread, no window and no clock but its own stopwatch. Its host iterates over it and may do
anything between two phases: stop, wait, or change a live parameter.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.algorithms.gradient_ascent import GradientAscentRule
from engine.algorithms.value_fitting import ValueFitting
from engine.catalogue import refusal
from engine.config import RunConfig, ValueBaseline
from engine.devices import choose_device
from engine.environments import registry
from engine.environments.batches import make_batch
from engine.errors import RequestError
from engine.estimators import Estimate, estimate
from engine.losses import explained_variance
from engine.parameters import parameters_of, with_values
from engine.phases import Change, Collected, Estimated, Phase, Updated, Working
from engine.policies.policy import Policy, ValueFunction
from engine.rollouts import Collector

MEAN_OVER = 100  # episodes that the reported mean return covers


class Training:
    """Iterating gives the phases of one run, until its budget of environment steps is used.

    Raises:
        RequestError: on construction, when the configuration cannot work.
        RunError: while iterating, when the environment raises or the numbers are no longer finite. What was yielded
            before stays valid.
    """

    def __init__(self, config: RunConfig) -> None:
        torch.set_num_threads(1)  # these networks are too small to share; more threads only wait for each other
        self.config = config
        self.environment = registry.inspect(config.environment.id)
        problem = refusal(config, self.environment)
        if problem is not None:
            raise RequestError(problem)
        seeds = _Seeds(config.seed)
        self.policy = Policy(config.policy, self.environment, seeds.generator())
        size = config.update.episodes_per_update
        chosen = choose_device(config.device, self.policy, self.environment, size)
        self.device, self.device_reason = chosen.device, chosen.reason
        self.policy.to(self.device)
        self._actions = seeds.generator(self.device)
        self._fitting: ValueFitting | None = None
        value_seed = seeds.generator()
        if config.estimator.baseline.kind == "value":
            value = ValueFunction(config.estimator.baseline, self.environment.observation, value_seed).to(self.device)
            self._fitting = ValueFitting(config.estimator.baseline, value)
        self._rule = GradientAscentRule(config.update, self.policy)
        self._batch = make_batch(config.environment.id, seeds.integers(size))
        self._collector = Collector(self._batch, self.environment, self.device)
        self._recent: deque[float] = deque(maxlen=MEAN_OVER)
        self._pending: dict[str, Any] = {}
        self.iteration = self.environment_steps = self.episodes = 0
        self._stopwatch, self._resumed = 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Seconds spent training so far; what the host does between phases does not count."""
        return self._stopwatch + (time.perf_counter() - self._resumed if self._resumed else 0.0)

    def change(self, path: str, value: Any) -> None:
        """Set a live parameter from the next iteration on.

        Raises:
            RequestError: there is no such parameter, it may not change while training, or the value does not fit.
        """
        with_values(self.config, self._pending | {path: value})
        if path not in {parameter.path for parameter in parameters_of(self.config) if parameter.live}:
            raise RequestError(f"{path} cannot change while training; stop the run to change it.")
        self._pending[path] = value

    def close(self) -> None:
        """Free the environments."""
        self._batch.close()

    def __iter__(self) -> Iterator[Phase]:
        phases = self._phases()
        while True:
            self._resumed = time.perf_counter()
            try:
                phase = next(phases, None)
            finally:
                self._stopwatch, self._resumed = self.seconds, 0.0
            if phase is None:
                return
            yield phase

    def _phases(self) -> Generator[Phase, None, None]:
        while True:
            changes = self._apply_changes()
            if self.environment_steps >= self.config.budget.environment_steps:
                return
            self.iteration += 1
            started, steps_before = self.seconds, self.environment_steps
            rollout, rewards = yield from self._collector.collect(self.policy, self._actions, self.environment_steps)
            collected = self._count(rewards, rollout.mask.cpu().numpy())
            yield collected
            batch = estimate(rollout, self.config.estimator, self._value)
            yield Estimated(self.iteration, batch.advantages.cpu().numpy())
            normalize = self.config.estimator.normalize_advantages
            metrics = yield from self._rule.update(batch, self.config.update, normalize, self.environment_steps)
            metrics |= yield from self._fit(batch)
            speed = (self.environment_steps - steps_before) / max(self.seconds - started, 1e-9)
            yield Updated(
                self.iteration,
                self.environment_steps,
                self.episodes,
                self.seconds,
                metrics
                | {
                    "mean_return": sum(self._recent) / len(self._recent),
                    "mean_length": float(collected.lengths.mean()),
                    "advantage_mean": batch.advantages.mean().item(),
                    "advantage_std": batch.advantages.std(correction=0).item(),
                    "steps_per_second": speed,
                },
                changes,
            )

    @property
    def _value(self) -> ValueFunction | None:
        return self._fitting.value if self._fitting else None

    def _apply_changes(self) -> tuple[Change, ...]:
        if not self._pending:
            return ()
        pending, self._pending = self._pending, {}
        before = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        self.config = with_values(self.config, pending)
        after = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        at = (self.iteration + 1, self.environment_steps, self.episodes, self.seconds)
        return tuple(Change(path, before[path], after[path], *at) for path in pending if before[path] != after[path])

    def _count(self, rewards: NDArray[np.float64], mask: NDArray[np.bool_]) -> Collected:
        """Add a rollout's episodes to the totals; they are handed on in the order in which they ended.

        The running mean takes them as they were begun, so that where a batch holds more than it covers, it does not
        cover only the longest.
        """
        raw = rewards.sum(0)
        self._recent.extend(raw.tolist())
        lengths = mask.sum(0)
        order = np.argsort(lengths, kind="stable")
        lengths = lengths[order]
        ends = self.environment_steps + mask.sum(1).cumsum()[lengths - 1]
        returns = raw[order]
        self.environment_steps += int(mask.sum())
        self.episodes += len(returns)
        return Collected(self.iteration, self.environment_steps, returns, lengths, ends, self.seconds)

    def _fit(self, batch: Estimate) -> Generator[Working, None, dict[str, float | None]]:
        baseline = self.config.estimator.baseline
        if self._fitting is None or batch.values is None or not isinstance(baseline, ValueBaseline):
            return {"explained_variance": None, "value_loss": None}
        explained = explained_variance(batch.values, batch.returns)
        loss = yield from self._fitting.fit(batch, baseline, self.environment_steps)
        return {"explained_variance": explained, "value_loss": loss}


def warm_up() -> None:
    """Load what torch loads only when it is first used, so that the first run starts without delay."""
    parameter = torch.nn.Parameter(torch.eye(2))
    for kind in (torch.optim.SGD, torch.optim.Adam):
        optimizer = kind([parameter], lr=0.1)
        parameter.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    torch.linalg.qr(parameter.detach())


class _Seeds:
    """Independent streams of randomness from one seed, handed out in a fixed order."""

    def __init__(self, seed: int) -> None:
        self._sequence = np.random.SeedSequence(seed)

    def generator(self, device: torch.device | None = None) -> torch.Generator:
        return torch.Generator(device or "cpu").manual_seed(self.integers(1)[0])

    def integers(self, count: int) -> list[int]:
        (child,) = self._sequence.spawn(1)
        return [int(seed) for seed in child.generate_state(count, np.uint32)]
