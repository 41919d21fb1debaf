"""The QThread that plays the policies of two runs in step: from the same seed, at one pace, both or neither."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal
from PySide6.QtGui import QImage

from app.session.failures import failure
from app.session.playback_pace import MOST_WHILE_LEARNING, Pace
from app.session.playback_thread import FASTEST, HOLD, SLOWEST, picture_of
from engine.reports.frames import Frame
from engine.runtime.errors import RequestError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.analysis.playback import Playback, PolicySnapshot

Pair = tuple[str, str]  # the runs, by their ids


@dataclass(frozen=True)
class SideFrame:
    """What is seen of one of the two: a frame without its picture, and the picture."""

    frame: Frame
    picture: QImage | None


class SideBySide(QThread):
    """Plays while ``wanted`` and not paused; every method may be called from any thread.

    Both episodes begin together and are moved together, a step of each for a step of the other; one that has ended
    waits in its last state for the other. The newest pair of frames wins, of which ``frames_ready`` tells once until it
    is taken.
    """

    frames_ready = Signal()
    failed = Signal(str)  # one sentence; nothing plays until another pair is asked for

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.setObjectName("side by side")
        self._folder = folder
        self._changed = threading.Condition()
        self._pair: Pair | None = None
        self._asked = 0  # counts the pairs that were asked for
        self._shown: tuple[SideFrame, SideFrame] | None = None
        self._announced = self._wanted = self._paused = self._failed = self._stopping = False
        self._pace = Pace()

    # --- from the window ----------------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self._paused

    def show_pair(self, pair: Pair | None) -> None:
        """Play these from now on, with their newest policies; None plays nothing."""
        with self._changed:
            self._pair, self._shown, self._failed = pair, None, False
            self._asked += 1
            self._changed.notify_all()

    def set_paused(self, paused: bool) -> None:
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def set_wanted(self, wanted: bool) -> None:
        """Whether anyone can see them; without, the thread sleeps."""
        with self._changed:
            self._wanted = wanted
            self._changed.notify_all()

    def take(self) -> tuple[SideFrame, SideFrame] | None:
        """The newest frames, or None where they have been taken already."""
        with self._changed:
            shown, self._shown = self._shown, None
            self._announced = False
            return shown

    def end(self) -> None:
        """Have the thread end as soon as it can."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        players: list[Playback] = []
        frames: list[Frame | None] = [None, None]
        asked = -1
        while (turn := self._next_turn()) is not None:
            now, pair = turn
            try:
                with while_waiting(partial(self._meanwhile, now)):
                    if now != asked:
                        _close(players)
                        players, frames, asked = [], [None, None], now
                        self._open(pair, players)
                    frames = self._move(players, frames, now)
            except BaseException as error:
                _close(players)
                players, asked = [], -1
                self._fail(now, error)
        _close(players)

    def _next_turn(self) -> tuple[int, Pair] | None:
        """Sleep until the next steps are due; None when the thread is to end."""
        with self._changed:
            while not self._stopping:
                if self._pair is None or self._paused or self._failed or not self._wanted:
                    self._changed.wait()
                    continue
                early = self._pace.due - time.monotonic()
                if early <= 0:
                    return self._asked, self._pair
                self._changed.wait(early)
        return None

    def _meanwhile(self, asked: int, _wait: Wait) -> None:
        with self._changed:
            if self._stopping or asked != self._asked:
                raise GivenUp

    def _open(self, pair: Pair, players: list[Playback]) -> None:
        """Make a player of each, both from the seed of the first run."""
        from engine.analysis.playback import Playback
        from engine.runs.library import Library

        with Library(self._folder) as library:
            snapshots = [_newest(library, run) for run in pair]
        for snapshot in snapshots:
            players.append(Playback(snapshot, snapshots[0].config.seed))

    def _move(self, players: list[Playback], frames: list[Frame | None], asked: int) -> list[Frame | None]:
        """Take the steps that are due in both, and hand over where they lead."""
        rate = min(min(max(player.frames_per_second, SLOWEST), FASTEST) for player in players)
        if all(frame is not None and frame.ended for frame in frames):
            frames = [None, None]
        for taken in range(steps := self._pace.steps(rate, time.monotonic(), MOST_WHILE_LEARNING)):
            render = taken == steps - 1
            frames = [
                frame if frame is not None and frame.ended else player.advance(greedy=False, render=render)
                for player, frame in zip(players, frames, strict=True)
            ]
            if all(frame is not None and frame.ended for frame in frames):
                self._pace.hold(HOLD, time.monotonic())
                break
        one, other = (_side(frame) for frame in frames if frame is not None)
        self._hand_over((one, other), asked)
        return frames

    def _hand_over(self, shown: tuple[SideFrame, SideFrame], asked: int) -> None:
        with self._changed:
            if asked != self._asked or self._stopping:
                return
            self._shown = shown
            announce, self._announced = not self._announced, True
        if announce:
            self.frames_ready.emit()

    def _fail(self, asked: int, error: BaseException) -> None:
        if isinstance(error, GivenUp):
            return  # as wished
        with self._changed:
            if asked != self._asked or self._stopping:
                return
            self._failed = True
        self.failed.emit(failure(error, "The agents cannot be shown"))


def _newest(library: object, run: str) -> PolicySnapshot:
    """The last policy that was kept of a run.

    Raises:
        RequestError: nothing was kept of it, or its environment is not known here.
    """
    from engine.catalogue.configured import changed, described
    from engine.runs.library import Library
    from engine.runs.snapshots import from_bytes

    assert isinstance(library, Library)
    record = library.run(run)
    config = record.config_now
    plain = described(config.environment)
    if plain is None:
        raise RequestError(
            f"{record.environment} is not in the catalogue; open run {record.number} to watch its agent."
        )
    kept = library.snapshots(run)
    if not kept:
        raise RequestError(f"No policy was kept of run {record.number}; train a run, and its agent can be watched.")
    return from_bytes(library.snapshot(run, kept[-1][0]), config, changed(plain, config.environment)).policy


def _side(frame: Frame) -> SideFrame:
    return SideFrame(replace(frame, image=None), None if frame.image is None else picture_of(frame.image))


def _close(players: list[Playback]) -> None:
    for player in players:
        with suppress(Exception):
            player.close()
