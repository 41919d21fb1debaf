"""Which metrics and probability ratios a run of a configuration reports."""

from __future__ import annotations

from typing import Literal

from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.imitated import is_own, undefined
from engine.catalogue.methods.spec import ActorCriticSpec, UpdateSpec, ValueSpec
from engine.catalogue.methods.specs import rule_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.updates import OffPolicy
from engine.reports.metrics import METRICS

_EVERY_RULE = ("loss", "entropy", "grad_norm")
_EVERY_VALUE = ("first_value", "discounted_return")  # what is told of all that learn action values


def diagnosed(config: RunConfig, environment: EnvironmentInfo | None = None) -> tuple[str, ...]:
    """The metrics that a run of ``config`` defines, in the order in which they are shown; where nothing is known of
    its ``environment``, those that it may define in some."""
    defined = {"steps_per_second", *rule_of(config).metrics}
    if getattr(config.update, "learning_rate_schedule", "constant") != "constant":
        defined.add("learning_rate")
    if isinstance(config, PolicyGradientConfig):
        defined.update(_EVERY_RULE)
        defined.update(CREDIT_SPECS[config.estimator.credit.kind].metrics)
        defined.update(BASELINE_SPECS[config.estimator.baseline.kind].metrics)
    if isinstance(config, ValueBasedConfig):
        defined.update(_EVERY_VALUE)
    if isinstance(config, ImitationConfig) and environment is not None:
        defined.difference_update(undefined(config, environment))
    return tuple(name for name in METRICS if name in defined)


SignalKind = Literal["advantage", "td error", "bellman error", "surprise"]


def signal_of(config: RunConfig) -> SignalKind:
    """What a run tells of as its estimates, one for each step that it learned from: how much better than expected an
    action did, how far a target lay from its value, how unlikely what the teacher did was, or, of each state, how far
    it is from Bellman's equation."""
    if isinstance(config, ImitationConfig):
        return "advantage" if is_own(config) else "surprise"
    rule = rule_of(config)
    if isinstance(rule, ValueSpec | ActorCriticSpec):
        return "td error"
    return "bellman error" if "bellman_residual" in rule.metrics else "advantage"


def ratios_of(config: RunConfig) -> Literal["step", "episode"] | None:
    """What the run's probability ratios stand for; None where it has none."""
    rule = rule_of(config)
    if isinstance(config.update, OffPolicy) and config.update.weighting == "v-trace":
        return "step"
    return rule.ratios if isinstance(rule, UpdateSpec) else None
