"""Rules about what a batch has to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.reported import RECENT, Reported, mean, median, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled, switched_on, value_at
from engine.catalogue.methods.reported import signal_of
from engine.config import PolicyGradientConfig


def _estimates(reported: Reported) -> bool:
    return isinstance(reported.config, PolicyGradientConfig) and signal_of(reported.config) == "advantage"


def _no_signal(reported: Reported) -> str | None:
    spreads, means = reported.last("advantage_std", 30), reported.last("advantage_mean", 30)
    if not len(spreads) or reported.progress < 0.1 or reported.does_well:
        return None
    empty = mean(spreads <= 1e-6 * (1.0 + np.abs(median(means))))
    if empty < 0.9 or one_at_a_time(reported):
        return None
    return (
        f"There is no signal: in {percent(empty)} of the last {len(spreads)} batches all advantages are the same, so "
        "that no action looks better than another."
    )


def one_at_a_time(reported: Reported) -> bool:
    """Whether a batch is one step or one episode with one credit, in which nothing can differ."""
    return bool(value_at(reported.config, "collection.episodes_per_update") == 1)


def _outliers(reported: Reported) -> str | None:
    furthest = reported.last("largest_advantage", 20)
    if not len(furthest) or reported.does_well or reported.progress < 0.1:
        return None
    steps = float(reported.steps[-1] - reported.steps[-20]) / float(reported.counts[-19:].sum())
    shares = np.square(furthest) / max(steps, 1.0)  # of the batch's sum of squares, that one step makes up
    if steps < 200 or mean(shares > 0.3) < 0.5:
        return None
    return (
        f"Single steps decide whole batches: one advantage of about {steps:,.0f} lies {median(furthest):.0f} standard "
        f"deviations from the mean, and makes up {percent(min(median(shares), 1.0))} of all their squares."
    )


def _same_episodes(reported: Reported) -> str | None:
    found = reported.returns[-2 * RECENT :]
    wide = value_at(reported.config, "collection.episodes_per_update") or value_at(
        reported.config, "collection.environments"
    )
    if len(found) < 2 * RECENT or not wide or wide < 4 or reported.environment.finite:
        return None
    alike = mean(found[1:] == found[:-1])
    values, counts = np.unique(found, return_counts=True)
    if alike < 0.6 or counts.max() > 0.3 * len(found) or len(values) < 5:
        return None
    return (
        f"Episodes are copies of each other: {percent(alike)} of the last {len(found)} return exactly what the one "
        f"before did, though they return {len(values)} different things in all."
    )


def _few_count(reported: Reported) -> str | None:
    recent = reported.last("effective_sample_size", 10)
    wide = value_at(reported.config, "collection.episodes_per_update")
    if not len(recent) or not wide or wide < 8 or reported.does_well:
        return None
    typical = median(recent)
    if typical > max(0.1 * wide, 1.5):
        return None
    return f"The gradient hangs on few episodes: the weighted {wide} are worth {typical:.1f} that count alike."


def _larger_batches(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "collection.episodes_per_update", 4.0, "Play more episodes per update: go up", (1.0, 1024.0)),
        scaled(reported, "collection.steps", 4.0, "Take more steps per update: go up", (1.0, 8192.0)),
        put(reported, "update.entropy_coefficient", 0.01, "Add an entropy bonus of 0.01"),
    )


def _tamed(reported: Reported) -> Iterator[Try]:
    return chain(
        switched_on(reported, "environment.normalize_rewards", "Normalise rewards"),
        put(reported, "update.max_grad_norm", 0.5, "Clip gradients at a length of 0.5"),
        _larger_batches(reported),
    )


def _closer(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.updates_per_batch", 0.5, "Take fewer updates per batch: go down"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        put(reported, "update.weighting", "per-decision", "Weigh each reward by the ratios up to it alone"),
        switched_on(reported, "update.self_normalized", "Divide by the sum of the weights"),
        put(reported, "update.truncation", 10.0, "Cut weights at 10"),
    )


RULES = (
    Rule(
        name="copied-episodes",
        title="Environments are copies",
        fits=lambda reported: reported.plays_itself,
        look=_same_episodes,
        meaning="Environments that are to differ by chance play the same episode side by side, so that a batch is "
        "worth one. They draw from the same random numbers.",
        tries=lambda reported: (
            Try(
                "Give every environment a seed of its own, and see that one from elsewhere draws from what it is given."
            ),
        ),
        panel="Returns",
        curves=(),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: decorrelate environments. Here: 6 of 10 "
        "return exactly what the one before did, and no value is frequent.",
    ),
    Rule(
        name="no-signal",
        title="No signal in the batch",
        fits=_estimates,
        look=_no_signal,
        meaning="The policy gradient is a difference between actions, and here there is none: rewards are all alike, "
        "or the batch holds nothing to compare.",
        tries=_larger_batches,
        panel="Signal",
        curves=(),
        source="Schulman, “Nuts and bolts of deep RL research”: with batches too small, noise outweighs the signal. "
        "Here: 9 of 10 of the last 30 batches without any spread.",
    ),
    Rule(
        name="few-episodes-count",
        title="Effective sample size small",
        fits=lambda reported: value_at(reported.config, "update.updates_per_batch") is not None,
        look=_few_count,
        meaning="Products of many probability ratios become huge for some episodes and vanish for the others, once the "
        "policy has moved away from the one that played.",
        tries=_closer,
        panel="Diagnostics",
        curves=("effective_sample_size",),
        source="Kong (1992), and Owen (2013), “Monte Carlo theory, methods and examples”, ch. 9: distrust weights "
        "whose effective sample size is small. Here: a tenth of the episodes.",
    ),
    Rule(
        name="advantage-outliers",
        title="Advantage outliers",
        fits=_estimates,
        look=_outliers,
        meaning="Updates follow single steps, whatever chance made of these. Rewards of very different sizes do "
        "that, or a value that is far off in one state.",
        tries=_tamed,
        panel="Signal",
        curves=(),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: advantages belong into −10 … 10; Schulman, "
        "“Nuts and bolts of deep RL research”: see that there are no crazy outliers. Here: in half of the last 20 "
        "batches, of 200 steps or more, one makes up 30 % of the sum of squares.",
    ),
)
