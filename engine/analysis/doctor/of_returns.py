"""Rules about what episodes return, and how long they last."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.reported import RECENT, Reported, error_of, gain, mean, number, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled, value_at


def _plays(reported: Reported) -> bool:
    return reported.plays_itself


def _worse_than_at_first(reported: Reported) -> str | None:
    if reported.progress < 0.1 or len(reported.returns) < 2 * RECENT or not len(reported.beginning):
        return None
    begun, half = reported.beginning, reported.later(0.5)
    if not gain(begun, reported.recent) < -5.0 or not gain(begun, half) < -5.0:
        return None
    if mean(begun) - max(reported.mean_return, mean(half)) < 0.5 * float(np.std(begun)):
        return None
    return (
        f"The policy is worse than at first: a mean return of {number(reported.mean_return)}, where the first episodes "
        f"had {number(mean(reported.beginning))}."
    )


def _like_random(reported: Reported) -> str | None:
    if reported.progress < 0.5 or len(reported.returns) < 2 * RECENT or reported.does_well or reported.acts_blindly:
        return None
    half, begun = reported.later(0.25), reported.beginning
    apart = gain(begun, half)
    if len(half) < 2 * RECENT or not -5.0 <= apart < 2.0:
        return None
    most = mean(half) - mean(begun) + 2.0 * math.hypot(error_of(half), error_of(begun))  # that it may have gained
    enough = 0.2 * (reported.goal - mean(begun)) if reported.goal > mean(begun) else 0.5 * float(np.std(begun))
    if most > max(enough, 1e-6 * abs(mean(begun))):
        return None
    return (
        f"After {percent(reported.progress)} of the training, a mean return of {number(mean(half))} cannot be told "
        f"from the {number(mean(reported.beginning))} of the policy it began with."
    )


def _too_sparse(reported: Reported) -> str | None:
    if reported.progress < 0.2 or len(reported.returns) < 2 * RECENT or reported.does_well or reported.acts_blindly:
        return None
    found = reported.later(0.5)
    if len(found) < RECENT:
        return None
    values, counts = np.unique(found, return_counts=True)
    usual, share = float(values[counts.argmax()]), float(counts.max() / len(found))
    if share < 0.99 or usual > float(np.median(reported.beginning)):
        return None
    return (
        f"{percent(share, 1)} of the episodes return the same, {number(usual)}: nothing that is tried makes a "
        "difference often enough to learn from it."
    )


def _cannot_repeat(reported: Reported) -> str | None:
    recent, goal = reported.recent, reported.goal
    if reported.progress < 0.5 or len(reported.returns) < 3 * RECENT or reported.does_well or goal != goal:
        return None
    if len(np.unique(recent)) < 10 or not reported.is_flat:
        return None
    there = int(np.count_nonzero(recent >= goal))
    if not 5 <= there <= 0.5 * len(recent) or reported.way > 0.5:
        return None
    return (
        f"It knows how but cannot repeat it: {there} of the last {len(recent)} episodes return {number(goal)} or more, "
        f"up to {number(recent.max())}, while the mean stays at {number(reported.mean_return)}."
    )


def _clocked_out(reported: Reported) -> str | None:
    limit, lengths = reported.environment.time_limit, reported.last("mean_length", 10)
    if reported.progress < 0.3 or not len(lengths) or reported.does_well or not reported.is_flat:
        return None
    length = float(lengths[-1])
    if not np.all(lengths == length) or len(reported.later(0.2)) < 2 * FEW:
        return None
    if mean(reported.returns[-FEW:]) >= reported.goal:  # which the mean of a hundred has yet to tell
        return None
    early = reported.first("mean_length", 10)
    varied = len(early) > 1 and bool(np.ptp(early) > 0)
    if limit is not None and length >= limit:
        if not varied:
            return None
        where = f"{length:g} steps, when the time is up"
    elif varied or length > 1:
        where = f"{length:g} steps"
    else:
        return None
    return f"All episodes of the last {len(lengths)} iterations are equally long: {where}, and returns do not rise."


FEW = 10  # episodes


def _forgotten(reported: Reported) -> str | None:
    column = reported.column("mean_return")[-20_000:]
    known = column[np.isfinite(column)]
    if len(known) < 20 or len(reported.returns) < 3 * RECENT or not len(reported.beginning) or reported.does_well:
        return None
    begun, at_best = mean(reported.beginning), int(np.nanargmax(column))
    ended = int(np.searchsorted(reported.ends, reported.steps[-len(column) :][at_best], "right"))
    then, half = reported.before(ended), reported.later(0.2)
    best = mean(then)
    lost = (best - reported.mean_return) / (best - begun) if best > begun else 0.0
    if not lost > 0.6 or not gain(reported.beginning, then) > 5.0 or not gain(then, reported.recent) < -5.0:
        return None
    if mean(half) > best - 0.5 * (best - begun) or not reported.is_flat:
        return None
    return (
        f"What had been learned is lost: the mean return was {number(best)} and is {number(reported.mean_return)}, and "
        "it does not rise again."
    )


def _gentler(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        put(reported, "update.learning_rate_schedule", "cosine", "Let the learning rate fall to 0 over the run"),
        put(reported, "update.max_grad_norm", 0.5, "Clip gradients at a length of 0.5"),
        scaled(reported, "collection.episodes_per_update", 2.0, "Play more episodes per update", (1.0, 1024.0)),
        scaled(reported, "update.epochs", 0.5, "Take fewer epochs: go down"),
    )


def _another_way(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.learning_rate", 3.0, "Raise the learning rate", (0.0, 1.0)),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        put(reported, "estimator.normalize_advantages", True, "Normalise advantages"),
        scaled(reported, "collection.episodes_per_update", 4.0, "Play more episodes per update", (1.0, 1024.0)),
    )


def _look_further(reported: Reported) -> Iterator[Try]:
    bonus = value_at(reported.config, "update.entropy_coefficient")
    return chain(
        put(reported, "update.entropy_coefficient", 0.01, "Add an entropy bonus of 0.01")
        if bonus == 0.0
        else scaled(reported, "update.entropy_coefficient", 3.0, "Raise the entropy bonus"),
        scaled(reported, "collection.episodes_per_update", 4.0, "Play more episodes per update", (1.0, 1024.0)),
        scaled(reported, "environment.time_limit", 2.0, "Give episodes more time"),
        put(reported, "exploration.fraction", 0.8, "Explore for most of the training"),
        put(reported, "exploration.persistence", 0.85, "Let the noise persist from step to step"),
    )


def _more_decided(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.entropy_coefficient", 0.1, "Lower the entropy bonus"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        scaled(reported, "exploration.epsilon_end", 0.2, "Lower the random share"),
        scaled(reported, "collection.episodes_per_update", 2.0, "Play more episodes per update", (1.0, 1024.0)),
        put(reported, "policy.spread", "per-state", "Let the spread depend on the state"),
    )


_JONES = "Andy Jones, “Debugging RL, without the agonizing pain”"
_HENDERSON = "Henderson et al. (2018), “Deep reinforcement learning that matters”"

RULES = (
    Rule(
        name="worse-than-at-first",
        title="Worse than at first",
        fits=_plays,
        look=_worse_than_at_first,
        meaning="It learns to do the opposite, or has gone where nothing pays. A sign is wrong, steps are too large, "
        "or what is rewarded on the way is not what the return counts.",
        tries=_gentler,
        panel="Returns",
        curves=(),
        source="Schulman, “Nuts and bolts of deep RL research”: look at a random policy first. Here: the last 100 "
        "episodes and the later half of the run 5 standard errors and half a spread below the first.",
    ),
    Rule(
        name="forgotten",
        title="Learned and lost",
        fits=_plays,
        look=_forgotten,
        meaning="Some updates were too large for what they were estimated from, and the policy that they led to plays "
        "episodes from which the way back is not found.",
        tries=_gentler,
        panel="Returns",
        curves=(),
        source=f"{_HENDERSON}: the best moment of a run says little of it. Here: 60 % of what was gained is gone and "
        "stays gone.",
    ),
    Rule(
        name="reward-too-sparse",
        title="Reward too sparse",
        fits=_plays,
        look=_too_sparse,
        meaning="The policy never meets what it is to be rewarded for, so that no gradient leads there. It has to be "
        "found by exploring, or be made easier to find.",
        tries=_look_further,
        panel="Returns",
        curves=(),
        source="Schulman, “Nuts and bolts of deep RL research”: if random play never does the right thing, learning "
        "will likely not either; make the task easier until there are signs of life. Here: 99 % of the episodes "
        "alike, none better than the first.",
    ),
    Rule(
        name="no-better-than-random",
        title="No better than random",
        fits=_plays,
        look=_like_random,
        meaning="Nothing that helps has been learned in half of the time. Try the same on a small environment that you "
        "know to be learnable, to tell whether settings or the problem are at fault.",
        tries=_another_way,
        panel="Returns",
        curves=(),
        source=f"Schulman, “Nuts and bolts of deep RL research”: look at a random policy; {_HENDERSON}. Here: less "
        "than 2 standard errors above the first episodes, after half of the training.",
    ),
    Rule(
        name="cannot-repeat",
        title="Knows how, cannot repeat",
        fits=_plays,
        look=_cannot_repeat,
        meaning="The best of what is sampled is good enough, so the policy has what it takes and is not decided "
        "enough, or it is good from some beginnings only.",
        tries=_more_decided,
        panel="Returns",
        curves=(),
        source="Schulman, “Nuts and bolts of deep RL research”: look at the largest returns, to which a policy can be "
        "honed, beside the mean. Here: 5 to half of the last 100 episodes reach the goal, and the mean, not half way "
        "there, does not rise, after half of the training.",
    ),
    Rule(
        name="equally-long",
        title="All episodes equally long",
        fits=_plays,
        look=_clocked_out,
        meaning="The policy does one thing whatever it sees, or waits for the clock: nothing that it does ends an "
        "episode sooner or later.",
        tries=_look_further,
        panel="Returns",
        curves=(),
        source=f"{_JONES}: lengths that are all the same mean a degenerate policy or a broken environment. Here: the "
        "same length in 10 iterations, after 30 % of the budget, with flat returns that are not good; where it has "
        "been the same from the start, only if it is more than one step and less than the time limit.",
    ),
)
