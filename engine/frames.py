"""What playback shows, frame by frame: small typed records of numpy arrays and numbers, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SoftmaxDecision:
    """π(·|s) over n discrete actions, ``probabilities`` [n], and the action chosen, counted from 0."""

    probabilities: NDArray[np.float32]
    action: int


@dataclass(frozen=True, slots=True)
class GaussianDecision:
    """π(·|s) over d continuous actions: ``mean``, ``std`` and the chosen ``action`` before clipping, all [d].

    ``low`` and ``high`` [d] are the bounds to which the environment's side clips it; they may be infinite.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    action: NDArray[np.float32]
    low: NDArray[Any]
    high: NDArray[Any]

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """Which components lie outside their bounds."""
        return (self.action < self.low) | (self.action > self.high)


Decision = SoftmaxDecision | GaussianDecision


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of an episode: the state that ``image`` shows, and what the policy decides in it.

    ``image`` is [height, width, 3], or None where no picture was asked for. ``step`` actions were taken before this
    moment and earned ``reward_so_far``, undiscounted and raw. ``decision`` is None in an episode's final state, where
    there is nothing left to decide. ``episode`` counts from 1.
    """

    image: Image | None
    step: int
    decision: Decision | None
    reward_so_far: float
    terminated: bool
    truncated: bool
    iteration: int
    episode: int

    @property
    def ended(self) -> bool:
        return self.terminated or self.truncated
