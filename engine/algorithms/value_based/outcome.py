"""What the updates of action values come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.algorithms.outcome import Metrics


@dataclass(frozen=True)
class ValueOutcome:
    """What the updates of an iteration came to: the TD errors of the steps that were learned from, float32 [steps], as
    they were before each update, and metrics by name."""

    td_errors: NDArray[np.float32]
    metrics: Metrics
