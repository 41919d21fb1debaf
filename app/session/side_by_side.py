"""The QThread that plays the policies of two runs in step: from the same seed, at one pace, both or neither."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal
from PySide6.QtGui import QImage

from app.session.failures import failure
from app.session.playback_pace import MOST_WHILE_LEARNING, Pace
from app.session.playback_thread import FASTEST, HOLD, SHORTEST_HOLD, SLOWEST, picture_of
from engine.catalogue.configured import changed, described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.reports.frames import Frame
from engine.runs.records import ALIVE
from engine.runtime.errors import RequestError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.analysis.playback import Playback, PolicySnapshot
    from engine.runs.library import Library

Pair = tuple[str, str]  # the runs, by their ids
Known = Callable[[RunConfig], EnvironmentInfo | None]


def known_in_the_catalogue(config: RunConfig) -> EnvironmentInfo | None:
    """The environment of a configuration before its changes; None where it has to be looked at to be known."""
    return described(config.environment)


@dataclass(frozen=True)
class SideFrame:
    """What is seen of one of the two: a frame without its picture, and the picture.

    ``returns`` are those of its episodes that have ended, of the pair that is shown.
    """

    frame: Frame
    picture: QImage | None
    returns: tuple[float, ...] = ()


class _Side:
    """One of the two as it plays."""

    def __init__(self, player: Playback) -> None:
        self.player = player
        self.frame: Frame | None = None
        self.returns: tuple[float, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether its episode has ended."""
        return self.frame is not None and self.frame.ended

    def advance(self, greedy: bool, render: bool) -> None:
        self.frame = self.player.advance(greedy, render, told=render)
        if self.frame.ended:
            self.returns = (*self.returns, self.frame.reward_so_far)

    def shown(self) -> SideFrame:
        assert self.frame is not None
        image = self.frame.image
        picture = None if image is None else picture_of(image)
        return SideFrame(replace(self.frame, image=None), picture, self.returns)


class SideBySide(QThread):
    """Plays while ``wanted`` and not paused; every method may be called from any thread.

    Both episodes begin together and are moved together, a step of each for a step of the other; one that has ended
    waits in its last state for the other. The newest pair of frames wins, of which ``frames_ready`` tells once until it
    is taken.

    Args:
        known: the environment of a configuration before its changes, None where that is not known; asked on this
            thread.
    """

    frames_ready = Signal()
    failed = Signal(str)  # one sentence; nothing plays until another pair is asked for

    def __init__(self, folder: Path, known: Known = known_in_the_catalogue) -> None:
        super().__init__()
        self.setObjectName("side by side")
        self._folder, self._known = folder, known
        self._changed = threading.Condition()
        self._pair: Pair | None = None
        self._asked = 0  # counts the pairs that were asked for
        self._shown: tuple[SideFrame, SideFrame] | None = None
        self._announced = self._wanted = self._paused = self._failed = self._stopping = False
        self._speed, self._greedy = 1.0, False
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

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times the pace of the slower environment of the two, from now on."""
        with self._changed:
            self._speed = speed
            self._pace.due = time.monotonic()
            self._changed.notify_all()

    @property
    def greedy(self) -> bool:
        return self._greedy

    def set_greedy(self, greedy: bool) -> None:
        """Take the most likely action rather than a sampled one in both, from the next decision on."""
        self._greedy = greedy

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
        sides: list[_Side] = []
        asked = -1
        while (turn := self._next_turn()) is not None:
            now, pair = turn
            try:
                with while_waiting(partial(self._meanwhile, now)):
                    if now != asked:
                        _close(sides)
                        asked = now
                        self._open(pair, sides)
                    self._move(sides, now)
            except BaseException as error:
                _close(sides)
                asked = -1
                self._fail(now, error)
        _close(sides)

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

    def _open(self, pair: Pair, sides: list[_Side]) -> None:
        """Make a player of each, both from the seed of the first run."""
        from engine.analysis.playback import Playback
        from engine.runs.library import Library

        with Library(self._folder) as library:
            snapshots = [self._newest(library, run) for run in pair]
        for snapshot in snapshots:
            sides.append(_Side(Playback(snapshot, snapshots[0].config.seed)))

    def _follow_training(self, sides: list[_Side]) -> None:
        """Play on with what runs that train have learned meanwhile."""
        from engine.runs.library import Library

        pair = self._pair
        with Library(self._folder) as library:
            for run, side in zip(pair or (), sides, strict=False):
                newest = max((iteration for iteration, _, _ in library.snapshots(run)), default=0)
                if newest > side.player.playing.iteration and library.run(run).status in ALIVE:
                    side.player.use(self._newest(library, run))

    def _newest(self, library: Library, run: str) -> PolicySnapshot:
        """The last policy that was kept of a run.

        Raises:
            RequestError: nothing was kept of it, or its environment is not known here.
        """
        from engine.runs.snapshots import last_kept

        record = library.run(run)
        config = record.config_now
        plain = self._known(config)
        if plain is None:
            raise RequestError(
                f"{record.environment} is not in the catalogue and has not been looked at since the program was "
                f"started; open run {record.number} in Train once, and its agent plays here."
            )
        kept = last_kept(library, record, changed(plain, config.environment))
        if kept is None:
            raise RequestError(f"No policy was kept of run {record.number}; train a run, and its agent can be watched.")
        return kept.policy

    def _move(self, sides: list[_Side], asked: int) -> None:
        """Take the steps that are due in both, and hand over where they lead."""
        rate = self._speed * min(min(max(side.player.frames_per_second, SLOWEST), FASTEST) for side in sides)
        if all(side.waits for side in sides):
            self._follow_training(sides)
            for side in sides:
                side.frame = None
        for taken in range(steps := self._pace.steps(rate, time.monotonic(), MOST_WHILE_LEARNING)):
            for side in sides:
                if not side.waits:
                    side.advance(self._greedy, render=taken == steps - 1)
            if all(side.waits for side in sides):
                self._pace.hold(max(SHORTEST_HOLD, HOLD / max(self._speed, 1.0)), time.monotonic())
                break
        one, other = (side.shown() for side in sides)
        self._hand_over((one, other), asked)

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


def _close(sides: list[_Side]) -> None:
    for side in sides:
        with suppress(Exception):
            side.player.close()
    sides.clear()
