"""The same questions put to rliable (Agarwal et al. 2021), where it is installed and finds a pandas that it reads."""

from __future__ import annotations

import warnings
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.runs.comparison.aggregates import aggregate
from engine.runs.comparison.intervals import estimate
from engine.runs.comparison.pairs import mean_improvement

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def rliable() -> ModuleType:
    try:
        if int(version("pandas").split(".")[0]) > 2:
            pytest.skip("what rliable is built on reads pandas up to version 2")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import rliable.library
            import rliable.metrics
    except (PackageNotFoundError, ImportError) as error:
        pytest.skip(f"rliable is in the extra bench: {error}")
    return rliable


SCORES = np.random.default_rng(0).gamma(2.0, size=(8, 3))


def intervals(rliable: ModuleType, scores: Floats) -> Floats:
    """Of mean, interquartile mean and median, [2, 3]."""
    of = rliable.metrics

    def numbers(values: Floats) -> Floats:
        return np.array([of.aggregate_mean(values), of.aggregate_iqm(values), of.aggregate_median(values)])

    np.random.seed(0)  # noqa: NPY002, which it draws from
    return rliable.library.get_interval_estimates({"a": scores}, numbers, reps=4_000)[1]["a"]


def test_its_interval_of_one_environment_is_the_percentile_bootstrap_where_runs_are_a_column(
    rliable: ModuleType,
) -> None:
    """As a row they are environments of one run each: each draw within one is that run, so that the interval has no
    width. And its median is over environments of means over runs: of one environment the mean."""
    runs = SCORES[:5, 0]
    theirs = intervals(rliable, runs[:, None])
    for column, statistic in enumerate(("mean", "iqm")):
        ours = estimate(runs, statistic, "percentile").interval
        assert ours is not None
        assert theirs[:, column] == pytest.approx([ours.low, ours.high], abs=0.1 * runs.std())
    assert theirs[:, 2] == pytest.approx(theirs[:, 0])
    assert np.ptp(intervals(rliable, runs[None]), axis=0) == pytest.approx([0.0, 0.0, 0.0])


def test_its_aggregates_are_ours(rliable: ModuleType) -> None:
    for n in (3, 5, 8):
        assert rliable.metrics.aggregate_iqm(SCORES[:n, :1]) == pytest.approx(aggregate(SCORES[:n, 0], "iqm"))
        assert rliable.metrics.aggregate_mean(SCORES[:n, :1]) == pytest.approx(aggregate(SCORES[:n, 0], "mean"))


def test_its_probability_of_improvement_is_ours_and_its_interval_within(rliable: ModuleType) -> None:
    """It draws runs again within each environment, which with few runs is too short an interval."""
    others = SCORES[::-1] * 0.6
    of = rliable.metrics.probability_of_improvement
    ours = mean_improvement([(SCORES[:, k], others[:, k]) for k in range(3)])
    assert of(SCORES, others) == pytest.approx(ours.probability)
    np.random.seed(0)  # noqa: NPY002
    pair = {"pair": [SCORES, others]}
    _, found = rliable.library.get_interval_estimates(pair, lambda x, y: np.array([of(x, y)]), reps=300)
    assert found["pair"].ravel() == pytest.approx([ours.low, ours.high], abs=0.05)
