"""What is observed in every state of a known process, and the state that an observation tells of."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.config.environments import EnvironmentConfig
from engine.environments.making.blackjack_hands import ID as HANDS_ID
from engine.environments.making.known_dynamics import planned_process
from engine.mdp.blackjack import HANDS, NUMBER, Hand
from engine.mdp.finite import FiniteMDP

BLACKJACK = "Blackjack-v1"  # Gymnasium's own, which shows its hands as ones among zeros, in three blocks
_TOTALS, _CARDS, _ACES = 32, 11, 2


def process_behind(environment: EnvironmentConfig) -> FiniteMDP | None:
    """As ``planned_process``, of Gymnasium's own Blackjack too, in which a natural looks like any soft 21."""
    if environment.id == BLACKJACK:
        environment = environment.model_copy(update={"id": HANDS_ID})
    return planned_process(environment)


def observations(environment: EnvironmentConfig, info: EnvironmentInfo, mdp: FiniteMDP | None) -> Tensor | None:
    """What is observed in each state, int64 [S] or float32 [S, components]; None where states are not numbered.

    Args:
        info: the environment as learning sees it.
        mdp: its process, None where it is not known; then states are what is observed.
    """
    seen = info.observation
    if seen.kind == "discrete":
        known = mdp is not None and mdp.seen is not None
        return torch.tensor(mdp.seen) if known and mdp is not None else torch.arange(seen.size)
    if environment.id != BLACKJACK or seen.size != _TOTALS + _CARDS + _ACES or environment.hidden:
        return None
    found = torch.zeros(len(HANDS), seen.size)
    for state, hand in enumerate(HANDS):
        found[state, [hand.total, _TOTALS + hand.shown, _TOTALS + _CARDS + hand.usable]] = 1.0
    return found


def state_in(observation: NDArray[Any], environment: EnvironmentConfig, info: EnvironmentInfo) -> int | None:
    """The number of what is observed; None where it has none."""
    if info.observation.kind == "discrete":
        return int(observation)
    if environment.id != BLACKJACK or observation.shape != (_TOTALS + _CARDS + _ACES,):
        return None
    total, shown, usable = (int(np.argmax(block)) for block in np.split(observation, (_TOTALS, _TOTALS + _CARDS)))
    return NUMBER.get(Hand(total, shown, bool(usable), False))  # past 21 it is lost
