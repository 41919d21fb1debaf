"""What a table of action values has learned from its latest steps, for whoever watches; else nothing here runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.algorithms.value_based.steps import Floats, Step
from engine.reports.update_events import ComponentChange, DrawnSteps, LayerChange, UpdateStep

_LARGEST = 12  # entries that are told one by one


class LearnedStep(NamedTuple):
    """Steps from which a table has learned: what they were taken to be worth before, [m], their temporal-difference
    ``errors`` [m], and behind which nothing follows, [m], None where behind none."""

    step: Step
    values: Floats
    errors: Floats
    over: NDArray[np.bool_] | None


def told(
    number: int, learned: Sequence[LearnedStep], before: NDArray[np.float32], now: NDArray[np.float32]
) -> UpdateStep:
    """The ``number``-th update of its iteration, of a table [S, A] from ``before`` to ``now``."""
    errors = np.concatenate([each.errors for each in learned]).astype(np.float32)
    values = np.concatenate([each.values for each in learned]).astype(np.float32)
    change = (now - before).reshape(-1).astype(np.float32)
    most = np.argsort(-np.abs(change), kind="stable")[:_LARGEST]
    moved = [int(at) for at in most if change[at] != 0.0]
    place = [tuple(int(each) for each in np.unravel_index(at, before.shape)) for at in moved]
    nothing = np.zeros(0, np.float32)
    return UpdateStep(
        iteration=0,
        step=number,
        losses={"value": 0.5 * float(np.mean(np.square(errors, dtype=np.float64)))},
        rows=np.zeros(0, np.int64),
        log_ratios=nothing,
        clipped=None,
        grad_norm=float(np.linalg.norm(errors)),
        parameter_change=change,
        layers=(LayerChange("Q", before.shape, float(np.linalg.norm(before)), float(np.linalg.norm(change))),),
        largest=tuple(
            ComponentChange("Q", where, float(before.reshape(-1)[at]), float(change[at]))
            for where, at in zip(place, moved, strict=True)
        ),
        errors=errors,
        drawn=DrawnSteps(
            observations=np.concatenate([each.step.states for each in learned]),
            actions=np.concatenate([each.step.actions for each in learned]),
            rewards=np.concatenate([each.step.rewards for each in learned]).astype(np.float32),
            targets=values + errors,
            values=values,
            terminated=np.concatenate([_over(each) for each in learned]),
            lengths=np.concatenate([np.full(len(each.errors), each.step.length) for each in learned]),
            ages=np.concatenate([np.full(len(each.errors), each.step.length - 1) for each in learned]),
            weights=None,
        ),
    )


def _over(each: LearnedStep) -> NDArray[np.bool_]:
    return np.zeros(len(each.errors), np.bool_) if each.over is None else each.over.copy()
