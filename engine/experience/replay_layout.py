"""What a replay buffer keeps of a transition, and how much memory that takes: told before anything of it is made, and
without numpy or torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

Kind = Literal["float32", "uint8", "int64"]
_BYTES: dict[Kind, int] = {"float32": 4, "uint8": 1, "int64": 8}
# Bytes of a reward, of whether and how an episode ends, of a likelihood, and of a priority.
_REWARD, _END, _LIKELIHOOD, _PRIORITY = 4, 4, 4, 8


@dataclass(frozen=True)
class ArrayLayout:
    """``shape`` and type of one observation or action. Pixels from 0 to 255 are kept in one byte each."""

    shape: tuple[int, ...]
    kind: Kind

    @property
    def bytes(self) -> int:
        return prod(self.shape) * _BYTES[self.kind]


@dataclass(frozen=True)
class TransitionLayout:
    """What one observation and one action are made of, and whether ``likelihoods`` of actions are kept: log μ(a|s) of
    the policy that acted.

    An observation may be of several ``frames``, the latest that were seen, oldest first: [places, frames, numbers], one
    after the other where there is one place, and side by side in each of several ``places``, as pixels are. Each frame
    is kept once. Before an episode's first frame there are zeros, or where it ``repeats`` that frame again.
    """

    observation: ArrayLayout
    action: ArrayLayout
    likelihoods: bool = False
    frames: int = 1
    places: int = 1
    repeats: bool = False

    @property
    def frame(self) -> ArrayLayout:
        """What is kept of one observation."""
        if self.frames == 1:
            return self.observation
        return ArrayLayout((prod(self.observation.shape) // self.frames,), self.observation.kind)


def replay_bytes(
    layout: TransitionLayout, capacity: int, environments: int, prioritized: bool, time_limit: int | None = None
) -> int:
    """About how many bytes a replay buffer of ``capacity`` transitions fills.

    The observation after a step is kept only where an episode is cut off by the ``time_limit``; elsewhere it is the
    observation before the next one. A state of the buffer, as a checkpoint has it, takes as much again.
    """
    rows = capacity // environments + layout.frames
    each = layout.frame.bytes + layout.action.bytes + _REWARD + _END + (_PRIORITY if prioritized else 0)
    each += _LIKELIHOOD if layout.likelihoods else 0
    finals = 2 * rows * environments // time_limit if time_limit else 0  # there is room for up to twice as many
    return rows * environments * each + finals * layout.frame.bytes
