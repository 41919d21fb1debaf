"""How many seeds a choice can be begun with at once."""

from __future__ import annotations

COUNTS = (1, 3, 5, 8, 20)


def seeds_of(seed: int, count: int) -> list[int]:
    """The seeds of so many runs, of which ``seed`` is the first."""
    return list(range(seed, seed + count))
