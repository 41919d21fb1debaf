"""The QThread that finds the pictures of recordings; it is none at all while nobody looks at one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal
from PySide6.QtGui import QImage

from app.session.failures import failure
from app.session.playback_thread import picture_of
from engine.runtime.waiting import GivenUp, Wait, telling, while_waiting

if TYPE_CHECKING:  # with numpy
    from engine.analysis.replaying import Replay, ReplayFrame
    from engine.experience.demonstrations import Demonstrations


@dataclass(frozen=True)
class Place:
    """A moment of a recording: before a step of one of its episodes, both counted from 0."""

    recording: str
    episode: int
    step: int


@dataclass(frozen=True)
class Moment:
    """What there is to be seen at a place; ``picture`` is None where ``frame`` says why in its ``problem``."""

    place: Place
    frame: ReplayFrame
    picture: QImage | None


class ReplayThread(QThread):
    """Shows the place that was asked for last; what was asked for before it and not begun is let go.

    Signals:
        ready: there is a moment to be taken.
        failed: why a recording cannot be shown, in a sentence.
        held_up: one sentence, once where an environment does not answer for long.
    """

    ready = Signal()
    failed = Signal(str)
    held_up = Signal(str)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.setObjectName("replay")
        self._folder = folder
        self._changed = threading.Condition()
        self._wanted: Place | None = None
        self._pictured = True  # whether the code of the environment may be run for pictures
        self._left = self._ending = False
        self._moment: Moment | None = None
        self._recording = ""  # whose episodes are at hand
        self._demonstrations: Demonstrations | None = None
        self._replay: Replay | None = None
        self._of: tuple[str, int] | None = None  # which episode it shows
        self._tell_hold_up = telling(self.held_up.emit)
        self.finished.connect(self._go_on)

    # --- from the main thread -----------------------------------------------------------------------------------------

    def show(self, place: Place, *, pictured: bool = True) -> None:
        """Find what is to be seen at ``place``; without the environment, and so without pictures, where that is not to
        be made."""
        with self._changed:
            if self._ending:
                return
            self._wanted, self._left, self._pictured = place, False, pictured
            self._changed.notify_all()
        self._go_on()

    def _go_on(self) -> None:
        """Begin where something is wanted; what was asked for while the thread ended waits for that."""
        if self._wanted is not None and not self._ending and not self.isRunning():
            self.start()

    def leave(self) -> None:
        """Free what is held, since nobody looks any more."""
        with self._changed:
            self._wanted, self._left, self._moment = None, True, None
            self._changed.notify_all()

    def take(self) -> Moment | None:
        """The newest moment, or None where it has been taken already."""
        with self._changed:
            moment, self._moment = self._moment, None
            return moment

    def end(self) -> None:
        """Have the thread end as soon as it can."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            while (place := self._next()) is not None:
                try:
                    with while_waiting(self._meanwhile(place)):
                        self._find(place)
                except GivenUp:
                    self._free()
                except BaseException as error:
                    self._free()
                    self.failed.emit(failure(error, "Something unexpected happened with a recording"))
        finally:
            self._free()

    def _next(self) -> Place | None:
        """The place that is wanted, once there is one; None where the thread is to end."""
        with self._changed:
            while not self._ending:
                if self._wanted is not None:
                    wanted, self._wanted = self._wanted, None
                    return wanted
                if self._left:
                    return None
                self._changed.wait()
        return None

    def _meanwhile(self, place: Place) -> Callable[[Wait], None]:
        def watch(wait: Wait) -> None:
            wanted = self._wanted
            if self._ending or self._left or (wanted is not None and wanted.recording != place.recording):
                raise GivenUp
            self._tell_hold_up(wait)

        return watch

    def _find(self, place: Place) -> None:
        replay = self._opened(place)
        frame = replay.frame(place.step)
        picture = picture_of(frame.image) if frame.image is not None else None
        with self._changed:
            self._moment = Moment(place, replace(frame, image=None), picture)
        self.ready.emit()

    def _opened(self, place: Place) -> Replay:
        from engine.analysis.replaying import Replay

        if place.recording != self._recording or self._demonstrations is None:
            from engine.runs.library import Library
            from engine.runs.recordings import Recordings

            self._free()
            with Library(self._folder) as library:
                self._demonstrations = Recordings(library).whole(place.recording)
            self._recording = place.recording
        if self._replay is None or self._of != (place.recording, place.episode):
            if self._replay is not None:
                self._replay.close()
            data = self._demonstrations
            episode = data.episodes[place.episode]
            self._replay = Replay(data.environment, episode if self._pictured else replace(episode, seed=None))
            self._of = place.recording, place.episode
        return self._replay

    def _free(self) -> None:
        if self._replay is not None:
            self._replay.close()
        self._replay = self._of = self._demonstrations = None
        self._recording = ""
