"""The finite decision process behind an environment, where its dynamics are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from engine.config.environments import EnvironmentConfig
from engine.environments.making import blackjack_hands, registry
from engine.mdp.blackjack import blackjack
from engine.mdp.finite import FiniteMDP, from_outcomes
from engine.mdp.probes import WORLDS
from engine.mdp.small_worlds import OURS, our_process
from engine.runtime.errors import RequestError

_OF_GYMNASIUM = ("FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1", "Taxi-v4")


def finite_mdp(id: str, options: Mapping[str, Any] | None = None) -> FiniteMDP | None:
    """The process behind an environment made with ``options``, or None where its dynamics are not known.

    Raises:
        RequestError: the environment cannot be made with these options.
    """
    return _remembered(id, json.dumps(options or {}, sort_keys=True))


@cache
def _remembered(id: str, options: str) -> FiniteMDP | None:
    given: dict[str, Any] = json.loads(options)
    if id in OURS or id in WORLDS:
        return our_process(id, given)
    if id == blackjack_hands.ID:
        return blackjack(**given)
    if id not in _OF_GYMNASIUM or given.get("fickle_passenger"):  # Taxi's tables do not know of a change of mind
        return None
    return from_gymnasium(id, given)


def process_of(environment: EnvironmentConfig) -> FiniteMDP | None:
    """What learning faces: as ``planned_process``; None as well where what is seen does not tell its states apart."""
    mdp = planned_process(environment)
    return None if mdp is None or mdp.seen is not None else mdp


def planned_process(environment: EnvironmentConfig) -> FiniteMDP | None:
    """The process with its time limit and rewards changed as asked; None where it is not known.

    Raises:
        RequestError: as ``finite_mdp``.
    """
    mdp = played_process(environment)
    if mdp is None:
        return None
    rewards = environment.reward_scale * mdp.rewards + environment.reward_offset
    return replace(mdp, rewards=rewards)


def process_to_plan_in(environment: EnvironmentConfig) -> FiniteMDP:
    """As ``planned_process``, where there is one, as the catalogue makes sure of.

    Raises:
        RequestError: as ``planned_process``, or it is too large for all pairs of its states to be looked at.
    """
    mdp = planned_process(environment)
    assert mdp is not None
    if mdp.is_large:
        raise RequestError(
            f"To plan, all pairs of states are looked at, and {mdp.states:,} states are too many; use a smaller world."
        )
    return mdp


def played_process(environment: EnvironmentConfig) -> FiniteMDP | None:
    """The process in which episodes are played, with its time limit; its rewards are those that are paid and returns
    are reported by, whatever learning sees of them. None where it is not known.

    Raises:
        RequestError: as ``finite_mdp``.
    """
    mdp = finite_mdp(environment.id, environment.options)
    if mdp is None or environment.sticky_actions > 0.0:  # what comes next would depend on the previous action as well
        return None
    return replace(mdp, horizon=environment.time_limit or mdp.horizon)


def from_gymnasium(id: str, options: Mapping[str, Any] | None = None) -> FiniteMDP:
    """The process of an environment of Gymnasium's that keeps its tables, as FrozenLake, CliffWalking and Taxi do.

    Its outcomes are those of ``P[s][a]`` in their order, and its horizon is the time limit of ``registry.make``.

    Raises:
        ValueError: the environment has no attributes ``P`` and ``initial_state_distrib``.
        RequestError: there is no such environment, or it does not take these options.
    """
    environment = registry.make(id, options)
    try:
        bare: Any = environment.unwrapped
        if not hasattr(bare, "P") or not hasattr(bare, "initial_state_distrib"):
            raise ValueError(f"{id} does not say what its dynamics are: it has no P and initial_state_distrib.")
        outcomes = [[bare.P[s][a] for a in range(len(bare.P[s]))] for s in range(len(bare.P))]
        return from_outcomes(id, outcomes, bare.initial_state_distrib, registry.time_limit(environment))
    finally:
        environment.close()
