"""The same batches through every estimator: how the estimates are spread around the gradient, what that costs, and how
far their mean is from it.

Along means along ∇J: the projection ĝ · ∇J / |∇J|, whose mean is |∇J| where the estimate is unbiased. Units are those
of the reward, per unit of the policy's parameters.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.analysis.lab.episodes import Episodes, play
from engine.analysis.lab.estimators import Batches
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Pair, Settings
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.lab.values import ValueSource
from engine.analysis.playback import PolicySnapshot
from engine.runtime.errors import RequestError

AT_ONCE = 2_000  # episodes that are played and estimated at the same time
_UNKNOWN = (
    "The dynamics of {} are not known as tables, or its policy is no softmax; choose a grid world, a corridor, a "
    "bandit or another small world with a softmax policy."
)
BY_HAND = ("total-return", "reward-to-go")  # credits of which a constant b can be dragged
Z = 1.96  # standard errors, within which 95 of 100 means lie
TOLD_EVERY = 0.5  # seconds, after which is told what has come of it so far


@dataclass(frozen=True)
class Truth:
    """What the estimates are held against: ``gradient`` ∇J [P], its ``length``, and the ``error`` of the length, one
    standard error, where it is an estimate itself of ``episodes`` episodes; 0 and 0 where it is exact."""

    gradient: Numbers
    length: float
    error: float = 0.0
    episodes: int = 0

    @property
    def direction(self) -> Numbers:
        """∇J / |∇J|; 0 where there is no gradient."""
        found: Numbers = self.gradient / self.length if self.length > 0.0 else np.zeros_like(self.gradient)
        return found


@dataclass(frozen=True)
class Estimates:
    """Those of one estimator, of B batches.

    Attributes:
        along: their projections, [B].
        cosines: of the angles between them and ∇J, [B].
        bias: how far the mean projection is from |∇J|, and ``error``, its standard error.
        aside: the length of all of the bias, as far as it is more than chance.
        spread: the standard deviation along ∇J.
        variance: tr Cov ĝ, summed over all parameters.
    """

    pair: Pair
    along: Numbers
    cosines: Numbers
    bias: float
    error: float
    aside: float
    spread: float
    variance: float

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the bias along ∇J is, with 95 % confidence."""
        return self.bias - Z * self.error, self.bias + Z * self.error

    @property
    def unbiased(self) -> bool:
        """Whether nothing speaks against it that the estimate is right on average along ∇J."""
        low, high = self.interval
        return low <= 0.0 <= high

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
        self._sum = np.zeros_like(truth.gradient)

    def add(self, gradients: Numbers) -> None:
        """Estimates [b, P]."""
        self._along.append(gradients @ self._truth.direction)
        self._lengths.append(np.sqrt(np.einsum("bp,bp->b", gradients, gradients)))
        self._sum += gradients.sum(0)

    def estimates(self) -> Estimates:
        along, lengths, truth = np.concatenate(self._along), np.concatenate(self._lengths), self._truth
        count = len(along)
        mean = self._sum / count
        total = float(np.square(lengths).mean() - mean @ mean)
        variance = max(total, 0.0) * count / max(count - 1, 1)
        off = mean - truth.gradient
        spread = float(along.std(ddof=1)) if count > 1 else math.nan
        return Estimates(
            pair=self.pair,
            along=along,
            cosines=np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0.0),
            bias=float(along.mean()) - truth.length,
            error=math.hypot(spread / math.sqrt(count), truth.error),
            aside=math.sqrt(max(float(off @ off) - variance / count, 0.0)),
            spread=spread,
            variance=variance if count > 1 else math.nan,
        )


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
    turned: float  # the cosine between ∇J with the added constant and without
    iteration: int
    steps: int  # environment steps that were played
    seconds: float


