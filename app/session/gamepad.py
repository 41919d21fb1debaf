"""A gamepad, read through pygame while somebody plays or teaches and at no other time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.session.game import Game, GameState
from engine.catalogue.controls import HALF, tilted

EVERY = 16  # ms between two looks
DEAD = 0.15  # of a stick's way, which it has without anybody touching it
GONE = "Paused, since the gamepad is gone; plug it in again, or go on with the keys."
_FULL = 32767.0
_STICKS = (0, 1, 2, 3)  # SDL's axes of a gamepad: left across, left down, right across, right down
_BUTTONS = (0, 1, 2, 3, 9, 10)  # A, B, X, Y and the shoulders
_START, _BACK = 6, 4
_TRIGGERS = (4, 5)  # SDL's axes of a gamepad, at rest at 0
_CROSS = {13: (0, -1.0), 14: (0, 1.0), 12: (1, -1.0), 11: (1, 1.0)}  # button: axis and tilt
_MODULE = "pygame._sdl2.controller"
_AT_PLAY = (GameState.COUNTING, GameState.PLAYING, GameState.ENDED)


class Reading(NamedTuple):
    """``tilts`` of the sticks from −1 to 1: left across, left up, right across, right up; which ``buttons`` are
    pressed, counted from 0, whether ``start`` and ``back`` are, and which of the ``triggers``, left and right."""

    tilts: tuple[float, float, float, float]
    buttons: frozenset[int]
    start: bool = False
    back: bool = False
    triggers: tuple[bool, bool] = (False, False)


class Gamepad(Protocol):
    """One that was found."""

    name: str

    def read(self) -> Reading | None:
        """What it is doing; None once it is gone."""


class GamepadWatch(QObject):
    """Looks at a gamepad while that is wanted, and at no other time.

    Signals:
        came: the name of one that was not told of yet.
        moved: what it is doing, and what it was doing before, whenever that is something else.
        gone: it is there no more.

    Args:
        find: the first gamepad there is, or None.
    """

    came = Signal(str)
    moved = Signal(object, object)
    gone = Signal()

    def __init__(self, find: Callable[[], Gamepad | None], parent: QObject) -> None:
        super().__init__(parent)
        self._find = find
        self._pad: Gamepad | None = None
        self._known = ""  # the name of the one that was told of
        self._last = _STILL
        self.timer = QTimer(self, interval=EVERY)
        self.timer.timeout.connect(self._look)

    @property
    def is_there(self) -> bool:
        """Whether there is one that is looked at."""
        return self._pad is not None

    def begin(self) -> None:
        """Look at the first that there is, unless one is looked at already."""
        if self.timer.isActive() or self._pad is not None:
            return
        self._pad = self._find()
        if self._pad is not None:
            self.timer.start()
            if self._pad.name != self._known:
                self._known = self._pad.name
                self.came.emit(self._known)

    def end(self) -> None:
        """Look no more."""
        self.timer.stop()
        self._pad, self._last = None, _STILL

    def _look(self) -> None:
        pad, last = self._pad, self._last
        reading = pad.read() if pad is not None else None
        if reading is None:
            self.timer.stop()
            self.gone.emit()
        elif reading != last:
            self._last = reading
            self.moved.emit(reading, last)


class GamepadPlayer(QObject):
    """Has a gamepad act in ``game``: its sticks stand in for pairs of keys, its buttons for the others, and Start
    pauses, and begins again.

    Args:
        find: the first gamepad there is, or None.
    """

    def __init__(self, game: Game, find: Callable[[], Gamepad | None]) -> None:
        super().__init__(game)
        self._game = game
        self.watch = GamepadWatch(find, self)
        self.watch.came.connect(
            lambda name: game.told.emit(f"{name} plays, too: sticks for pairs of keys, buttons for the others.")
        )
        self.watch.gone.connect(lambda: game.pause(GONE))
        self.watch.moved.connect(self._act)
        game.changed.connect(self._follow)

    def _follow(self) -> None:
        """Look while the game is at play, and at the beginning whether there is any."""
        if self._game.state not in _AT_PLAY:
            self.watch.end()
        elif self._game.state is not GameState.ENDED:
            self.watch.begin()

    def _act(self, reading: Reading, last: Reading) -> None:
        game = self._game
        if reading.start and not last.start:
            self._press_start()
            return
        controls = game.controls
        if controls is None or game.state not in (GameState.COUNTING, GameState.PLAYING):
            return
        if reading.tilts != last.tilts:
            game.lean(tilted(controls, reading.tilts))
        names = dict(enumerate(controls.buttons))
        for button in sorted(reading.buttons - last.buttons):
            if button in names:
                game.hold(names[button])
        for button in sorted(last.buttons - reading.buttons):
            if button in names:
                game.let_go(names[button])

    def _press_start(self) -> None:
        if self._game.state is GameState.ENDED:
            self._game.restart()
        else:
            self._game.pause()


_STILL = Reading((0.0, 0.0, 0.0, 0.0), frozenset())


def load() -> None:
    """Load pygame, which takes long, for whoever looks for a gamepad later."""
    os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")  # no window of SDL's ever has the keyboard
    with suppress(Exception):
        __import__(_MODULE)


def first_gamepad() -> Gamepad | None:
    """The first that is plugged in; None where there is none, or pygame has not been loaded."""
    controller: Any = sys.modules.get(_MODULE)
    if controller is None:
        return None
    with suppress(Exception):  # whatever is the matter with it, there are the keys
        controller.init()
        controller.update()
        for index in range(controller.get_count()):
            if controller.is_controller(index):
                return SdlGamepad(controller, index)
    return None


class SdlGamepad:
    """One that SDL knows the layout of."""

    def __init__(self, controller: Any, index: int) -> None:
        self._controller = controller
        self._pad = controller.Controller(index)
        self.name = str(controller.name_forindex(index) or "The gamepad")

    def read(self) -> Reading | None:
        try:
            self._controller.update()
            if not self._pad.attached():
                return None
            axes = [self._pad.get_axis(axis) / _FULL for axis in _STICKS]
            squeezed = [self._pad.get_axis(axis) / _FULL > HALF for axis in _TRIGGERS]
            pressed = {button for button in (*_BUTTONS, *_CROSS, _START, _BACK) if self._pad.get_button(button)}
        except Exception:  # it is gone as well
            return None
        tilts = [axes[0], -axes[1], axes[2], -axes[3]]
        for button, (axis, tilt) in _CROSS.items():
            if button in pressed:
                tilts[axis] = tilt
        left_across, left_up, right_across, right_up = (tilt if abs(tilt) > DEAD else 0.0 for tilt in tilts)
        buttons = frozenset(place for place, button in enumerate(_BUTTONS) if button in pressed)
        sticks = (left_across, left_up, right_across, right_up)
        return Reading(sticks, buttons, _START in pressed, _BACK in pressed, (squeezed[0], squeezed[1]))
