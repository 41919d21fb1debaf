"""Steps to a threshold, of runs of which some never got there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.runs.comparison.survival import log_rank, median_steps, survival

STEPS = np.array([100.0, 200.0, 200.0, 300.0, 400.0, 500.0, 500.0, 500.0])
REACHED = np.array([True, True, False, True, True, False, True, False])


def test_censored_runs_count_for_as_long_as_they_were_watched() -> None:
    found = survival(STEPS, REACHED)
    assert found.steps.tolist() == [100, 200, 300, 400, 500]
    assert found.at_risk.tolist() == [8, 7, 5, 4, 3]
    assert found.remaining == pytest.approx(np.cumprod([7 / 8, 6 / 7, 4 / 5, 3 / 4, 2 / 3]))
    assert (found.n, found.reached, found.last) == (8, 5, 500.0)


def test_the_curve_and_its_interval_are_scipys() -> None:
    random = np.random.default_rng(0)
    steps, reached = random.integers(1, 15, 40).astype(float), random.random(40) < 0.6
    theirs = stats.ecdf(stats.CensoredData(uncensored=steps[reached], right=steps[~reached])).sf
    found = survival(steps, reached)
    at = np.isin(theirs.quantiles, found.steps)
    with pytest.warns(RuntimeWarning, match="undefined at some"):  # where none is left
        interval = theirs.confidence_interval(method="log-log")
    assert found.remaining == pytest.approx(theirs.probabilities[at])
    for ours, bound in ((found.low, interval.low), (found.high, interval.high)):
        known = np.isfinite(ours)
        assert ours[known] == pytest.approx(bound.probabilities[at][known])


def test_the_median_is_where_half_of_the_runs_got_there() -> None:
    every = survival(np.arange(1.0, 12.0), np.ones(11, dtype=bool))
    found = median_steps(every)
    assert found.steps == 6.0
    assert found.low is not None
    assert found.high is not None
    assert found.low < 6.0 < found.high
    few = median_steps(survival(STEPS, STEPS < 250))
    assert few.steps is None  # less than half got there
    assert few.low is not None
    assert few.high is None
    none = survival(STEPS, np.zeros(8, dtype=bool))
    assert len(none.steps) == none.reached == 0
    assert median_steps(none).steps is None


@pytest.mark.parametrize(("n", "level"), [(1, 0.5), (2, 0.75), (3, 0.875), (5, 0.95), (20, 0.95)])
def test_the_median_of_few_runs_says_the_level_that_its_interval_has(n: int, level: float) -> None:
    random = np.random.default_rng(n)
    held = 0
    for steps in random.exponential(size=(1_000, n)):
        found = median_steps(survival(steps, np.ones(n, dtype=bool)))
        assert found.level == pytest.approx(level, abs=0.02)
        held += (found.low or 0.0) <= np.log(2) <= (found.high or np.inf)
    assert held / 1_000 == pytest.approx(level, abs=0.035)


def test_the_log_rank_test_is_scipys() -> None:
    random = np.random.default_rng(1)
    groups = [(random.integers(1, 30, n).astype(float), random.random(n) < 0.7) for n in (12, 9)]
    found = log_rank(*groups)
    theirs = stats.logrank(*(stats.CensoredData(uncensored=s[r], right=s[~r]) for s, r in groups))
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((theirs.statistic**2, theirs.pvalue))
    assert found.method == "log-rank test"
    never = STEPS, np.zeros(8, dtype=bool)
    assert log_rank(never, never) is None


def test_of_few_runs_the_log_rank_test_counts_all_ways_to_divide_them() -> None:
    """Of 3 that are all sooner than 3 others, 2 of 20 ways differ as much; and of equal settings not more than 5 % are
    called different."""
    every = np.ones(3, dtype=bool)
    found = log_rank((np.array([1.0, 2.0, 3.0]), every), (np.array([4.0, 5.0, 6.0]), every))
    assert found is not None
    assert (found.p, found.method) == (0.1, "exact log-rank test")
    assert found.excess > 0.0
    random = np.random.default_rng(0)
    drawn = random.exponential(size=(200, 8))
    watched, there = np.minimum(drawn, 1.0), drawn < 1.0
    tests = [log_rank((w[:4], t[:4]), (w[4:], t[4:])) for w, t in zip(watched, there, strict=True)]
    assert np.mean([test is not None and test.p < 0.05 for test in tests]) <= 0.05


def test_steps_that_are_not_known_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        survival(np.array([np.nan]), np.array([False]))
