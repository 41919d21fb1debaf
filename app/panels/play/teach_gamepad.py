"""A gamepad answers questions: what its sticks and buttons held is the answer once they are let go."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.panels.play.teach_page import BACK, LOST, UNKNOWN, TeachPage
from app.session.gamepad import Gamepad, GamepadWatch, Reading
from engine.catalogue.controls import HALF, tilted

SLIGHT = 0.3  # of a stick's way, up to which nothing was meant by it, where it says how much
_SAYS = (UNKNOWN, LOST, BACK)  # by the triggers, and by Back


class GamepadTeacher(QObject):
    """Has a gamepad answer on ``page`` while a question stands there that can be seen. A stick says as much as it was
    tilted at most since it was at rest, and the triggers that there is no action to say.

    Args:
        find: the first gamepad there is, or None.
    """

    def __init__(self, page: TeachPage, find: Callable[[], Gamepad | None]) -> None:
        super().__init__(page)
        self._page = page
        self._tilts: dict[str, float] | None = None  # at most, since the sticks were at rest under this question
        self.watch = GamepadWatch(find, self)
        self.watch.came.connect(page.show_gamepad)
        self.watch.gone.connect(lambda: page.show_gamepad(""))
        self.watch.moved.connect(self._act)
        page.teaching.changed.connect(self._forget)
        for change in (page.seen, page.teaching.changed, page.teaching.filmed):
            change.connect(self._follow)

    def _follow(self) -> None:
        if self._page.isVisible() and self._page.teaching.question is not None:
            self.watch.begin()
        else:
            self.watch.end()

    def _forget(self) -> None:
        self._tilts = None

    def _act(self, reading: Reading, last: Reading) -> None:
        page, controls = self._page, self._page.controls
        now, before = (*reading.triggers, reading.back), (*last.triggers, last.back)
        said = [words for words, is_, was in zip(_SAYS, now, before, strict=True) if is_ and not was]
        if said:
            page.say(said[0])
            return
        if controls is None:
            return
        names = dict(enumerate(controls.buttons))
        for button in sorted(reading.buttons - last.buttons):
            if button in names:
                page.hold(names[button])
        self._lean(tilted(controls, reading.tilts), tilted(controls, last.tilts))
        for button in sorted(last.buttons - reading.buttons):
            if button in names:
                page.let_go(names[button])

    def _lean(self, tilts: dict[str, float], before: dict[str, float]) -> None:
        if not before:
            self._tilts = {}
        if self._tilts is None:  # it was tilted before this question was asked
            return
        self._tilts |= {name: max(share, self._tilts.get(name, 0.0)) for name, share in tilts.items()}
        self._page.lean(self._tilts)
        if not tilts and self._tilts:
            controls = self._page.controls
            meant = SLIGHT if controls is not None and controls.axes else HALF
            if max(self._tilts.values()) >= meant:
                self._page.give_held()
            else:
                self._page.lean({})
