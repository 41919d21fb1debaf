"""What a run has told of one iteration that was watched, put together as it comes."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.reports.events import EpisodeEnded, Event, Updated
from engine.reports.update_events import Inspected, LineSearchTry, TrustRegion, UpdateStep


@dataclass
class WatchedUpdate:
    """``iteration`` is its number, 0 while that is not known: the ``episodes`` as they ended, the ``batch`` that was
    learned from, the trust ``region``, the ``tries`` of a line search and the ``steps``; ``over`` once it is."""

    iteration: int = 0
    episodes: list[EpisodeEnded] = field(default_factory=list)
    batch: Inspected | None = None
    region: TrustRegion | None = None
    tries: list[LineSearchTry] = field(default_factory=list)
    steps: list[UpdateStep] = field(default_factory=list)
    over: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.episodes or self.batch or self.steps or self.tries)

    @property
    def version(self) -> tuple[int, ...]:
        """Another one after every change."""
        made = (self.batch is not None, self.region is not None, self.over)
        return (self.iteration, len(self.episodes), len(self.steps), len(self.tries), *map(int, made))

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
