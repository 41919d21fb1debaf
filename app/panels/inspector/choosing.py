"""Which of an iteration's steps are behind what a person has clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.models.inspection import Bar, BatchStep, Chosen

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Samples

_NONE = np.zeros(0, np.int64)


def behind(samples: Samples, chosen: Chosen | None, place: int | None) -> tuple[NDArray[np.int64], str]:
    """The rows of ``samples`` that are meant, and what they are in words; all of them, in none, for what is no choice.

    Args:
        place: of the episode that is ``chosen``, among those that ended in the iteration; None where it is none of
            them.
    """
    if chosen is None:
        return np.arange(len(samples)), ""
    if isinstance(chosen, Bar):
        return _in_bar(samples, chosen)
    if isinstance(chosen, BatchStep):
        row = row_of(samples, chosen)
        if row is None:
            return _NONE, "that step is not in it"
        if samples.looked.single:
            return _drawn(samples, chosen.taken), f"update {chosen.taken:,}"
        return samples.sequence_of(row), f"around step {int(samples.looked.batch.elapsed[row]):,}"
    rows = samples.of_episode(place) if place is not None else _NONE
    return rows, f"episode {chosen.index + 1:,}" if len(rows) else f"episode {chosen.index + 1:,} is not in it"


def row_of(samples: Samples, chosen: BatchStep) -> int | None:
    """Which row of ``samples`` is meant; None where it is none of them."""
    rows = _drawn(samples, chosen.taken)
    return int(rows[chosen.row]) if samples.looked.exact and chosen.row < len(rows) else None


def _drawn(samples: Samples, taken: int | None) -> NDArray[np.int64]:
    """The rows from which action values learned in their update of that number; all where steps are not apart."""
    return samples.learned_in(taken) if samples.looked.single and taken is not None else np.arange(len(samples))


def _in_bar(samples: Samples, bar: Bar) -> tuple[NDArray[np.int64], str]:
    if samples.values(bar.quantity) is None:
        return _NONE, f"no {bar.quantity} here"
    if bar.taken is None:
        return samples.within(bar.quantity, bar.low, bar.high), bar.words
    if samples.looked.single:
        drawn = _drawn(samples, bar.taken)
        within = np.intersect1d(drawn, samples.within(bar.quantity, bar.low, bar.high))
        return within, bar.words if len(drawn) else "no longer among those that are kept"
    found = samples.ratios_within(bar.taken, bar.low, bar.high)
    return (_NONE, f"no {bar.quantity} here") if found is None else (found, bar.words)
