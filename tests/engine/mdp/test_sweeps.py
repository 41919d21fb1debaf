"""Planning sweep by sweep: to the exact answers at the promised rate, in every order, and on from where it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.mdp import planning
from engine.mdp.exact import Dynamics, dynamics_of, policy_iteration, state_values, value_iteration
from engine.mdp.finite import corridor
from engine.mdp.planning import (
    AsynchronousValueIteration,
    Order,
    Plan,
    Planner,
    PolicyIteration,
    ValueIteration,
    optimal_values,
)
from tests.engine.processes import close, known, random_dynamics

LAKE, GAMMA = known("FrozenLake-v1", horizon=None), 0.9
PROCESSES = [random_dynamics(None), LAKE]
ORDERS: list[Order] = ["in-place", "random", "prioritised"]


def in_order(order: Order, dynamics: Dynamics) -> AsynchronousValueIteration:
    return AsynchronousValueIteration(dynamics, order, torch.Generator().manual_seed(3))


def distance(plan: Plan, best: Tensor) -> float:
    return (plan.values - best).abs().max().item()


def settled(step: Callable[[], Plan], most: int = 1000) -> Plan:
    plan = step()
    for _ in range(most):
        if plan.settled:
            return plan
        plan = step()
    raise AssertionError(f"not settled after {most} steps")


# --- value iteration --------------------------------------------------------------------------------------------------


def comes_closer(dynamics: Dynamics, sweeps: int = 40) -> None:
    best, planner = policy_iteration(dynamics, GAMMA).values, ValueIteration(dynamics)
    before = best.abs().max().item()
    for _ in range(sweeps):
        plan = planner.step(GAMMA)
        assert distance(plan, best) <= GAMMA * before + 1e-12
        assert distance(plan, best) <= plan.residual / (1.0 - GAMMA) + 1e-12
        before = distance(plan, best)


@pytest.mark.parametrize("dynamics", PROCESSES)
def test_each_sweep_takes_the_share_of_the_distance_that_gamma_says(dynamics: Dynamics) -> None:
    comes_closer(dynamics)
    planner, best = ValueIteration(dynamics), value_iteration(dynamics, GAMMA)
    plan = settled(lambda: planner.step(GAMMA))
    close(plan.values, best.values, 1e-9)
    close(plan.action_values, best.action_values, 1e-9)
    assert torch.equal(plan.policy, best.policy)
    assert plan.backed_up.tolist() == list(range(len(best.values)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda dynamics, values, gamma: dynamics.rewards + dynamics.continuing @ values,  # without γ
        lambda dynamics, values, gamma: dynamics.rewards + gamma * (dynamics.continuing @ values).mean(-1, True),
        lambda dynamics, values, gamma: dynamics.rewards + gamma * values.unsqueeze(-1),  # of s, not of s'
    ],
)
def test_a_wrong_backup_does_not(wrong: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "backup", wrong)
    with pytest.raises(AssertionError):
        comes_closer(LAKE)


def test_values_that_fall_are_as_far_from_settled_as_those_that_rise() -> None:
    paid = dataclasses.replace(LAKE, rewards=LAKE.rewards - 1.0)
    plan = ValueIteration(paid).step(GAMMA)
    assert plan.residual == pytest.approx((plan.action_values.amax(-1) - plan.values).abs().max().item())
    assert plan.residual > 0.5
    assert not plan.settled


def test_the_k_th_sweep_is_the_best_with_k_turns_left() -> None:
    endless, limited = ValueIteration(LAKE), ValueIteration(dataclasses.replace(LAKE, horizon=12))
    for k in range(1, 13):
        best = value_iteration(dataclasses.replace(LAKE, horizon=k), GAMMA)
        close(endless.step(GAMMA).values, best.values[0])
        plan = limited.step(GAMMA)
        assert plan.turns_left == k
        close(plan.values[-k:], best.values)
        close(plan.action_values[-k:], best.action_values)
        close(plan.values[0], best.values[0])  # of more turns than are known, the most that are
        assert plan.settled is (k == 12)
    assert torch.equal(plan.policy, best.policy)
    assert (plan.residual, plan.backups) == (0.0, 12 * 16)
    idle = limited.step(GAMMA)
    assert (len(idle.backed_up), idle.backups) == (0, 12 * 16)
    assert limited.step(0.5).turns_left == 1  # what was known is of another discount


# --- other orders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dynamics", PROCESSES)
@pytest.mark.parametrize("order", ORDERS)
def test_any_order_comes_to_the_same(order: Order, dynamics: Dynamics) -> None:
    best, planner = value_iteration(dynamics, GAMMA), in_order(order, dynamics)
    plan = settled(lambda: planner.step(GAMMA))
    close(plan.values, best.values, 1e-9)
    assert torch.equal(plan.policy, best.policy)
    rough = in_order(order, dynamics).step(GAMMA, 7)
    assert len(rough.backed_up) == 7
    assert 1e-3 < distance(rough, best.values) <= rough.residual / (1.0 - GAMMA)


def test_the_states_come_up_as_said() -> None:
    in_turn = in_order("in-place", LAKE)
    assert in_turn.step(GAMMA, 3).backed_up.tolist() == [0, 1, 2]
    assert in_turn.step(GAMMA, 15).backed_up.tolist() == [*range(3, 16), 0, 1]
    drawn = torch.cat([in_order("random", LAKE).step(GAMMA, 4000).backed_up]).bincount(minlength=16)
    assert ((drawn - 250).abs() < 4.0 * 250**0.5).all()
    # In the corridor, what the goal pays is seen at the state before it first, and then from state to state.
    paid = dynamics_of(corridor(6, step_reward=0.0, horizon=None))
    assert in_order("prioritised", paid).step(GAMMA).backed_up.tolist() == [4, 3, 2, 1, 0]
    swept = in_order("in-place", paid)
    assert settled(lambda: swept.step(GAMMA)).backups == 5 * 6
    back = dataclasses.replace(paid, rewards=paid.rewards.flip(0), continuing=paid.continuing.flip(0, 2))
    swept = in_order("in-place", back)
    assert settled(lambda: swept.step(GAMMA)).backups == 6  # one sweep, where the numbers run away from the goal


def test_orders_are_for_processes_without_a_horizon() -> None:
    with pytest.raises(ValueError, match="without a horizon"):
        in_order("random", known("FrozenLake-v1"))


# --- policy iteration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dynamics", [*PROCESSES, random_dynamics(6)])
def test_no_policy_is_worse_than_the_one_before(dynamics: Dynamics) -> None:
    planner = PolicyIteration(dynamics)
    before, policy = torch.full(dynamics.shape[:-1], -1e9).double(), planner.state()["policy"]
    for _ in range(8):
        plan = planner.step(GAMMA)
        close(plan.values, state_values(dynamics, policy, GAMMA))
        assert (plan.values >= before - 1e-12).all()
        before, policy = plan.values, plan.policy
    assert plan.settled
    assert plan.residual < 1e-12
    close(plan.values, optimal_values(dynamics, GAMMA), 1e-9)


@pytest.mark.parametrize("dynamics", [*PROCESSES, random_dynamics(6)])
def test_truncated_it_stands_between_value_and_policy_iteration(dynamics: Dynamics) -> None:
    steps, best = [], optimal_values(dynamics, GAMMA)
    for sweeps in (1, 5, 0):
        planner, count, before = PolicyIteration(dynamics), 0, None
        while True:
            plan = planner.step(GAMMA, sweeps)
            if sweeps == 1 and before is not None:
                close(plan.values, before.action_values.amax(-1))  # a sweep of value iteration
            count, before = count + 1, plan
            if plan.settled:
                break
        close(plan.values, best, 1e-9)
        steps.append(count)
    assert steps[0] > steps[1] >= steps[2]


def test_without_discount_it_keeps_to_policies_that_end() -> None:
    planner = PolicyIteration(known("CliffWalking-v1", horizon=None))
    assert settled(lambda: planner.step(1.0)).values[36].item() == pytest.approx(-13.0)


# --- going on ---------------------------------------------------------------------------------------------------------


def planners(dynamics: Dynamics) -> dict[str, tuple[Planner, tuple[Any, ...]]]:
    found: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "sweeps": (ValueIteration(dynamics), ()),
        "policies": (PolicyIteration(dynamics), ()),
        "truncated": (PolicyIteration(dynamics), (2,)),
    }
    if dynamics.horizon is None:
        found |= {order: (in_order(order, dynamics), (5,)) for order in ORDERS}
    return found


@pytest.mark.parametrize("horizon", [None, 9])
def test_it_goes_on_from_its_state_as_if_it_had_not_stopped(horizon: int | None) -> None:
    dynamics = dataclasses.replace(LAKE, horizon=horizon)
    for name, (planner, given) in planners(dynamics).items():
        for _ in range(4):
            planner.step(GAMMA, *given)
        fresh: Any = planners(dynamics)[name][0]
        if name == "random":
            fresh._generator.set_state(planner._generator.get_state())  # type: ignore[attr-defined]
        fresh.load(planner.state())
        for _ in range(3):
            one, other = planner.step(GAMMA, *given), fresh.step(GAMMA, *given)
            for mine, its in zip(one, other, strict=True):
                assert torch.equal(mine, its) if isinstance(mine, Tensor) else mine == its


def test_a_state_of_other_states_is_refused() -> None:
    for name, (planner, _) in planners(LAKE).items():
        with pytest.raises(ValueError, match="what it is loaded into has"):
            planners(random_dynamics(None))[name][0].load(planner.state())
