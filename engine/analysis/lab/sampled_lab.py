"""The estimators beside a batch a hundred times as large, where the gradient itself is not known."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

import numpy as np

from engine.analysis.lab.comparison import BY_HAND, TOLD_EVERY, Comparison, HandSums, Sums, Truth
from engine.analysis.lab.played import FITTED_ON, LinearValue, Player, by_hand, gradient, gradients
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Pair, Settings
from engine.analysis.playback import PolicySnapshot
from engine.config.estimators import EstimatorConfig, RewardToGo, ValueBaseline
from engine.experience.rollouts import Rollout
from engine.runtime.errors import RequestError

LARGER = 100  # times as many episodes as in a batch, for the gradient that the estimates are held against
_TRUTH_SHARE = 0.3  # of the progress that is shown
_ONLY_FITTED = (
    "V^π is not known of an environment whose dynamics are not tables, and its critic is not kept; choose “V fit to "
    "other episodes”."
)

_T = TypeVar("_T")
Told = Generator[tuple[float, Comparison | None], None, None]


class Found:
    """What was found last of a policy: its gradient, the V that estimators are given, and how many steps that took. It
    stays as it is where only the estimators are others, or how often they estimate."""

    def __init__(self) -> None:
        self._of: tuple[PolicySnapshot, object] | None = None
        self.known: tuple[Truth, LinearValue, int] | None = None

    def look_at(self, snapshot: PolicySnapshot, settings: Settings) -> None:
        """Forget what is of another policy, or depends on what is set otherwise."""
        decides = replace(settings, gae_lambda=1.0, n=1, batches=1, value="fitted", discount_states=False)
        if self._of is None or not self._of[0].is_same_policy(snapshot) or self._of[1] != decides:
            self._of, self.known = (snapshot, decides), None


def compare(snapshot: PolicySnapshot, settings: Settings, pairs: Sequence[Pair], found: Found | None = None) -> Told:
    """As ``EstimatorLab.compare``; the gradient is the mean of ``LARGER`` batches of their own, estimated without bias
    and, by a V that is fitted to yet others, with little noise. It is kept in ``found``, and taken from there.

    Raises:
        RequestError: the policy has no probabilities, the environment cannot be made, or another V is wanted.
        RunError: the environment fails.
    """
    if settings.value != "fitted":
        raise RequestError(_ONLY_FITTED)
    began, found = time.perf_counter(), found or Found()
    found.look_at(snapshot, settings)
    share = 0.0
    if found.known is None:
        share = _TRUTH_SHARE
        with closing(Player(snapshot, settings, 3)) as player:
            found.known = yield from _truth(player, snapshot, settings)
    with closing(Player(snapshot, settings, 4)) as player:
        yield from _estimates(player, (snapshot, settings, pairs), found.known, (share, began))


def _rollout(player: Player) -> Generator[None, None, Rollout]:
    for found in player.play():
        if found is not None:
            return found
        yield None
    raise AssertionError("a batch comes of playing")


def _truth(
    player: Player, snapshot: PolicySnapshot, settings: Settings
) -> Generator[tuple[float, None], None, tuple[Truth, LinearValue, int]]:
    """The gradient of ``LARGER`` batches, the V that estimators are given, and how many steps that took."""
    seen = snapshot.environment.observation
    discrete = seen.size if seen.kind == "discrete" else None
    gamma = 1.0 if settings.objective == "undiscounted" else settings.gamma
    own, value = LinearValue(discrete, by_time=True), LinearValue(discrete, by_time=False)
    steps = 0
    for batch in range(FITTED_ON):
        rollout = yield from _signs(_rollout(player), _TRUTH_SHARE * batch / (FITTED_ON + LARGER))
        steps += int(rollout.mask.sum())
        own.add(rollout, gamma)
        value.add(rollout, settings.gamma)
    own.fit()
    value.fit()
    unbiased = EstimatorConfig(credit=RewardToGo(), baseline=ValueBaseline(), gamma=gamma, discount_states=gamma < 1.0)
    found: list[Numbers] = []
    for batch in range(LARGER):
        share = _TRUTH_SHARE * (FITTED_ON + batch) / (FITTED_ON + LARGER)
        rollout = yield from _signs(_rollout(player), share)
        steps += int(rollout.mask.sum())
        for estimate in gradient(player.policy, rollout, unbiased, own):
            yield share, None
            if estimate is not None:
                found.append(estimate)
    return truth_of(np.stack(found), settings.episodes), value, steps


def truth_of(estimates: Numbers, episodes: int) -> Truth:
    """∇J as the mean ḡ of unbiased estimates [R, P] of so many episodes each.

    What the projections on ḡ are held against is ∇J · ḡ/|ḡ|, of which (|ḡ|² − tr Cov/R) / |ḡ| is an estimate without
    the noise that ḡ has in common with itself.
    """
    count, mean = len(estimates), estimates.mean(0)
    length = float(np.linalg.norm(mean))
    noise = float(estimates.var(0, ddof=1).sum()) / count
    if length == 0.0:
        return Truth(mean, 0.0, 0.0, count * episodes, noise)
    along = float((estimates @ (mean / length)).std(ddof=1)) / math.sqrt(count)
    return Truth(mean, max(length * length - noise, 0.0) / length, along, count * episodes, noise)


def _estimates(
    player: Player,
    asked: tuple[PolicySnapshot, Settings, Sequence[Pair]],
    known: tuple[Truth, LinearValue, int],
    so_far: tuple[float, float],
) -> Told:
    (snapshot, settings, pairs), (truth, value, steps), (first, began) = asked, known, so_far
    sums, hands = [Sums(pair, truth) for pair in pairs], [HandSums(credit, truth) for credit in BY_HAND]
    told = 0.0
    for batch in range(settings.batches):
        share = first + (1.0 - first) * batch / settings.batches
        rollout = yield from _signs(_rollout(player), share)
        steps += int(rollout.mask.sum())
        done = 0
        for found in gradients(player.policy, rollout, pairs, settings, value):
            yield share, None
            if found is not None:
                sums[done].add(found[0][None])
                sums[done].seconds += found[1]
                done += 1
        for hand in hands:
            plain, scores, average = yield from _signs(by_hand(player.policy, rollout, hand.pair, settings), share)
            hand.add(plain[None], scores[None], average)
        now = time.perf_counter()
        if batch in (0, settings.batches - 1) or now - told > TOLD_EVERY:
            told = now
            estimates = tuple(each.estimates() for each in sums)
            by_hands = tuple(hand.found() for hand in hands)
            yield (
                first + (1.0 - first) * (batch + 1) / settings.batches,
                Comparison(settings, truth, estimates, by_hands, None, snapshot.iteration, steps, now - began),
            )


def _signs(work: Generator[None, None, _T], share: float) -> Generator[tuple[float, None], None, _T]:
    """``work``, whose signs of life say which share is done."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: _T = stop.value
            return result
        yield share, None
