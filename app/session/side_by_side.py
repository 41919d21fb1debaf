"""The QThread that plays the policies of several runs in step: in rounds, at one pace, all or none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal

from app.session.failures import failure
from app.session.playback_pace import MOST_PICTURES, Achieved, Pace
from app.session.playback_thread import FASTEST, HOLD, LONGEST_BURST, SHORTEST_HOLD, SLOWEST
from app.session.side import Side, SideFrame
from engine.catalogue.configured import changed, described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.runs.racing import Instant, Racer, policy_at, start_of
from engine.runs.records import ALIVE
from engine.runtime.errors import RequestError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.runs.library import Library
    from engine.runs.snapshots import Snapshot

MOST = 8  # agents that play at once
LEAST_PICTURES = 5.0  # of each, per second, of which where there is time for them
YIELDED = 0.04  # of a core that playing takes while something learns, about as much as one agent alone takes
_THREADS = 4  # at most, that wait for the agents' environments
Known = Callable[[RunConfig], EnvironmentInfo | None]


def known_in_the_catalogue(config: RunConfig) -> EnvironmentInfo | None:
    """The environment of a configuration before its changes; None where it has to be looked at to be known."""
    return described(config.environment)


@dataclass(frozen=True)
class Lineup:
    """Who plays: the ``runs`` by their ids, ``MOST`` at most, each with its policy ``at`` that instant; whether in each
    round all episodes begin alike, as far as their environments are."""

    runs: tuple[str, ...]
    at: Instant = "last"
    alike: bool = True


@dataclass(frozen=True)
class Shown:
    """What is seen of all, in the order of the line-up, in this ``round``, counted from 1; how many times as fast as
    the slowest environment's own pace they play, where that is clearly less than is wished for, else None."""

    sides: tuple[SideFrame, ...]
    round: int = 1
    slow: float | None = None


