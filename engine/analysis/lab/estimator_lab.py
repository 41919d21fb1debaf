"""The same batches through every estimator: how the estimates are spread around the gradient, and how far their mean is
from it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from engine.analysis.lab import sampled_lab
from engine.analysis.lab.comparison import BY_HAND, TOLD_EVERY, Comparison, Estimates, HandSums, Sums, Truth
from engine.analysis.lab.episodes import Episodes, play
from engine.analysis.lab.estimators import Batches
from engine.analysis.lab.played import gradients
from engine.analysis.lab.rollouts import KnownValues, rollout_of
from engine.analysis.lab.settings import Pair, Settings
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.lab.values import Values, ValueSource
from engine.analysis.playback import PolicySnapshot, thawed

TIMED = 3  # times that each estimate is measured
AT_ONCE = 2_000  # episodes that are played and estimated at the same time


class EstimatorLab:
    """Keeps the episodes of what it compared last: other settings are then seen on the same samples."""

    def __init__(self) -> None:
        self._of: PolicySnapshot | None = None
        self._sizes: tuple[int, ...] = ()
        self._played: list[Episodes] = []
        self._found = sampled_lab.Found()  # where the process is not known
        self._added = 0.0  # what their rewards hold of an added constant

    def compare(
        self, snapshot: PolicySnapshot, settings: Settings, pairs: Sequence[Pair]
    ) -> Iterator[tuple[float, Comparison | None]]:
        """Estimate the gradient by each of ``pairs``; yields often which share is done, and now and then what has come
        of it so far, at last of all batches.

        Raises:
            RequestError: J or V^π is not defined, or episodes do not end; or as ``sampled_lab.compare``.
            RunError: as that.
        """
        began = told = time.perf_counter()
        last: Comparison
        subject = subject_of(snapshot, settings.horizon, settings.added)
        if subject is None:
            yield from sampled_lab.compare(snapshot, settings, pairs, self._found)
            return
        truth, turned = truth_of(subject, settings)
        needs_value = any(pair.has_value for pair in pairs)
        source = ValueSource(subject, settings, snapshot) if needs_value else None
        sums, hands = [Sums(pair, truth) for pair in pairs], [HandSums(credit, truth) for credit in BY_HAND]
        self._remember(snapshot, settings)
        sizes = _chunks(settings)
        for number, count in enumerate(sizes):
            episodes = self._episodes(subject, settings, number, count)
            batches = Batches(subject, episodes, settings, source)
            for done, each in enumerate(sums):
                yield (number + (done + 1) / (len(sums) + 1)) / len(sizes), None
                each.add(batches.gradients(each.pair))
            for hand in hands:
                hand.add(*batches.weighed(hand.pair), batches.average(hand.pair))
            now = time.perf_counter()
            if number in (0, len(sizes) - 1) or now - told > TOLD_EVERY:
                estimates = tuple(each.estimates() for each in sums)
                by_hand = tuple(hand.found() for hand in hands)
                steps = sum(episodes.size for episodes in self._played[: number + 1])
                last = Comparison(settings, truth, estimates, by_hand, turned, snapshot.iteration, steps, now - began)
                yield (number + 1) / (len(sizes) + 1), last
                told = now
        yield 1.0, replace(last, estimates=_timed(subject, snapshot, settings, last.estimates))

    def _remember(self, snapshot: PolicySnapshot, settings: Settings) -> None:
        sizes = settings.horizon, settings.batches, settings.episodes, settings.seed
        if self._of is None or not self._of.is_same_policy(snapshot) or sizes != self._sizes:
            self._of, self._sizes, self._played, self._added = snapshot, sizes, [], settings.added

    def _episodes(self, subject: Subject, settings: Settings, number: int, batches: int) -> Episodes:
        """The chunk of that number, with the constant that is added now."""
        if len(self._played) <= number:
            generator = np.random.default_rng((settings.seed, 2, number))
            played = play(subject, batches * settings.episodes, generator)
            self._played.append(replace(played, rewards=played.rewards + (self._added - settings.added)))
        kept = self._played[number]
        return replace(kept, rewards=kept.rewards + (settings.added - self._added))


def _timed(
    subject: Subject, snapshot: PolicySnapshot, settings: Settings, found: tuple[Estimates, ...]
) -> tuple[Estimates, ...]:
    """With how long training's own code takes for each, the shortest of several times."""
    if not found:
        return found
    policy = thawed(snapshot)
    episodes = play(subject, settings.episodes, np.random.default_rng((settings.seed, 7)))
    rollout = rollout_of(subject, episodes)
    nothing = KnownValues(episodes, Values(np.zeros(episodes.size), np.zeros(episodes.count)))
    pairs = [each.pair for each in found]
    seconds = [
        [made[1] for made in gradients(policy, rollout, pairs, settings, nothing) if made is not None]
        for _ in range(TIMED)
    ]
    return tuple(
        replace(each, seconds=min(column)) for each, column in zip(found, zip(*seconds, strict=True), strict=True)
    )


def truth_of(subject: Subject, settings: Settings) -> tuple[Truth, float | None]:
    """∇J of the objective, exactly, and the cosine between it and the one without the added constant; None where one of
    them is 0 and points nowhere."""
    gamma = 1.0 if settings.objective == "undiscounted" else settings.gamma
    gradient = subject.gradient(gamma)
    length = float(np.linalg.norm(gradient))
    plain = gradient
    if settings.added != 0.0:
        without = replace(subject, mdp=replace(subject.mdp, rewards=subject.mdp.rewards - settings.added))
        plain = without.gradient(gamma)
    both = length * float(np.linalg.norm(plain))
    return Truth(gradient, length), float(gradient @ plain) / both if both > 0.0 else None


def _chunks(settings: Settings) -> list[int]:
    """How many batches are estimated at a time."""
    at_once = max(AT_ONCE // settings.episodes, 1)
    whole, rest = divmod(settings.batches, at_once)
    return [at_once] * whole + [rest] * (rest > 0)
