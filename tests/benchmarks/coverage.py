"""coverage: in how many of all experiments each interval really holds the truth, where it says 95 %.

Seeds are drawn from distributions of which the truth is known: normal ones; skewed ones (exponential); two-humped ones,
where 3 of 10 seeds fail; and capped ones, where most runs end at the highest score that there is. Each experiment has n
seeds, from which an interval is made; the share of experiments whose interval holds the truth is its coverage. The
truth of the interquartile mean is the mean of the middle half of the distribution.

The width of an interval is the mean over experiments, in standard deviations of the scores.

The intervals of two settings, each of n seeds, are of the difference of means and of the probability of improvement,
where the first is better by a standard deviation. "Called different" is how often one of two equal settings is said to
be better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.bootstrap import bca_bounds, percentile_bounds
from engine.runs.comparison.intervals import METHODS, Method, bounds, recommended
from engine.runs.comparison.pairs import improvement_bounds, probabilities
from engine.runs.comparison.proportions import WORDS, By, share_bounds
from tests.benchmarks.figures import Grid, Measured, Say

Floats = NDArray[np.float64]
SEEDS = (3, 5, 10, 20)
EXPERIMENTS = 20_000  # of intervals in closed form
OF_BOOTSTRAPS = 2_000
RESAMPLES = 1_000
_CHUNK = 1_000  # experiments at once
HELD: dict[Statistic, str] = {
    "median": "median, furthest from 95 % at 5 seeds and more",
    "iqm": "interquartile mean, furthest from 95 % at 5 seeds and more",
}
_OF: dict[Statistic, tuple[Method | None, ...]] = {  # None: the one that the program takes for so many seeds
    "median": (None, "expanded", "percentile", "bca"),
    "iqm": (None, "expanded", "trimmed", "percentile", "bca"),
    "mean": (None, "expanded", "percentile", "bca"),
}


@dataclass(frozen=True)
class Scores:
    """A distribution of scores, by its distribution function on a fine grid."""

    name: str
    x: Floats
    cdf: Floats

    def drawn(self, random: np.random.Generator, *shape: int) -> Floats:
        return self.quantile(random.random(shape))

    def quantile(self, p: Floats) -> Floats:
        return np.interp(p, self.cdf, self.x)

    @cached_property
    def truth(self) -> dict[Statistic, float]:
        middles = (np.arange(1_000_000) + 0.5) / 1_000_000
        values = self.quantile(middles)
        inner = float(values[250_000:750_000].mean())
        return {"median": float(np.median(values)), "iqm": inner, "mean": float(values.mean())}

    @cached_property
    def spread(self) -> float:
        return float(self.quantile((np.arange(100_000) + 0.5) / 100_000).std())


def distributions() -> tuple[Scores, ...]:
    x = np.linspace(-9.0, 9.0, 40_001)
    tail = np.linspace(0.0, 20.0, 40_001)
    failing = 0.7 * stats.norm.cdf(x, 2.0, 0.3) + 0.3 * stats.norm.cdf(x, -1.0, 0.5)
    capped = np.where(x < 0.3, stats.norm.cdf(x), 1.0)
    return (
        Scores("normal", x, stats.norm.cdf(x)),
        Scores("skewed", tail, stats.expon.cdf(tail)),
        Scores("3 of 10 fail", x, failing),
        Scores("capped", x, capped),
    )


class Held(NamedTuple):
    """The ``share`` of experiments whose interval holds the truth, and the mean ``width`` of those intervals in
    standard deviations of the scores."""

    share: float
    width: float


def covered(of: Scores, statistic: Statistic, method: Method, n: int, random: np.random.Generator, times: int) -> Held:
    """What the intervals of ``times`` experiments with ``n`` seeds come to."""
    truth = of.truth[statistic]
    held = width = 0.0
    for count in _chunks(times):
        values = of.drawn(random, n, count)
        if method in ("percentile", "bca"):
            boot = percentile_bounds if method == "percentile" else bca_bounds
            both = np.array([boot(column, statistic, 0.95, random, RESAMPLES) for column in values.T])
            low, high = both.T
        else:
            low, high, _ = bounds(values, statistic, method)
        near = 1e-9  # a truth at the cap is held by an interval that ends there
        held += float(((low <= truth + near) & (truth - near <= high)).sum())
        width += float((high - low).sum())
    return Held(held / times, width / times / of.spread)


def of_difference(of: Scores, n: int, random: np.random.Generator, times: int) -> tuple[float, float]:
    """The coverage of Welch's interval and of Newcombe's, where the first is better by a standard deviation."""
    shift = of.spread
    sorted_scores = of.quantile((np.arange(4_000) + 0.5) / 4_000)
    below = np.searchsorted(sorted_scores, sorted_scores + shift, side="left")
    up_to = np.searchsorted(sorted_scores, sorted_scores + shift, side="right")
    truth = float((below + up_to).mean()) / 2 / len(sorted_scores)
    first, second = of.drawn(random, n, times) + shift, of.drawn(random, n, times)
    with np.errstate(invalid="ignore", divide="ignore"):  # where no seed differs
        welch = stats.ttest_ind(first, second, equal_var=False, axis=0).confidence_interval()
    low, high = improvement_bounds(probabilities(first, second), n, n)
    of_means = (welch.low <= shift) & (shift <= welch.high)
    return float(of_means.mean()), float(((low <= truth) & (truth <= high)).mean())


def called_different(of: Scores, n: int, random: np.random.Generator, times: int) -> float:
    """How often one of two equal settings is said to be better: by Welch's interval and by Newcombe's."""
    first, second = of.drawn(random, n, times), of.drawn(random, n, times)
    with np.errstate(invalid="ignore", divide="ignore"):
        welch = stats.ttest_ind(first, second, equal_var=False, axis=0).confidence_interval()
    low, high = improvement_bounds(probabilities(first, second), n, n)
    return float((((welch.low > 0) & (low > 0.5)) | ((welch.high < 0) & (high < 0.5))).mean())


def of_shares(by: By) -> list[float]:
    """The coverage of the interval of a share, the mean over all probabilities; exactly."""
    p = (np.arange(2_000) + 0.5) / 2_000
    found = []
    for n in SEEDS:
        counts = np.arange(n + 1.0)
        low, high = share_bounds(counts, n, by)
        chances = stats.binom.pmf(counts[:, None], n, p[None])
        found.append(float((chances * ((low[:, None] <= p) & (p <= high[:, None]))).sum(axis=0).mean()))
    return found


def measure(quick: bool, say: Say) -> Measured:
    random = np.random.default_rng(0)
    times, boots = (1_000, 50) if quick else (EXPERIMENTS, OF_BOOTSTRAPS)
    found: list[tuple[str, str, str, list[float], list[float]]] = []
    furthest = dict.fromkeys(HELD.values(), 0.0)
    for statistic, methods in _OF.items():
        for method in methods:
            experiments = boots if method in ("percentile", "bca") else times
            called = METHODS[method] if method is not None else "recommended *"
            for of in distributions():
                by = [(n, method or recommended(statistic, n)) for n in SEEDS]
                held = [covered(of, statistic, each, n, random, experiments) for n, each in by]
                shares = [each.share for each in held]
                found.append((STATISTICS[statistic], called, of.name, shares, [each.width for each in held]))
                if statistic in HELD and method is None:
                    apart = [abs(100 * share - 95) for n, share in zip(SEEDS, shares, strict=True) if n >= 5]
                    furthest[HELD[statistic]] = max(furthest[HELD[statistic]], *apart)
            say(f"{STATISTICS[statistic]}, {called}")
    for of in distributions()[:3]:
        welch, newcombe = zip(*(of_difference(of, n, random, times) for n in SEEDS), strict=True)
        found.append(("difference of means", "Welch *", of.name, list(welch), []))
        found.append(("probability of improvement", "Newcombe *", of.name, list(newcombe), []))
    for of in distributions():
        alike = [called_different(of, n, random, times) for n in SEEDS]
        found.append(("equal settings", "called different", of.name, alike, []))
    found += [
        ("share", f"{words}{' *' if by == 'wilson' else ''}", "all", of_shares(by), []) for by, words in WORDS.items()
    ]
    taken = "; ".join(
        f"{STATISTICS[of]}: " + ", ".join(f"{METHODS[recommended(of, n)]} of {n}" for n in SEEDS) for of in _OF
    )
    detail = (
        f"95 % are asked for; {times:,} experiments each, of bootstraps {boots:,} of {RESAMPLES:,} draws. * is what "
        f"the program takes ({taken}). Fewer than 6 seeds cannot have an interval of the median at 95 %: what is "
        "written beside it is 75 % of 3, 93.8 % of 5. Width: in standard deviations of the scores."
    )
    columns = ("of", "interval", "scores", *(f"n = {n}" for n in SEEDS), *(f"width {n}" for n in SEEDS))
    lines = tuple(
        (*names, *(f"{100 * share:.1f} %" for share in shares), *(f"{width:.2f}" for width in widths))
        for *names, shares, widths in found
    )
    keys = ("of", "interval", "scores", "share", "width")
    data = [dict(zip(keys, each, strict=True)) | {"n": SEEDS} for each in found]
    return Measured(furthest, (), detail, Grid(columns, lines), data)


def _chunks(times: int) -> Iterator[int]:
    for begin in range(0, times, _CHUNK):
        yield min(_CHUNK, times - begin)
