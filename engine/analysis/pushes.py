"""What every step of a batch asks of its action's probability, and what the update made of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.reports.update_events import Inspected, PolicyChange

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Moved:
    """Of the steps ``rows`` [m] of a batch, the ``push`` [m] that each asked for and the ``change`` [m] that came: of
    π(a|s) where actions are ``discrete``, else of log π(a|s), a density's."""

    rows: NDArray[np.int64]
    push: Numbers
    change: Numbers
    discrete: bool

    @property
    def as_asked(self) -> float | None:
        """The share of those pushed at all whose probability moved that way; None where none was."""
        pushed = self.push != 0.0
        return float(np.mean(np.sign(self.change[pushed]) == np.sign(self.push[pushed]))) if pushed.any() else None


def pushes(batch: Inspected, *, discrete: bool) -> Numbers:
    """How strongly each step pushes the probability of its own action up, [M], before any other step is counted.

    The estimate sums w ∇ log π(a|s). Through a softmax over logits z, ∂ log π(a|s)/∂z_a = 1 − π(a|s), so a step pushes
    its own action's logit by w (1 − π(a|s)): hardly where the action is almost certain already. Of other distributions
    the weight w itself is told.

    Source: Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement
        learning", for the score of a softmax.
    """
    weights = batch.weights.astype(np.float64)
    return weights * -np.expm1(batch.log_probs.astype(np.float64)) if discrete else weights


def moved(batch: Inspected, change: PolicyChange, *, discrete: bool) -> Moved:
    """What became of the steps that were looked at: π_new(a|s) − π_old(a|s), or the same of logarithms."""
    ratios, before = change.log_ratios.astype(np.float64), batch.log_probs.astype(np.float64)[change.rows]
    changed = np.exp(before) * np.expm1(ratios) if discrete else ratios
    return Moved(change.rows, pushes(batch, discrete=discrete)[change.rows], changed, discrete)
