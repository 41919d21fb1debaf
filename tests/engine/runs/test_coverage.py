"""Whether intervals that say 95 % hold the truth in 95 of 100 experiments, with 2,000 experiments of synthetic seeds.

What all methods come to, those that are not recommended as well, is measured by ``python -m tests.benchmarks
coverage``.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.runs.comparison.aggregates import Statistic
from engine.runs.comparison.intervals import recommended
from tests.benchmarks.coverage import Scores, called_different, covered, distributions, of_difference, of_shares

TIMES = 2_000
OFTEN = 20_000  # of what is quick, so that chance moves its share by less than half a point
NORMAL, SKEWED, FAILING, CAPPED = distributions()


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize(
    ("statistic", "kinds"),
    [
        ("median", (NORMAL, SKEWED, FAILING, CAPPED)),
        ("iqm", (NORMAL, SKEWED, FAILING, CAPPED)),
        ("mean", (NORMAL,)),
    ],
)
def test_recommended_intervals_hold_the_truth_as_often_as_they_say(
    statistic: Statistic, kinds: tuple[Scores, ...], n: int
) -> None:
    random = np.random.default_rng(n + 1)
    for of in kinds:
        by = recommended(statistic, n)
        held = covered(of, statistic, by, n, random, TIMES if by == "expanded" else OFTEN).share
        assert held == pytest.approx(0.95, abs=0.02), of.name


def test_of_six_and_seven_seeds_an_interquartile_mean_is_held_as_often_and_of_four_almost() -> None:
    """And a bootstrap, which does not leave the range of the runs, or Student's t, which sees the spread of the middle
    only, holds it less often."""
    random = np.random.default_rng(3)
    for n, allowed in ((4, 0.025), (6, 0.02), (7, 0.02)):
        for of in (NORMAL, SKEWED, FAILING, CAPPED):
            held = covered(of, "iqm", recommended("iqm", n), n, random, OFTEN).share
            assert held == pytest.approx(0.95, abs=allowed), (n, of.name)
    assert covered(FAILING, "iqm", "expanded", 5, random, TIMES).share < 0.92
    assert covered(FAILING, "iqm", "trimmed", 20, random, TIMES).share < 0.8


def test_an_interval_that_holds_more_often_is_not_absurdly_wide() -> None:
    random = np.random.default_rng(4)
    for n in (4, 5, 6, 7):
        for of in (NORMAL, SKEWED, FAILING, CAPPED):
            assert covered(of, "iqm", "extended", n, random, TIMES).width < 2.1 * 5 / n**0.5, (n, of.name)


def test_bootstraps_of_five_seeds_are_too_short() -> None:
    random = np.random.default_rng(0)
    assert covered(NORMAL, "mean", "percentile", 5, random, 200).share < 0.9
    assert covered(NORMAL, "mean", "bca", 5, random, 200).share < 0.9


@pytest.mark.parametrize("n", [5, 10, 20])
def test_intervals_of_two_settings_hold_the_truth_as_often_as_they_say(n: int) -> None:
    random = np.random.default_rng(n)
    welch, newcombe = of_difference(NORMAL, n, random, TIMES)
    assert welch == pytest.approx(0.95, abs=0.02)
    for coverage in (newcombe, of_difference(SKEWED, n, random, TIMES)[1]):
        assert coverage == pytest.approx(0.95, abs=0.025)
    assert max(called_different(of, n, random, TIMES) for of in (NORMAL, SKEWED, FAILING, CAPPED)) < 0.06


def test_wilsons_interval_holds_a_share_as_often_as_it_says_and_the_exact_one_more_often() -> None:
    assert of_shares("wilson") == pytest.approx([0.95] * 4, abs=0.01)
    assert min(of_shares("clopper-pearson")) > 0.97
