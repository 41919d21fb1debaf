"""What an environment renders, as the pictures that are shown, or named for what it is where it is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.environments.making.results import InterfaceError, described

_CHANNELS = (1, 3, 4)
_RIGHT = "return an array of height × width × 3 bytes from render when made with render_mode='rgb_array'"
_RATES = ("render_fps", "video.frames_per_second", "render.fps")  # as Gym had it before 0.26 too


def as_picture(given: Any) -> NDArray[np.uint8]:
    """What ``render`` gave as colours [height, width, 3].

    Grey pictures [h, w], [h, w, 1] or [1, h, w] become colours, and channels that come first go last. An alpha channel
    is left out. Floats are taken to reach from 0 to 1 unless one is greater, and then to 255, like integers of other
    types; those of 16 bits to 65,535 if one is greater than 255. Of several frames it is the last one that is shown.

    Raises:
        InterfaceError: it is no picture.
    """
    if type(given) is np.ndarray and given.dtype == np.uint8 and given.ndim == 3 and given.shape[2] == 3 and given.size:
        return np.ascontiguousarray(given)
    pixels = _pixels(given)
    while pixels.ndim == 4 and len(pixels) == 1:
        pixels = pixels[0]
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.size == 0:
        raise _no_picture(f"an array of shape {pixels.shape}")
    if pixels.shape[2] not in _CHANNELS and pixels.shape[0] in _CHANNELS:
        pixels = pixels.transpose(1, 2, 0)
    if pixels.shape[2] not in _CHANNELS:
        raise _no_picture(f"an array of shape {pixels.shape}")
    colours = _as_bytes(pixels[:, :, :3])
    return np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))


def frames_per_second(metadata: Any) -> float | None:
    """The rate that an environment's ``metadata`` names for its pictures; None where that is no number above 0."""
    for name in _RATES:
        rate = metadata.get(name) if isinstance(metadata, Mapping) else None
        try:
            number = math.nan if rate is None else float(rate)
        except (TypeError, ValueError, OverflowError):
            continue
        if 0.0 < number < math.inf:
            return number
    return None


def _pixels(given: Any) -> NDArray[Any]:
    if isinstance(given, list | tuple) and not (given and isinstance(given[0], list | tuple | int | float)):
        if not given:
            raise _no_picture("an empty list")
        return _pixels(given[-1])
    if isinstance(given, str):
        raise _no_picture("a text, as for render_mode='ansi',")
    if hasattr(given, "getbands"):  # one of Pillow's, whose numbers may stand for colours in a palette
        given = given.convert("RGBA")
    detach = getattr(given, "detach", None)  # a tensor of torch's
    try:
        array = np.asarray(given if detach is None else detach().cpu())
    except Exception:  # whatever its own conversion makes of it
        raise _no_picture(described(given)) from None
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise _no_picture(described(given))
    return array


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint16 and pixels.max() > 255:
        return (pixels >> 8).astype(np.uint8)
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels)
        if pixels.max() <= 1.0:
            pixels = pixels * 255.0
    found: NDArray[np.uint8] = np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    return found


def _no_picture(what: str) -> InterfaceError:
    return InterfaceError(f"gives {what} for a picture; {_RIGHT}, if it is to be watched")
