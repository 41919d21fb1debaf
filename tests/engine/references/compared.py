"""What tells whether the engine and a reference learned the same, and experience taken for another than it is.

The references compute in double precision, so what is left between the two is the engine's rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.engine.references.recorded import ITERATIONS, Recorded

History = dict[str, list[Tensor]]
CLOSE = 1e-5  # weights, which are around 1 and move by 0.01 to 0.5
APART = 20.0  # times as far off, at least, is a wrong algorithm


def furthest(got: list[Tensor], expected: list[Tensor]) -> float:
    """The greatest difference of any weight after any step; infinite where there are more steps on one side."""
    if len(got) != len(expected):
        return torch.inf
    return max(((one - other).abs().max().item() for one, other in zip(got, expected, strict=True)), default=0.0)


def distance(recorded: Recorded, history: History) -> float:
    return max(furthest(recorded.policy_steps, history["policy"]), furthest(recorded.value_steps, history["value"]))


def assert_reported(recorded: Recorded, name: str, expected: list[Tensor]) -> None:
    """Each iteration's metric is that number."""
    got = [metrics[name] for metrics in recorded.metrics]
    assert got == pytest.approx([number.item() for number in expected], rel=1e-3, abs=1e-5)


def by_iteration(numbers: list[Tensor]) -> list[Tensor]:
    """[iterations, steps], where all have as many."""
    return list(torch.stack(numbers).view(ITERATIONS, -1))


# --- experience that is taken for another than it is ------------------------------------------------------------------


def changed(recorded: Recorded, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Recorded:
    return replace(recorded, batches=[batch | change(batch) for batch in recorded.batches])


def truncations_as_terminations(recorded: Recorded) -> Recorded:
    """One flag for both ends: nothing is expected behind a time limit."""
    return changed(
        recorded,
        lambda batch: {
            "terminated": batch["terminated"] | batch["truncated"],
            "truncated": torch.zeros_like(batch["truncated"]),
            "final_observations": batch["final_observations"][:0],
        },
    )


def episodes_run_into_each_other(recorded: Recorded) -> Recorded:
    """The next episode's first value stands behind a time limit."""

    def change(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        last = torch.zeros_like(batch["truncated"])
        last[-1] = batch["truncated"][-1]
        return {"truncated": last, "final_observations": batch["final_observations"][-1:]}

    return changed(recorded, change)


def final_observations_of_others(recorded: Recorded) -> Recorded:
    return changed(recorded, lambda batch: {"final_observations": batch["final_observations"].roll(1, 0)})


def rewards_a_step_late(recorded: Recorded) -> Recorded:
    return changed(recorded, lambda batch: {"rewards": batch["rewards"].roll(1, 0)})


ENDS = {
    "truncations as terminations": truncations_as_terminations,
    "episodes run into each other": episodes_run_into_each_other,
    "final observations of others": final_observations_of_others,
    "rewards a step late": rewards_a_step_late,
}
