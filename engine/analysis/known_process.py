"""The best that can be had in an environment whose dynamics are known as tables; importable without torch."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import played_process
from engine.mdp.finite import FiniteMDP

_MOST_WORK = 4_000_000  # outcomes looked at, which takes about 50 ms
_SETTLED = 1e-9  # a change this small, relative to the largest value, is rounding


def optimal_return(environment: EnvironmentConfig) -> float | None:
    """The largest mean return of episodes that any policy can have, be it one that counts its steps; None where it is
    not known, or would take long to compute.

    Raises:
        RequestError: the environment cannot be made with its options.
    """
    options = json.dumps(environment.options, sort_keys=True)
    return _remembered(environment.id, options, environment.time_limit, environment.sticky_actions)


@cache
def _remembered(id: str, options: str, time_limit: int, sticky_actions: float) -> float | None:
    mdp = played_process(
        EnvironmentConfig(id=id, options=json.loads(options), time_limit=time_limit, sticky_actions=sticky_actions)
    )
    return None if mdp is None else best_return(mdp)


def best_return(mdp: FiniteMDP) -> float | None:
    """J* = Σ_s μ(s) V_0(s), undiscounted, of the best policy under the horizon, by

    V_t(s) = max_a Σ_k p(k|s, a) [r_k + (0 if k ends the episode, else V_{t+1}(s_k))],   V_H = 0,

    in the environment's reward. Without a horizon it is repeated until no value changes any more; None where that, or
    the horizon, takes too long.
    """
    most = _MOST_WORK // mdp.probabilities.size
    if mdp.horizon is not None and mdp.horizon > most:
        return None
    paid = (mdp.probabilities * mdp.rewards).sum(-1)
    going_on = np.where(mdp.ends, 0.0, mdp.probabilities)
    values = np.zeros(mdp.states)
    for _ in range(mdp.horizon or most):
        before, values = values, (paid + (going_on * values[mdp.next_states]).sum(-1)).max(-1)
        if mdp.horizon is None and np.abs(values - before).max() <= _SETTLED * max(np.abs(values).max(), 1.0):
            return float(mdp.initial @ values)
    return None if mdp.horizon is None else float(mdp.initial @ values)
