"""What a run has told of one iteration that was watched, put together as it comes."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.reports.events import EpisodeEnded, Event, Updated
from engine.reports.update_events import Inspected, LineSearchTry, TrustRegion, UpdateStep


@dataclass
class WatchedUpdate:
    """``iteration`` is its number, 0 while that is not known: the ``episodes`` as they ended, the ``batch`` that was
    learned from, the trust ``region``, the ``tries`` of a line search and the ``steps``; ``over`` once it is, and
    ``lost`` where the batch is only like the iteration's own, so that of its update nothing is known."""

    iteration: int = 0
    episodes: list[EpisodeEnded] = field(default_factory=list)
    batch: Inspected | None = None
    region: TrustRegion | None = None
    tries: list[LineSearchTry] = field(default_factory=list)
    steps: list[UpdateStep] = field(default_factory=list)
    over: bool = False
    lost: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.episodes or self.batch or self.steps or self.tries)

    @property
    def version(self) -> tuple[int, ...]:
        """Another one after every change."""
        made = (self.batch is not None, self.region is not None, self.over)
        return (self.iteration, len(self.episodes), len(self.steps), len(self.tries), *map(int, made))

    @property
    def in_epoch(self) -> int:
        """How many steps an epoch takes: as many as the first took, or about as many as its minibatches make."""
        first = [step for step in self.steps if step.epoch == 1]
        going_on = not self.over and len(first) == len(self.steps)
        if going_on and self.batch is not None and first and len(first[0].rows):
            return max(len(first), -(-len(self.batch.rewards) // len(first[0].rows)))
        return len(first)

    @property
    def expected(self) -> int:
        """How many steps the update takes, or about as many where it is not over."""
        return len(self.steps) if self.over or not self.steps else self.in_epoch * self.steps[-1].epochs

    def _ends_with(self, event: Updated) -> bool:
        """Whether an iteration that told of nothing but its episodes is over with this."""
        unnumbered = self.iteration == 0 and bool(self.episodes)
        return unnumbered and self.episodes[-1].environment_steps <= event.environment_steps

    def with_event(self, event: Event) -> WatchedUpdate:
        """With one more, or that of the next iteration which it begins."""
        if isinstance(event, Updated):
            self.over = self.over or event.iteration == self.iteration or self._ends_with(event)
            return self
        if isinstance(event, EpisodeEnded):
            learned = self.batch is not None or bool(self.steps or self.tries) or self.over
            found = WatchedUpdate() if learned else self
            found.episodes.append(event)
            return found
        if not isinstance(event, Inspected | TrustRegion | LineSearchTry | UpdateStep):
            return self
        found = self if self.iteration in (0, event.iteration) else WatchedUpdate()
        found.iteration = event.iteration
        if isinstance(event, Inspected):
            found.batch = event
        elif isinstance(event, TrustRegion):
            found.region = event
        elif isinstance(event, LineSearchTry):
            found.tries.append(event)
        else:
            found.steps.append(event)
        return found