class SideBySide(QThread):
    """Plays while ``wanted`` and not paused; every method may be called from any thread.

    The episodes of a round begin together and are moved together, a step of each for a step of the others; one that has
    ended waits in its last state for the rest, and then the next round begins for all. The newest frames win, of which
    ``frames_ready`` tells once until they are taken.

    Args:
        known: the environment of a configuration before its changes, None where that is not known; asked on this
            thread.
    """

    frames_ready = Signal()
    failed = Signal(str)  # one sentence; nothing plays until another line-up is asked for

    def __init__(self, folder: Path, known: Known = known_in_the_catalogue) -> None:
        super().__init__()
        self.setObjectName("side by side")
        self._folder, self._known = folder, known
        self._changed = threading.Condition()
        self._lineup: Lineup | None = None
        self._asked = self._opened = 0  # counts the line-ups that were asked for, and which of them plays
        self._shown: Shown | None = None
        self._announced = self._wanted = self._paused = self._resting = self._stopping = self._yields = False
        self._speed, self._greedy = 1.0, False
        self._pace, self._achieved = Pace(), Achieved()
        self._pictures = MOST_PICTURES  # per second, as many as there is time for
        self._moved: tuple[float, int] | None = None  # when steps were taken last, and how many
        self._round = self._seed = 0
        self._fresh = True  # no step of the round has been taken yet

    # --- from the window ----------------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def lineup(self) -> Lineup | None:
        return self._lineup

    def show_lineup(self, lineup: Lineup | None) -> None:
        """Play these from now on, from the first round; None plays nothing."""
        with self._changed:
            self._lineup, self._shown, self._resting = lineup, None, False
            self._asked += 1
            self._pace.due = 0.0
            self._changed.notify_all()

    def set_paused(self, paused: bool) -> None:
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times the pace of the slowest of the environments, from now on."""
        with self._changed:
            self._speed, self._achieved = speed, Achieved()
            self._pace.due, self._moved = time.monotonic(), None
            self._changed.notify_all()

    @property
    def greedy(self) -> bool:
        return self._greedy

    def set_greedy(self, greedy: bool) -> None:
        """Take the most likely action rather than a sampled one in all, from the next decision on."""
        self._greedy = greedy

    @property
    def yields(self) -> bool:
        return self._yields

    def set_yields(self, yields: bool) -> None:
        """Whether something learns, which playing takes no more of a core from than ``YIELDED``."""
        self._yields = yields

    def set_wanted(self, wanted: bool) -> None:
        """Whether anyone can see them; without, the thread sleeps."""
        with self._changed:
            self._wanted = wanted
            self._changed.notify_all()

    def take(self) -> Shown | None:
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
        sides: list[Side] = []
        asked = -1
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "side by side") as pool:
            while (turn := self._next_turn()) is not None:
                now, lineup = turn
                try:
                    with while_waiting(partial(self._meanwhile, lineup)):
                        if now != asked:
                            self._open(lineup, sides, pool)
                            asked = self._opened = now
                        self._move(sides, lineup, pool)
                        self._hand_over(sides, now)
                except BaseException as error:
                    asked = -1
                    self._fail(now, error)
            _close(sides)

    def _next_turn(self) -> tuple[int, Lineup] | None:
        """Sleep until the next steps are due; None when the thread is to end."""
        with self._changed:
            while not self._stopping:
                lineup = self._lineup
                paused = self._paused and self._asked == self._opened  # others are seen at their start
                if lineup is None or paused or self._resting or not self._wanted:
                    self._moved = None
                    self._changed.wait()
                    continue
                early = self._pace.due - time.monotonic()
                if early <= 0:
                    return self._asked, lineup
                self._changed.wait(early)
        return None

    def _meanwhile(self, lineup: Lineup, _wait: Wait) -> None:
        """Wait on for environments that are to be played in, with whatever policy."""
        with self._changed:
            if self._stopping or self._lineup is None or self._lineup.runs != lineup.runs:
                raise GivenUp

    def _open(self, lineup: Lineup, sides: list[Side], pool: ThreadPoolExecutor) -> None:
        """Have a side for each of the runs: that of before where it was there, so that its environment stays."""
        from engine.runs.library import Library

        before, sides[:] = list(sides), []
        for run in lineup.runs:
            same = next((side for side in before if side.run == run), None)
            if same is not None:
                before.remove(same)
            sides.append(same or Side(run))
        _close(before)
        with Library(self._folder) as library:
            for side in sides:
                side.kept, side.trouble = None, ""
                side.attempt(partial(self._fetch, library, side, lineup.at))
        self._seed = next((side.kept.policy.config.seed for side in sides if side.kept is not None), 0)
        lanes = range(len(sides)) if not lineup.alike else [0] * len(sides)
        _all(
            pool, [partial(side.attempt, partial(self._ready, side, at)) for side, at in zip(sides, lanes, strict=True)]
        )
        self._round = 0
        self._achieved, self._pictures = Achieved(), MOST_PICTURES
        self._begin(sides, lineup)

    def _fetch(self, library: Library, side: Side, at: Instant) -> None:
        side.kept = self._policy(library, side.run, at)

    def _ready(self, side: Side, lane: int) -> None:
        """Have it play what was kept."""
        if side.kept is None:
            side.close()
        elif side.racer is None:
            side.racer = Racer(side.kept, start_of(self._seed, 0, lane))
        else:
            side.racer.take(side.kept)
            side.racer.forget()

    def _begin(self, sides: Sequence[Side], lineup: Lineup) -> None:
        """Begin the next round."""
        self._round += 1
        self._moved, self._fresh = None, True
        for at, side in enumerate(sides):
            if side.racer is not None:
                side.racer.begin(start_of(self._seed, self._round, 0 if lineup.alike else at))

    def _follow_training(self, sides: Sequence[Side], lineup: Lineup) -> None:
        """Play on with what runs that train have learned meanwhile."""
        from engine.runs.library import Library

        with Library(self._folder) as library:
            for side in sides:
                if side.racer is not None and library.run(side.run).status in ALIVE:
                    newest = max((iteration for iteration, _, _ in library.snapshots(side.run)), default=0)
                    if newest > side.racer.iteration:
                        side.racer.take(self._policy(library, side.run, lineup.at))

    def _policy(self, library: Library, run: str, at: Instant) -> Snapshot:
        """The policy of a run at that instant.

        Raises:
            RequestError: nothing was kept of it, or its environment is not known here.
        """
        record = library.run(run)
        config = record.config_now
        plain = self._known(config)
        if plain is None:
            raise RequestError(
                f"{record.environment} is not in the catalogue and has not been looked at since the program was "
                f"started; open run {record.number} in Train once, and its agent plays here."
            )
        kept = policy_at(library, record, changed(plain, config.environment), at)
        if kept is None:
            raise RequestError(f"No policy was kept of run {record.number}; train a run, and its agent can be watched.")
        return kept

    def _move(self, sides: Sequence[Side], lineup: Lineup, pool: ThreadPoolExecutor) -> None:
        """Take the steps that are due in all."""
        if not any(side.plays for side in sides):
            self._follow_training(sides, lineup)
            self._begin(sides, lineup)
        rate = self._rate(sides)
        began, worked = time.monotonic(), _seconds(sides)
        if self._moved is not None:
            self._achieved.took(self._moved[1], began - self._moved[0])
        steps = self._pace.steps(rate, began, self._pictures)
        if self._fresh:  # how a round begins is seen
            steps, self._fresh = 1, False
        for taken in range(1, steps + 1):
            last = taken == steps or time.monotonic() - began > LONGEST_BURST
            _all(pool, [partial(self._advance, side, last) for side in sides if side.plays])
            if last or not any(side.plays for side in sides):
                break
        self._moved = began, taken
        self._adapt(began, _seconds(sides) - worked)
        if not any(side.plays for side in sides):
            for side in sides:
                if side.racer is not None:
                    side.racer.note()
            self._moved = None
            self._pace.hold(max(SHORTEST_HOLD, HOLD / max(self._speed, 1.0)), time.monotonic())

    def _advance(self, side: Side, render: bool) -> None:
        if side.racer is not None:
            side.attempt(partial(side.racer.advance, self._greedy, render=render))

    def _rate(self, sides: Sequence[Side]) -> float:
        """The steps per second that are wished for: of all those of the slowest."""
        rates = (side.racer.frames_per_second for side in sides if side.racer is not None)
        return self._speed * min((min(max(rate, SLOWEST), FASTEST) for rate in rates), default=1.0)

    def _adapt(self, began: float, worked: float) -> None:
        """Make as many pictures as there is time for: fewer where a turn took longer than it is from one to the next.

        While something learns, the next turn waits until the seconds that were ``worked`` are no more of a core than
        ``YIELDED``, which slows the episodes; then turns are made shorter, so that pictures do not become too few.
        """
        now = time.monotonic()
        ready = max(now, began + worked / YIELDED) if self._yields else now
        if ready > self._pace.due and ready - began <= 1.0 / LEAST_PICTURES:
            self._pictures = max(0.9 * self._pictures, LEAST_PICTURES)
        else:
            self._pictures = min(1.02 * self._pictures, MOST_PICTURES)
        if self._yields:
            self._pace.due = max(self._pace.due, ready)

    def _hand_over(self, sides: Sequence[Side], asked: int) -> None:
        rate = self._rate(sides)
        achieved = self._achieved.below(rate)
        slow = None if achieved is None else self._speed * achieved / rate
        shown = Shown(tuple(side.shown() for side in sides), self._round, slow)
        with self._changed:
            if asked != self._asked or self._stopping:
                return
            self._shown = shown
            self._resting = all(side.racer is None for side in sides)
            announce, self._announced = not self._announced, True
        if announce:
            self.frames_ready.emit()

    def _fail(self, asked: int, error: BaseException) -> None:
        if isinstance(error, GivenUp):
            return  # as wished
        with self._changed:
            if asked != self._asked or self._stopping:
                return
            self._resting = True
        self.failed.emit(failure(error, "The agents cannot be shown"))


def _all(pool: ThreadPoolExecutor, tasks: Sequence[Callable[[], None]]) -> None:
    """Do all of these, some at the same time, and wait for them."""
    begun = [pool.submit(copy_context().run, task) for task in tasks]
    wait(begun)
    for each in begun:
        each.result()


def _seconds(sides: Sequence[Side]) -> float:
    """Of a core, that this process has worked for them."""
    return time.thread_time() + sum(side.seconds for side in sides)


def _close(sides: Sequence[Side]) -> None:
    for side in sides:
        side.close()
