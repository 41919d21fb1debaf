"""Rules about a learned value function and the advantages that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.reported import Reported, error_of, mean, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, mended, put, scaled, switched_on, value_at
from engine.config import ActorCriticConfig, PolicyGradientConfig, ValueBasedConfig
from engine.config.estimators import SharedValueBaseline, ValueBaseline

_VALUE_RATE, _VALUE_STEPS = "estimator.baseline.learning_rate", "estimator.baseline.fit_steps"
_NORMALIZE = "environment.normalize_rewards"


def learns_value(reported: Reported) -> bool:
    """Whether V is learned and there is anything to tell states apart by."""
    config, seen = reported.config, reported.environment.observation
    if not isinstance(config, PolicyGradientConfig):
        return False
    if not isinstance(config.estimator.baseline, ValueBaseline | SharedValueBaseline):
        return False
    return not reported.environment.one_step and not (seen.kind == "discrete" and seen.size == 1)


def _worse_than_none(reported: Reported) -> str | None:
    found = reported.last("explained_variance", 20)
    if reported.iterations < 40 or not len(found) or not reported.is_flat:
        return None
    if reported.is_good:  # returns that are nearly all the same leave nothing to be explained
        return None
    typical = median(found)
    if typical >= -0.1 or mean(found < 0.0) < 0.8 or found[-1] >= 0.0:
        return None
    return (
        f"The learned value predicts returns worse than a constant would: its explained variance was below 0 in "
        f"{np.count_nonzero(found < 0.0)} of the last {len(found)} iterations, {number(typical, 2)} at the median."
    )


def _learns_nothing(reported: Reported) -> str | None:
    found = reported.last("explained_variance", 50)
    if reported.iterations < 100 or reported.progress < 0.2 or not len(found) or reported.does_well:
        return None
    near = mean(np.abs(found) < 0.05)
    if near < 0.9 or not (reported.is_flat or reported.progress > 0.5):
        return None
    return (
        f"The learned value predicts nothing: its explained variance stayed within 0.05 of 0 for the last {len(found)} "
        "iterations."
    )


def _better_fit(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, _VALUE_STEPS, 4.0, "Raise the value's fitting steps"),
        scaled(reported, _VALUE_RATE, 0.3, "Lower the value's learning rate"),
        switched_on(reported, _NORMALIZE, "Normalise rewards, which scales them and never shifts them"),
        scaled(reported, "estimator.baseline.coefficient", 10.0, "Raise the value's share of the loss"),
    )


def _faster_fit(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, _VALUE_RATE, 5.0, "Raise the value's learning rate", (0.0, 1.0)),
        put(reported, _VALUE_STEPS, 40, "Take 40 fitting steps of the value in every iteration"),
        scaled(reported, "estimator.baseline.coefficient", 10.0, "Raise the value's share of the loss"),
        switched_on(reported, "environment.normalize_observations", "Normalise observations"),
    )


def _targets_out_of_scale(reported: Reported) -> str | None:
    errors, explained = reported.last("value_loss", 20), reported.last("explained_variance", 20)
    if reported.iterations < 40 or not len(errors) or not len(explained) or reported.does_well:
        return None
    off = float(np.sqrt(max(median(errors), 0.0)))
    if off < 20.0 or median(explained) > 0.1:
        return None
    return (
        f"The learned value is off by {off:,.3g} on average and explains {percent(max(median(explained), 0.0))} of the "
        "returns' variance: its targets are too large for what its network says at first, numbers around 1."
    )


def _scaled_rewards(reported: Reported) -> Iterator[Try]:
    off = float(np.sqrt(max(median(reported.last("value_loss", 20)), 1e-12)))
    scale = value_at(reported.config, "environment.reward_scale")
    wanted = float(f"{scale / off:.1g}")
    yield from switched_on(reported, _NORMALIZE, "Normalise rewards, which scales them and never shifts them")
    yield from put(reported, "environment.reward_scale", wanted, f"Multiply rewards by {number(wanted, 1)}")
    yield from scaled(reported, _VALUE_RATE, 5.0, "Raise the value's learning rate", (0.0, 1.0))


def _ends_with_the_time(reported: Reported) -> str | None:
    return _cut_wrongly(reported) or _none_follows(reported) or _surprised_by_time(reported)


def _cut_wrongly(reported: Reported) -> str | None:
    found = reported.newest("cut_error", 8)
    if reported.iterations < 4 or not len(found) or not found.max() > OFF:
        return None
    everywhere = reported.newest("credit_error", 4)
    if len(everywhere) and median(everywhere) > OFF:  # then it is not the cut that is wrong
        return None
    return (
        "Where an episode was cut off, something else than the value of what was seen last stands in for the rest: the "
        f"credit of such a step is off by {percent(found.max(), 1)} of the largest there is."
    )


def _none_follows(reported: Reported) -> str | None:
    """Of values that are learned from single steps."""
    final, ended = reported.last("final_targets", 20), reported.column("ended_share")
    if len(final) < 20 or np.nansum(ended) > 0.0 or not (final.min() > 0.0 and final.max() < 0.5):
        return None
    return (
        f"No episode has ended but by a cut, and yet {percent(median(final), 2)} of the targets hold rewards alone, "
        "as if nothing followed."
    )


def _surprised_by_time(reported: Reported) -> str | None:
    found = reported.newest("surprise_at_limit", 20)
    if len(found) < 5 or reported.iterations < 20:
        return None
    tamed = np.clip(found, -5.0, 5.0)  # one episode that is cut off may lie anywhere
    typical, average = median(found), mean(tamed)
    always = abs(typical) > 20.0 and (np.all(found > 2.0) or np.all(found < -2.0))
    least = 1.2 if len(found) >= 20 else 2.0
    if not always and (len(found) < 10 or abs(average) < least or abs(average) < 3.0 * error_of(tamed)):
        return None
    return (
        f"What is learned of the last step before the time is up is unlike all else: its temporal-difference errors "
        f"lie {abs(typical):.1f} standard deviations {'below' if typical < 0 else 'above'} those of the other steps."
    )


def _unlike_returns(reported: Reported) -> str | None:
    taken, brought = reported.last("first_value", 60), reported.last("discounted_return", 60)
    if len(taken) < 50 or len(taken) != len(brought) or reported.does_well or not reported.is_flat:
        return None
    half = len(taken) // 2
    before, apart = mean(taken[:half] - brought[:half]), (taken - brought)[half:]
    taken, brought = taken[half:], brought[half:]
    typical, error = mean(apart), error_of(apart)
    if abs(typical) < 0.85 * abs(before):  # it comes closer, if slowly
        return None
    size = abs(mean(brought)) + 2.0 * float(np.std(brought))
    if abs(typical) < 0.3 * size or abs(typical) < 5.0 * error or not size > 0.0:
        return None
    return (
        f"The learned value is none of what is returned: it takes episodes to be worth {number(mean(taken))} as they "
        f"begin, and they bring {number(mean(brought))} as discounted return."
    )


def _mean_far_from_zero(reported: Reported) -> str | None:
    means, spreads = reported.last("advantage_mean", 20), reported.last("advantage_std", 20)
    if reported.iterations < 40 or not len(means) or len(means) != len(spreads) or reported.does_well:
        return None
    apart = means / np.maximum(spreads, 1e-12)
    typical = median(apart)
    if abs(typical) < 2.0 or mean(np.sign(apart) == np.sign(typical)) < 0.9:
        return None
    if not reported.is_flat:  # else values only come after returns that rise
        return None
    before = reported.column("advantage_mean")[-40:-20].astype(np.float64)
    if abs(median(means)) < _CLOSING * abs(median(before[np.isfinite(before)])):  # it is on its way
        return None
    side = "low" if typical > 0 else "high"
    return (
        f"The learned value is too {side} nearly everywhere: the advantages' mean was {number(median(means), 3)} over "
        f"the last {len(means)} iterations, {abs(typical):.1f} times their spread."
    )


OFF = 1e-3  # of what is computed twice; rounding comes to a ten-thousandth of it
_CLOSING = (
    0.9  # of what the mean was 20 iterations before; healthy short runs came to 0.85 at most, V that is drawn away to 3
)
_SCHULMAN = "Schulman, “Nuts and bolts of deep RL research” (explained variance of the baseline)"
_JONES = "Andy Jones, “Debugging RL, without the agonizing pain” (residual variance stays near 1)"

RULES = (
    Rule(
        name="truncations-as-ends",
        title="Truncations treated as ends",
        fits=lambda reported: (
            learns_value(reported) or isinstance(reported.config, ValueBasedConfig | ActorCriticConfig)
        ),
        look=_ends_with_the_time,
        meaning="The time limit is no part of the world: what would have followed has to be stood in for by the value "
        "of the state that was seen last. Taken for an end, or completed from a state of the next episode, it teaches "
        "that good states are worth little.",
        tries=mended,
        panel="Diagnostics",
        curves=("cut_error", "surprise_at_limit", "final_targets"),
        source="Pardo et al. (2018), “Time limits in reinforcement learning”. Here: the credit off by a thousandth "
        "where it is computed apart, or targets of rewards alone where nothing ended; or 1.2 standard deviations and 3 "
        "standard errors from the mean of all other steps, over the last 20 iterations in which a time was up; "
        "healthy presets stay below 0.7.",
    ),
    Rule(
        name="values-unlike-returns",
        title="Values unlike returns",
        fits=learns_value,
        look=_unlike_returns,
        meaning="While returns do not change, what is predicted comes to what is brought, unless something else is "
        "predicted: returns that are discounted otherwise, that miss a reward, or are of rewards that were changed. Or "
        "the value is learned far too slowly.",
        tries=_faster_fit,
        panel="Diagnostics",
        curves=("value_loss", "explained_variance"),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: values should come to match their targets. "
        "Here: further apart than 0.3 of their size and 5 standard errors over 30 iterations, not closing, with flat "
        "returns that fall short of the goal.",
    ),
    Rule(
        name="values-worse-than-none",
        title="Explained variance below 0",
        fits=learns_value,
        look=_worse_than_none,
        meaning="Subtracting it makes the gradient noisier than subtracting nothing. The value is fitted too little, "
        "or to too few steps and by heart, or its targets are of another size than it can reach.",
        tries=_better_fit,
        panel="Diagnostics",
        curves=("explained_variance",),
        source=f"{_SCHULMAN}: below 0, it overfits or is noise. Here: a median below −0.1 and "
        "8 of 10 of the last 20 iterations below 0, the last among them, from the 40th iteration on and with returns "
        "that do not rise and are not four fifths of the way to the goal.",
    ),
    Rule(
        name="values-out-of-scale",
        title="Value targets out of scale",
        fits=learns_value,
        look=_targets_out_of_scale,
        meaning="A network begins with values around 0 and comes to large ones in small steps. Scale the rewards, but "
        "do not shift them: a shift changes how long an episode wants to be.",
        tries=_scaled_rewards,
        panel="Diagnostics",
        curves=("value_loss",),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: value targets belong into −10 … 10; Schulman, "
        "“Nuts and bolts of deep RL research”: scale rewards and do not shift them. Here: off by 20 or more while at "
        "most a tenth is explained.",
    ),
    Rule(
        name="values-learn-nothing",
        title="Explained variance stuck at 0",
        fits=learns_value,
        look=_learns_nothing,
        meaning="The value says the same of every state. It learns too slowly, what it sees does not tell how much is "
        "to come, or returns are all chance.",
        tries=_faster_fit,
        panel="Diagnostics",
        curves=("explained_variance",),
        source=f"{_JONES}. Here: within 0.05 of 0 in 9 of 10 of the last "
        "50 iterations, after a fifth of the budget with returns that do not rise, or after half of it.",
    ),
    Rule(
        name="advantages-off-centre",
        title="Advantages' mean far from 0",
        fits=learns_value,
        look=_mean_far_from_zero,
        meaning="What was done counts as better, or worse, than expected whatever it was, so that all actions are "
        "pushed the same way. The value lags behind the returns; normalised advantages hide it and do not mend it.",
        tries=_faster_fit,
        panel="Signal",
        curves=(),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: advantages have about the mean 0 by "
        "construction. A value that is only late comes nearer by a share of what is left with every fit. Here: further "
        "from 0 than twice their spread over 20 iterations, by nine tenths or more of what it was in the 20 before, "
        "with returns that do not rise.",
    ),
)
