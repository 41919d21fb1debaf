"""Collecting single steps, for methods that learn while episodes are under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.collection.collector import FinishedEpisodes
from engine.collection.collectors import RESET_AT_ONCE, UnfinishedEpisodes
from engine.environments.batches.interface import NONE, EnvironmentBatch, Indices
from engine.experience.transitions import Transitions
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State

_NO_RETURNS = np.zeros(0)  # of most steps, in which no episode ends


class Acting(Protocol):
    """What chooses actions: an ``Actor``, or what stands in for it."""

    def act(
        self, observations: NDArray[Any], state: Tensor | None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None, Tensor | None]: ...

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]: ...


class StepCollector:
    """Takes a few steps in every environment at a time; an episode that ends is followed by the next at once, and one
    still under way goes on at the next call."""

    def __init__(self, batch: EnvironmentBatch) -> None:
        self._batch, self._indices = batch, np.arange(batch.size)
        self.parts = Parts()
        self.parts.add("environments", batch)
        self._unfinished = self.parts.add("episodes", UnfinishedEpisodes(batch.size))
        self._interrupted = NONE

    @property
    def environments(self) -> int:
        """N."""
        return self._batch.size

    @property
    def observations(self) -> NDArray[Any] | None:
        """What every environment shows now, [N, …]; None before the first step."""
        return self._unfinished.observations

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``; where an episode broke off, the next step is the first of another one."""
        self.parts.load(state)
        self._interrupted = self._batch.interrupted

    @property
    def interrupted(self) -> Indices:
        """The environments whose episodes broke off when a state was loaded, and have not begun anew yet."""
        return self._interrupted

    def begin(self) -> Heartbeats[None]:
        """Reset what has to be reset before a step can be taken."""
        unfinished = self._unfinished
        if unfinished.observations is None:
            timer, first = HeartbeatTimer(), []
            for some in np.array_split(self._indices, -(-self._batch.size // RESET_AT_ONCE)):
                first.append(self._batch.reset(some))
                if timer.due():
                    yield Heartbeat("resetting")
            unfinished.observations = np.concatenate(first)
        elif len(self._interrupted):
            unfinished.observations = unfinished.observations.copy()
            self._begin_again(self._interrupted, unfinished.observations)
            self._interrupted = NONE

    def collect(self, actor: Acting, steps: int) -> tuple[Transitions, FinishedEpisodes]:
        """The next ``steps`` steps in every environment, once ``begin`` has been gone through.

        Raises:
            RunError: the environment raised or gave what cannot be learned from, or an action is no finite number.
        """
        taken = [self._step(actor) for _ in range(steps)]
        return joined_transitions([transitions for transitions, _ in taken]), joined_episodes(
            [found for _, found in taken]
        )

    def _step(self, actor: Acting) -> tuple[Transitions, FinishedEpisodes]:
        unfinished, size = self._unfinished, self._batch.size
        seen = unfinished.observations
        assert seen is not None, "begin comes first"
        memory: Tensor | None = None  # none of those who learn step by step remembers anything
        actions, _, _ = actor.act(seen, memory)
        moved = self._batch.step(actor.to_environment(actions), self._indices)
        unfinished.elapsed += 1
        unfinished.returns += moved.rewards
        cut = moved.truncated & ~moved.terminated
        ended = moved.terminated | cut
        found = FinishedEpisodes(_NO_RETURNS, NONE, NONE, size, NONE)
        unfinished.observations = moved.observations
        if np.count_nonzero(ended):
            which = np.flatnonzero(ended)
            found = FinishedEpisodes(
                unfinished.returns[which], unfinished.elapsed[which], np.full(len(which), size), size, which
            )
            unfinished.observations = moved.observations.copy()
            self._begin_again(which, unfinished.observations)
        transitions = Transitions(
            seen[None],
            actions[None],
            moved.rewards[None],
            moved.terminated[None],
            cut[None],
            moved.observations[None],
            unfinished.observations,
        )
        return transitions, found

    def _begin_again(self, which: Indices, observations: NDArray[Any]) -> None:
        self._unfinished.elapsed[which] = 0
        self._unfinished.returns[which] = 0.0
        observations[which] = self._batch.reset(which)


def joined_transitions(steps: list[Transitions]) -> Transitions:
    """Steps of several collections, one after the other, as if it had been one."""
    if len(steps) == 1:
        return steps[0]
    names = [name for name in Transitions.__dataclass_fields__ if name != "following"]
    joined = {name: np.concatenate([getattr(step, name) for step in steps]) for name in names}
    return Transitions(**joined, following=steps[-1].following)


def joined_episodes(parts: list[FinishedEpisodes]) -> FinishedEpisodes:
    """Episodes that ended in several collections, one after the other, as if it had been one."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(part.steps for part in parts[:-1])])
    return FinishedEpisodes(
        returns=np.concatenate([part.returns for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        taken=np.concatenate([part.taken + at for part, at in zip(parts, before, strict=True)]),
        steps=sum(part.steps for part in parts),
        environments=np.concatenate([part.environments for part in parts]),
    )
