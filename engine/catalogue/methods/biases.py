"""What a configuration's gradient estimate is not: the known reasons for which its mean is off the true gradient."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig


def biases(config: RunConfig, environment: EnvironmentInfo) -> tuple[str, ...]:
    """Why the gradient estimate is biased for ∇J, a sentence each; empty where theory says unbiased.

    J is the expected return discounted by γ from the start of the episode, as 001… and 003… define it, of the rewards
    that learning sees (scale · reward + offset). PPO climbs a surrogate in several steps and is judged by the first,
    when the policy is still the one that acted; the steps of off-policy ascent all claim to be the gradient. Each
    sentence is measured, with its sign, in the tests named ``test_bias…``.
    """
    if isinstance(config, PlanningConfig):
        return ()
    return (
        *_from_credit(config, environment),
        *_from_rewards(config),
        *_from_baseline(config),
        *_from_actions(config),
        *_from_update(config),
    )


def _from_credit(config: PolicyGradientConfig, environment: EnvironmentInfo) -> Iterator[str]:
    estimator, credit = config.estimator, config.estimator.credit
    limit = environment.time_limit
    short = credit.kind == "n-step" and not (config.collection.kind == "episodes" and limit and credit.n >= limit)
    if short or (credit.kind == "gae" and credit.gae_lambda < 1.0):
        yield "The learned value stands in for later rewards and misleads where it is wrong."
    elif estimator.baseline.kind in ("value", "shared-value") and (
        config.collection.kind == "fixed-length" or limit is not None
    ):
        yield "Where an episode is cut off, the learned value stands in for the rest and misleads where it is wrong."
    if credit.kind != "total-return" and estimator.gamma < 1.0 and not estimator.discount_states:
        yield "Late steps weigh as much as early ones, although the discounted return counts them γᵗ."
    if estimator.normalize_advantages:
        yield "Normalised advantages rescale the gradient, and shift it by an average that includes each sample."


def _from_rewards(config: PolicyGradientConfig) -> Iterator[str]:
    if config.environment.normalize_rewards:
        yield "Normalised rewards divide the gradient by a spread that includes each sample."


def _from_baseline(config: PolicyGradientConfig) -> Iterator[str]:
    baseline = config.estimator.baseline
    if baseline.kind in ("average", "time-average"):
        yield "The average includes the very sample it is subtracted from, so the gradient comes out too short."
    if baseline.kind == "optimal":
        yield "The constant is computed from the very samples it is subtracted from."
    if baseline.kind == "value" and baseline.fitted_on == "same":
        yield "The value function was fitted to the very returns it is subtracted from."
    if baseline.kind == "shared-value" and baseline.coefficient > 0.0:
        yield "Fitting V also moves the layers that the policy shares with it."


def _from_update(config: PolicyGradientConfig) -> Iterator[str]:
    update = config.update
    if update.kind not in ("gradient-ascent", "off-policy") and config.collection.kind == "episodes":
        yield "The mean over steps divides by a number of steps that the actions themselves decide."
    if update.kind == "off-policy" and update.updates_per_batch > 1:
        yield "From the second update on, the policy was chosen by the very episodes that judge it."
    if getattr(update, "entropy_coefficient", 0.0) > 0.0:
        yield "The entropy bonus is climbed as well as the return."
    if getattr(update, "max_grad_norm", 0.0) > 0.0:
        yield "Clipping shortens long gradients and leaves short ones as they are."


def _from_actions(config: PolicyGradientConfig) -> Iterator[str]:
    exploration, update = config.exploration, config.update
    greedy = max(exploration.greedy_start, exploration.greedy_end) > 0.0
    if greedy and update.kind != "off-policy":
        yield "Greedy actions are not samples of the policy; off-policy ascent would weigh them rightly."
    if update.kind == "off-policy":
        if max(exploration.greedy_start, exploration.greedy_end) == 1.0:
            yield "Where every action is greedy, the others are never tried, and no weight makes up for that."
        if update.self_normalized:
            yield "Self-normalised weights have a bias that falls with the number of episodes."
        if update.truncation > 0.0:
            yield "Truncated weights count likely episodes too little."
