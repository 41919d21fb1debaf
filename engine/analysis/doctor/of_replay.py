"""Rules about action values that are learned, and the old experience that they are learned from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.reported import Reported, mean, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled, value_at
from engine.config import ActorCriticConfig, ValueBasedConfig

_EVERY, _RATE = "update.target.every", "update.target.rate"


def _learns_values(reported: Reported) -> bool:
    return isinstance(reported.config, ValueBasedConfig | ActorCriticConfig)


def _counts_entropy(reported: Reported) -> bool:
    """Whether values hold the entropy to come as well, so that they are no returns."""
    return value_at(reported.config, "update.temperature") is not None


def _first_values(reported: Reported) -> tuple[float, float] | None:
    """What the first states were taken to be worth lately, and what their episodes brought."""
    taken, brought = reported.last("first_value", 40), reported.last("discounted_return", 40)
    if len(taken) < 20 or len(brought) < 20 or reported.iterations < 60 or reported.progress < 0.3:
        return None
    if reported.acts_blindly:  # which costs much of what the values promise
        return None
    return mean(taken), mean(brought)


def _overestimated(reported: Reported) -> str | None:
    found = _first_values(reported)
    if found is None or _counts_entropy(reported):
        return None
    taken, brought = found
    size = max(abs(brought), float(np.nanstd(reported.column("discounted_return")[-200:])), 1e-6)
    if taken - brought < 1.5 * size or reported.does_well or not reported.is_flat:
        return None
    return (
        f"Values are overestimated: first states are taken to be worth {number(taken)}, and their episodes bring "
        f"{number(brought)} as discounted return."
    )


def _underestimated(reported: Reported) -> str | None:
    found = _first_values(reported)
    if found is None or _counts_entropy(reported):
        return None
    taken, brought = found
    if brought <= 0.0 or taken > 0.3 * brought:
        return None
    before = reported.column("first_value")[-80:-40]
    known = before[np.isfinite(before)]
    if len(known) < 10 or taken - median(known) > 0.05 * brought:
        return None
    return (
        f"Values stay too low: first states are taken to be worth {number(taken)}, while their episodes bring "
        f"{number(brought)} as discounted return, and they do not rise."
    )


def _target_stands(reported: Reported) -> str | None:
    every, taken = value_at(reported.config, _EVERY), reported.column("gradient_steps")
    ages, steps = reported.last("target_age", 4), float(np.nansum(taken * reported.counts)) if len(taken) else 0.0
    if not isinstance(every, int):
        return None
    if len(ages) == 4 and ages.min() > 2 * every and np.all(np.diff(ages) > 0.0):
        return (
            f"The target network stands still: it has been the same for {ages[-1]:,.0f} gradient steps, and is to be "
            f"renewed {'with every one' if every == 1 else f'every {every:,}'}."
        )
    if reported.progress < 0.1 or not 0.0 < steps < every:
        return None
    return (
        f"The target network has not been renewed yet: that happens every {every:,} gradient steps, of which there "
        f"were {steps:,.0f} in {percent(reported.progress)} of the training."
    )


def _run_away(reported: Reported) -> str | None:
    name = next((name for name in ("estimate_mean", "largest_value") if len(reported.last(name, 20))), "")
    if not name or reported.iterations < 60:
        return None
    recent, before = median(reported.last(name, 20)), median(reported.last(name, 60)[:20])
    brought = reported.column("discounted_return")
    known = np.abs(brought[np.isfinite(brought)])
    if len(known) < 20:
        return None
    most = max(float(known.max()), 1.0)
    if abs(recent) < 10.0 * most or abs(recent) < 1.2 * abs(before):
        return None
    return (
        f"Values run away: they average {number(recent, 3)} and grow, where no episode has brought more than "
        f"{number(most, 3)} as discounted return, either way."
    )


def _errors_grow(reported: Reported) -> str | None:
    errors, recent = reported.column("td_error_size"), reported.last("td_error_size", 20)
    known = errors[np.isfinite(errors)]
    if not len(recent) or len(known) < 100 or reported.does_well or not reported.is_flat:
        return None
    low = min(median(known[at : at + 20]) for at in range(0, len(known) - 40, max(len(known) // 50, 1)))
    now, before = median(recent), median(known[-40:-20])
    if low <= 0.0 or now < 20.0 * low or now < before:
        return None
    return f"Errors of the values grow: {number(now, 3)} on average, {now / low:,.0f} times what they had come down to."


def _too_young(reported: Reported) -> str | None:
    found = reported.last("replay_age", 20)
    if not len(found) or reported.progress < 0.2 or reported.does_well or not reported.is_flat:
        return None
    if median(found) > 1000.0:
        return None
    return (
        f"Only the last steps are learned from: what is drawn from the replay buffer is {median(found):,.0f} steps old."
    )


def _steadier(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "update.double", True, "Let one network choose and the other judge (double)"),
        put(reported, _RATE, 0.005, "Let the target network follow more slowly")
        if (value_at(reported.config, _RATE) or 0.0) > 0.005 and value_at(reported.config, _EVERY) == 1
        else scaled(reported, _EVERY, 4.0, "Renew the target network more seldom: go up", (2.0, 1e5)),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        scaled(reported, "update.critic.learning_rate", 0.3, "Lower the values' learning rate"),
        put(reported, "estimator.gamma", 0.98, "Discount more, by 0.98"),
    )


def _quicker(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, _EVERY, 1, "Renew the target network with every gradient step"),
        scaled(reported, _RATE, 10.0, "Let the target network follow faster: raise its rate", (0.0, 1.0)),
        scaled(reported, "estimator.n", 3.0, "Count more rewards before a value stands in: go up", (1.0, 20.0)),
        scaled(reported, "update.learning_rate", 3.0, "Raise the learning rate", (0.0, 1.0)),
    )


def _more_kept(reported: Reported) -> Iterator[Try]:
    return put(reported, "update.replay.capacity", 50_000, "Keep 50,000 steps in the replay buffer")


_HASSELT = "van Hasselt et al. (2016), “Deep reinforcement learning with double Q-learning”"

RULES = (
    Rule(
        name="values-run-away",
        title="Values run away",
        fits=_learns_values,
        look=_run_away,
        meaning="Estimates chase each other upwards: each is drawn towards another that has just been drawn up. "
        "Episodes that end and do not count as ended, or a target network that follows too fast, do that.",
        tries=_steadier,
        panel="Diagnostics",
        curves=("target_mean", "largest_value", "first_value"),
        source="van Hasselt et al. (2018), “Deep reinforcement learning and the deadly triad”: values beyond any that "
        "can be had. Here: ten times the largest discounted return, and growing.",
    ),
    Rule(
        name="target-never-renewed",
        title="Target network never renewed",
        fits=lambda reported: value_at(reported.config, _EVERY) is not None,
        look=_target_stands,
        meaning="All is drawn towards what a network says that has learned nothing: only the rewards that are counted "
        "before it stands in are learned. It is copied too seldom, or never, whatever the settings say.",
        tries=_quicker,
        panel="Diagnostics",
        curves=("target_age",),
        source="Mnih et al. (2015), “Human-level control through deep reinforcement learning”, on target networks. "
        "Here: it has not changed for twice as long as it may, or its turn has not come in a tenth of the training.",
    ),
    Rule(
        name="values-overestimated",
        title="Overestimation",
        fits=_learns_values,
        look=_overestimated,
        meaning="The maximum of noisy estimates is too large, and bootstrapping hands that on. Or ends do not count as "
        "ends, so that values of states are handed on which nothing follows.",
        tries=_steadier,
        panel="Diagnostics",
        curves=("first_value",),
        source=f"{_HASSELT}: estimates beside what is brought. Here: above it by more than 1.5 times its size, after "
        "30 % of the training and with returns that do not rise.",
    ),
    Rule(
        name="values-too-low",
        title="Values stay too low",
        fits=_learns_values,
        look=_underestimated,
        meaning="News of rewards does not travel back: the target network does not follow, the learning rate is too "
        "small, or too few steps are learned from.",
        tries=_quicker,
        panel="Diagnostics",
        curves=("first_value",),
        source=f"{_HASSELT}: estimates beside what is brought. Here: below 30 % of it, and not rising, after 30 % of "
        "the training.",
    ),
    Rule(
        name="errors-of-values-grow",
        title="TD errors grow",
        fits=_learns_values,
        look=_errors_grow,
        meaning="Values move faster than they are learned: steps are too large, or the target network follows too "
        "fast.",
        tries=_steadier,
        panel="Diagnostics",
        curves=("value_loss", "td_error_mean"),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: losses should fall, then level out. Here: 20 "
        "times the lowest median of 20 iterations, and growing, with flat returns.",
    ),
    Rule(
        name="replay-too-young",
        title="Replay buffer too small",
        fits=lambda reported: value_at(reported.config, "update.replay") is not None,
        look=_too_young,
        meaning="Steps that follow each other are alike; a network that learns from a few hundred of them learns "
        "these by heart, and forgets what came before.",
        tries=_more_kept,
        panel="Diagnostics",
        curves=("replay_age",),
        source="Fedus et al. (2020), “Revisiting fundamentals of experience replay”; Schulman, “Nuts and bolts of "
        "deep RL research”: you might need a huge buffer. Here: 1,000 steps and less, with flat returns.",
    ),
)
