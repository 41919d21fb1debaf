"""Blackjack's table against Gymnasium's environment, played out over every card that may come, and its best play."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest

from engine.mdp.blackjack import CARD, CARDS, HANDS, NUMBER, STOP, Hand, blackjack
from engine.mdp.exact import dynamics_of, policy_iteration

RULES = [{"natural": False, "sab": True}, {"natural": False, "sab": False}, {"natural": True, "sab": False}]


class Cards:
    """Random numbers that are cards laid out beforehand."""

    def __init__(self, cards: list[int]) -> None:
        self.left = list(cards)

    def choice(self, deck: list[Any]) -> Any:
        if isinstance(deck[0], str):  # a suit
            return deck[0]
        return self.left.pop(0)


def dealt(total: int, usable: bool, natural: bool) -> list[int]:
    """Cards that make up such a hand."""
    if natural:
        return [1, 10]
    if usable:
        return [1, total - 11] if total < 21 else [1, 5, 5]
    return [total // 2, total - total // 2] if total <= 20 else [10, 9, 2]


def dealers(hand: tuple[int, ...]) -> Iterator[tuple[list[int], float]]:
    """All the cards that a dealer may come to have after these, and how likely they are."""
    worth = sum(hand) + (10 if 1 in hand and sum(hand) <= 11 else 0)
    if len(hand) > 1 and worth >= 17:
        yield list(hand), 1.0
        return
    for card, chance in CARDS:
        for cards, likely in dealers((*hand, card)):
            yield cards, chance * likely


def test_another_card_does_what_gymnasiums_does() -> None:
    mdp, environment = blackjack(), gymnasium.make("Blackjack-v1").unwrapped
    game: Any = environment
    for state, hand in enumerate(HANDS):
        expected: dict[Any, float] = defaultdict(float)
        for card, chance in CARDS:
            game.player, game.dealer = dealt(hand.total, hand.usable, hand.natural), [hand.shown, 10]
            game._np_random = Cards([card])
            seen, reward, ended, _, _ = game.step(CARD)
            key = ("over" if ended else Hand(seen[0], seen[1], bool(seen[2]), False), reward)
            expected[key] += chance
        told: dict[Any, float] = defaultdict(float)
        for k, chance in enumerate(mdp.probabilities[state, CARD]):
            after = "over" if mdp.ends[state, CARD, k] else HANDS[mdp.next_states[state, CARD, k]]
            told[after, mdp.rewards[state, CARD, k]] += chance
        assert dict(told) == pytest.approx(dict(expected))


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_stopping_pays_what_gymnasiums_does(rules: dict[str, bool]) -> None:
    mdp, game = blackjack(**rules), gymnasium.make("Blackjack-v1", **rules).unwrapped  # type: ignore[arg-type]
    hands = [(21, True, False)]
    if rules == RULES[0]:
        hands += [(16, False, False), (17, True, False), (19, False, False)]
    for shown in (1, 8, 10):
        finished = list(dealers((shown,)))
        for total, usable, natural in [*hands, (21, True, True)]:
            expected: dict[float, float] = defaultdict(float)
            for cards, chance in finished:
                game.player, game.dealer = dealt(total, usable, natural), cards[:2]  # type: ignore[attr-defined]
                game._np_random = Cards(cards[2:])  # type: ignore[assignment]
                reward = game.step(STOP)[1]
                expected[float(reward)] += chance
            state = NUMBER[Hand(total, shown, usable, natural)]
            told: dict[float, float] = defaultdict(float)
            for chance, reward in zip(mdp.probabilities[state, STOP], mdp.rewards[state, STOP], strict=True):
                told[reward] += chance
            assert mdp.ends[state, STOP][mdp.probabilities[state, STOP] > 0.0].all()
            told = {reward: chance for reward, chance in told.items() if chance > 0.0}
            assert told == pytest.approx(dict(expected))


def test_a_game_begins_as_gymnasiums_does() -> None:
    mdp, expected = blackjack(), [0.0] * len(HANDS)
    game: Any = gymnasium.make("Blackjack-v1").unwrapped
    for shown, of_shown in CARDS:
        for first, of_first in CARDS:
            for second, of_second in CARDS:
                game._np_random = Cards([shown, 10, first, second])
                seen, _ = game.reset()
                hand = Hand(seen[0], seen[1], bool(seen[2]), seen[0] == 21)
                expected[NUMBER[hand]] += of_shown * of_first * of_second
    assert mdp.initial.tolist() == pytest.approx(expected)


def test_the_best_play_is_the_books() -> None:
    """Sutton & Barto (2018), figure 5.2, where no ace counts 11; with one, card players' basic strategy; and the value
    that the catalogue tells."""
    dynamics = dynamics_of(blackjack())
    best = policy_iteration(dynamics, 1.0)
    assert (dynamics.initial @ best.values).item() == pytest.approx(-0.0431, abs=5e-5)

    def stops_from(shown: int, usable: bool) -> int:
        totals = [total for total in range(12, 22) if best.policy[NUMBER[Hand(total, shown, usable, False)], STOP]]
        assert totals == list(range(totals[0], 22))
        return totals[0]

    assert [stops_from(shown, False) for shown in range(1, 11)] == [17, 13, 13, 12, 12, 12, 17, 17, 17, 17]
    assert [stops_from(shown, True) for shown in range(1, 11)] == [19, 18, 18, 18, 18, 18, 18, 18, 19, 19]
