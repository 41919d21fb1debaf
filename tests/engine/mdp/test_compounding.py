"""Errors that add up: ε T² of a copy and ε T of one that has learned from its own states, exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.mdp.compounding import (
    clone,
    corrected,
    cost_of_clone,
    cost_of_corrected,
    states_apart,
    tightrope,
)
from engine.mdp.exact import dynamics_of, expected_return

TEACHER = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize("horizon", [1, 2, 10, 100])
@pytest.mark.parametrize("error", [0.0, 1e-4, 0.1, 1.0])
def test_what_errors_cost_is_what_dynamic_programming_says(error: float, horizon: int) -> None:
    dynamics = dynamics_of(tightrope(horizon))

    def cost(policy: torch.Tensor) -> float:
        return -expected_return(dynamics, policy.expand(horizon, 2, 2), 1.0).item()

    assert cost(TEACHER) == 0.0
    assert cost(clone(error)) == pytest.approx(cost_of_clone(error, horizon), abs=1e-9)
    assert cost(corrected(error)) == pytest.approx(cost_of_corrected(error, horizon), abs=1e-9)
    assert cost(clone(error)) <= error * horizon**2 + 1e-9  # Ross & Bagnell (2010)
    assert cost(corrected(error)) <= error * horizon + 1e-9  # Ross, Gordon & Bagnell (2011), u = 1


def test_twice_the_horizon_costs_a_copy_four_times_as_much_and_the_other_twice() -> None:
    error = 1e-6
    assert cost_of_clone(error, 200) / cost_of_clone(error, 100) == pytest.approx(4.0, rel=0.02)
    assert cost_of_corrected(error, 200) / cost_of_corrected(error, 100) == pytest.approx(2.0, rel=0.02)
    assert cost_of_clone(error, 100) == pytest.approx(error * 100 * 99 / 2, rel=1e-3)


def test_the_states_of_a_copy_part_from_the_teachers_step_by_step() -> None:
    dynamics = dynamics_of(tightrope(5))
    parted = states_apart(dynamics, TEACHER, clone(0.2))
    assert parted.tolist() == pytest.approx([1.0 - 0.8**step for step in range(5)])
    assert states_apart(dynamics, TEACHER, corrected(0.2)).tolist() == pytest.approx([0.0, 0.2, 0.2, 0.2, 0.2])
    assert states_apart(dynamics, TEACHER, TEACHER).tolist() == [0.0] * 5
    with pytest.raises(ValueError, match="horizon"):
        states_apart(dynamics_of(replace(tightrope(5), horizon=None)), TEACHER, TEACHER)
