"""What a playback shows: pictures of every kind, at the environment's own rate, and only those that are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.analysis.playback import Playback
from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.runtime.errors import RunError
from tests.engine.analysis.playing import Pictured, frozen, toy
from tests.engine.support import Toy, Unrendered, configured, register


@pytest.mark.parametrize("id", [id for id, info in ENVIRONMENTS.items() if not missing_extra(info.family)])
def test_every_catalogued_environment_gives_a_picture_that_changes(id: str) -> None:
    playback = Playback(frozen(configured(environment=id)), 0)
    pictures = [playback.advance(greedy=False).image for _ in range(30)]
    playback.close()
    assert all(picture is not None and picture.dtype == np.uint8 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures if picture is not None}) >= 3


def test_no_picture_is_made_that_was_not_asked_for() -> None:
    playback = Playback(toy("Blind-v0", lengths=(2,), what="raises in render"), 0)
    assert playback.advance(greedy=False, render=False).image is None


def test_the_final_state_is_always_pictured() -> None:
    playback = Playback(toy("Last-v0", lengths=(1,)), 0)
    playback.advance(greedy=False, render=False)
    assert playback.advance(greedy=False, render=False).image is not None


def test_an_alpha_channel_is_left_out() -> None:
    image = Playback(toy("Alpha-v0", what="has alpha"), 0).advance(greedy=False).image
    assert image is not None
    assert image.shape == (4, 6, 3)


@pytest.mark.parametrize(("id", "rate"), [("CartPole-v1", 50.0), ("FrozenLake-v1", 4.0)])
def test_the_frame_rate_is_the_environments_own(id: str, rate: float) -> None:
    playback = Playback(frozen(configured(environment=id)), 0)
    assert playback.frames_per_second == rate
    playback.close()


def test_an_environment_without_a_frame_rate_plays_at_thirty() -> None:
    assert Playback(toy("Rateless-v0"), 0).frames_per_second == 30.0


class Odd(Pictured):
    """Renders in the ways of others: grey, of changing size, in lists alone, by a mode given to each call, or not."""

    metadata = {"render_modes": ["rgb_array_list", "ansi"]}  # noqa: RUF012

    def __init__(self, how: str, render_mode: str | None = None) -> None:
        super().__init__(lengths=(9,))
        self._how, self._mode = how, render_mode

    def render(self) -> Any:
        assert self._mode == "rgb_array_list"
        if self._how == "grey":
            return np.full((20, 30), self._left)
        return [np.zeros((1, 1, 3), np.uint8)] + [np.full((self._left, 5, 4), 0.5)] * (self._how == "lists")


class Old(Toy):
    """Is told what to render when it renders."""

    def __init__(self) -> None:
        super().__init__()

    def render(self, mode: str = "human", close: bool = False) -> Any:  # type: ignore[override]
        return np.full((4, 6), 7, np.uint8) if mode == "rgb_array" else None


class Silent(Toy):
    def render(self) -> Any:
        return None


@pytest.mark.parametrize(
    ("kind", "values", "shape", "value"),
    [
        (Odd, {"how": "grey"}, (20, 30, 3), 9),
        (Odd, {"how": "lists"}, (9, 5, 3), 128),
        (Old, {}, (4, 6, 3), 7),
    ],
)
def test_pictures_of_other_kinds_are_shown(kind: Any, values: Any, shape: tuple[int, ...], value: int) -> None:
    playback = Playback(frozen(configured(environment=register("Odd-v0", kind, **values))), 0)
    image = playback.advance(greedy=False).image
    assert image is not None
    assert (image.shape, int(image.max())) == (shape, value)


def test_what_is_no_picture_is_named() -> None:
    shown = frozen(configured(environment=register("Silent-v0", Silent)))
    with pytest.raises(RunError, match=r"^Silent-v0 with the seed \d+ gives None for a picture; return an array of "):
        Playback(shown, 0).advance(greedy=False)


def test_an_environment_without_pictures_is_one_sentence() -> None:
    shown = frozen(configured(environment=register("Unrendered-v0", Unrendered)))
    with pytest.raises(RunError, match="Unrendered-v0 gives no pictures"):
        Playback(shown, 0).advance(greedy=False)
