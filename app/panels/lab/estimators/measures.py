"""What can be seen of every estimator: all of its estimates, or one number of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.comparison import Estimates

Interval = tuple[float, float]


@dataclass(frozen=True)
class Measure:
    """``all`` gives every estimate's number, None where there is one of all together; ``mean`` and ``interval`` that
    one. ``at_truth`` says whether ∇J is drawn at its length."""

    title: str
    axis: str
    unit: str
    help: str
    all: Callable[[Estimates], NDArray[np.float64] | None]
    mean: Callable[[Estimates], float]
    interval: Callable[[Estimates], Interval]
    at_truth: bool = False


def _none(_estimates: Estimates) -> None:
    return None


def _point(number: Callable[[Estimates], float]) -> Callable[[Estimates], Interval]:
    return lambda estimates: (number(estimates), number(estimates))


def _mean(estimates: Estimates) -> float:
    return float(estimates.along.mean())


def _about_mean(estimates: Estimates) -> Interval:
    low, high = estimates.interval
    shift = _mean(estimates) - estimates.bias
    return low + shift, high + shift


def _cosine(estimates: Estimates) -> float:
    return float(estimates.cosines.mean())


def _about_cosine(estimates: Estimates) -> Interval:
    count = len(estimates.cosines)
    reach = 1.96 * float(estimates.cosines.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return _cosine(estimates) - reach, _cosine(estimates) + reach


def _spread(estimates: Estimates) -> float:
    return estimates.spread


def _noise(estimates: Estimates) -> float:
    return math.sqrt(estimates.variance) if estimates.variance >= 0.0 else math.nan


def _signal(estimates: Estimates) -> float:
    return estimates.signal_to_noise


def _milliseconds(estimates: Estimates) -> float:
    return 1000.0 * estimates.seconds


MEASURES: tuple[Measure, ...] = (
    Measure(
        "Every estimate",
        "ĝ along ∇J  (reward)",
        "reward",
        "Every batch's estimate, projected on the true gradient: right on average where the dot is on the dashed line, "
        "and the narrower, the less noise",
        lambda estimates: estimates.along,
        _mean,
        _about_mean,
        at_truth=True,
    ),
    Measure(
        "Cosine to ∇J",
        "cosine of the angle between ĝ and ∇J",
        "cos",
        "1 where an estimate points exactly uphill, 0 where it points across, below 0 downhill",
        lambda estimates: estimates.cosines,
        _cosine,
        _about_cosine,
    ),
    Measure(
        "Bias along ∇J",
        "mean of ĝ along ∇J, less |∇J|  (reward)",
        "reward",
        "How far the mean of all estimates is from the truth, with its 95 % interval",
        _none,
        lambda estimates: estimates.bias,
        lambda estimates: estimates.interval,
    ),
    Measure(
        "Spread along ∇J",
        "standard deviation of ĝ along ∇J  (reward)",
        "reward",
        "How much the estimate differs from batch to batch, in the direction that counts",
        _none,
        _spread,
        _point(_spread),
    ),
    Measure(
        "Noise in all",
        "√ tr Cov ĝ  (reward)",
        "reward",
        "How much the estimate differs from batch to batch, in all parameters together",
        _none,
        _noise,
        _point(_noise),
    ),
    Measure(
        "Signal to noise",
        "mean of ĝ along ∇J / √ tr Cov ĝ",
        "ratio",
        "How long the mean is beside the noise in all parameters; 1 means that they are alike",
        _none,
        _signal,
        _point(_signal),
    ),
    Measure(
        "Time per estimate",
        "time for one estimate  (ms)",
        "ms",
        "How long training's own code takes to make the gradient of a batch, without collecting it and fitting V",
        _none,
        _milliseconds,
        _point(_milliseconds),
    ),
)