class EstimatorLab:
    """Keeps the episodes of what it compared last: other settings are then seen on the same samples."""

    def __init__(self) -> None:
        self._key: object = None
        self._played: list[Episodes] = []
        self._added = 0.0  # what their rewards hold of an added constant

    def compare(
        self, snapshot: PolicySnapshot, settings: Settings, pairs: Sequence[Pair]
    ) -> Iterator[tuple[float, Comparison | None]]:
        """Estimate the gradient by each of ``pairs``; yields often which share is done, and now and then what has come
        of it so far, at last of all batches.

        Raises:
            RequestError: J or V^π is not defined, or episodes do not end; or there are no scores of such a policy.
        """
        began = told = time.perf_counter()
        subject = subject_of(snapshot, settings.horizon, settings.added)
        if subject is None:
            raise RequestError(_UNKNOWN.format(snapshot.config.environment.id))
        truth, turned = truth_of(subject, settings)
        needs_value = any(pair.has_value for pair in pairs)
        source = ValueSource(subject, settings, snapshot) if needs_value else None
        sums, hands = [Sums(pair, truth) for pair in pairs], [_Hand(credit, truth) for credit in BY_HAND]
        self._remember((snapshot, settings.horizon, settings.batches, settings.episodes, settings.seed), settings.added)
        sizes = _chunks(settings)
        for number, count in enumerate(sizes):
            episodes = self._episodes(subject, settings, number, count)
            batches = Batches(subject, episodes, settings, source)
            for done, each in enumerate(sums):
                yield (number + (done + 1) / (len(sums) + 1)) / len(sizes), None
                each.add(batches.gradients(each.pair))
            for hand in hands:
                hand.add(batches)
            now = time.perf_counter()
            if number in (0, len(sizes) - 1) or now - told > TOLD_EVERY:
                estimates = tuple(each.estimates() for each in sums)
                by_hand = tuple(hand.found() for hand in hands)
                steps = sum(episodes.size for episodes in self._played[: number + 1])
                yield (
                    (number + 1) / len(sizes),
                    Comparison(settings, truth, estimates, by_hand, turned, snapshot.iteration, steps, now - began),
                )
                told = now

    def _remember(self, key: object, added: float) -> None:
        if key != self._key:
            self._key, self._played, self._added = key, [], added

    def _episodes(self, subject: Subject, settings: Settings, number: int, batches: int) -> Episodes:
        """The chunk of that number, with the constant that is added now."""
        if len(self._played) <= number:
            generator = np.random.default_rng((settings.seed, 2, number))
            played = play(subject, batches * settings.episodes, generator)
            self._played.append(replace(played, rewards=played.rewards + (self._added - settings.added)))
        kept = self._played[number]
        return replace(kept, rewards=kept.rewards + (settings.added - self._added))


def truth_of(subject: Subject, settings: Settings) -> tuple[Truth, float]:
    """∇J of the objective, exactly, and the cosine between it and the one without the added constant."""
    gamma = 1.0 if settings.objective == "undiscounted" else settings.gamma
    gradient = subject.gradient(gamma)
    length = float(np.linalg.norm(gradient))
    plain = gradient
    if settings.added != 0.0:
        without = replace(subject, mdp=replace(subject.mdp, rewards=subject.mdp.rewards - settings.added))
        plain = without.gradient(gamma)
    both = length * float(np.linalg.norm(plain))
    return Truth(gradient, length), float(gradient @ plain) / both if both > 0.0 else 1.0


def _chunks(settings: Settings) -> list[int]:
    """How many batches are estimated at a time."""
    at_once = max(AT_ONCE // settings.episodes, 1)
    whole, rest = divmod(settings.batches, at_once)
    return [at_once] * whole + [rest] * (rest > 0)


class _Hand:
    """Adds up what a baseline by hand needs, chunk by chunk."""

    def __init__(self, credit: str, truth: Truth) -> None:
        self._pair, self._truth = Pair(credit, "none"), truth
        self._along: list[Numbers] = []
        self._scores: list[Numbers] = []
        self._sums = np.zeros((2, len(truth.gradient)))
        self._products, self._averages = np.zeros(3), 0.0

    def add(self, batches: Batches) -> None:
        gradients, scores = batches.weighed(self._pair)
        self._along.append(gradients @ self._truth.direction)
        self._scores.append(scores @ self._truth.direction)
        self._sums += gradients.sum(0), scores.sum(0)
        pairs = ((gradients, gradients), (gradients, scores), (scores, scores))
        self._products += [float(np.einsum("bp,bp->", one, other)) for one, other in pairs]
        self._averages += batches.count * batches.average(self._pair)

    def found(self) -> ByHand:
        along, scores = np.concatenate(self._along), np.concatenate(self._scores)
        count = len(along)
        gradient, score = self._sums / count
        means = np.array([gradient @ gradient, gradient @ score, score @ score])
        own, shared, scored = (self._products / count - means) * (count / max(count - 1, 1))
        return ByHand(
            self._pair.credit, along, scores, (float(own), float(shared), float(scored)), self._averages / count
        )
