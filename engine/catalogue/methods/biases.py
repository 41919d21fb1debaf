"""What a configuration's estimate is not: the known reasons for which its mean is off the true gradient, or value."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.imitated import is_own
from engine.catalogue.methods.spec import Biases, Method
from engine.catalogue.methods.specs import ACTOR_CRITIC_SPECS, IMITATION_SPECS, VALUE_SPECS, method_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    ValueBasedConfig,
)


def biases(config: RunConfig, environment: EnvironmentInfo) -> tuple[str, ...]:
    """Why what is estimated is biased, a sentence each; empty where theory says unbiased, or nothing is estimated.

    Of policy gradients that is the gradient estimate for ∇J, of action values the target for the true value, and of
    what learns both the gradient by these values. Of what learns from a teacher they say why the policy may not come to
    do what he would.

    J is the expected return discounted by γ from the start of the episode, as [lecture] and [Jabon 2023] define it, of
    the rewards that learning sees (scale · reward + offset). PPO climbs a surrogate in several steps and is judged by
    the first, when the policy is still the one that acted; the steps of off-policy ascent all claim to be the gradient.
    Each sentence is measured, with its sign, in the tests named ``test_bias…``.
    """
    if isinstance(config, ValueBasedConfig):
        return tuple(VALUE_SPECS[config.update.kind].biases(config, environment))
    if isinstance(config, ActorCriticConfig):
        return tuple(ACTOR_CRITIC_SPECS[config.update.kind].biases(config, environment))
    if isinstance(config, ImitationConfig):
        return tuple(IMITATION_SPECS[config.update.kind].biases(config, environment))
    if not isinstance(config, PolicyGradientConfig):
        return ()
    method = method_of(config, environment)
    return (
        *_said(method.credit.biases, method),
        *_from_scaling(method),
        *_said(method.baseline.biases, method),
        *_from_greedy_actions(method),
        *_said(method.update.biases, method),
        *_from_what_is_climbed(method),
    )


def estimated(config: RunConfig) -> str:
    """What is estimated, as it is written; empty where nothing is, since all is computed from known dynamics."""
    if isinstance(config, ValueBasedConfig):
        return VALUE_SPECS[config.update.kind].estimates
    if isinstance(config, ImitationConfig):
        return "the teacher" if not is_own(config) else "∇J"
    return "" if isinstance(config, PlanningConfig) else "∇J"


def _said(biases: Biases, method: Method) -> Iterator[str]:
    return iter(()) if biases == "unbiased" else biases(method)


def _from_scaling(method: Method) -> Iterator[str]:
    if method.config.estimator.normalize_advantages:
        yield "Normalised advantages rescale the gradient, and shift it by an average that includes each sample."
    if method.config.environment.normalize_rewards:
        yield "Normalised rewards divide the gradient by a spread that includes each sample."


def _from_greedy_actions(method: Method) -> Iterator[str]:
    exploration = method.config.exploration
    most = max(exploration.greedy_start, exploration.greedy_end)
    if most > 0.0 and not method.update.weighs_actors:
        if most < 1.0:
            yield "Greedy actions are not samples of the policy; off-policy ascent would weigh them rightly."
        else:
            yield "Greedy actions are not samples of the policy, and where all are greedy the others are never tried."


def _from_what_is_climbed(method: Method) -> Iterator[str]:
    update = method.config.update
    if getattr(update, "entropy_coefficient", 0.0) > 0.0:
        yield "The entropy bonus is climbed as well as the return."
    if getattr(update, "max_grad_norm", 0.0) > 0.0:
        yield "Clipping shortens long gradients and leaves short ones as they are."
