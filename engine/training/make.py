"""The learner that a configuration asks for."""

from __future__ import annotations

from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    plans_by_sweeps,
)
from engine.config.imitation import DAgger
from engine.training.bugs.making import actor_critic_making, policy_gradient_making, value_making
from engine.training.given import NOTHING, Given
from engine.training.learner import Learner
from engine.training.learners.actor_critic import ActorCriticLearner
from engine.training.learners.cloning import CloningLearner
from engine.training.learners.dagger import DaggerLearner
from engine.training.learners.planning import PlanningLearner
from engine.training.learners.policy_gradient import PolicyGradientLearner
from engine.training.learners.sweeping import SweepingLearner
from engine.training.learners.value_based import ValueBasedLearner


def make_learner(config: RunConfig, run: str, given: Given = NOTHING) -> Learner:
    """That of the configuration's family, for the run of that name, with what it was ``given`` to learn from.

    Raises:
        RequestError: the configuration cannot work.
        RunError: the environment fails while its cost is measured.
    """
    if isinstance(config, PlanningConfig):
        return SweepingLearner(config, run) if plans_by_sweeps(config) else PlanningLearner(config, run)
    if isinstance(config, PolicyGradientConfig):
        return PolicyGradientLearner(config, run, policy_gradient_making(config))
    if isinstance(config, ActorCriticConfig):
        return ActorCriticLearner(config, run, actor_critic_making(config))
    if isinstance(config, ImitationConfig):
        asks = isinstance(config.update, DAgger)
        return DaggerLearner(config, run, given) if asks else CloningLearner(config, run, given)
    return ValueBasedLearner(config, run, value_making(config))
