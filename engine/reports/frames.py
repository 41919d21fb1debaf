"""What playback shows, frame by frame: small typed records of numpy arrays and numbers, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # the window shows before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"


@dataclass(frozen=True, slots=True)
class SoftmaxDecision:
    """π(·|s) over n discrete actions, ``probabilities`` [n], the action chosen, counted from 0, and, where they are
    learned, their values Q(s, ·) [n]."""

    probabilities: NDArray[np.float32]
    action: int
    values: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class MultiSoftmaxDecision:
    """π(·|s) over an action of k parts: ``probabilities`` of every part side by side [Σn], as in its space, and the
    choice in each, ``actions`` [k]."""

    probabilities: NDArray[np.float32]
    actions: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SwitchDecision:
    """π(·|s) over n switches: ``probabilities`` that each is on, and the ``actions`` 0 or 1, both [n]."""

    probabilities: NDArray[np.float32]
    actions: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GaussianDecision:
    """π(·|s) over d continuous actions: ``mean``, ``std`` and the chosen ``action`` before clipping, all [d].

    ``low`` and ``high`` [d] are the bounds to which the environment's side clips it; they may be infinite. ``worth``
    [d, PLACES] is Q at places evenly from bound to bound of each component, the others greedy, where that is known.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    action: NDArray[np.float32]
    low: NDArray[Any]
    high: NDArray[Any]
    worth: NDArray[np.float32] | None = None

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """Which components lie outside their bounds."""
        return (self.action < self.low) | (self.action > self.high)


@dataclass(frozen=True, slots=True)
class BoundedDecision:
    """π(·|s) over d continuous actions that never leave their bounds ``low`` and ``high``: a squashed Gaussian, a beta.

    ``densities`` [d, GRID] are its marginal densities at the middles of ``GRID`` equal bins from low to high, relative
    to the greatest; ``middle`` [d] is the action that greedy play takes, and ``action`` [d] the one chosen. ``worth``
    is as of a Gaussian.
    """

    densities: NDArray[np.float32]
    middle: NDArray[np.float32]
    action: NDArray[np.float32]
    low: NDArray[Any]
    high: NDArray[Any]
    worth: NDArray[np.float32] | None = None


GRID = 64
PLACES = 33  # at which an action's worth is looked up

Decision = SoftmaxDecision | MultiSoftmaxDecision | SwitchDecision | GaussianDecision | BoundedDecision


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of an episode: the state that ``image`` shows, and what the policy decides in it.

    ``image`` is [height, width, 3], or None where no picture was asked for. ``step`` actions were taken before this
    moment and earned ``reward_so_far``, undiscounted and raw. ``decision`` is None in an episode's final state, where
    there is nothing left to decide, where no policy decides, and where nobody asks. ``episode`` counts from 1.
    ``state`` is its number where states are numbered. ``teachers_action`` is what the teacher of a learner would do,
    as the environment takes it, where one is asked. ``observation`` [k] is what the policy sees, where that is numbers
    and no picture. ``chosen`` says that somebody chose where the episode begins.
    """

    image: Image | None
    step: int
    decision: Decision | None
    reward_so_far: float
    terminated: bool
    truncated: bool
    iteration: int
    episode: int
    state: int | None = None
    teachers_action: NDArray[Any] | None = None
    observation: NDArray[np.float32] | None = None
    chosen: bool = False

    @property
    def ended(self) -> bool:
        return self.terminated or self.truncated
