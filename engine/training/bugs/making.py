"""What the parts of a learner are made with where a bug is switched on: each is replaced where it is made, so that the
right code knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from engine.algorithms.actor_critic.rule import ActorCriticRule, RuleMaking
from engine.algorithms.policy_gradient.rule import UpdateRule
from engine.algorithms.policy_gradient.rules import make_rule
from engine.algorithms.value_based.rule import make_value_rule
from engine.catalogue.configured import changed
from engine.catalogue.methods.bugs import bug_of
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.bugs import NO_BUG
from engine.config.estimators import SharedValueBaseline
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.environments.making.lookup import inspect
from engine.experience.batch import Batch
from engine.policies.policy import Policy
from engine.training.bugs import collecting, estimating, stepwise, updating
from engine.training.learners.actor_critic import ActorCriticMaking
from engine.training.learners.policy_gradient import Making
from engine.training.learners.stepwise import StepwiseRule
from engine.training.learners.value_based import ValueMaking
from engine.values.fitting import ValueFitting


def policy_gradient_making(config: PolicyGradientConfig) -> Making | None:
    """For the learner of a policy gradient; None where all is as it should be, or where the bug is none of its own:
    the learner then refuses it."""
    make = _POLICY_GRADIENT.get(_name(config))
    return None if make is None else make(config)


def value_making(config: ValueBasedConfig) -> ValueMaking | None:
    """As ``policy_gradient_making``, for the learner of action values."""
    name = _name(config)
    if name == "reversed-epsilon":
        return ValueMaking(acting=stepwise.ReversedActor)
    if name == "target-never-copied":
        return ValueMaking(rule=partial(make_value_rule, following=stepwise.NeverCopied))
    return ValueMaking(learning=_learning(_STEPS[name](config))) if name in _STEPS else None


def actor_critic_making(config: ActorCriticConfig) -> ActorCriticMaking | None:
    """As ``policy_gradient_making``, for the learner of action values and a policy by them."""
    name = _name(config)
    if name == "missing-log-det":
        making = RuleMaking(improvement=stepwise.improvement_without_determinant)
        return ActorCriticMaking(rule=partial(ActorCriticRule, making=making))
    if name == "target-never-copied":
        return ActorCriticMaking(rule=partial(ActorCriticRule, making=RuleMaking(following=stepwise.NeverCopied)))
    return ActorCriticMaking(learning=_learning(_STEPS[name](config))) if name in _STEPS else None


def _name(config: RunConfig) -> str:
    bug = bug_of(config)
    return NO_BUG if bug is None else bug.name


# --- action values ----------------------------------------------------------------------------------------------------

_STEPS: dict[str, Callable[[RunConfig], stepwise.ChangeSteps]] = {
    "truncation-as-termination": lambda _: stepwise.over_when_cut,
    "reset-observation": lambda _: stepwise.led_to_the_reset,
    "clipped-rewards": lambda config: stepwise.paid_at_most_1(config.environment),
    "dones-ignored": lambda _: stepwise.never_over,
}


def _learning(change: stepwise.ChangeSteps) -> Callable[[StepwiseRule], StepwiseRule]:
    return lambda rule: stepwise.LearnsFrom(rule, change)


# --- policy gradients -------------------------------------------------------------------------------------------------

_Make = Callable[[PolicyGradientConfig], Making]


def _estimate(wrong: estimating.WrongEstimate) -> _Make:
    return lambda config: Making(estimate=wrong)


def _learned_from(change: Callable[[Batch], Batch]) -> _Make:
    return lambda config: Making(learned_from=lambda batch, policy: change(batch))


def _ended_by_time(config: PolicyGradientConfig) -> Making:
    environment = config.environment
    info = changed(inspect(environment.id, environment.options, environment.patience), environment)
    if info.time_limit is None:  # which the learner refuses
        return Making()
    return Making(estimate=estimating.WrongEstimate(rollout=estimating.ended_by_time(info.time_limit)))


def _stale_rule(
    config: PolicyGradientConfig, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None
) -> UpdateRule:
    assert isinstance(config.update, PPOClip | PPOPenalty | PPOLagrangian)
    return updating.StaleRule(config.update, policy, generator, fitting)


def _attached(config: PolicyGradientConfig) -> Making:
    baseline = config.estimator.baseline
    if isinstance(baseline, SharedValueBaseline):
        return Making(learned_from=updating.attached_to(baseline))
    return Making(rule=_attached_rule, fitting=updating.AttachedFitting)


def _attached_rule(
    config: PolicyGradientConfig, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None
) -> UpdateRule:
    if isinstance(fitting, updating.AttachedFitting):
        fitting.policy = policy
    return make_rule(config, policy, generator, fitting)


_POLICY_GRADIENT: dict[str, _Make] = {
    "wrong-sign": _learned_from(updating.against_the_gradient),
    "mean-over-time": _learned_from(updating.averaged_over_time),
    "clipped-log-prob": _learned_from(updating.clipped_to_bounds),
    "stale-log-probs": lambda config: Making(rule=_stale_rule),
    "attached-baseline": _attached,
    "discount-twice": _estimate(estimating.WrongEstimate(rollout=estimating.discounted_once_more)),
    "discount-from-the-end": _estimate(
        estimating.WrongEstimate(rollout=estimating.discounted_from_the_end, config=estimating.undiscounted)
    ),
    "missing-present-reward": _estimate(estimating.WrongEstimate(rollout=estimating.from_the_next_step_on)),
    "clipped-rewards": _estimate(estimating.WrongEstimate(rollout=estimating.clipped_to_1)),
    "truncation-as-termination": _ended_by_time,
    "reset-observation": _estimate(estimating.WrongEstimate(rollout=estimating.seen_after_the_reset)),
    "shifted-advantages": _estimate(estimating.WrongEstimate(batch=estimating.of_the_step_after)),
    "normalized-per-episode": _estimate(estimating.WrongEstimate(batch=estimating.normalized_by_episode)),
    "shared-randomness": lambda config: Making(collector=collecting.alike),
    "normalizer-in-evaluation": lambda config: Making(collector=collecting.evaluated),
}
