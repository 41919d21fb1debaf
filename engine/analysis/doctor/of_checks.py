"""Rules about what a run computes twice, the second time apart from the code that learns: these see mistakes in code,
whatever it is that is learned and however well that goes."""

from __future__ import annotations

import math

import numpy as np

from engine.analysis.doctor.of_values import OFF
from engine.analysis.doctor.reported import Reported, median, number, percent
from engine.analysis.doctor.rule import Rule, mended, value_at
from engine.config import ActorCriticConfig, PolicyGradientConfig, ValueBasedConfig

_LOOKS = 4  # before which nothing is said


def _climbs(reported: Reported) -> bool:
    return isinstance(reported.config, PolicyGradientConfig)


def _told(metric: str, reported: Reported) -> float:
    """What it came to in the last looks; NaN where there were too few."""
    found = reported.newest(metric, _LOOKS)
    return median(found) if len(found) == _LOOKS else math.nan


def _share(part: float) -> str:
    return percent(part) if part >= 0.01 else percent(part, 1)


def _credit(reported: Reported) -> str | None:
    off = _told("credit_error", reported)
    if not off > OFF:
        return None
    return (
        "Advantages are not what rewards, values and γ make of them: summed apart, the credit of some step comes to "
        f"something else by {_share(off)} of the largest there is, in each of the last {_LOOKS} batches looked at."
    )


def _objective(reported: Reported) -> str | None:
    off = _told("objective_error", reported)
    if not off > OFF:
        return None
    return (
        "What is climbed is not the sum of log π · Â over all steps of the episodes: summed apart, that differs by "
        f"{_share(off)} of its size in the last {_LOOKS} batches looked at."
    )


def _value(reported: Reported) -> str | None:
    pull = _told("value_pull", reported)
    if not pull > 0.05:
        return None
    return (
        f"Something else than its error moves the learned value: {_share(pull)} of its gradient is not that of the "
        "squared distance from its targets."
    )


def _drift(reported: Reported) -> str | None:
    drift = _told("policy_drift", reported)
    if not drift > 1e-5:
        return None
    return (
        f"The policy that is updated is not the one that acted: log π of the same actions moved by {number(drift, 2)} "
        "in between, where nothing has been learned yet."
    )


def _likelihood(reported: Reported) -> str | None:
    found = reported.newest("likelihood_gap", 8)
    if len(found) < _LOOKS:
        return None
    together = float(found.sum()) / math.sqrt(len(found))
    if not abs(together) > 6.0 or np.mean(np.sign(found) == np.sign(together)) < 0.75:
        return None
    more = "less" if together > 0 else "more"
    return (
        f"Actions are not drawn from the policy: over the last {len(found)} looks those that are learned from are "
        f"{more} likely than its entropy allows, by {abs(together):.0f} standard deviations."
    )


def _density(reported: Reported) -> str | None:
    off = _told("density_error", reported)
    if not off > 0.01:
        return None
    return (
        f"The policy's log π is not the density of its actions: computed apart, it differs by {number(off, 2)} nats or "
        "more."
    )


def _ends(reported: Reported) -> str | None:
    final, ended = reported.last("final_targets", 20), reported.last("ended_share", 20)
    if len(final) < 20 or len(ended) < 20 or final.max() > 0.0:
        return None
    steps = float(reported.steps[-1] - reported.steps[-20])
    over = float(ended.mean()) * steps
    drawn = float(np.minimum(reported.last("gradient_steps", 20), 128.0).sum())
    drawn *= value_at(reported.config, "update.replay.minibatch_size") or 1
    kept = min(float(reported.steps[-1]), value_at(reported.config, "update.replay.capacity") or math.inf)
    if over < 5.0 or drawn * over / kept < 20.0:  # none of them may have been drawn
        return None
    return (
        f"Ends do not count: {over:,.0f} of the last {steps:,.0f} steps ended an episode, and none of {drawn:,.0f} "
        "targets holds rewards alone, as if something followed behind all of them."
    )


_HUANG = "Huang et al. (2022), “The 37 implementation details of PPO”"
_JONES = "Andy Jones, “Debugging RL, without the agonizing pain”"

