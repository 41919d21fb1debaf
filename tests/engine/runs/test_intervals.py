"""Numbers of several runs and their intervals: closed forms, and the same questions put to scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from engine.runs.comparison.aggregates import Statistic, aggregate, interquartile_mean, median_run
from engine.runs.comparison.intervals import (
    METHODS,
    RECOMMENDED,
    Interval,
    Method,
    bounds,
    estimate,
    order_level,
    recommended,
)

Floats = NDArray[np.float64]


def scores(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).gamma(2.0, size=n)


def test_the_interquartile_mean_leaves_out_a_quarter_rounded_down_at_each_end() -> None:
    assert interquartile_mean(np.array([8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -90.0])) == (2 + 3 + 4 + 5) / 4
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 3.0, 4.0])) == 3.0  # 3 of 5
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0  # none left out
    for n in range(1, 30):
        assert interquartile_mean(scores(n)) == pytest.approx(stats.trim_mean(scores(n), 0.25))


def test_a_run_stands_for_all_where_its_score_is_the_median() -> None:
    assert median_run(np.array([5.0, 1.0, 9.0])) == 0
    assert median_run(np.array([5.0, 1.0, 9.0, 6.0])) == 0  # the lower of two
    assert median_run(np.array([2.0, 2.0, 2.0])) == 1


def test_the_interval_of_a_mean_is_students() -> None:
    values = scores(7)
    found = estimate(values, "mean").interval
    assert found is not None
    expected = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.level, found.method) == (0.95, "Student t")


@pytest.mark.parametrize("n", [4, 5, 8, 11])
def test_the_interval_of_a_trimmed_mean_is_that_of_yuens_test(n: int) -> None:
    """scipy's trimmed t-test of two samples with itself negated has twice the variance of one, and twice the mean."""
    values = scores(n)
    low, high, _ = bounds(values, "iqm", "trimmed")
    test = stats.ttest_ind(values, -values, trim=0.25)
    middle, error = (high + low) / 2, (high - low) / 2 / stats.t.ppf(0.975, n - 2 * (n // 4) - 1)
    assert middle == pytest.approx(stats.trim_mean(values, 0.25))
    assert test.statistic == pytest.approx(2 * middle / (np.sqrt(2) * error))


@pytest.mark.parametrize(("n", "level"), [(6, 0.95), (9, 0.95), (20, 0.9), (57, 0.99)])
def test_the_interval_of_a_median_lies_between_two_of_order_statistics(n: int, level: float) -> None:
    """Of which the wider one is the exact interval of scipy's quantile test."""
    values = np.sort(scores(n))
    low, high, reached = bounds(values, "median", "order", level)
    wider = stats.quantile_test(values, p=0.5).confidence_interval(level)
    k = int(np.flatnonzero(values == wider.low)[0]) + 1
    assert wider.low == values[k - 1] <= low <= values[k]
    assert values[n - k - 1] <= high <= values[n - k] == wider.high
    assert reached == level


@pytest.mark.parametrize(("n", "level"), [(2, 0.5), (3, 0.75), (5, 0.9375)])
def test_few_runs_have_their_range_and_say_its_level(n: int, level: float) -> None:
    values = scores(n)
    found = estimate(values).interval
    assert found is not None
    assert (found.low, found.high, found.level) == (values.min(), values.max(), level)
    assert order_level(n, 1) == level


def test_the_outermost_of_few_runs_are_taken_further_by_their_gap_to_the_next() -> None:
    """Of six it is their range; of more and of fewer there is another method, and another level is not known."""
    told = {4: (-3.0, 13.0), 5: (-0.6, 13.5), 6: (1.0, 14.0), 7: (2.2, 18.0)}
    for n, expected in told.items():
        values = np.array([1.0, 3.0, 7.0, 9.0, 11.5, 14.0, 24.0][:n])[::-1]
        found = estimate(values, "iqm", level=0.9).interval
        assert found is not None
        assert (found.low, found.high) == pytest.approx(expected)
        assert (found.level, found.method) == (0.95, "extended order statistics")
    for n, method in ((2, "trimmed"), (3, "trimmed"), (8, "expanded")):
        assert recommended("iqm", n) == method


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstraps_are_scipys(statistic: Statistic, method: Method) -> None:
    """But for the draws: both have enough of them to be alike in two digits."""
    values = scores(12)
    found = estimate(values, statistic, method).interval
    assert found is not None

    def of(sample: Floats, axis: int) -> Floats:
        return aggregate(np.moveaxis(sample, axis, 0), statistic)

    theirs = stats.bootstrap(
        (values,), of, n_resamples=10_000, method={"bca": "BCa"}.get(method, method), rng=np.random.default_rng(5)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.05 * np.std(values))
    assert estimate(values, statistic, method).interval == found  # the same again


def test_scores_that_are_all_alike_have_an_interval_without_width() -> None:
    values = np.full(8, 500.0)
    for statistic, method in (*RECOMMENDED.items(), ("mean", "bca"), ("iqm", "percentile")):
        found = estimate(values, statistic, method).interval
        assert found is not None
        assert (found.low, found.high) == (500.0, 500.0)
    for n in range(2, 8):
        assert estimate(values[:n], "iqm").interval == Interval(500.0, 500.0, 0.95, METHODS[recommended("iqm", n)])


def test_one_run_has_no_interval() -> None:
    assert estimate(np.array([3.0]), "mean").interval is None


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (lambda: estimate(np.array([])), "no run"),
        (lambda: estimate(np.array([1.0, np.nan])), "not finite"),
        (lambda: estimate(np.array([1.0, 2.0]), "mean", "order"), "order statistics"),
        (lambda: estimate(np.arange(8.0), "iqm", "extended"), "4 to 7 runs, not of 8"),
    ],
)
def test_what_has_no_interval_is_refused(asked: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        asked()


def test_every_method_has_words() -> None:
    assert set(RECOMMENDED.values()) <= set(METHODS)
