"""What is known of every state of a finite process at once: values, and what the policy does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.learned_values import acts_greedily
from engine.analysis.playback import PolicySnapshot, thawed
from engine.analysis.state_observations import observations, process_behind
from engine.config import ActorCriticConfig, PolicyGradientConfig, ValueBasedConfig, plans_by_sweeps
from engine.config.environments import EnvironmentConfig
from engine.mdp.exact import Dynamics, backup, dynamics_of, state_values
from engine.mdp.finite import FiniteMDP
from engine.mdp.greedy import ROUNDING, equally_good
from engine.mdp.planning import optimal_values
from engine.policies.epsilon_greedy import EpsilonGreedy
from engine.reports.events import Planned
from engine.values.state_values import StateValues

_SINGLE = 3e-7  # by how much equal numbers may differ that are kept in single precision, one of them the largest
_MOST_PLANNED = 1_000  # states for which the best policy is looked for beside a run
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
        settled: whether planning would change nothing any more.
        critic: V(s) [S] as a critic has learned it beside the policy; None without one.
        best: V*(s) [S] of the best policy, planned in the known dynamics; None where it is not known, or what is shown
            is a plan itself.
    """

    values: NDArray[np.float64]
    action_values: NDArray[np.float64]
    policy: NDArray[np.float64]
    source: Source
    iteration: int
    backed_up: tuple[int, ...] = ()
    turns_left: int | None = None
    settled: bool = False
    critic: NDArray[np.float64] | None = None
    best: NDArray[np.float64] | None = None


class _Known(NamedTuple):
    """What is observed in each state, and the dynamics; each None where it is not known."""

    seen: Tensor | None
    dynamics: Dynamics | None


def surface_of(snapshot: PolicySnapshot, planned: Planned | None = None) -> Surface | None:
    """What is known of every state by a policy, or by a plan where there is one; None where states are not numbered, or
    actions are not.

    Where values depend on the time step they are those of an episode's first, or of the step with ``turns_left``.
    """
    if snapshot.environment.action.kind != "discrete":
        return None
    if planned is not None and plans_by_sweeps(snapshot.config):  # else it is of the policy itself, one step earlier
        return _of_plan(planned)
    known = _known(snapshot.config.environment.model_dump_json(), snapshot)
    if known.seen is None:
        return None
    best = _best(snapshot)
    policy = thawed(snapshot)
    with torch.inference_mode():
        distribution: Any = policy.step(known.seen, policy.start(len(known.seen)))[0]
        if isinstance(distribution, EpsilonGreedy):
            values = distribution.values.double()
            greedy = _shared_by_the_best(values)
            if not plans_by_sweeps(snapshot.config):
                mean = (distribution.probabilities.double() * values).sum(-1)  # what SARSA learns, as it explores
                worth = values.amax(-1) if acts_greedily(snapshot.config) else mean
                found = Surface(worth.numpy(), values.numpy(), greedy, "learned", snapshot.iteration)
                return replace(found, best=best)
            planned_so_far = snapshot.beside or StateValues(values.amax(-1))
            return Surface(
                planned_so_far.values.numpy(),
                values.numpy(),
                _shared_by_the_best(values, _SINGLE),
                "planned",
                snapshot.iteration,
                turns_left=planned_so_far.turns_left,
                settled=planned_so_far.settled,
            )
        chances = distribution.probabilities.double()
    found = replace(_exact(snapshot, known.dynamics, chances), best=best)
    if (
        snapshot.beside is None
        or known.seen.ndim > 1
        or not isinstance(snapshot.config, PolicyGradientConfig | ActorCriticConfig)
    ):
        return found
    return replace(found, critic=snapshot.beside.values[known.seen].numpy())


def _shared_by_the_best(action_values: Tensor, rounding: float = ROUNDING) -> NDArray[np.float64]:
    """The greedy policy, in which actions that are equally good are equally likely."""
    best = equally_good(action_values, rounding).double()
    shared: NDArray[np.float64] = (best / best.sum(-1, keepdim=True)).numpy()
    return shared


def _exact(snapshot: PolicySnapshot, dynamics: Dynamics | None, chances: Tensor) -> Surface:
    """With V and Q of the policy itself, where the dynamics are known and these exist."""
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
    if policy.max(-1).min() == 1.0:  # greedy, and so of equally good actions one by chance
        policy = _shared_by_the_best(torch.from_numpy(table))
    everywhere = len(set(planned.backed_up.tolist())) >= len(values)
    return Surface(
        values,
        table,
        policy,
        "planned",
        planned.iteration,
        backed_up=() if everywhere else tuple(planned.backed_up.tolist()),
        turns_left=planned.turns_left,
        settled=planned.settled,
    )


def _best(snapshot: PolicySnapshot) -> NDArray[np.float64] | None:
    """V*, of an episode's first step where there is a time limit and values are not learned without regard to it."""
    config = snapshot.config
    endless = isinstance(config, ValueBasedConfig)
    return _best_values(config.environment.model_dump_json(), config.estimator.gamma, endless)


@lru_cache(maxsize=4)
def _best_values(environment: str, gamma: float, endless: bool) -> NDArray[np.float64] | None:
    _, dynamics = _process(environment)
    if dynamics is None or len(dynamics.initial) > _MOST_PLANNED:
        return None
    try:
        values = optimal_values(replace(dynamics, horizon=None) if endless else dynamics, gamma)
    except ValueError:  # undiscounted, it may never end
        return None
    first: NDArray[np.float64] = (values[0] if values.ndim > 1 else values).numpy()
    return first


def _known(environment: str, snapshot: PolicySnapshot) -> _Known:
    mdp, dynamics = _process(environment)
    return _Known(observations(snapshot.config.environment, snapshot.environment, mdp), dynamics)


@lru_cache(maxsize=4)
def _process(environment: str) -> tuple[FiniteMDP | None, Dynamics | None]:
    mdp = process_behind(EnvironmentConfig.model_validate_json(environment))
    return mdp, None if mdp is None or mdp.is_large else dynamics_of(mdp)