RULES = (
    Rule(
        name="actions-unlike-policy",
        title="Actions not those of the policy",
        fits=lambda reported: isinstance(reported.config, PolicyGradientConfig | ValueBasedConfig),
        look=_likelihood,
        meaning="Either something else acts, as where the coin of ε is read the wrong way round, or the actions that "
        "are learned from are not those that were drawn, as after clipping to bounds.",
        tries=mended,
        panel="Diagnostics",
        curves=("likelihood_gap",),
        source="The mean of −log π over actions drawn from π is the entropy (Shannon, 1948). Here: off by 6 standard "
        "deviations over the last 8 looks, with the same sign in three of four; healthy presets stay below 4.",
    ),
    Rule(
        name="policy-changed-meanwhile",
        title="Another policy acted",
        fits=_climbs,
        look=_drift,
        meaning="Between collecting and updating something changes what the policy says: a normaliser of observations "
        "that goes on learning, as in evaluation, dropout, or a copy that is not the newest.",
        tries=mended,
        panel="Diagnostics",
        curves=("policy_drift",),
        source=f"{_HUANG}, on debugging: ratios are 1 at first. Here: log π of fixed actions moves by more than "
        "0.00001, where healthy runs have exactly 0.",
    ),
    Rule(
        name="log-probs-unlike-density",
        title="log π is no density",
        fits=lambda reported: isinstance(reported.config, ActorCriticConfig),
        look=_density,
        meaning="Where an action is squashed into bounds, its density is that of the number before, divided by the "
        "squashing's slope. Without that, entropy can be gained without end by wide or far-off numbers.",
        tries=mended,
        panel="Diagnostics",
        curves=("density_error",),
        source="Haarnoja et al. (2018), “Soft actor-critic”, appendix C. Here: 0.01 nats apart; rounding comes to a "
        "ten-thousandth of it.",
    ),
    Rule(
        name="ends-ignored",
        title="Ends do not count",
        fits=lambda reported: value_at(reported.config, "update.replay") is not None,
        look=_ends,
        meaning="Behind the end of an episode nothing follows, so the target of its last step is the reward alone. "
        "Where a value is added there, too, values feed on themselves and rise far beyond what can be had.",
        tries=mended,
        panel="Diagnostics",
        curves=("final_targets", "ended_share"),
        source="Mnih et al. (2015), algorithm 1, which sets y = r there. Here: none of the targets of 20 iterations, "
        "where 20 were to be expected by the number of episodes that ended.",
    ),
    Rule(
        name="credit-unlike-rewards",
        title="Advantages unlike their definition",
        fits=_climbs,
        look=_credit,
        meaning="Something is summed otherwise than is meant: a discount applied twice or counted from the wrong end, "
        "the present reward left out, a recursion off by one step, advantages normalised over something else than the "
        "batch, or rewards changed on the way, as by clipping.",
        tries=mended,
        panel="Diagnostics",
        curves=("credit_error",),
        source=f"{_JONES}: test what can be computed by hand. Here: the recursion of returns, from each step to the "
        "next, off by a thousandth of the largest number in it; rounding comes to a ten-thousandth of that.",
    ),
    Rule(
        name="objective-unlike-sum",
        title="Another sum is climbed",
        fits=_climbs,
        look=_objective,
        meaning="The loss has another sign or scale than the estimate of the policy gradient: a minus that is missing, "
        "a mean over an episode's steps in place of their sum, or weights that single steps should not have.",
        tries=mended,
        panel="Diagnostics",
        curves=("objective_error",),
        source="Williams (1992): the log-probability of an episode is a sum over its steps. Here: off by a thousandth "
        "of the terms' size; rounding comes to a ten-thousandth of that.",
    ),
    Rule(
        name="value-moved-otherwise",
        title="Value moved by another loss",
        fits=_climbs,
        look=_value,
        meaning="The policy's loss is differentiated through the learned value as well, or its targets are not the "
        "ones that were estimated: a baseline has to be a constant there.",
        tries=mended,
        panel="Diagnostics",
        curves=("value_pull",),
        source="Mnih et al. (2016), where V in the policy's gradient is a constant. Here: a twentieth of the gradient "
        "in the median of 4 looks. In 315 looks at 16 short runs of 8 healthy presets that median came to 0.00004 at "
        "most, and one look in longer ones to 0.006, near where V is as it should be; with a baseline that is not "
        "detached it is 0.4 or more.",
    ),
)
