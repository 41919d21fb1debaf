"""Rules about how far updates move the policy, and along what gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.of_policy import is_certain
from engine.analysis.doctor.reported import Reported, mean, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, mended, put, scaled, value_at

_RATE = "update.learning_rate"
_DIVERGENCES = ("approx_kl", "kl")


def divergence_of(reported: Reported) -> str:
    """The metric that tells how far an update moved the policy; empty where none does."""
    return next((name for name in _DIVERGENCES if np.isfinite(reported.column(name)[-50:]).any()), "")


def _gradient(reported: Reported) -> bool:
    return value_at(reported.config, _RATE) is not None


def _smaller_steps(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, _RATE, 0.3, "Lower the learning rate"),
        scaled(reported, "update.max_kl", 0.3, "Shrink the trust region", (1e-4, 10.0)),
        scaled(reported, "update.epochs", 0.5, "Take fewer epochs: go down"),
        put(reported, "update.target_kl", 0.02, "Stop an update once it has moved by a KL of 0.03")
        if value_at(reported.config, "update.target_kl") == 0.0
        else scaled(reported, "update.target_kl", 0.3, "Allow less KL"),
        scaled(reported, "collection.episodes_per_update", 2.0, "Play more episodes per update", (1.0, 1024.0)),
    )


def _larger_steps(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, _RATE, 5.0, "Raise the learning rate", (0.0, 1.0)),
        scaled(reported, "update.max_kl", 5.0, "Widen the trust region", (0.0, 0.1)),
        scaled(reported, "update.kl_coefficient", 0.1, "Lower the KL penalty"),
    )


def _spikes(reported: Reported) -> str | None:
    name = divergence_of(reported)
    if not name or reported.iterations < 20:
        return None
    column = reported.column(name)[-100:]
    known = column[np.isfinite(column)]
    if len(known) < 20:
        return None
    usual, recent = median(known), known[-20:]
    high = recent[recent > max(10.0 * usual, 0.2)]
    if not len(high) or not _fell(reported):
        return None
    times = "once" if len(high) == 1 else f"{len(high)} times"
    return (
        f"In the last {len(recent)} updates the policy jumped {times}, by a KL divergence of up to "
        f"{number(high.max(), 2)} nats where {number(usual, 2)} is usual, and returns fell."
    )


def _fell(reported: Reported) -> bool:
    """Whether the mean return now lies well below its best: by a third of what had been gained."""
    column = reported.column("mean_return")[-2000:]
    known = column[np.isfinite(column)]
    if len(known) < 10 or not len(reported.beginning) or reported.does_well:
        return False
    best, begun = float(known.max()), mean(reported.beginning)
    return bool(best > begun and known[-1] < best - 0.33 * (best - begun))


def _too_long(reported: Reported) -> str | None:
    name = divergence_of(reported)
    recent = reported.last(name, 10) if name else np.empty(0)
    if not len(recent) or reported.does_well or reported.iterations < 20:
        return None
    typical = median(recent)
    if typical < 0.1 or not reported.is_flat:
        return None
    return (
        f"Every update moves the policy far: by a KL divergence of {number(typical, 2)} nats, and returns do not rise."
    )


def _stands_still(reported: Reported) -> str | None:
    name = divergence_of(reported)
    recent = reported.last(name, 20) if name else np.empty(0)
    if not len(recent) or reported.does_well or reported.progress < 0.1 or _fades(reported):
        return None
    if median(np.abs(recent)) >= 1e-5 or not reported.is_flat or is_certain(reported):
        return None
    return (
        f"Updates hardly move the policy: a KL divergence of {number(median(np.abs(recent)), 1)} nats over the last "
        f"{len(recent)}, and returns do not rise."
    )


def _fades(reported: Reported) -> bool:
    """Whether a schedule has brought the learning rate near 0, as it is to."""
    now = reported.newest("learning_rate", 1)
    begun = value_at(reported.config, _RATE)
    return bool(len(now) and begun and now[-1] < 0.1 * begun)


def _much_clipped(reported: Reported) -> str | None:
    recent = reported.last("clip_fraction", 10)
    if not len(recent) or reported.does_well or median(recent) < 0.4:
        return None
    return (
        f"{percent(median(recent))} of the steps end outside the clip range, where they no longer count, in the last "
        f"{len(recent)} updates."
    )


def _ratios_outside(reported: Reported) -> str | None:
    recent = reported.last("largest_ratio", 10)
    if len(recent) < 10 or reported.does_well or min(recent) < math.log(10.0):
        return None
    typical = math.exp(min(median(recent), 50.0))
    return (
        f"In each of the last {len(recent)} updates some action becomes far likelier or rarer, by a factor of "
        f"{number(typical, 3)} at the median: far outside what one update is to change."
    )


def _other_at_first(reported: Reported) -> str | None:
    recent = reported.last("first_ratio", 5)
    if not len(recent) or median(recent) < 0.01:
        return None
    times = math.exp(min(median(recent), 50.0))
    return (
        f"Before its first step an update already finds actions {times:,.2f} times likelier or rarer than when they "
        "were taken; nothing has changed by then, and every ratio is 1."
    )


def _exploding(reported: Reported) -> str | None:
    first, recent = reported.first("grad_norm", 20), reported.last("grad_norm", 20)
    if reported.iterations < 60 or len(first) < 20 or not len(recent):
        return None
    begun, now = median(first), median(recent)
    before = reported.last("grad_norm", 40)[:20]
    if begun <= 0.0 or now < 300.0 * begun or now < 10.0 or now < median(before):
        return None
    return (
        f"Gradients explode: their length is {number(now, 2)}, {now / begun:,.0f} times what it was at first, and it "
        "grows."
    )


def _vanishing(reported: Reported) -> str | None:
    first, recent = reported.first("grad_norm", 20), reported.last("grad_norm", 20)
    if reported.iterations < 60 or len(first) < 10 or not len(recent) or reported.does_well:
        return None
    begun, now = median(first), median(recent)
    if begun <= 0.0 or now > 1e-4 * begun or not reported.is_flat:
        return None
    return (
        f"Gradients vanish: their length is {number(now, 1)}, of {number(begun, 2)} at first, while the mean return of "
        f"{number(reported.mean_return)} does not rise."
    )


def _held_back(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "update.max_grad_norm", 0.5, "Clip gradients at a length of 0.5"),
        scaled(reported, _RATE, 0.3, "Lower the learning rate"),
        put(reported, "environment.normalize_rewards", True, "Normalise rewards"),
        put(reported, "environment.normalize_observations", True, "Normalise observations"),
    )


def _livelier(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "update.entropy_coefficient", 0.01, "Add an entropy bonus of 0.01"),
        put(reported, "estimator.normalize_advantages", True, "Normalise advantages"),
        put(reported, "policy.activation", "tanh", "Use tanh units"),
        put(reported, "policy.initialization", "orthogonal", "Begin with orthogonal weights"),
    )


_SCHULMAN = "Schulman, “Nuts and bolts of deep RL research”"

RULES = (
    Rule(
        name="other-at-first",
        title="Ratios not 1 at first",
        fits=_gradient,
        look=_other_at_first,
        meaning="The update compares the policy with another than the one that acted, or with other actions than those "
        "that it took: probabilities are stale, or of what the environment made of an action.",
        tries=mended,
        panel="Diagnostics",
        curves=("first_ratio",),
        source="Huang et al. (2022), “The 37 implementation details of PPO”, on debugging: ratios are 1 in the first "
        "epoch's first minibatch. Here: off by 1 % in half of the last 5 updates.",
    ),
    Rule(
        name="gradients-explode",
        title="Exploding gradients",
        fits=_gradient,
        look=_exploding,
        meaning="Steps that grow with what they learn from overshoot, and each makes the next worse. Rewards or values "
        "are too large, or the learning rate is.",
        tries=_held_back,
        panel="Diagnostics",
        curves=("grad_norm",),
        source="Pascanu et al. (2013), “On the difficulty of training recurrent neural networks”. Here: 300 times as "
        "long as at first, and growing.",
    ),
    Rule(
        name="kl-spikes",
        title="KL spikes",
        fits=_gradient,
        look=_spikes,
        meaning="One step too far and what had been learned is gone, since the next batch is played by the worse "
        "policy. Usually the learning rate is too large for some batches, or these are too small.",
        tries=_smaller_steps,
        panel="Diagnostics",
        curves=("approx_kl", "kl"),
        source=f"{_SCHULMAN}: a spike of KL comes with a drastic loss of performance. Here: ten times the median and "
        "above 0.2, with a third of what was gained lost.",
    ),
    Rule(
        name="steps-too-long",
        title="Steps too long",
        fits=_gradient,
        look=_too_long,
        meaning="The batch says what is better near the policy that played it, and the update leaves that behind, so "
        "that it lands on something unknown each time.",
        tries=_smaller_steps,
        panel="Diagnostics",
        curves=("approx_kl", "kl"),
        source=f"{_SCHULMAN}: where nothing is learned, steps may be too large, and a KL of 0.01 is small. Here: 0.1 "
        "and more with flat returns.",
    ),
    Rule(
        name="much-clipped",
        title="Clip fraction high",
        fits=lambda reported: value_at(reported.config, "update.clip_range") is not None,
        look=_much_clipped,
        meaning="The update runs into the clip early and goes on for epochs that no longer learn from these steps, "
        "while nothing draws back what has gone too far.",
        tries=_smaller_steps,
        panel="Diagnostics",
        curves=("clip_fraction",),
        source="Huang et al. (2022), “The 37 implementation details of PPO”, report it to debug by, detail 12. Here: "
        "40 % over 10 updates, where the shipped presets stay below a quarter.",
    ),
    Rule(
        name="ratios-outside",
        title="Ratios far outside",
        fits=_gradient,
        look=_ratios_outside,
        meaning="Clipping stops rewarding change beyond its range, and does not undo it. Such ratios mean steps that "
        "are too large, or probabilities that were noted of other actions than those that were taken.",
        tries=_smaller_steps,
        panel="Diagnostics",
        curves=("largest_ratio",),
        source="Engstrom et al. (2020), “Implementation matters in deep policy gradients”: clipping does not keep "
        "ratios in its range. Here: the largest beyond a factor of 10 in each of the last 10 updates.",
    ),
    Rule(
        name="kl-zero",
        title="KL near 0",
        fits=_gradient,
        look=_stands_still,
        meaning="Nothing is tried out, so nothing is learned: the steps are too small, or gradients say nothing.",
        tries=_larger_steps,
        panel="Diagnostics",
        curves=("approx_kl", "kl"),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: very low, the learning rate can go up. Here: "
        "below 0.00001 with flat returns.",
    ),
    Rule(
        name="gradients-vanish",
        title="Vanishing gradients",
        fits=lambda reported: reported.plays_itself and _gradient(reported),
        look=_vanishing,
        meaning="Nothing pulls the policy anywhere any more, though it is not good: it has become certain, its units "
        "are saturated, or all that it meets is worth the same.",
        tries=_livelier,
        panel="Diagnostics",
        curves=("grad_norm",),
        source="Pascanu et al. (2013), “On the difficulty of training recurrent neural networks”. Here: a "
        "ten-thousandth of what they were at first, with flat returns.",
    ),
)
