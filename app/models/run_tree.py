"""Runs as one tree: each stands under the run that it was forked from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.runs.records import RunRecord


@dataclass(frozen=True)
class Branch:
    """A run in its place among others.

    ``rails`` has an entry for each run above it that it comes from, the farthest first: whether another run hangs from
    that one further down, so that a line goes on past this row. The last is that of the run it was forked from itself.
    """

    record: RunRecord
    rails: tuple[bool, ...] = ()

    @property
    def depth(self) -> int:
        """How many of the others it comes from, one from the other."""
        return len(self.rails)


def as_tree(records: Sequence[RunRecord]) -> list[Branch]:
    """All ``records`` in the order of a tree: forks right under the run that they come from, where that is among them.

    Otherwise they keep their order: a tree, and each of its branches, stands where the first of its runs stood, so that
    of runs with the newest first a fork brings up the run that it was made from.
    """
    known = {record.id: record for record in records}
    parents = {id: _parent(record, known) for id, record in known.items()}
    hanging: dict[str, list[str]] = {}  # by the run that they hang from, "" for those that hang from none
    placed: set[str] = set()
    for id in known:  # the first of a branch brings up those above it
        while id not in placed:
            placed.add(id)
            hanging.setdefault(parents[id], []).append(id)
            id = parents[id] or id
    found: list[Branch] = []
    left: list[tuple[str, tuple[bool, ...]]] = [(id, ()) for id in reversed(hanging.get("", []))]
    while left:
        id, rails = left.pop()
        found.append(Branch(known[id], rails))
        below = hanging.get(id, [])
        left += [(child, (*rails, child != below[-1])) for child in reversed(below)]
    return found


def _parent(record: RunRecord, known: Mapping[str, RunRecord]) -> str:
    """The run among those that are ``known`` that ``record`` hangs from; empty where there is none, or where a library
    from elsewhere has them come from each other in a circle."""
    seen = {record.id}
    above: RunRecord | None = record
    while above is not None and above.origin is not None:
        if above.origin.parent in seen:
            return ""
        seen.add(above.origin.parent)
        above = known.get(above.origin.parent)
    return record.origin.parent if record.origin is not None and record.origin.parent in known else ""
