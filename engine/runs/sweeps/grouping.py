"""Which runs of an experiment are trained together, and which of them next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.runs.sweeps.records import ExperimentRun


@dataclass(frozen=True)
class Group:
    """Seeds of one point that are to be trained in one process."""

    runs: tuple[ExperimentRun, ...]

    @property
    def point(self) -> int:
        return self.runs[0].point


class Grouping:
    """Groups runs that wait, so that whatever can be trained together is, and no slot stands idle at the end.

    Seeds that are trained together cost far less than each by itself. So a point's seeds are one group, but where fewer
    groups wait than there are slots: then the point is divided, once, among the slots that would have nothing to do.

    Args:
        together: of each point, whether its seeds can be trained together.
        slots: how many groups are trained at once.
    """

    def __init__(self, together: Sequence[bool], slots: int) -> None:
        self._together, self._slots = together, max(slots, 1)
        self._sizes: dict[int, int] = {}  # of the groups of a point that has been begun

    def groups(self, waiting: Iterable[ExperimentRun], before: Mapping[str, str]) -> list[Group]:
        """The ``waiting`` runs in groups, in the order in which they are to be trained.

        Args:
            before: by run, the last state of those that were begun, where that is one of several together: they go on
                together. Any other that was begun goes on by itself, and is there with an empty text.
        """
        whole = sorted(self._whole(waiting, before), key=lambda group: self._order(group, before))
        parts, more = divmod(self._slots, max(len(whole), 1))
        found: list[Group] = []
        for place, group in enumerate(whole):
            if group.runs[0].run in before or not self._together[group.point]:
                found.append(group)
                continue
            if parts and (parts > 1 or place < more):  # else there are as many groups as slots, or more
                count = parts + (place < more)
                self._sizes.setdefault(group.point, math.ceil(len(group.runs) / count))
            size = self._sizes.get(group.point, len(group.runs))
            found += [Group(group.runs[at : at + size]) for at in range(0, len(group.runs), size)]
        return found

    def _whole(self, waiting: Iterable[ExperimentRun], before: Mapping[str, str]) -> list[Group]:
        found: dict[tuple[object, ...], list[ExperimentRun]] = {}
        for run in waiting:
            key: tuple[object, ...] = (run.point, run.seed)
            if run.run not in before:
                key = (run.point, "new") if self._together[run.point] else key
            elif before[run.run]:
                key = (run.point, "begun", before[run.run])
            found.setdefault(key, []).append(run)
        return [Group(tuple(runs)) for runs in found.values()]

    def _order(self, group: Group, before: Mapping[str, str]) -> tuple[bool, int, int]:
        """What was begun first; then point by point where seeds are trained together, else every point's first seed,
        then every second, so that all points have something to show soon."""
        first = group.runs[0]
        return first.run not in before, 0 if self._together[group.point] else first.seed, group.point
