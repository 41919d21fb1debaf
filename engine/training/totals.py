"""What a run has come to so far, and the events of its learner completed with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.reports.events import Change, Collected, Solved, Updated
from engine.runtime.state import State

MEAN_OVER = 100  # episodes that the reported mean return covers
STILL = 100  # updates in succession without a gradient, after which it is told
_NOTHING_LEARNED = (
    f"The gradient was exactly 0 in each of the last {STILL} updates, so nothing is learned: rewards that are all "
    "alike, batches too small to compare anything in, or a policy that is certain of every action leave nothing "
    "to go by."
)


class Totals:
    """Iterations, environment steps and episodes since the run began, and the returns of its latest episodes."""

    def __init__(self) -> None:
        self.iteration = self.environment_steps = self.episodes = 0
        self.busy = False  # whether an iteration is under way
        self.failed = False
        self._solved = False  # whether that has been told
        self._upcoming: dict[str, tuple[Any, Any]] = {}  # what the next iteration begins with, old and new by path
        self._changes: tuple[Change, ...] = ()  # that the iteration under way began with
        self._recent: deque[float] = deque(maxlen=MEAN_OVER)
        self._still = 0  # updates in succession without a gradient
        self._began = (0, 0.0)  # steps and seconds as the iteration began
        self._before: State = {}  # as the iteration under way began

    @property
    def mean_return(self) -> float | None:
        """The mean return of the latest episodes; None before any has ended."""
        return sum(self._recent) / len(self._recent) if self._recent else None

    def begin(self, seconds: float) -> None:
        """Begin an iteration."""
        self._before = self.state()
        self.iteration += 1
        self.busy = True
        self._began = self.environment_steps, seconds
        at = (self.iteration, self.environment_steps, self.episodes, seconds)
        self._changes = tuple(Change(path, old, new, *at) for path, (old, new) in self._upcoming.items())
        self._upcoming = {}

    def change(self, path: str, old: Any, new: Any) -> None:
        """Note that a parameter has another value from the next iteration on."""
        first, _ = self._upcoming.pop(path, (old, new))
        if first != new:
            self._upcoming[path] = (first, new)

    def collected(self, event: Collected, seconds: float) -> Collected:
        """Count what was collected; the episodes in the order in which they ended.

        The mean return takes whole episodes as they were begun, so that where a batch holds more than it covers, it
        does not cover only the longest.
        """
        self._recent.extend(event.returns.tolist())
        order = np.argsort(event.ends, kind="stable")
        ends = self.environment_steps + event.ends[order]
        self.environment_steps += event.environment_steps
        self.episodes += len(order)
        return replace(
            event,
            environment_steps=self.environment_steps,
            returns=event.returns[order],
            lengths=event.lengths[order],
            ends=ends,
            seconds=seconds,
        )

    def updated(self, event: Updated, seconds: float) -> Updated:
        """End the iteration."""
        steps, started = self._began
        speed = (self.environment_steps - steps) / max(seconds - started, 1e-9)
        self.busy = False
        self._still = self._still + 1 if event.metrics.get("grad_norm") == 0.0 else 0
        return replace(
            event,
            environment_steps=self.environment_steps,
            episodes=self.episodes,
            seconds=seconds,
            metrics=event.metrics | {"mean_return": self.mean_return, "steps_per_second": speed},
            changes=self._changes,
            note=event.note or (_NOTHING_LEARNED if self._still == STILL else ""),
        )

    def is_solving(self, threshold: float | None) -> bool:
        """Whether it is to be told now that the environment is solved, at a mean return of ``threshold``."""
        if threshold is None or self._solved or self.busy or len(self._recent) < MEAN_OVER:
            return False
        mean = self.mean_return
        return mean is not None and mean >= threshold

    def solved(self, run: str, threshold: float, seconds: float) -> Solved:
        """Tell it, once."""
        self._solved = True
        mean = self.mean_return
        assert mean is not None
        at = (self.iteration, self.environment_steps, self.episodes, seconds)
        return Solved(*at, mean_return=mean, threshold=threshold, run=run)

    def state(self) -> State:
        """All of it, between two iterations; in one, as it was before that began."""
        if self.busy:
            return dict(self._before)
        counts = {name: getattr(self, name) for name in ("iteration", "environment_steps", "episodes", "failed")}
        upcoming = [[path, old, new] for path, (old, new) in self._upcoming.items()]
        told = {"still": self._still, "solved": self._solved}
        return {**counts, **told, "recent": list(self._recent), "upcoming": upcoming}

    def load(self, state: Mapping[str, Any]) -> None:
        self.iteration, self.environment_steps = state["iteration"], state["environment_steps"]
        self.episodes, self.failed = state["episodes"], state["failed"]
        self._recent = deque(state["recent"], maxlen=MEAN_OVER)
        self._still = state["still"]
        self._solved = state.get("solved", False)  # which early states do not say
        self._upcoming = {path: (old, new) for path, old, new in state["upcoming"]}
        self.busy = False
