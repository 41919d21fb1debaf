"""The equation of a configuration, as LaTeX, one term for each choice that makes it.

Each term says which choice it comes from, so that the window can colour it like that choice's picker and so that
exactly the affected terms change with it. Sources: [lecture] and [Schaeffer] for the estimator, [Jethro] for its
optimal baseline and importance weights, [textbook] for surrogate, penalty and natural gradient, [Jabon 2023] for the
Gaussian and GAE; Schulman et al. (2015, 2017) for TRPO and PPO.
"""

from __future__ import annotations

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    plans_by_sweeps,
)
from engine.equations import action_values, actor_critics, estimators, imitation, planning, policies, updates
from engine.equations.action_values import value_lines
from engine.equations.actor_critics import actor_critic_lines
from engine.equations.estimators import advantage_lines, fit_lines
from engine.equations.imitation import imitation_lines
from engine.equations.policies import policy_lines
from engine.equations.terms import Line, Part, Term
from engine.equations.updates import planning_lines, update_lines

__all__ = ["SYMBOLS", "Line", "Part", "Term", "equation"]

SYMBOLS = (
    *policies.SYMBOLS,
    *estimators.SYMBOLS,
    *updates.SYMBOLS,
    *action_values.SYMBOLS,
    *planning.SYMBOLS,
    *actor_critics.SYMBOLS,
    *imitation.SYMBOLS,
)


def equation(config: RunConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The lines of the equation in the order of the work: policy, advantage, gradient or objective, update.

    A learned value's own objective stands where it is fitted: before the advantage is taken, or last.
    """
    if isinstance(config, PlanningConfig):
        computed = planning_lines(config, environment)
        return computed if plans_by_sweeps(config) else (*policy_lines(config, environment), *computed)
    if isinstance(config, ActorCriticConfig):
        return (*policy_lines(config, environment), *actor_critic_lines(config, environment))
    if isinstance(config, ImitationConfig):
        return (*policy_lines(config, environment), *imitation_lines(config))
    if not isinstance(config, PolicyGradientConfig):
        return value_lines(config)
    before, after = fit_lines(config)
    return (
        *policy_lines(config, environment),
        *before,
        *advantage_lines(config),
        *update_lines(config),
        *after,
    )
