"""The keys with which a person acts: every action of every environment that can be played has some, and none two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.catalogue.controls import Controls, controls_of, reassigned
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo, Space, box, discrete
from engine.runtime.errors import RequestError
from tests.each import each

BEYOND_HANDS = {"Pusher-v5", "Ant-v5", "Humanoid-v5", "HumanoidStandup-v5"}


def of(id: str) -> Controls:
    return controls_of(ENVIRONMENTS[id])


def foreign(space: Space) -> EnvironmentInfo:
    return replace(ENVIRONMENTS["CartPole-v1"], id="Foreign-v0", title="Foreign", family="own", action=space)


def keys(id: str) -> dict[str, str]:
    return {control.words: control.key for control in of(id).controls}


@each("id", ENVIRONMENTS)
def test_every_action_has_keys_of_its_own_or_a_sentence_says_why_not(id: str) -> None:
    if id in BEYOND_HANDS:
        with pytest.raises(RequestError, match="more than a person has fingers for"):
            of(id)
        return
    controls, space = of(id), ENVIRONMENTS[id].action
    names = [control.name for control in controls.controls]
    used = [control.key for control in controls.controls]
    assert len(set(names)) == len(names)
    assert len(set(used)) == len(used)
    if space.kind == "discrete":
        assert len(set(controls.chords)) == space.size, "two actions have the same keys"
        assert {name for chord in controls.chords for name in chord} <= set(names)
        assert [index for index, chord in enumerate(controls.chords) if not chord] == (
            [] if controls.idle is None else [controls.idle]
        )
    else:
        ends = [end for axis in controls.axes for end in (axis.minus, axis.plus) if end]
        assert len(controls.axes) == space.size
        assert set(ends) <= set(names)
        assert len(set(ends)) == len(ends)
        assert all(axis.low <= axis.rest <= axis.high for axis in controls.axes)


def test_arrows_go_where_they_point() -> None:
    arrows = {"left": "Left", "right": "Right", "up": "Up", "down": "Down"}
    for id in ("FrozenLake-v1", "CliffWalking-v1", "GridWorld-v0"):
        assert keys(id) == arrows
    assert keys("Taxi-v4") == arrows | {"pick up": "P", "set down": "S"}
    assert keys("CartPole-v1") == {"push left": "Left", "push right": "Right"}
    assert keys("LunarLander-v3") == {
        "left engine": "Left",
        "main engine": "Up",
        "right engine": "Right",
        "idle": "Space",
    }
    assert keys("MiniGrid-Unlock-v0") == {
        "turn left": "Left",
        "turn right": "Right",
        "forward": "Up",
        "pick up": "P",
        "drop": "D",
        "toggle": "T",
        "done": "Return",
    }


def test_atari_combines_a_stick_with_a_button() -> None:
    boxing = of("ALE/Boxing-v5")
    assert {control.key for control in boxing.controls} == {"Left", "Right", "Up", "Down", "Space", "Return"}
    labels = ENVIRONMENTS["ALE/Boxing-v5"].action.labels
    assert boxing.chords[labels.index("up right, fire")] == {"up", "right", "fire"}
    assert boxing.idle == 0


def test_pedals_have_one_key_and_levers_two() -> None:
    assert keys("CarRacing-v3") == {
        "steer −": "Left",
        "steer +": "Right",
        "gas": "Up",
        "brake": "Down",
        "nothing": "Space",
    }
    assert keys("LunarLanderContinuous-v3")["main engine"] == "Up"
    assert keys("Pendulum-v1") == {"torque − ↻": "Right", "torque + ↺": "Left", "nothing": "Space"}


def test_time_waits_in_worlds_of_cells_and_cards_and_not_where_things_fall() -> None:
    waiting = {id for id in ENVIRONMENTS if id not in BEYOND_HANDS and of(id).waits}
    families = {ENVIRONMENTS[id].family for id in waiting}
    assert families == {"toy", "ours", "minigrid"}
    assert of("CartPole-v1").goes_on
    assert not of("LunarLander-v3").goes_on
    assert not of("Taxi-v4").goes_on


def test_sticks_and_buttons_stand_in_for_keys() -> None:
    taxi = of("Taxi-v4")
    assert taxi.sticks[:2] == (("left", "right"), ("down", "up"))
    assert taxi.buttons == ("pick up", "set down")
    assert of("Pendulum-v1").sticks[0] == ("torque +", "torque −")


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (discrete(3), ["0", "1", "2"]),
        (discrete(12), [*"0123456789", *"QW"]),
        (Space("multi-discrete", 5, parts=(2, 3)), ["1", "2", "Q", "W", "E", "Space"]),
        (Space("multi-binary", 3), ["1", "2", "3", "Space"]),
        (box(1), ["Left", "Right", "Space"]),
    ],
)
def test_what_nobody_has_named_has_figures_and_letters(space: Space, expected: list[str]) -> None:
    assert [control.key for control in controls_of(foreign(space)).controls] == expected


def test_a_component_without_bounds_is_moved_by_one() -> None:
    axis = controls_of(foreign(box(1))).axes[0]
    assert (axis.low, axis.rest, axis.high) == (-1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    "space", [discrete(37), box(7), Space("multi-binary", 11), Space("multi-discrete", 10, parts=(2,) * 5)]
)
def test_more_than_hands_can_do_is_one_sentence(space: Space) -> None:
    with pytest.raises(RequestError, match=r"^Foreign has .* can be played\.$"):
        controls_of(foreign(space))


def test_a_key_that_is_taken_changes_places() -> None:
    given = of("CartPole-v1").keys
    assert reassigned(given, "push left", "Right") == {"push left": "Right", "push right": "Left"}
    assert reassigned(given, "push left", "A") == {"push left": "A", "push right": "Right"}
