"""Where a learner's states part from its teacher's, along the episode: pure functions of what both played."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.experience.demonstrations import Demonstrations

_AT_ONCE = 100_000  # distances, which stay in the processor's cache
_LOW, _MIDDLE, _HIGH = 0.25, 0.5, 0.75


class Apart(NamedTuple):
    """By step t of the episode, [T]: how far the learner's states are from the nearest of all the teacher's, the mean,
    the median and the quartiles over the episodes that last so long, and how many these are.

    Of numbers the distance is in standard deviations of the teacher's states, component by component, as a root mean
    square over the components. Of numbered states it is 0 where the teacher ever was there, and 1 where he never was,
    so that the mean is the share of episodes in states that he never showed.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    median: NDArray[np.float64]
    high: NDArray[np.float64]
    episodes: NDArray[np.int64]


def states_apart(teacher: Demonstrations, learner: Demonstrations) -> Apart:
    """How far the learner's episodes lead from where the teacher was.

    Raises:
        ValueError: there is nothing to compare, or they do not see the same.
    """
    _check(teacher, learner)
    return _by_step(nearest(teacher.observations, learner.observations), [len(each) for each in learner.episodes])


def teacher_apart(teacher: Demonstrations) -> Apart | None:
    """How far each of the teacher's own episodes leads from where he was in all the others, in the same unit: what a
    perfect copy would come to. None where he has shown one episode alone.

    Raises:
        ValueError: he has shown nothing.
    """
    _check(teacher, teacher)
    if len(teacher.episodes) < 2:
        return None
    seen, ends = teacher.observations, [*teacher.starts, len(teacher)]
    scale = None if seen.ndim == 1 else _spread(seen)[0]
    found = [
        nearest(np.concatenate([seen[:begin], seen[end:]]), seen[begin:end], scale)
        for begin, end in pairwise(ends)
        if end - begin < len(seen)
    ]
    return _by_step(np.concatenate(found), [len(each) for each in teacher.episodes]) if len(found) > 1 else None


def _by_step(found: NDArray[np.float64], lengths: Sequence[int]) -> Apart:
    """Of distances [N], episode after episode of these lengths."""
    table = np.full((len(lengths), max(lengths)), np.nan)
    table[np.arange(table.shape[1]) < np.array(lengths)[:, None]] = found
    low, median, high = np.nanquantile(table, (_LOW, _MIDDLE, _HIGH), axis=0)
    return Apart(np.nanmean(table, 0), low, median, high, (~np.isnan(table)).sum(0))


def nearest(
    reference: NDArray[Any], points: NDArray[Any], scale: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """How far each of the ``points`` [n, …] is from the nearest of the ``reference`` [m, …], as in ``Apart``; [n].

    ``scale`` [d] is what counts as 1 in each component; by default the standard deviation of the reference.
    """
    if reference.ndim == 1:
        return (~np.isin(points, reference)).astype(np.float64)
    scale = _spread(reference)[0] if scale is None else scale
    known, asked = (reference / scale).astype(np.float64), (points / scale).astype(np.float64)
    squares, doubled = (known**2).sum(-1), -2.0 * known.T
    step = max(_AT_ONCE // len(known), 1)
    found = []
    for begin in range(0, len(asked), step):
        rows = asked[begin : begin + step]
        apart = rows @ doubled
        apart += squares
        found.append(np.sqrt(np.maximum(apart.min(-1) + (rows**2).sum(-1), 0.0) / reference.shape[1]))
    return np.concatenate(found)


def parting_components(teacher: Demonstrations, learner: Demonstrations, count: int = 2) -> tuple[int, ...]:
    """The components of what is observed in which the two clouds of states differ most, the first the most: those of a
    slice in which one sees them part. There are none of numbered states.

    By max(|m − m*| / σ*, |log σ/σ*|), with the means m and the standard deviations σ of the learner's states and, with
    a star, of the teacher's: how far one cloud lies from the other, or by how much it is wider or narrower.

    Raises:
        ValueError: as ``states_apart``.
    """
    _check(teacher, learner)
    if teacher.observations.ndim == 1:
        return ()
    scale, mean = _spread(teacher.observations)
    moved = np.abs(learner.observations.astype(np.float64).mean(0) - mean) / scale
    widened = learner.observations.astype(np.float64).std(0) / scale
    order = np.argsort(-np.maximum(moved, np.abs(np.log(np.maximum(widened, 1e-9)))), kind="stable")
    return tuple(int(component) for component in order[:count])


def _spread(observations: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The standard deviation of each component, 1 where it never changes, and the mean."""
    numbers = observations.astype(np.float64)
    spread = numbers.std(0)
    return np.where(spread > 1e-8, spread, 1.0), numbers.mean(0)


def _check(teacher: Demonstrations, learner: Demonstrations) -> None:
    if not len(teacher) or not len(learner):
        raise ValueError("there are no states to compare.")
    if teacher.observations.shape[1:] != learner.observations.shape[1:]:
        raise ValueError("the two do not observe the same.")
