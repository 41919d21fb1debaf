"""What every numbered state is worth, as far as a run has learned or planned it, beside its policy."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

MOST_SHOWN = 2_000  # states whose values are looked up to be shown


class StateValues(NamedTuple):
    """``values`` are V [S], float64 on the CPU: a critic's, of what is observed, or a plan's, of each state. Of a plan
    ``turns_left`` is k where they are V_k, and ``settled`` whether another step would change nothing."""

    values: Tensor
    turns_left: int | None = None
    settled: bool = False
