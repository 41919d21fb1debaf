"""What is said of two settings, by the numbers that are put in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.runs.comparison.summaries import Outcome, Summary, outcome, summary
from engine.runs.comparison.verdicts import Verdict, caveats, verdict
from engine.runs.comparison.wording import number, percent, told_estimate, told_share, told_waiting, with_bounds
from engine.runs.records import Reached, RunRecord, Status
from engine.runs.series import Series

THRESHOLD = 475.0


def of(name: str, scores: Sequence[float], threshold: float | None = None) -> Summary:
    """Runs of 20,000 steps, which have got to the threshold after 1,000, 2,000, … if they end above it."""
    there = [threshold is not None and score >= threshold for score in scores]
    outcomes = [
        Outcome(score, 1_000 * (index + 1) if got else None, 20_000)
        for index, (score, got) in enumerate(zip(scores, there, strict=True))
    ]
    return summary(name, outcomes, threshold)


def normal(name: str, n: int, mean: float, seed: int, threshold: float | None = None) -> Summary:
    return of(name, (np.random.default_rng(seed).normal(size=n) * 50 + mean).tolist(), threshold)


def says(found: Verdict, *parts: str) -> bool:
    text = " ".join(found.sentences)
    return all(part in text for part in parts)


def test_one_is_better_where_difference_and_probability_say_so() -> None:
    high, low = normal("with baseline", 8, 480, 1, THRESHOLD), normal("none", 8, 250, 2, THRESHOLD)
    found = verdict(low, high)
    assert found.better == "with baseline"
    assert says(found, "‘with baseline’ is better than ‘none’: its mean is higher by", "Welch's t-test, 95 %, 8 and 8")
    assert says(found, "probability 1.00 [0.76, 1.00] (Newcombe, 95 %, 8 and 8 runs)")
    assert says(found, "of 8 [", "‘with baseline’ is sooner (log-rank test, p = ")
    assert found.seeds is not None
    assert found.seeds <= 8
    assert verdict(high, low).better == "with baseline"


def test_what_is_not_settled_says_how_many_seeds_would_settle_it() -> None:
    found = verdict(of("a", [1.0, 2.0, 3.0]), of("b", [1.5, 2.5, 3.5]))
    assert found.better is None
    assert found.seeds == 64  # Cohen's d of 0.5
    assert says(found, "do not tell ‘b’ and ‘a’ apart, which does not make them alike")
    assert found.sentences[-1] == (
        "3 seeds: these intervals mean little; about 61 more would settle a difference of this size, in 80 % of all "
        "tries."
    )
    more = verdict(of("a", [1.0, 2.0, 3.0] * 3), of("b", [1.5, 2.5, 3.5] * 3))
    assert says(more, "9 seeds are too few for it; about ")
    assert says(verdict(of("a", [1.0, 3.0]), of("b", [3.0, 1.0])), "no number of seeds settles a difference of 0")
    assert says(verdict(of("a", [1.0, 3.0]), of("b", [3.0, 1.001])), "more than 1,000 of each")


def test_few_seeds_are_said_to_be_few_also_where_all_of_one_are_better() -> None:
    found = verdict(of("a", [401.0, 402.0, 400.0]), of("b", [10.0, 11.0, 12.0]))
    assert found.better == "a"
    assert says(found, "3 seeds: these intervals mean little, whatever they say")


def test_where_seeds_make_no_difference_the_setting_may() -> None:
    assert says(verdict(of("a", [500.0] * 5), of("b", [500.0] * 4)), "All 9 runs came to 500: they do not differ.")
    found = verdict(of("a", [500.0] * 5), of("b", [9.0] * 5))
    assert found.better == "a"
    assert says(found, "All 5 runs of ‘a’ came to 500, and all 5 of ‘b’ to 9: ‘a’ is better.")
    assert verdict(of("a", [500.0] * 2), of("b", [9.0] * 2)).better is None
    assert says(
        verdict(of("a", [0.1] * 3), of("b", [0.3] * 3)), "All 3 runs of ‘a’ came to 0.1, and all 3 of ‘b’ to 0.3"
    )


def test_one_seed_says_nothing() -> None:
    found = verdict(of("a", [500.0]), of("b", [9.0]))
    assert found.better is None
    assert says(found, "One seed of each does not tell ‘a’, 500, from ‘b’, 9", "Train at least 5 of each.")
    assert says(verdict(of("a", [500.0, 490.0]), of("b", [9.0])), "One seed of ‘b’ does not tell")


def test_equal_settings_are_seldom_told_apart() -> None:
    """Of two halves of ten seeds of one setting, which is what Henderson et al. (2018) saw differ."""
    random = np.random.default_rng(0)
    claims = []
    for scores in (random.normal(size=(100, 10)), np.where(random.random((100, 10)) < 0.7, 1.0, 0.0) * 400):
        noisy = scores + random.normal(size=scores.shape)
        claims += [verdict(of("a", row[:5].tolist()), of("b", row[5:].tolist())).better is not None for row in noisy]
    assert np.mean(claims) < 0.05


def test_no_run_is_dropped_silently() -> None:
    outcomes = [Outcome(9.0, None, 20_000, failed=True), Outcome(None, None, 0, unfinished=True), Outcome(500.0, 9, 9)]
    found = summary("a", outcomes, THRESHOLD)
    assert (found.n, found.failed, found.unfinished, found.unscored) == (3, 1, 1, 1)
    assert found.scores.tolist() == [9.0, 500.0]
    assert found.solved is not None
    assert (found.solved.count, found.solved.n) == (1, 3)
    said = " ".join(caveats([found]))
    assert "1 of 3 runs of ‘a’ failed" in said
    assert "1 of 3 runs of ‘a’ is not at the end" in said
    assert "1 of 3 runs of ‘a’ has no score" in said
    assert caveats([of("a", [1.0, 2.0])] * 2) == []
    assert "make 3 pairs" in caveats([of("a", [1.0, 2.0])] * 3)[0]
    nothing = summary("b", outcomes[1:2], None)
    assert says(verdict(nothing, found), "no episode has ended in a run of ‘b’")


def test_a_run_that_failed_never_gets_there() -> None:
    """It was to be trained for its whole budget: one that fails at once must not count for less than a slow one."""
    columns = ("environment_steps", "episodes", "seconds", "mean_return")
    series = Series(columns, np.array([[100.0, 5.0, 0.1, 8.0]]))
    configuration = {"environment": {"id": "CartPole-v1"}, "seed": 1, "budget": {"environment_steps": 50_000}}
    reached = Reached(1, 100, 5, 0.1)
    for status, steps in ((Status.FAILED, 50_000), (Status.FINISHED, 100), (Status.STOPPED, 100)):
        found = outcome(RunRecord("x", 1, configuration, status, 0.0, reached=reached), series, THRESHOLD)
        assert (found.score, found.reached, found.steps) == (8.0, None, steps)
        assert (found.failed, found.unfinished) == (status is Status.FAILED, status is Status.STOPPED)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (number(12_345.678), "12,346"),
        (number(0.012341), "0.01234"),
        (with_bounds(312.4, 250.0, 370.2), "312 [250, 370]"),
        (with_bounds(0.0312, 0.0251, 0.0369), "0.031 [0.025, 0.037]"),
        (with_bounds(500.0, 500.0, 500.0), "500 [500, 500]"),
        (with_bounds(0.1, 0.1, 0.1 + 1e-16), "0.1 [0.1, 0.1]"),
        (with_bounds(5.0, -np.inf, np.inf), "5 [-inf, inf]"),
        (percent(0.9375), "93.8 %"),
    ],
)
def test_numbers_have_as_many_digits_as_are_known(told: str, words: str) -> None:
    assert told == words


def test_beside_each_interval_stand_its_method_level_and_n() -> None:
    found = of("a", [100.0, 200.0, 300.0, 400.0, 500.0], THRESHOLD)
    assert told_estimate(found.estimates["median"]) == ("300 [100, 500]", "order statistics, 93.8 %, 5 runs")
    assert told_estimate(of("a", [7.0]).estimates["mean"]) == ("7", "1 run")
    assert found.solved is not None
    assert found.steps is not None
    assert told_share(found.solved) == ("1 of 5 [4 %, 62 %]", "Wilson, 95 %")
    words, how = told_waiting(found.steps)
    assert (words, how[:16]) == ("not reached", "not before 5,000")
