"""Rules about how decided the policy is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

from engine.analysis.doctor.reported import Reported, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled
from engine.catalogue.spaces import Space


def most_entropy(space: Space) -> float:
    """The entropy of blind choice, in nats; NaN where actions are continuous."""
    if space.kind == "discrete":
        return math.log(space.size) if space.size > 1 else math.nan
    if space.kind == "multi-discrete":
        return sum(math.log(part) for part in space.parts) or math.nan
    return space.size * math.log(2.0) if space.kind == "multi-binary" else math.nan


def is_certain(reported: Reported) -> bool:
    """Whether the policy chooses among actions as if there were but one, so that nothing can move it any more."""
    recent = reported.last("entropy", 20)
    return bool(len(recent) and median(recent) < 0.02 * most_entropy(reported.environment.action))


def _acts(reported: Reported) -> bool:
    return reported.plays_itself


def _undecided(reported: Reported) -> str | None:
    most, recent = most_entropy(reported.environment.action), reported.last("entropy", 20)
    if not len(recent) or reported.iterations < 50 or reported.progress < 0.25 or reported.does_well:
        return None
    share = median(recent) / most
    if not share > 0.99 or not reported.is_flat:
        return None
    return (
        f"No policy is forming: after {percent(reported.progress)} of the training its entropy is still "
        f"{percent(share, 1)} of that of blind choice, and returns do not rise."
    )


def _decided(reported: Reported) -> str | None:
    space, recent = reported.environment.action, reported.last("entropy", 20)
    if not len(recent) or reported.is_good or not reported.is_flat or reported.iterations < 40:
        return None
    most, now = most_entropy(space), median(recent)
    if space.kind == "box":
        if now / max(space.size, 1) > -3.0:
            return None
        seen = (
            f"{number(now / space.size, 2)} nats for each number of an action, a spread of "
            f"{number(_spread(now / space.size), 2)}"
        )
    else:
        if not now / most < 0.02:
            return None
        seen = f"{percent(max(now / most, 0.0), 1)} of that of blind choice"
    return (
        f"The policy is certain of its actions and not good: its entropy is {seen}, and the mean return of "
        f"{number(reported.mean_return)} does not rise."
    )


def _spread(entropy: float) -> float:
    """σ of a Gaussian of this entropy, ½ ln(2πe σ²)."""
    return math.exp(entropy - 0.5 * math.log(2.0 * math.pi * math.e))


def _keeps_trying(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "update.entropy_coefficient", 0.01, "Add an entropy bonus of 0.01")
        if not getattr(reported.config.update, "entropy_coefficient", 1.0)
        else scaled(reported, "update.entropy_coefficient", 3.0, "Raise the entropy bonus"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        put(reported, "policy.initial_log_std", 0.0, "Begin with a spread of 1"),
        scaled(reported, "update.target_entropy_share", 2.0, "Keep more entropy: raise its share", (0.0, 0.98)),
    )


def _decides(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.learning_rate", 5.0, "Raise the learning rate", (0.0, 1.0)),
        scaled(reported, "update.entropy_coefficient", 0.1, "Lower the entropy bonus"),
        scaled(reported, "update.target_entropy_share", 0.5, "Keep less entropy: lower its share"),
        scaled(reported, "update.max_kl", 5.0, "Widen the trust region", (0.0, 0.1)),
        put(reported, "estimator.normalize_advantages", True, "Normalise advantages"),
    )


RULES = (
    Rule(
        name="entropy-gone",
        title="Entropy gone, return flat",
        fits=_acts,
        look=_decided,
        meaning="It has stopped trying before it found anything better, and what is never tried cannot be learned. It "
        "became certain too soon: by large steps on noisy estimates, or because nothing kept it open.",
        tries=_keeps_trying,
        panel="Diagnostics",
        curves=("entropy",),
        source="Schulman, “Nuts and bolts of deep RL research”: a premature drop of the entropy means that nothing "
        "more is learned. Here: below 2 % of blind choice, or −3 nats per number, with flat returns that are not four "
        "fifths of the way to the goal.",
    ),
    Rule(
        name="no-policy-forming",
        title="No policy forming",
        fits=_acts,
        look=_undecided,
        meaning="It chooses as blindly as on the first day: steps are too small, a bonus for entropy outweighs the "
        "rewards, or these tell nothing of single actions.",
        tries=_decides,
        panel="Diagnostics",
        curves=("entropy",),
        source="Andy Jones, “Debugging RL, without the agonizing pain” (relative policy entropy): very near 1, no "
        "policy is learned. Here: above 99 % of blind choice after a quarter of the training, with flat returns.",
    ),
)
