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
        there = samples.looked.exact and chosen.row < len(samples)
        if not there:
            return _NONE, "that step is not in it"
        return samples.sequence_of(chosen.row), f"around step {int(samples.looked.batch.elapsed[chosen.row]):,}"
    rows = samples.of_episode(place) if place is not None else _NONE
    return rows, f"episode {chosen.index + 1:,}" if len(rows) else f"episode {chosen.index + 1:,} is not in it"


def _in_bar(samples: Samples, bar: Bar) -> tuple[NDArray[np.int64], str]:
    if bar.taken is not None:
        found = samples.ratios_within(bar.taken, bar.low, bar.high)
        return (_NONE, f"no {bar.quantity} here") if found is None else (found, bar.words)
    there = samples.values(bar.quantity) is not None
    return samples.within(bar.quantity, bar.low, bar.high), bar.words if there else f"no {bar.quantity} here"
