"""The QThread that steps the environment in which a person plays; it is none at all while nobody does."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread, Signal
from PySide6.QtGui import QImage

from app.session.failures import failure, print_trace
from app.session.playback_pace import MOST_PICTURES
from app.session.playback_thread import FASTEST, SLOWEST, picture_of
from engine.config.environments import EnvironmentConfig
from engine.reports.frames import Frame
from engine.runtime.waiting import GivenUp, Wait, telling, while_waiting

if TYPE_CHECKING:  # with numpy
    from numpy.typing import NDArray

    from engine.analysis.beginnings import InState
    from engine.analysis.held_controls import HeldControls
    from engine.analysis.manual_play import ManualPlay
    from engine.experience.demonstrations import Demonstration
    from engine.runs.recording_records import RecordingRecord


@dataclass(frozen=True)
class Played:
    """An episode of a person's, ended or broken off."""

    environment: EnvironmentConfig
    demonstration: Demonstration


@dataclass(frozen=True)
class Shown:
    """A moment of the episode, its picture, and the environment's own pace in steps per second."""

    frame: Frame
    picture: QImage
    rate: float


Keep = Callable[[Played], "RecordingRecord"]


class PlayThread(QThread):
    """Does what the main thread asks, one after the other, and steps by itself while it has a ``pace``.

    What was played is handed to ``keep``, on this thread, when an episode ends or is broken off, whatever breaks it
    off; where that fails it is kept here and handed over again with the next one and at the end.

    Args:
        load: called before an episode begins, for what takes long to load.
    """

    frame_ready = Signal()
    failed = Signal(str)  # one sentence; the environment is gone, what was played in it is kept
    held_up = Signal(str)  # one sentence, once where the environment does not answer for long
    played = Signal(object)  # what ended or was broken off, a ``Played``
    kept = Signal(object)  # the record of what was kept, a ``RecordingRecord``
    not_kept = Signal(str)  # why, in one sentence; it is tried again

    def __init__(self, keep: Keep, load: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.setObjectName("play")
        self._keep, self._load = keep, load
        self._changed = threading.Condition()
        self._asked: deque[Callable[[], None]] = deque()
        self._pace = 0.0  # times the environment's own; 0 steps only when asked
        self._due = 0.0
        self._wishes = 0  # counts what makes the episode under way unwanted
        self._wish = 0  # the number of the one that is being followed
        self._unkept_episode = False  # whether an episode has begun that has not been handed over
        self._ending = False
        self._hands: HeldControls | None = None
        self._play: ManualPlay | None = None
        self._shown: Shown | None = None
        self._announced = False
        self.unkept: list[Played] = []
        self._tell_hold_up = telling(self.held_up.emit)

    # --- from the main thread -----------------------------------------------------------------------------------------

    def begin(self, environment: EnvironmentConfig, hands: HeldControls, start: int | InState) -> None:
        """Begin an episode in which ``hands`` act, from a seed or in a state, in place of the one under way."""
        self._ask(partial(self._begin, environment, hands, start), unwanted=True)

    def step(self, action: NDArray[Any]) -> None:
        """Take one step with this action."""
        self._ask(partial(self._step, action))

    def set_pace(self, pace: float) -> None:
        """Step by itself from now on at ``pace`` times the environment's own rate; 0 stands still."""
        with self._changed:
            if pace and not self._pace:
                self._due = time.monotonic()
            self._pace = pace
            self._changed.notify_all()

    def leave(self) -> None:
        """Break off the episode and free its environment."""
        self._ask(self._leave, unwanted=True)

    def take(self) -> Shown | None:
        """The newest picture, or None where it has been taken already."""
        with self._changed:
            shown, self._shown = self._shown, None
            self._announced = False
            return shown

    def end(self) -> None:
        """Have the thread end as soon as it can, with everything kept."""
        with self._changed:
            self._ending = True
            self._wishes += 1
            self._changed.notify_all()

    def _ask(self, work: Callable[[], None], *, unwanted: bool = False) -> None:
        with self._changed:
            if self._ending:
                return
            if unwanted:
                self._pace = 0.0
                self._wishes += 1
                self._asked.clear()
                self._shown = None
            self._asked.append(work)
            self._changed.notify_all()
        if not self.isRunning():
            self.start()

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        while (work := self._next()) is not None:
            try:
                with while_waiting(self._meanwhile):
                    work()
            except BaseException as error:
                self._fail(error)
        self._leave()

    def _next(self) -> Callable[[], None] | None:
        """Sleep until there is something to do; None when the thread is to end."""
        with self._changed:
            while not self._ending:
                self._wish = self._wishes
                if self._asked:
                    return self._asked.popleft()
                playing = self._play is not None and self._play.under_way and self._pace > 0.0
                early = self._due - time.monotonic() if playing else None
                if early is not None and early <= 0.0:
                    return self._go_on
                self._changed.wait(early)
        return None

    def _meanwhile(self, wait: Wait) -> None:
        """While the environment does not answer: it is given up once something else is wanted."""
        if self._wish != self._wishes:
            raise GivenUp
        self._tell_hold_up(wait)

    def _begin(self, environment: EnvironmentConfig, hands: HeldControls, start: int | InState) -> None:
        from engine.analysis.manual_play import ManualPlay  # with numpy and gymnasium

        self._load()
        self._break_off()
        if self._play is None or self._play.environment != environment:
            self._free()
            self._play = ManualPlay(environment)
        self._hands = hands
        hands.begin()
        frame = self._play.begin(start) if isinstance(start, int) else self._play.begin_in(start)
        self._unkept_episode = True
        self._show(frame)

    def _go_on(self) -> None:
        """Take the steps that are due at this pace, of which the last is shown; those that are late are left out, since
        nobody acts in what they do not see."""
        assert self._play is not None
        assert self._hands is not None
        rate = self._rate * (self._pace or 1.0)
        stride = max(1, math.ceil(rate / MOST_PICTURES))
        for taken in range(1, stride + 1):
            action = self._hands.action()
            if action is None:  # nobody has said what to do
                break
            self._step(action, render=taken == stride)
            if not self._play.under_way:
                break
        self._due = max(self._due + stride / rate, time.monotonic())

    def _step(self, action: NDArray[Any], *, render: bool = True) -> None:
        play = self._play
        if play is None or not play.under_way:
            return
        frame = play.step(action, render)
        if frame.image is not None:
            self._show(frame)
        if frame.ended:
            self._hand_over()

    @property
    def _rate(self) -> float:
        assert self._play is not None
        return min(max(self._play.frames_per_second, SLOWEST), FASTEST)

    def _show(self, frame: Frame) -> None:
        assert frame.image is not None
        shown = Shown(replace(frame, image=None), picture_of(frame.image), self._rate)
        with self._changed:
            if self._wish != self._wishes:
                return  # of an episode that nobody wants to see any more
            self._shown = shown
            announce, self._announced = not self._announced, True
        if announce:
            self.frame_ready.emit()

    def _fail(self, error: BaseException) -> None:
        self._leave()
        if not isinstance(error, GivenUp):  # which is as wished
            self.failed.emit(failure(error, "The game cannot go on"))

    def _leave(self) -> None:
        self._break_off()
        self._free()
        self._hand_over_rest()

    def _free(self) -> None:
        play, self._play = self._play, None
        if play is not None:
            try:
                play.close()
            except BaseException as error:
                print_trace(error)

    def _break_off(self) -> None:
        if self._unkept_episode:
            self._hand_over()

    def _hand_over(self) -> None:
        """Keep what was played."""
        self._unkept_episode, play = False, self._play
        demonstration = play.demonstration() if play is not None else None
        if play is None or demonstration is None:
            return
        played = Played(play.environment, demonstration)
        self.unkept.append(played)
        self.played.emit(played)
        self._hand_over_rest()

    def _hand_over_rest(self) -> None:
        while self.unkept:
            try:
                record = self._keep(self.unkept[0])
            except BaseException as error:
                why = failure(error, "Something unexpected happened")
                self.not_kept.emit(f"{why} The episode is held in memory, and kept as soon as that can be done.")
                return
            del self.unkept[0]
            self.kept.emit(record)
