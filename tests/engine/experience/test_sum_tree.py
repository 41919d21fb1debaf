"""The tree of sums, by which a place is drawn as often as its weight says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experience.sum_tree import SumTree


@given(
    size=st.integers(1, 600),
    seed=st.integers(0, 10_000),
    empty=st.sampled_from([0.0, 0.5, 0.99]),
)
def test_a_place_is_found_by_the_sum_up_to_it(size: int, seed: int, empty: float) -> None:
    """As a search through all cumulative sums would, and never one of weight 0, at the ends of the range too."""
    random = np.random.default_rng(seed)
    tree, weights = SumTree(size), np.zeros(size)
    for _ in range(3):
        start, stop = sorted(random.integers(0, size + 1, 2))
        tree.fill(int(start), int(stop), 0.7)
        weights[start:stop] = 0.7
        places = random.integers(0, size, 1 + size // 2)
        given = random.random(len(places)) * (random.random(len(places)) > empty)
        tree.put(places, given)
        for place, weight in zip(places, given, strict=True):
            weights[place] = weight
    assert np.array_equal(tree[np.arange(size)], weights)
    assert tree.total == pytest.approx(weights.sum())
    if not weights.any():
        with pytest.raises(ValueError, match="nothing to draw"):
            tree.find(np.array([0.5]))
        return
    found = tree.find(np.array([0.0, 1.0, *random.random(50)]))
    assert (weights[found] > 0.0).all()
    assert found[0] == weights.nonzero()[0][0]
    assert found[1] == weights.nonzero()[0][-1]
    shares = random.random(50)
    sums = weights.cumsum() / weights.sum()
    clear = np.abs(sums[:, None] - shares).min(0) > 1e-9
    assert np.array_equal(tree.find(shares)[clear], sums.searchsorted(shares[clear], "right"))


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        SumTree(4).put(np.array([0, 1]), np.array([1.0, wrong]))
    with pytest.raises(ValueError, match="at least one place"):
        SumTree(0)
