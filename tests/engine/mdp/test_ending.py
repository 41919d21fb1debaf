"""Without discounting: what ends, what need not, and which of equally good actions a plan takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch

from engine.mdp.ending import EndlessError
from engine.mdp.exact import Dynamics, dynamics_of, expected_return, policy_iteration, state_values, value_iteration
from engine.mdp.finite import GridRewards, corridor, gridworld
from engine.mdp.performance_difference import compare
from engine.mdp.planning import Plan, PolicyIteration, ValueIteration
from tests.engine.mdp.test_sweeps import ORDERS, in_order, settled

FREE = GridRewards(step=0.0, goal=10.0)


def grid(*rows: str, rewards: GridRewards | None = None, slip: float = 0.0) -> Dynamics:
    return dynamics_of(gridworld(rows, rewards, slip, None))


ROUND_AND_ROUND = [grid("S..", "...", "..G", rewards=FREE), grid("S.H", "...", "..G", rewards=FREE, slip=0.2)]
ENCLOSED = grid("S..#.", "..G##")  # nobody comes to the last cell of the first row, nor away from it


def every_planner(dynamics: Dynamics) -> dict[str, Callable[[], Plan]]:
    steps: dict[str, Callable[[], Plan]] = {
        "sweeps": partial(ValueIteration(dynamics).step, 1.0),
        "policies": partial(PolicyIteration(dynamics).step, 1.0),
    }
    return steps | {order: partial(in_order(order, dynamics).step, 1.0, 1000) for order in ORDERS}


@pytest.mark.parametrize("dynamics", ROUND_AND_ROUND)
def test_of_equally_good_actions_a_plan_takes_one_that_gets_there(dynamics: Dynamics) -> None:
    """Where walking on costs nothing all ways are worth the same, one that never arrives too."""
    best = policy_iteration(dynamics, 1.0).values
    for step in every_planner(dynamics).values():
        plan = settled(step, 3000)
        assert (plan.values - best).abs().max().item() < 1e-8
        assert expected_return(dynamics, plan.policy, 1.0).item() == pytest.approx((dynamics.initial @ best).item())
    solved = value_iteration(dynamics, 1.0)
    assert expected_return(dynamics, solved.policy, 1.0).item() == pytest.approx((dynamics.initial @ best).item())


def test_where_nobody_comes_to_nothing_has_to_end() -> None:
    best = policy_iteration(ENCLOSED, 1.0)
    assert (ENCLOSED.initial @ best.values).item() == pytest.approx(9.8)
    for name, step in every_planner(ENCLOSED).items():
        plan = settled(step)
        assert plan.values[0].item() == pytest.approx(9.8), name
    with pytest.raises(EndlessError, match="as from state 0; use a discount below 1"):  # the goal is behind a wall
        policy_iteration(grid("S.#.", "..#G"), 1.0)


def test_a_policy_need_not_end_where_it_does_not_go() -> None:
    """It goes straight to the goal, and to and fro where it would never be."""
    dynamics = grid("S.G", "...")
    straight, back = torch.zeros(2, 6, 4, dtype=torch.float64)
    straight[:, 2] = 1.0  # right
    straight[3:] = torch.eye(4).double()[0]  # left in the row beneath, against the wall in the end
    back[:] = torch.eye(4).double()[1]  # down
    assert expected_return(dynamics, straight, 1.0).item() == pytest.approx(9.9)
    with pytest.raises(EndlessError) as found:
        state_values(dynamics, straight, 1.0)
    assert found.value.states == [3, 4, 5]
    told = compare(dynamics, straight, torch.full_like(straight, 0.25), 1.0)
    assert told.lemma == pytest.approx(told.difference)
    with pytest.raises(EndlessError):
        compare(dynamics, back, straight, 1.0)  # which goes where the old one would never end


def test_what_neither_policy_comes_to_counts_for_nothing_in_the_bounds() -> None:
    dynamics = replace(dynamics_of(corridor(5, horizon=None)), initial=torch.eye(5).double()[2])
    old = torch.tensor([0.0, 1.0]).double().repeat(5, 1)
    new = old.clone()
    new[0] = torch.tensor([1.0, 0.0])  # into the wall, at an end where nobody is
    told = compare(dynamics, new, old, 0.9)
    assert (told.worst_gain, told.worst_case, told.moved, told.mismatch, told.guaranteed) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_sweeps_count_the_turns_of_one_discount() -> None:
    planner = ValueIteration(grid("S.G"))
    assert [planner.step(0.9).turns_left for _ in range(3)] == [1, 2, 3]
    again = ValueIteration(grid("S.G"))
    again.load(planner.state())
    assert again.step(0.9).turns_left == 4
    assert [again.step(0.5).turns_left for _ in range(2)] == [None, None]
