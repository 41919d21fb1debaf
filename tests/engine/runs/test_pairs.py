"""Two settings against each other: closed forms, and the same questions put to scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from engine.runs.comparison.pairs import (
    improvement_bounds,
    mean_improvement,
    probability_of_improvement,
    welch,
)
from engine.runs.comparison.power import power, seeds_needed
from engine.runs.comparison.profiles import profile, thresholds_of
from engine.runs.comparison.proportions import By, share

Floats = NDArray[np.float64]


def scores(n: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> Floats:
    return scale * np.random.default_rng(seed).normal(size=n) + shift


def test_the_probability_of_improvement_is_mann_and_whitneys_with_ties_by_half() -> None:
    first, second = np.array([3.0, 5.0, 5.0, 9.0]), np.array([5.0, 1.0, 2.0])
    assert probability_of_improvement(first, second).probability == pytest.approx((2 + 2.5 + 2.5 + 3) / 12)
    for seed in range(5):
        first, second = scores(6, seed).round(1), scores(9, seed + 100).round(1)
        u = stats.mannwhitneyu(first, second).statistic
        found, other = probability_of_improvement(first, second), probability_of_improvement(second, first)
        assert found.probability == pytest.approx(u / 54)
        assert (other.low, other.high) == pytest.approx((1 - found.high, 1 - found.low))
        assert (found.n, found.level) == ((6, 9), 0.95)


def test_the_bounds_of_the_probability_of_improvement_solve_newcombes_equation() -> None:
    for theta, n, m in ((0.5, 5, 5), (0.8, 3, 12), (0.97, 20, 20)):
        for bound in improvement_bounds(np.array([theta]), n, m):
            of_one, of_other = (1 - bound) / (2 - bound), bound / (1 + bound)
            variance = bound * (1 - bound) * (1 + ((n + m) / 2 - 1) * (of_one + of_other)) / (n * m)
            assert abs(theta - bound) == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(variance), abs=1e-9)


def test_an_interval_has_a_width_also_where_every_run_of_one_is_better() -> None:
    found = probability_of_improvement(np.arange(5.0) + 10.0, np.arange(5.0))
    assert found.probability == found.high == 1.0
    assert 0.5 < found.low < 0.75
    assert probability_of_improvement(np.ones(2), np.zeros(2)).low < 0.5  # two each say nothing


def test_environments_are_compared_each_by_itself() -> None:
    easy = scores(5, 1, 500.0), scores(5, 2, 400.0)
    hard = scores(6, 3, 0.5), scores(6, 4)
    both = mean_improvement([easy, hard])
    of_easy, of_hard = probability_of_improvement(*easy), probability_of_improvement(*hard)
    assert both.probability == pytest.approx((1.0 + of_hard.probability) / 2)
    down = np.hypot(1.0 - of_easy.low, of_hard.probability - of_hard.low) / 2
    assert both.low == pytest.approx(both.probability - down)
    assert 0.0 <= both.low <= both.high <= 1.0
    assert both.n == (11, 11)
    assert mean_improvement([hard]) == of_hard


@pytest.mark.parametrize(("n", "m", "scale"), [(5, 5, 1.0), (3, 20, 4.0)])
def test_the_difference_of_means_is_welchs(n: int, m: int, scale: float) -> None:
    first, second = scores(n, 1, 0.7), scores(m, 2, 0.0, scale)
    found = welch(first, second)
    theirs = stats.ttest_ind(first, second, equal_var=False)
    interval = theirs.confidence_interval()
    assert found is not None
    assert (found.t, found.degrees, found.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.settled == (found.p < 0.05)


def test_no_spread_is_no_test() -> None:
    assert welch(np.array([1.0]), scores(5, 1)) is None
    assert welch(np.full(5, 500.0), np.full(5, 500.0)) is None
    assert welch(np.full(3, 0.1), np.full(3, 0.3)) is None  # whose means are not quite those, as numpy adds them up
    assert np.full(3, 0.1).var(ddof=1) > 0.0


@pytest.mark.parametrize(("by", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "exact")])
def test_shares_have_the_intervals_of_scipys_binomial_test(by: By, theirs: str) -> None:
    for n in (1, 8, 30):
        for count in range(n + 1):
            found = share(count, n, by)
            expected = stats.binomtest(count, n).proportion_ci(method=theirs)
            assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert share(7, 8).value == 7 / 8


def test_a_profile_tells_the_share_of_runs_above_each_score() -> None:
    found = profile(np.array([1.0, 2.0, 2.0, 4.0, -np.inf]), np.array([0.0, 1.0, 1.5, 2.0, 5.0]))
    assert found.share.tolist() == [0.8, 0.6, 0.6, 0.2, 0.0]
    assert (found.low[1], found.high[1]) == pytest.approx((share(3, 5).low, share(3, 5).high))
    thresholds = thresholds_of([np.array([1.0, -np.inf]), np.array([3.0])])
    assert thresholds[0] < 1.0 < 3.0 < thresholds[-1]
    assert len(thresholds_of([])) == 0


def test_power_is_the_share_of_experiments_that_see_the_difference() -> None:
    random = np.random.default_rng(0)
    for n, difference, spreads in ((5, 2.0, (1.0, 1.0)), (8, 1.5, (0.5, 2.0))):
        first = random.normal(difference, spreads[0], (20_000, n))
        second = random.normal(0.0, spreads[1], (20_000, n))
        seen = np.mean(stats.ttest_ind(first, second, equal_var=False, axis=1).pvalue < 0.05)
        assert power(n, difference, spreads) == pytest.approx(seen, abs=0.03)
    assert power(10, 0.0, (1.0, 1.0)) == pytest.approx(0.05)
    assert power(10, 1e9, (1.0, 1.0)) == 1.0


@pytest.mark.parametrize(("difference", "needed"), [(0.2, 394), (0.5, 64), (0.8, 26), (100.0, 2), (0.01, None)])
def test_so_many_seeds_are_needed_as_cohens_table_says(difference: float, needed: int | None) -> None:
    """Cohen (1988), at a power of 0.80 and a level of 0.05 on both sides."""
    assert seeds_needed(difference, (1.0, 1.0)) == needed


@pytest.mark.parametrize(
    "asked",
    [
        lambda: probability_of_improvement(np.array([]), np.ones(2)),
        lambda: welch(np.array([np.nan, 1.0]), np.ones(2)),
        lambda: mean_improvement([]),
        lambda: share(9, 8),
        lambda: power(1, 1.0, (1.0, 1.0)),
        lambda: power(5, 1.0, (0.0, 0.0)),
        lambda: profile(np.array([np.nan]), np.ones(1)),
    ],
)
def test_what_cannot_be_compared_is_refused(asked: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        asked()
