"""How estimates of a gradient lie around it, in numbers; and what a constant baseline would make of them.

Along means along ∇J: the projection ĝ · ∇J / |∇J|, whose mean is |∇J| where the estimate is unbiased. Units are those
of the reward, per unit of the policy's parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import PLAIN, REWARD_TO_GO, TOTAL_RETURN, Pair, Settings
from engine.analysis.landscape.episodes import student

BY_HAND = (TOTAL_RETURN, REWARD_TO_GO)  # credits of which a constant b can be dragged
GROUPS = 16  # of estimates, by whose means is known how much chance there is in all
TOLD_EVERY = 0.5  # seconds, after which is told what has come of it so far


@dataclass(frozen=True)
class Truth:
    """What the estimates are held against: ``gradient`` ∇J [P] and its ``length``. Where that is an estimate itself, of
    ``episodes`` episodes, ``error`` is the standard error of the length, and ``noise`` the expected square of how far
    the gradient is off; all are 0 where it is exact."""

    gradient: Numbers
    length: float
    error: float = 0.0
    episodes: int = 0
    noise: float = 0.0

    @property
    def direction(self) -> Numbers:
        """∇J / |∇J|; 0 where there is no gradient."""
        length = float(np.linalg.norm(self.gradient))
        found: Numbers = self.gradient / length if length > 0.0 else np.zeros_like(self.gradient)
        return found


@dataclass(frozen=True)
class Estimates:
    """Those of one estimator, of B batches.

    Attributes:
        along: their projections, [B].
        cosines: of the angles between them and ∇J, [B].
        bias: how far the mean projection is from |∇J|, and ``error``, its standard error.
        aside: the length of all of the bias, less what chance adds to it; 0 unless chance alone makes it so long in
            fewer than 5 % of all cases.
        spread: the standard deviation along ∇J.
        variance: tr Cov ĝ, summed over all parameters.
        seconds: that training's own code takes for one estimate, without collecting the batch and fitting V; NaN where
            that was not measured.
    """

    pair: Pair
    along: Numbers
    cosines: Numbers
    bias: float
    error: float
    aside: float
    spread: float
    variance: float
    seconds: float = math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the bias along ∇J is, with 95 % confidence, by Student's t over the batches."""
        count = len(self.along)
        reach = self.error * (student(count - 1) if count > 1 else math.nan)
        return self.bias - reach, self.bias + reach

    @property
    def unbiased(self) -> bool:
        """Whether nothing speaks against it that the estimate is right on average along ∇J; a single one cannot."""
        low, high = self.interval
        return not (low > 0.0 or high < 0.0)

    @property
    def signal_to_noise(self) -> float:
        """|E ĝ · ∇J| / |∇J| over √tr Cov ĝ."""
        return abs(float(self.along.mean())) / math.sqrt(self.variance) if self.variance > 0.0 else math.inf


class Sums:
    """Adds up the estimates of one estimator, chunk by chunk."""

    def __init__(self, pair: Pair, truth: Truth) -> None:
        self.pair, self._truth = pair, truth
        self._along: list[Numbers] = []
        self._lengths: list[Numbers] = []
        self._groups = np.zeros((GROUPS, len(truth.gradient)))  # sums of every so manieth estimate
        self.seconds = 0.0  # of all of them, where they are measured

    def add(self, gradients: Numbers) -> None:
        """Estimates [b, P]."""
        first = sum(map(len, self._along))
        for place in range(GROUPS):
            self._groups[place] += gradients[(place - first) % GROUPS :: GROUPS].sum(0)
        self._along.append(gradients @ self._truth.direction)
        self._lengths.append(np.sqrt(np.einsum("bp,bp->b", gradients, gradients)))

    def estimates(self) -> Estimates:
        along, lengths, truth = np.concatenate(self._along), np.concatenate(self._lengths), self._truth
        count = len(along)
        mean = self._groups.sum(0) / count
        total = float(np.square(lengths).mean() - mean @ mean)
        variance = max(total, 0.0) * count / max(count - 1, 1)
        spread = float(along.std(ddof=1)) if count > 1 else math.nan
        return Estimates(
            pair=self.pair,
            along=along,
            cosines=np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0.0),
            bias=float(along.mean()) - truth.length,
            error=math.hypot(spread / math.sqrt(count), truth.error),
            aside=self._aside(mean, count),
            spread=spread,
            variance=variance if count > 1 else math.nan,
            seconds=self.seconds / count if self.seconds > 0.0 else math.nan,
        )

    def _aside(self, mean: Numbers, count: int) -> float:
        """‖E ĝ − ∇J‖, by ‖mean − ∇J‖² less tr S / K for K groups, whose means have the covariance S.

        Without a bias ‖mean − ∇J‖² is nearly a χ²_ν, a times, with a = tr S² / (K tr S) and ν = (tr S)² / tr S².
        Sources: Box (1954), "Some theorems on quadratic forms", for the χ²; Srivastava (2005), "Some tests concerning
        the covariance matrix in high dimensional data", for tr S² by few samples.
        """
        if count < 2 * GROUPS:
            return 0.0
        sizes = np.bincount(np.arange(count) % GROUPS, minlength=GROUPS)
        apart = self._groups / sizes[:, None] - mean
        inner = apart @ apart.T
        free = GROUPS - 1
        trace = float(np.trace(inner)) / free
        square = (float(np.square(inner).sum()) / free**2 - trace**2 / free) * free**2 / ((free + 2) * (free - 1))
        if not trace > 0.0:  # without noise all that is off is a bias
            return float(np.linalg.norm(mean - self._truth.gradient))
        freedom = trace**2 / max(square, trace**2 / len(mean))  # as few as 1, and no more than there are parameters
        off = float(np.square(mean - self._truth.gradient).sum())
        chance = trace / GROUPS + self._truth.noise
        return math.sqrt(off - chance) if off > chance * float(chdtri(freedom, 0.05)) / freedom else 0.0


