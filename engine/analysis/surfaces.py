"""What is known of every state of a finite process at once: values, and what the policy does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis.playback import PolicySnapshot, thawed
from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import process_of
from engine.mdp.exact import Dynamics, backup, dynamics_of, state_values
from engine.policies.epsilon_greedy import EpsilonGreedy
from engine.reports.events import Planned

Source = Literal["learned", "exact", "planned", "unknown"]


@dataclass(frozen=True)
class Surface:
    """Values of all S states and A actions, and the policy in them, after ``iteration`` updates.

    Attributes:
        values: V(s) [S], NaN where it is not known.
        action_values: Q(s, a) [S, A], NaN where it is not known.
        policy: π(a|s) [S, A]; where it follows from action values, greedy: shared by the best.
        source: ``learned`` where V is max Q of what has been learned, ``exact`` where it is computed from the known
            dynamics for the policy as it is, ``planned`` where it is what planning has come to.
        backed_up: the states whose values were computed last, in order; none where that is all of them.
        turns_left: k where the values are V_k.
    """

    values: NDArray[np.float64]
    action_values: NDArray[np.float64]
    policy: NDArray[np.float64]
    source: Source
    iteration: int
    backed_up: tuple[int, ...] = ()
    turns_left: int | None = None


def surface_of(snapshot: PolicySnapshot, planned: Planned | None = None) -> Surface | None:
    """What is known of every state by a policy, or by a plan where there is one; None where states are not numbered, or
    actions are not.

    Where values depend on the time step they are those of an episode's first, or of the step with ``turns_left``.
    """
    seen, acts = snapshot.environment.observation, snapshot.environment.action
    if seen.kind != "discrete" or acts.kind != "discrete":
        return None
    if planned is not None and snapshot.epsilon is not None:  # else it is of the policy itself, one step earlier
        return _of_plan(planned)
    policy = thawed(snapshot)
    with torch.inference_mode():
        distribution, _ = policy.step(torch.arange(seen.size), policy.start(seen.size))
        if isinstance(distribution, EpsilonGreedy):
            values = distribution.values.double().numpy()
            best = values == values.max(-1, keepdims=True)
            greedy = best / best.sum(-1, keepdims=True)
            return Surface(values.max(-1), values, greedy, "learned", snapshot.iteration)
        chances = distribution.probabilities.double()  # type: ignore[attr-defined]  # its actions are discrete
        return _exact(snapshot, chances)


def _exact(snapshot: PolicySnapshot, chances: torch.Tensor) -> Surface:
    """With V and Q of the policy itself, where the dynamics are known and these exist."""
    dynamics = _dynamics(snapshot.config.environment.model_dump_json())
    unknown = np.full(tuple(chances.shape), np.nan)
    nothing = Surface(unknown[:, 0], unknown, chances.numpy(), "unknown", snapshot.iteration)
    if dynamics is None:
        return nothing
    gamma = snapshot.config.estimator.gamma
    try:
        values = state_values(dynamics, chances / chances.sum(-1, keepdim=True), gamma)
    except ValueError:  # undiscounted, it may never end
        return nothing
    if dynamics.horizon is not None:
        following = values[1] if len(values) > 1 else torch.zeros_like(values[0])
        values = values[0]
    else:
        following = values
    table = backup(dynamics, following, gamma)
    return Surface(values.numpy(), table.numpy(), chances.numpy(), "exact", snapshot.iteration)


def _of_plan(planned: Planned) -> Surface:
    values, table, policy = planned.values, planned.action_values, planned.policy.astype(np.float64)
    if values.ndim > 1:
        step = len(values) - planned.turns_left if planned.turns_left else 0
        values, table = values[step], table[step]
        policy = policy[step] if policy.ndim > 2 else policy
    everywhere = len(set(planned.backed_up.tolist())) >= len(values)
    lit = () if everywhere else tuple(planned.backed_up.tolist())
    return Surface(values, table, policy, "planned", planned.iteration, lit, planned.turns_left)


@lru_cache(maxsize=4)
def _dynamics(environment: str) -> Dynamics | None:
    mdp = process_of(EnvironmentConfig.model_validate_json(environment))
    return None if mdp is None else dynamics_of(mdp)
