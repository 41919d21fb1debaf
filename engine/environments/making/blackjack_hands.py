"""Blackjack seen as the number of the hand, as an environment of Gymnasium's: what a table can hold, and plan with."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium import spaces
from gymnasium.envs.toy_text import blackjack

from engine.mdp.blackjack import HANDS, NUMBER, Hand

ID = "BlackjackHands-v0"
_GAME: Any = blackjack


def register() -> None:
    """Make ``ID`` known to Gymnasium; calling it again changes nothing."""
    if ID not in gymnasium.registry:
        gymnasium.register(ID, f"{__name__}:make", kwargs={"sab": True, "natural": False})


def make(render_mode: str | None = None, natural: bool = False, sab: bool = True) -> BlackjackHands:
    """Blackjack-v1 with the same options."""
    return BlackjackHands(_GAME.BlackjackEnv(render_mode, natural, sab))


class BlackjackHands(gymnasium.ObservationWrapper[Any, int, Any]):
    """Shows the state of ``engine.mdp.blackjack`` that the game is in: which of ``HANDS``.

    That says more than Blackjack-v1 does, whether a natural is held, without which what stopping pays would depend on
    what was done before. A hand that is lost is shown as it was before its last card.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.observation_space = spaces.Discrete(len(HANDS))

    def observation(self, observation: Any) -> int:
        game: Any = self.unwrapped
        cards = game.player[:-1] if _GAME.is_bust(game.player) else game.player
        usable, natural = bool(_GAME.usable_ace(cards)), _GAME.is_natural(cards)
        return NUMBER[Hand(_GAME.sum_hand(cards), game.dealer[0], usable, natural)]
