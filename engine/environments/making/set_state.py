"""Environments set to a state of which a person, or a batch, tells: which can be, and how.

A state is the number of it in a finite process, the numbers of ``STATE_SPACES``, or, of MuJoCo's robots, what is
observed in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.making import blackjack_hands
from engine.environments.making.known_dynamics import finite_mdp
from engine.environments.making.registry import Environment
from engine.environments.making.state_spaces import STATE_SPACES
from engine.mdp.blackjack import HANDS, Hand
from engine.mdp.small_worlds import OURS
from engine.runtime.errors import RunError

BLACKJACK = ("Blackjack-v1", blackjack_hands.ID)
State = NDArray[Any]
"""int64 [], or float64 [d]."""
_NEAR = 1e-4  # by how much what a robot shows may differ from what is asked for, which is in single precision
_SHOWS_FORCES = ("Ant", "Humanoid", "HumanoidStandup", "Pusher")


def why_not_set(environment: EnvironmentConfig) -> str:
    """Why an environment cannot be set to a state, in a sentence; empty where it can."""
    id = environment.id
    if id in STATE_SPACES or id in BLACKJACK or _robot(id) in _ROBOTS:
        return ""
    if _robot(id) in _SHOWS_FORCES:
        return f"{id} cannot be set to a state: what it shows of forces and bodies depends on how it got there."
    if id == "Taxi-v4" and environment.options.get("fickle_passenger"):
        return f"{id} cannot be set to a state: whether the passenger will think again is not seen."
    if finite_mdp(id, environment.options) is not None:
        return ""
    return f"{id} cannot be set to a state: what it shows does not tell all that is inside it."


def put(environment: Environment, id: str, state: State) -> Any:
    """Set ``environment``, in which an episode has just begun, to ``state``; what it shows there.

    Raises:
        RunError: it cannot be set to this state.
    """
    bare: Any = environment.unwrapped
    if id in STATE_SPACES:
        space = STATE_SPACES[id]
        if state.shape != (len(space.components),) or not np.isfinite(state).all():
            raise RunError(f"A state of {id} has {len(space.components)} numbers, not {state.tolist()}.")
        bare.state = state.astype(np.float32 if id == "MountainCarContinuous-v0" else np.float64)
        return space.observe(np.asarray(bare.state, np.float64)[None])[0]
    if state.ndim == 0:
        shown = _put_number(bare, id, int(state))
    else:
        shown = _ROBOTS[_robot(id)](bare, state)
        if not np.allclose(shown, state, rtol=_NEAR, atol=_NEAR):
            raise RunError(f"{id} cannot be set to this state: it shows something else there.")
    return _through(environment, shown)


def _through(environment: Environment, shown: Any) -> Any:
    """What is seen behind the wrappers of ``environment`` of what it shows itself."""
    layers = []
    layer: Any = environment
    while isinstance(layer, gymnasium.Wrapper):
        layers.append(layer)
        layer = layer.env
    for layer in reversed(layers):
        if isinstance(layer, gymnasium.ObservationWrapper):
            shown = layer.observation(shown)
    return shown


# --- finite processes -------------------------------------------------------------------------------------------------


def _put_number(bare: Any, id: str, number: int) -> Any:
    if id in OURS:
        return bare.put(number)
    count = len(HANDS) if id in BLACKJACK else len(bare.P)
    if not 0 <= number < count:
        raise RunError(f"{id} has no state {number}; states are 0 to {count - 1}.")
    if id in BLACKJACK:
        return _deal(bare, HANDS[number])
    bare.s = number
    return number


def _deal(bare: Any, hand: Hand) -> Any:
    """The dealer's other card stays as it was drawn: it does not depend on what is seen."""
    bare.player, bare.dealer[0] = _cards(hand), hand.shown
    bare.dealer_top_card_value_str = {1: "A", 10: "K"}.get(hand.shown, str(hand.shown))
    return bare._get_obs()


def _cards(hand: Hand) -> list[int]:
    """Cards that make up a hand."""
    if hand.natural:
        return [1, 10]
    if hand.usable:
        return [1, hand.total - 11] if hand.total < 21 else [1, 5, 5]
    if hand.total <= 11:
        return [2, hand.total - 2]
    return [10, hand.total - 10] if hand.total < 21 else [10, 9, 2]


# --- MuJoCo's robots --------------------------------------------------------------------------------------------------


def _of_positions(bare: Any, seen: State) -> Any:
    """Positions, but for where along the ground it is, which nothing depends on, and velocities."""
    left_out = int(bare.model.nq + bare.model.nv - len(seen))
    shown = bare.model.nq - left_out
    bare.set_state(np.concatenate((bare.init_qpos[:left_out], seen[:shown])), seen[shown:])
    return bare._get_obs()


def _of_double_pendulum(bare: Any, seen: State) -> Any:
    """Position of the cart, sines and cosines of two angles, three velocities, and the force on the cart's end stop."""
    bare.set_state(np.array([seen[0], *np.arctan2(seen[1:3], seen[3:5])]), seen[5:8])
    return bare._get_obs()


def _of_reacher(bare: Any, seen: State) -> Any:
    """Cosines and sines of two angles, where the target is, two velocities, and the way from there to the fingertip."""
    bare.set_state(np.array([*np.arctan2(seen[2:4], seen[0:2]), *seen[4:6]]), np.array([*seen[6:8], 0.0, 0.0]))
    return bare._get_obs()


_ROBOTS: dict[str, Callable[[Any, State], Any]] = {
    **dict.fromkeys(("InvertedPendulum", "HalfCheetah", "Hopper", "Walker2d", "Swimmer"), _of_positions),
    "InvertedDoublePendulum": _of_double_pendulum,
    "Reacher": _of_reacher,
}


def _robot(id: str) -> str:
    """The name of one of MuJoCo's robots as Gymnasium has them; empty of anything else."""
    name, _, version = id.rpartition("-v")
    return name if version in ("4", "5") else ""
