"""What the lab looks at where everything can be known: a kept policy in a finite process, with exact answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.lab.scores import Numbers, Scores, scores_of
from engine.analysis.playback import PolicySnapshot, thawed
from engine.environments.making.known_dynamics import planned_process
from engine.mdp.ending import EndlessError
from engine.mdp.exact import Dynamics, action_values, discounted_visitation, dynamics_of, expected_return, state_values
from engine.mdp.finite import FiniteMDP
from engine.policies.distributions import Categorical
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

_BROKEN = "The policy of iteration {:,} gives numbers that are not finite; choose an earlier one."


@dataclass(frozen=True)
class Subject:
    """A policy in a process of which all tables are known.

    ``mdp`` has the horizon and the rewards that the lab was asked for; ``seen`` [S] is what is observed of each state,
    ``probabilities`` π(a|o) [O, A] and ``scores`` its ∇ log π(a|o).
    """

    mdp: FiniteMDP
    seen: NDArray[np.int64]
    probabilities: Numbers
    scores: Scores

    @property
    def table(self) -> Numbers:
        """π(a|s), [S, A]."""
        found: Numbers = self.probabilities[self.seen]
        return found

    @property
    def dynamics(self) -> Dynamics:
        return dynamics_of(self.mdp)

    def values(self, gamma: float) -> Numbers:
        """V^π by time step, [H, S], or [1, S] without a horizon."""
        found = _solved(lambda: state_values(self.dynamics, torch.from_numpy(self.table), gamma))
        return np.atleast_2d(found.numpy())

    def expected_return(self, gamma: float) -> float:
        """J(π)."""
        return float(_solved(lambda: expected_return(self.dynamics, torch.from_numpy(self.table), gamma)))

    def gradient(self, gamma: float) -> Numbers:
        """∇θ J [P] by the policy gradient theorem, Σ_t Σ_{s,a} d_t(s) π(a|s) Q_t(s, a) ∇ log π(a|s).

        Raises:
            RequestError: J is not defined, as episodes may never end and nothing is discounted.
        """
        policy, dynamics = torch.from_numpy(self.table), self.dynamics

        def weights() -> Tensor:
            visits = discounted_visitation(dynamics, policy, gamma).unsqueeze(-1)
            found = visits * policy * action_values(dynamics, policy, gamma)
            return found.sum(0) if dynamics.horizon is not None else found

        by_state = _solved(weights).numpy()
        by_observation = np.zeros(self.probabilities.shape)
        np.add.at(by_observation, self.seen, by_state)
        found: Numbers = self.scores.sums(by_observation[None])[0]
        return found


def _solved(compute: Callable[[], Tensor]) -> Tensor:
    try:
        found: Tensor = compute()
    except EndlessError as error:
        raise RequestError(str(error)) from None
    return found


def subject_of(snapshot: PolicySnapshot, horizon: int = 0, added: float = 0.0) -> Subject | None:
    """``snapshot`` in the process that learning faces; None where that is not known as tables, or the policy's scores
    are too many.

    Args:
        horizon: after how many steps episodes are cut off, 0 for the environment's own limit.
        added: a constant that is added to the reward of every step.

    Raises:
        RequestError: the policy's numbers are not finite, or the environment cannot be made.
    """
    config = snapshot.config
    mdp = planned_process(config.environment)
    if mdp is None or mdp.is_large or config.environment.normalize_rewards:
        return None
    policy = thawed(snapshot)
    found = probabilities_of(policy, mdp.observations)
    if found is None:
        return None
    if not np.isfinite(found).all():
        raise RequestError(_BROKEN.format(snapshot.iteration))
    scores = scores_of(policy, found)
    if scores is None:
        return None
    seen = np.arange(mdp.states) if mdp.seen is None else np.array(mdp.seen)
    changed = replace(mdp, horizon=horizon or mdp.horizon, rewards=mdp.rewards + added)
    return Subject(changed, seen, found, scores)


def probabilities_of(policy: Policy, observations: int) -> Numbers | None:
    """π(a|o) [O, A] of a softmax over one action, made from numbered observations; None of another policy."""
    if policy.recurrent or policy.epsilon is not None or policy.continuous:
        return None
    with torch.no_grad():
        distribution = policy(torch.arange(observations))
    if not isinstance(distribution, Categorical):
        return None
    found: Numbers = distribution.logits.double().softmax(-1).numpy()
    return found
