"""What a person holds down, as the action of the next step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.analysis.held_controls import HeldControls
from engine.catalogue.controls import controls_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import Space


def held(id: str, ramp: float = 1.0) -> HeldControls:
    return HeldControls(controls_of(ENVIRONMENTS[id]), ramp)


def foreign(space: Space) -> HeldControls:
    return HeldControls(controls_of(replace(ENVIRONMENTS["CartPole-v1"], id="Foreign-v0", action=space)))


def test_the_last_push_goes_on_where_there_is_no_other_action() -> None:
    hands = held("CartPole-v1")
    assert hands.action() is None
    hands.press("push right")
    assert hands.action() == 1
    hands.release("push right")
    assert hands.action() == 1
    hands.begin()
    assert hands.action() is None


def test_the_key_that_was_pressed_last_has_the_last_word() -> None:
    hands = held("CartPole-v1")
    hands.press("push right")
    hands.press("push left")
    assert hands.action() == 0
    hands.release("push left")
    assert hands.action() == 1


def test_a_tap_while_another_key_is_held_counts_and_what_was_pressed_after_it_counts_more() -> None:
    hands = held("Taxi-v4")
    hands.press("up")
    assert hands.action() == 1
    hands.press("pick up")
    hands.release("pick up")
    assert [int(hands.action()), int(hands.action())] == [4, 1]
    hands.press("left")
    hands.release("left")
    hands.press("right")
    assert hands.action() == 2


def test_no_key_is_the_action_that_does_nothing() -> None:
    hands = held("LunarLander-v3")
    assert hands.action() == 0
    hands.press("main engine")
    assert hands.action() == 2
    hands.release("main engine")
    assert hands.action() == 0


def test_a_tap_between_two_steps_counts_for_one() -> None:
    hands = held("GridWorld-v0")
    hands.press("down")
    hands.release("down")
    assert hands.action() == 1
    assert hands.action() is None


def test_keys_held_together_are_one_action() -> None:
    hands = held("ALE/Boxing-v5")
    labels = ENVIRONMENTS["ALE/Boxing-v5"].action.labels
    for name in ("up", "fire", "right"):
        hands.press(name)
    assert hands.action() == labels.index("up right, fire")
    hands.release("right")
    assert hands.action() == labels.index("up, fire")


def test_a_held_key_is_all_of_a_component_at_once_or_bit_by_bit() -> None:
    hands = held("LunarLanderContinuous-v3")
    hands.press("main engine +")
    hands.press("side engines −")
    assert np.array_equal(hands.action(), np.float32([1.0, -1.0]))
    slow = held("Pendulum-v1", ramp=0.25)
    slow.press("torque +")
    assert [float(slow.action()[0]) for _ in range(3)] == [1.0, 2.0, 2.0]
    slow.release("torque +")
    assert float(slow.action()[0]) == 1.0
    assert float(slow.action(at_once=True)[0]) == 0.0


def test_a_stick_moves_a_component_as_far_as_it_is_tilted() -> None:
    hands = held("CarRacing-v3")
    hands.tilt({"steer −": 0.25, "gas +": 0.5})
    assert np.allclose(hands.action(), [-0.25, 0.5, 0.0])
    hands.release_all()
    assert np.allclose(hands.action(), 0.0)


def test_a_stick_is_a_key_of_a_discrete_action_from_half_of_its_way_on() -> None:
    hands = held("LunarLander-v3")
    hands.tilt({"left engine": 0.4})
    assert hands.action() == 0
    hands.tilt({"left engine": 0.6})
    assert hands.action() == 1
    assert hands.held == {"left engine"}


def test_parts_keep_what_was_chosen_and_switches_flip() -> None:
    parts = foreign(Space("multi-discrete", 5, parts=(2, 3)))
    parts.press("part 2: choice 2")
    parts.release("part 2: choice 2")
    assert parts.action().tolist() == [0, 2]
    assert parts.action().tolist() == [0, 2]
    switches = foreign(Space("multi-binary", 3))
    switches.press("switch 2")
    assert switches.action().tolist() == [0, 1, 0]
    switches.press("switch 2")
    assert switches.action().tolist() == [0, 0, 0]


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1"])
def test_what_is_let_go_all_at_once_is_not_held(id: str) -> None:
    hands = held(id)
    for control in hands.controls.controls:
        hands.press(control.name)
    hands.release_all()
    assert not hands.held
