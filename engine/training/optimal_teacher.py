"""The teacher who knows the dynamics: the best policy of a finite process, by dynamic programming."""

from __future__ import annotations

from dataclasses import replace

from engine.config import ImitationConfig, PlanningConfig
from engine.config.planning import ReturnConfig, ValueIteration
from engine.config.policies import TabularPolicy
from engine.environments.making.known_dynamics import process_of
from engine.mdp.exact import dynamics_of, policy_iteration
from engine.runtime.errors import RequestError
from engine.training.given import Teacher


def optimal_teacher(config: ImitationConfig) -> Teacher:
    """The best policy at the configuration's γ, as if no episode were cut off.

    Raises:
        RequestError: the dynamics are not known, or there is no best without discounting.
    """
    environment, gamma = config.environment, config.estimator.gamma
    mdp = process_of(environment)
    if mdp is None or mdp.seen is not None:  # what is seen does not tell what is best
        raise RequestError(
            f"The optimal policy is computed from known dynamics, which {environment.id} does not have; choose a run, "
            "or the file of a policy, as the teacher."
        )
    try:
        table = policy_iteration(dynamics_of(replace(mdp, horizon=None)), gamma).policy
    except ValueError as error:
        raise RequestError(f"The optimal policy cannot be computed with γ = {gamma:g}: {error}") from None
    planned = PlanningConfig(
        environment=environment,
        policy=TabularPolicy(),
        estimator=ReturnConfig(gamma=gamma),
        update=ValueIteration(),
    )
    return Teacher("the optimal policy", planned, {"head.rows": table.float()})
