"""Which choices fit together, and why others do not: what their records say, in one order."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.bugs import bug_refusal
from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.extent import too_large
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import Method
from engine.catalogue.methods.specs import ACTOR_CRITIC_SPECS, IMITATION_SPECS, PLANNING_SPECS, VALUE_SPECS, method_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    ValueBasedConfig,
)
from engine.runtime.errors import Refusal


def refusal(config: RunConfig, environment: EnvironmentInfo) -> Refusal | None:
    """Why ``config`` cannot work in ``environment``, and what would; None when it can."""
    return next(_problems(config, environment), None)


def misplaced(config: RunConfig, environment: EnvironmentInfo) -> Refusal | None:
    """Why ``config`` cannot work in ``environment`` or would not be advised there, and what would; None if neither."""
    found = refusal(config, environment)
    if found is None and POLICY_SPECS[config.policy.kind].sees_images and not environment.observation.image:
        return Refusal(f"A CNN looks at images, but {environment.id} observes none", "use a linear or MLP policy")
    return found


def rule_refusal(config: RunConfig, environment: EnvironmentInfo) -> Refusal | None:
    """Why the update rule cannot work in ``environment``, whatever may be the matter with the policy; None when it
    can."""
    return next(_of_the_rule(config, environment), None)


def _problems(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if isinstance(config, ValueBasedConfig | PlanningConfig):  # another policy would not do either, where these cannot
        yield from _of_the_rule(config, environment)
    yield from POLICY_SPECS[config.policy.kind].fits(config.policy, environment)
    distribution = DISTRIBUTION_SPECS[distribution_in(config, environment)]
    yield from distribution.fits(environment)
    if not (distribution.density or isinstance(config, ActorCriticConfig)):
        yield Refusal(
            "A deterministic policy has no probabilities, so nothing can be made likelier",
            "choose a Gaussian, or TD3 or DDPG",
        )
    yield from too_large(config, environment)
    yield from _of_the_rule(config, environment)
    yield from bug_refusal(config, environment)


def _of_the_rule(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if isinstance(config, PolicyGradientConfig):
        yield from _on_the_grid(method_of(config, environment))
    elif isinstance(config, PlanningConfig):
        yield from PLANNING_SPECS[config.update.kind].fits(config, environment)
    elif isinstance(config, ActorCriticConfig):
        yield from ACTOR_CRITIC_SPECS[config.update.kind].fits(config, environment)
    elif isinstance(config, ImitationConfig):
        yield from IMITATION_SPECS[config.update.kind].fits(config, environment)
    else:
        yield from VALUE_SPECS[config.update.kind].fits(config, environment)


def _on_the_grid(method: Method) -> Iterator[Refusal]:
    yield from method.update.fits(method)
    if method.credit.bootstraps and method.baseline.learned is None:
        yield Refusal(
            f"{method.credit.bootstraps} lets a learned value stand in for later rewards",
            "choose a learned value as baseline, or reward-to-go as credit",
        )
    yield from method.credit.fits(method)
    yield from method.baseline.fits(method)
    yield from method.collection.fits(method)