@dataclass(frozen=True)
class ByHand:
    """What a constant baseline b makes of the estimates with one credit, along ∇J and in all: ĝ(b) = ĝ(0) − b · score.

    ``along`` and ``scores`` [B] are the projections of ĝ(0) and of the scores; ``variances`` are tr Cov ĝ(0),
    tr Cov(ĝ(0), score) and tr Cov score. ``average`` is the mean credit, which is b where the average is subtracted.
    """

    credit: str
    along: Numbers
    scores: Numbers
    variances: tuple[float, float, float]
    average: float

    def at(self, baseline: float) -> Numbers:
        """The projections with this b, [B]."""
        found: Numbers = self.along - baseline * self.scores
        return found

    def variance(self, baseline: Numbers) -> Numbers:
        """tr Cov ĝ(b) = tr Cov ĝ(0) − 2 b tr Cov(ĝ(0), score) + b² tr Cov score."""
        own, shared, scores = self.variances
        found: Numbers = own - 2.0 * baseline * shared + np.square(baseline) * scores
        return found

    @property
    def best(self) -> float:
        """The b of the least variance over all parameters."""
        _, shared, scores = self.variances
        return shared / scores if scores > 0.0 else 0.0


@dataclass(frozen=True)
class Comparison:
    """What has come of it: all estimators that were asked for, and a baseline by hand for either credit."""

    settings: Settings
    truth: Truth
    estimates: tuple[Estimates, ...]
    by_hand: tuple[ByHand, ...]
    turned: float | None  # the cosine between ∇J with the added constant and without, where that is known
    iteration: int
    steps: int  # environment steps that were played
    seconds: float


class HandSums:
    """Adds up what a baseline by hand needs, chunk by chunk."""

    def __init__(self, credit: str, truth: Truth) -> None:
        self.pair, self._truth = Pair(credit, PLAIN), truth
        self._along: list[Numbers] = []
        self._scores: list[Numbers] = []
        self._sums = np.zeros((2, len(truth.gradient)))
        self._products, self._averages = np.zeros(3), 0.0

    def add(self, gradients: Numbers, scores: Numbers, average: float) -> None:
        """Estimates without a baseline and scores, [b, P] each, and the mean credit."""
        self._along.append(gradients @ self._truth.direction)
        self._scores.append(scores @ self._truth.direction)
        self._sums += gradients.sum(0), scores.sum(0)
        pairs = ((gradients, gradients), (gradients, scores), (scores, scores))
        self._products += [float(np.einsum("bp,bp->", one, other)) for one, other in pairs]
        self._averages += len(gradients) * average

    def found(self) -> ByHand:
        along, scores = np.concatenate(self._along), np.concatenate(self._scores)
        count = len(along)
        gradient, score = self._sums / count
        means = np.array([gradient @ gradient, gradient @ score, score @ score])
        own, shared, scored = (self._products / count - means) * (count / max(count - 1, 1))
        return ByHand(
            self.pair.credit, along, scores, (float(own), float(shared), float(scored)), self._averages / count
        )
