"""Blackjack as a finite decision process, by the rules of Gymnasium's Blackjack-v1: an infinite deck, and a dealer who
takes cards up to 17.

A state is what a player knows: the worth of the hand, whether an ace in it counts 11, whether it is a natural (an ace
and a ten from the start, which some rules pay for), and the dealer's card. The dealer's other card is drawn from the
same deck whatever is played, so it is part of how stopping turns out.

Source: Sutton & Barto (2018), example 5.1.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from engine.mdp.finite import FiniteMDP, Outcome, from_outcomes

STOP, CARD = 0, 1
CARDS = tuple((card, (4.0 if card == 10 else 1.0) / 13.0) for card in range(1, 11))
_HARD, _SOFT = range(4, 22), range(12, 22)


class Hand(NamedTuple):
    """``total`` is the worth of the hand, 4 … 21, ``usable`` whether an ace in it counts 11, ``shown`` the dealer's
    card, 1 for an ace … 10."""

    total: int
    shown: int
    usable: bool
    natural: bool


HANDS: tuple[Hand, ...] = tuple(
    Hand(total, shown, usable, natural)
    for usable, natural, totals in ((False, False, _HARD), (True, False, _SOFT), (True, True, (21,)))
    for total in totals
    for shown in range(1, 11)
)
NUMBER: dict[Hand, int] = {hand: number for number, hand in enumerate(HANDS)}
"""The state of each hand."""


def blackjack(natural: bool = False, sab: bool = True) -> FiniteMDP:
    """The process of ``HANDS`` and the actions stop and another card.

    Args:
        natural: whether a natural that wins pays 1.5; without ``sab`` only.
        sab: Sutton and Barto's rules: a natural wins unless the dealer has one as well.
    """
    outcomes = [[_stopping(hand, natural, sab), _another_card(hand)] for hand in HANDS]
    initial = [0.0] * len(HANDS)
    for shown, of_shown in CARDS:
        for first, of_first in CARDS:
            for second, of_second in CARDS:
                initial[NUMBER[dealt(first, second, shown)]] += of_shown * of_first * of_second
    return from_outcomes("blackjack", outcomes, initial, None)


def dealt(first: int, second: int, shown: int) -> Hand:
    """The hand of two cards."""
    usable = 1 in (first, second)
    return Hand(first + second + 10 * usable, shown, usable, {first, second} == {1, 10})


def _another_card(hand: Hand) -> list[Outcome]:
    outcomes = []
    for card, chance in CARDS:
        total, usable = with_card(hand.total, hand.usable, card)
        if total > 21:
            outcomes.append((chance, NUMBER[hand], -1.0, True))
        else:
            outcomes.append((chance, NUMBER[Hand(total, hand.shown, usable, False)], 0.0, False))
    return outcomes


def _stopping(hand: Hand, natural: bool, sab: bool) -> list[Outcome]:
    paid = dict.fromkeys((-1.0, 0.0, 1.0, 1.5), 0.0)
    for (end, dealers_natural), chance in _dealers_ends(hand.shown).items():
        reward = float(hand.total > end) - float(hand.total < end)
        if hand.natural and sab and not dealers_natural:
            reward = 1.0
        elif hand.natural and natural and not sab and reward == 1.0:
            reward = 1.5
        paid[reward] += chance
    return [(chance, NUMBER[hand], reward, True) for reward, chance in paid.items() if chance > 0.0]


def with_card(total: int, usable: bool, card: int) -> tuple[int, bool]:
    """A hand's worth and whether an ace counts 11 in it, after one more card; above 21 it is lost."""
    total, usable = (total + 11, True) if card == 1 and total + 11 <= 21 else (total + card, usable)
    return (total - 10, False) if usable and total > 21 else (total, usable)


@cache
def _dealers_ends(shown: int) -> dict[tuple[int, bool], float]:
    """How likely the dealer ends with each sum, 0 for one above 21, and whether with a natural."""
    ends: dict[tuple[int, bool], float] = {}
    for card, chance in CARDS:
        hand = dealt(shown, card, shown)
        for end, likely in _drawn_up(hand.total, hand.usable).items():
            key = end, hand.natural
            ends[key] = ends.get(key, 0.0) + chance * likely
    return ends


@cache
def _drawn_up(total: int, usable: bool) -> dict[int, float]:
    """How likely a dealer with this hand ends with each sum, 0 for one above 21."""
    if total >= 17:
        return {total if total <= 21 else 0: 1.0}
    ends: dict[int, float] = {}
    for card, chance in CARDS:
        for end, likely in _drawn_up(*with_card(total, usable, card)).items():
            ends[end] = ends.get(end, 0.0) + chance * likely
    return ends
