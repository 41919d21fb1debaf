"""A gamepad of SDL's own making, which pygame and this program take for a real one: plugged in, moved, pulled out."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

LEFT_ACROSS, LEFT_DOWN, RIGHT_ACROSS, RIGHT_DOWN, LEFT_TRIGGER, RIGHT_TRIGGER = range(6)  # axes
FIRST_BUTTON, BACK_BUTTON, START_BUTTON = 0, 4, 6
_GAMEPAD, _AXES, _BUTTONS = 1, 6, 15
_FULL = 32767


class VirtualGamepad:
    """Moved through SDL's functions, called directly."""

    def __init__(self, sdl: ctypes.CDLL, index: int) -> None:
        sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
        self._sdl, self._pad = sdl, ctypes.c_void_p(sdl.SDL_JoystickOpen(index))
        for trigger in (LEFT_TRIGGER, RIGHT_TRIGGER):  # whose whole way is that from one end of the axis to the other
            self.tilt(trigger, -1.0)

    def tilt(self, axis: int, share: float) -> None:
        assert self._sdl.SDL_JoystickSetVirtualAxis(self._pad, axis, ctypes.c_int16(round(share * _FULL))) == 0

    def press(self, button: int, *, down: bool = True) -> None:
        assert self._sdl.SDL_JoystickSetVirtualButton(self._pad, button, int(down)) == 0


@contextmanager
def virtual_gamepad() -> Iterator[VirtualGamepad]:
    """Plugged in while the block lasts; the test is left out where this build of SDL has none."""
    controller: Any = import_module("pygame._sdl2.controller")
    sdl = _library()
    controller.init()
    index = sdl.SDL_JoystickAttachVirtual(_GAMEPAD, _AXES, _BUTTONS, 0) if sdl is not None else -1
    if sdl is None or index < 0:
        pytest.skip("this build of SDL makes no gamepads")
    try:
        yield VirtualGamepad(sdl, index)
    finally:
        sdl.SDL_JoystickDetachVirtual(index)


def _library() -> ctypes.CDLL | None:
    """The one that pygame itself uses."""
    import pygame

    beside = Path(pygame.__file__).parent.parent
    found = sorted(beside.glob("pygame*.libs/libSDL2-2*"))
    return ctypes.CDLL(str(found[0])) if found else None
