"""What is kept of the states of a run, and what of the whole library, so that neither grows without bound."""

from __future__ import annotations

from collections.abc import Sequence

from engine.runs.records import CheckpointRecord

MOST = 12  # checkpoints of a run that are kept, but for those that somebody wants


def surplus(checkpoints: Sequence[CheckpointRecord], most: int = MOST) -> list[CheckpointRecord]:
    """Those of a run that are to go, so that at most so many are left, spread over its course. The last and the best
    stay, and those from which a run was forked or that a person asked for."""
    left = sorted(checkpoints, key=lambda checkpoint: checkpoint.iteration)
    gone = []
    while len(left) > most:
        # The one whose neighbours are closest to each other is missed least.
        gaps = {
            at: left[at + 1].iteration - left[at - 1].iteration for at in range(1, len(left) - 1) if not left[at].kinds
        }
        if not gaps:
            break
        gone.append(left.pop(min(gaps, key=lambda at: gaps[at])))
    return gone
