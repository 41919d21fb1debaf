"""What episodes brought as discounted return, and what was seen as they began."""

from __future__ import annotations

import numpy as np

from engine.collection.discounted_returns import DiscountedReturns
from engine.experience.transitions import Transitions


def steps(observations: list[list[int]], ends: list[list[int]]) -> Transitions:
    seen, over = np.array(observations), np.array(ends)
    return Transitions(seen, seen, np.ones(seen.shape), over == 1, over == 2, seen + 1, seen[-1])


def test_every_episode_has_its_own_sum_and_first_observation_however_it_ends() -> None:
    returns = DiscountedReturns(2)
    rewards = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    returns.add(steps([[0, 5], [1, 6], [2, 7]], [[0, 1], [2, 0], [0, 0]]), rewards, 0.5)
    ended = returns.ended
    assert ended is not None
    assert [column.tolist() for column in ended] == [[5, 0], [10.0, 2.0]]

    again = DiscountedReturns(2)
    again.load(returns.state())
    for one in (returns, again):
        one.begin()
        assert one.ended is None
        one.add(steps([[3, 8]], [[1, 1]]), np.array([[8.0, 80.0]]), 0.5)
        ended = one.ended
        assert ended is not None
        assert [column.tolist() for column in ended] == [[2, 6], [8.0, 20.0 + 20.0 + 20.0]]


def test_with_another_discount_sums_begin_anew() -> None:
    returns = DiscountedReturns(1)
    returns.add(steps([[0], [1]], [[0], [0]]), np.array([[1.0], [1.0]]), 1.0)
    again = DiscountedReturns(1)
    again.load(returns.state())
    for one in (returns, again):
        one.add(steps([[4], [5]], [[0], [1]]), np.array([[5.0], [8.0]]), 0.5)
        ended = one.ended
        assert ended is not None
        assert [column.tolist() for column in ended] == [[4], [9.0]]


def test_what_broke_off_counts_for_nothing() -> None:
    returns = DiscountedReturns(1)
    returns.add(steps([[0], [1]], [[0], [0]]), np.array([[1.0], [1.0]]), 1.0)
    returns.broke_off(np.array([0]))
    returns.add(steps([[4]], [[1]]), np.array([[5.0]]), 1.0)
    ended = returns.ended
    assert ended is not None
    assert [column.tolist() for column in ended] == [[4], [5.0]]
