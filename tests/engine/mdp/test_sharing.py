"""States that look alike: policy iteration falls where small steps climb, and weights that stay come to rest."""

from __future__ import annotations

import pytest
import torch

from engine.mdp.exact import dynamics_of, expected_return
from engine.mdp.performance_difference import compare
from engine.mdp.planning import Plan, PolicyIteration
from engine.mdp.sharing import SharedValueIteration, Sharing, Weighting
from engine.mdp.small_worlds import in_blocks, ledge
from tests.engine.processes import close, policy_of, random_dynamics

LEDGE = ledge()
DYNAMICS, GROUPS = dynamics_of(LEDGE.mdp), LEDGE.groups


def returns(plans: list[Plan]) -> list[float]:
    return [expected_return(DYNAMICS, plan.policy, 1.0).item() for plan in plans]


def iterated(weighting: Weighting, steps: int = 6, mixed: float = 1.0, sweeps: int = 0) -> list[Plan]:
    planner = PolicyIteration(DYNAMICS, Sharing.of(GROUPS, weighting).fit(DYNAMICS))
    return [planner.step(1.0, sweeps, mixed) for _ in range(steps)]


def swept(weighting: Weighting) -> list[Plan]:
    planner = SharedValueIteration(DYNAMICS, Sharing.of(GROUPS, weighting))
    return [planner.step(1.0) for _ in range(6)]


def test_fitted_where_the_policy_goes_it_falls_and_comes_back_for_ever() -> None:
    for plans in (iterated("visited"), iterated("visited", sweeps=5), swept("visited")):
        assert returns(plans) == pytest.approx([0.0, -2.0] * 3)
        assert not any(plan.settled for plan in plans)
        for plan in plans:
            close(plan.action_values[0], plan.action_values[1])
    # At p = 1/2 going on is worth (1 − 6 p) / (1 + p); where nobody goes on, 1.
    first, second = iterated("visited", 2)
    assert first.action_values[0].tolist() == pytest.approx([0.0, -2.0 / 1.5])
    assert second.action_values[0].tolist() == pytest.approx([0.0, 1.0])


def test_with_weights_that_stay_it_comes_to_rest() -> None:
    for plans in (iterated("equal"), swept("equal")):
        assert returns(plans) == [0.0] * 6
        assert plans[-1].settled
        assert plans[-1].residual == 0.0
    assert iterated("equal", 1)[0].action_values[0, 1].item() == pytest.approx(-1.0 - 3.0 / 4.0)


def test_a_small_part_of_the_step_climbs_and_stays_near_the_best() -> None:
    climbed = returns(iterated("visited", 60, 0.02))
    rising = climbed[: next(step for step, found in enumerate(climbed) if found > 0.082)]
    assert len(rising) > 30
    assert rising == sorted(rising)
    assert max(climbed) == pytest.approx(1.0 / 12.0, abs=1e-3)
    assert min(climbed[50:]) > 0.08  # round the best in the end, by as much as a step


def test_the_lemma_says_why() -> None:
    """From always stopping to always going on: a gain of 1 where the old policy goes, −3 where it never was."""
    stops, goes = (plan.policy for plan in iterated("visited", 2))
    told = compare(DYNAMICS, goes, stops, 1.0)
    assert (told.surrogate, told.difference, told.worst_gain) == (1.0, -2.0, -3.0)
    assert told.lemma == told.difference


def test_states_that_all_look_different_share_nothing() -> None:
    dynamics = random_dynamics(None)
    sharing = Sharing(torch.arange(5))
    table = torch.randn(5, 3, dtype=torch.float64)
    close(sharing.fitted(table, sharing.weights(dynamics, policy_of(), 0.9)), table)
    alone, together = PolicyIteration(dynamics), PolicyIteration(dynamics, sharing.fit(dynamics))
    for _ in range(4):
        one, other = alone.step(0.9), together.step(0.9)
        close(one.values, other.values)
        assert torch.equal(one.policy, other.policy)


def test_mixed_it_comes_to_the_same_best_policy_and_says_so() -> None:
    dynamics = random_dynamics(None)
    whole, mixed = PolicyIteration(dynamics), PolicyIteration(dynamics)
    best = [whole.step(0.9) for _ in range(6)][-1]
    before = -torch.inf
    for _ in range(200):
        plan = mixed.step(0.9, 0, 0.2)
        assert (plan.values >= before - 1e-12).all()
        before = plan.values
    close(plan.policy, best.policy, 1e-9)
    assert plan.settled


def test_it_goes_on_from_its_state() -> None:
    sharing = Sharing.of(GROUPS)
    one, other = SharedValueIteration(DYNAMICS, sharing), SharedValueIteration(DYNAMICS, sharing)
    one.step(1.0)
    other.load(one.state())
    assert torch.equal(one.step(1.0).policy, other.step(1.0).policy)
    with pytest.raises(ValueError, match="what it is loaded into has"):
        SharedValueIteration(random_dynamics(None), sharing).load(one.state())


def test_blocks_are_numbered_as_cells_are_and_what_is_left_over_is_one_too() -> None:
    assert in_blocks(("S..", "...", "..G"), 2) == (0, 0, 1, 0, 0, 1, 2, 2, 3)
    assert in_blocks(("S.G",), 1) == (0, 1, 2)
    assert set(in_blocks(("S.", ".G"), 5)) == {0}
    with pytest.raises(ValueError, match="at least 1 cell"):
        in_blocks(("SG",), 0)
