"""What environments render, in every kind that can be shown, and what is said of those that cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.environments.making.pictures import as_picture, frames_per_second
from engine.environments.making.results import InterfaceError

GREY = np.linspace(0, 255, 35).astype(np.uint8).reshape(5, 7)
COLOURS = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], 2)
ALPHA = np.concatenate([COLOURS, GREY[:, :, None]], 2)
GREY_COLOURS = GREY[:, :, None].repeat(3, 2)


class Pillow:
    """As a picture of Pillow's with a palette."""

    def getbands(self) -> tuple[str]:
        return ("P",)

    def convert(self, mode: str) -> Any:
        return {"RGBA": ALPHA}[mode]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (GREY, GREY_COLOURS),
        (GREY[:, :, None], GREY_COLOURS),
        (GREY[None], GREY_COLOURS),
        (GREY > 100, np.where(GREY_COLOURS > 100, 255, 0)),
        (GREY.tolist(), GREY_COLOURS),
        (torch.from_numpy(GREY), GREY_COLOURS),
        (COLOURS, COLOURS),
        (COLOURS.transpose(2, 0, 1), COLOURS),
        (COLOURS[None], COLOURS),
        (np.asfortranarray(COLOURS), COLOURS),
        (COLOURS[:, ::-1], COLOURS[:, ::-1]),
        (COLOURS.astype(np.int64), COLOURS),
        (COLOURS.astype(np.float64), COLOURS),
        ((COLOURS / 255.0).astype(np.float32), COLOURS),
        (np.where(GREY == 0, np.nan, GREY).astype(np.float32), GREY_COLOURS),
        (COLOURS.astype(np.int32) * 2 - 102, np.clip(COLOURS.astype(int) * 2 - 102, 0, 255)),
        (COLOURS.astype(np.uint16) * 257, COLOURS),
        (ALPHA, COLOURS),
        (ALPHA.transpose(2, 0, 1), COLOURS),
        (Pillow(), COLOURS),
        ([GREY, COLOURS], COLOURS),
        ((None, Pillow()), COLOURS),
    ],
)
def test_a_picture_of_any_kind_is_shown_in_colours(given: Any, shown: Any) -> None:
    picture = as_picture(given)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.tolist() == shown.tolist()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (None, "gives None for a picture; return an array of height × width × 3 bytes from render when made with"),
        ("##..", "gives a text, as for render_mode='ansi', for a picture"),
        ([], "gives an empty list for"),
        ([None], "gives None for"),
        (3, "gives the number 3 for"),
        ({}, "gives a dict for"),
        (object(), "gives an object for"),
        (np.zeros(5), r"gives an array of shape \(5,\) for"),
        (np.zeros((0, 4, 3)), r"gives an array of shape \(0, 4, 3\) for"),
        (np.zeros((6, 6, 5)), r"gives an array of shape \(6, 6, 5\) for"),
        (np.zeros((2, 4, 4, 3)), r"gives an array of shape \(2, 4, 4, 3\) for"),
        (np.zeros((4, 4), complex), "gives an array of shape"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(given: Any, what: str) -> None:
    with pytest.raises(InterfaceError, match=f"^{what}"):
        as_picture(given)


@pytest.mark.parametrize(
    ("metadata", "rate"),
    [
        ({"render_fps": 4}, 4.0),
        ({"render_fps": np.int64(50)}, 50.0),
        ({"render_fps": "60"}, 60.0),
        ({"video.frames_per_second": 25}, 25.0),
        ({"render_fps": 0, "video.frames_per_second": 25}, 25.0),
        *(({"render_fps": odd}, None) for odd in (0, -1, None, "fast", [30], float("nan"), float("inf"), 10**400)),
        (None, None),
        ({}, None),
    ],
)
def test_a_rate_is_a_number_above_0_or_none(metadata: Any, rate: float | None) -> None:
    assert frames_per_second(metadata) == rate
