"""The QThread that plays the newest policy at the rate at which it is watched, and sleeps while it is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QThread, Signal
from PySide6.QtGui import QImage

from app.session.failures import failure, print_trace
from app.session.playback_choice import OFTEN, SNAPSHOT_EVERY, PlaybackChoice
from app.session.playback_pace import MOST_PICTURES, MOST_WHILE_LEARNING, Achieved, Pace
from app.session.visited_states import VisitedStates
from engine.catalogue.spaces import EnvironmentInfo
from engine.reports.frames import Frame, Image
from engine.runtime.waiting import GivenUp, Wait, telling, while_waiting

if TYPE_CHECKING:
    from engine.analysis.beginnings import Beginning
    from engine.analysis.playback import Playback, PolicySnapshot

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
HOLD = 1.2  # seconds for which an episode's end is shown, long enough to read what it came to
SHORTEST_HOLD = 0.8
LONGEST_BURST = 0.1  # seconds of steps without a picture, for environments too slow for the speed asked for
SLOWEST, FASTEST = 0.1, 10_000.0  # steps per second that an environment may call its own pace
HIDDEN_PATIENCE = 1.0  # seconds for which an environment that nobody can see any more may take over an answer
MOST_PIXELS = 2048  # a side of a picture; more of them are not seen in a panel, and hold up the window


class Slowness(NamedTuple):
    """How many steps per second an environment manages, where that is clearly fewer than are ``wished`` for."""

    achieved: float
    wished: float


@dataclass(frozen=True)
class PlayedFrame:
    """What the panel draws: a frame, its picture, and the environment in which it was played.

    ``newest`` is the iteration of the newest policy there is, and ``training_mean`` the mean return of the last
    training episodes when the one that plays was that; ``held`` says that it plays until the newest is followed again.
    """

    frame: Frame
    picture: QImage
    environment: EnvironmentInfo
    slow: Slowness | None = None
    newest: int = 0
    training_mean: float | None = None
    held: bool = False


@dataclass(frozen=True)
class _Settings:
    """What holds while the next steps are taken."""

    snapshot: PolicySnapshot
    at_once: bool  # whether an episode of that policy begins even though another one's is under way
    beginning: Beginning | None  # where one begins in any case
    run: int
    speed: float
    greedy: bool
    pictured: bool  # whether the window has taken the last picture and is ready for another
    most: float  # pictures per second


class PlaybackThread(QThread):
    """Plays while ``wanted`` and not paused; every method may be called from any thread.

    Both ways the newest wins and nothing queues: ``offer`` replaces the snapshot that plays from the next episode on,
    or from now on where what plays is much older (``PlaybackChoice``), and ``take`` gives the newest picture, of which
    ``frame_ready`` tells once until it is taken.
    """

    frame_ready = Signal()
    begun = Signal()  # there is a policy to play, where before there was none; its environment may take a while
    failed = Signal(str)  # one sentence; nothing plays until ``retry`` or ``reset``
    held_up = Signal(str)  # one sentence, once where the environment does not answer for long
    pause_changed = Signal()
    follow_changed = Signal(bool)  # whether the newest policy plays, or one that is held

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("playback")
        self._changed = threading.Condition()
        self._choice = PlaybackChoice()
        self._run = 0  # counts resets, so that what belongs to an earlier run is recognised
        self._shown: PlayedFrame | None = None
        self.picture: QImage | None = None  # the latest of this run, taken or not
        self.state: int | None = None  # the number of the state that it shows, where states have one
        self.visited = VisitedStates()  # in the episodes that were played of this run
        self._announced = False
        self._speed = 1.0
        self._paused = self._greedy = self._failed = self._stopping = False
        self._wanting: frozenset[str] = frozenset()  # who looks at the episode
        self._often: frozenset[str] = frozenset()  # and at each policy
        self._pace = Pace()
        self._achieved = Achieved()
        self._tell_hold_up = telling(self.held_up.emit)

    # --- from the training thread -------------------------------------------------------------------------------------

    def wants(self, iteration: int) -> bool:
        """Whether a snapshot of the policy after ``iteration`` updates would be looked at: never while hidden, and at
        most a few times in a second, but for the first ones of a run."""
        every = OFTEN if self._often else SNAPSHOT_EVERY
        return self._wanted and not self._stopping and self._choice.wants(iteration, time.monotonic(), every)

    def offer(self, snapshot: PolicySnapshot, *, new_run: bool = False, final: bool = False) -> None:
        """Play this policy from the next episode on; that of a new run at once, and a ``final`` one, where the run does
        not go on by itself, at once as well."""
        with self._changed:
            if new_run:
                self._forget()
            waited_for = self._choice.newest is None
            self._choice.offer(snapshot, time.monotonic(), final=final)
            if final:
                self._pace.due = 0.0  # an end that is shown is not shown on
            if waited_for or final:
                self._changed.notify_all()
        if waited_for:
            self.begun.emit()

    # --- from the window ----------------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def greedy(self) -> bool:
        return self._greedy

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times the environment's own rate, from now on."""
        with self._changed:
            self._speed = speed
            self._pace.due = time.monotonic()
            self._changed.notify_all()

    def set_paused(self, paused: bool) -> None:
        with self._changed:
            before, self._paused = self._paused, paused
            self._changed.notify_all()
        if paused != before:
            self.pause_changed.emit()

    def set_greedy(self, greedy: bool) -> None:
        """Take the most likely action rather than a sampled one, from the next decision on."""
        self._greedy = greedy

    @property
    def has_policy(self) -> bool:
        """Whether there is a policy that can be played."""
        return self._choice.newest is not None

    @property
    def policy(self) -> PolicySnapshot | None:
        """The one that is held, or else the newest."""
        return self._choice.watched

    @property
    def follows(self) -> bool:
        """Whether the newest policy plays, or one that is held."""
        return self._choice.follows

    @property
    def goes_on(self) -> bool:
        """Whether the newest policy is followed and a newer one is to come soon."""
        return self._choice.follows and not self._choice.at_rest

    def set_follow(self, follow: bool) -> None:
        """Follow the newest policy, or hold the one that plays, episode after episode; a new run is followed."""
        with self._changed:
            if follow == self._choice.follows:
                return
            if follow:
                self._choice.follow()
                self._pace.due = 0.0
            else:
                self._choice.hold()
            self._changed.notify_all()
        self.follow_changed.emit(follow)

    def look_at(self, snapshot: PolicySnapshot) -> None:
        """Hold this policy, which plays from now on, until the newest is followed again."""
        self._jump(lambda: self._choice.look_at(snapshot))

    def play_from(self, snapshot: PolicySnapshot, beginning: Beginning) -> None:
        """Play an episode of this policy that begins there, at once; those after it begin as ever. It is held as by
        ``look_at``, unless it is what is watched already. Where it cannot begin there, ``failed`` says why."""
        self._jump(lambda: self._choice.play_from(snapshot, beginning))

    def _jump(self, choose: Callable[[], None]) -> None:
        with self._changed:
            followed = self._choice.follows
            choose()
            self._failed = False
            self._pace.due = 0.0
            self._changed.notify_all()
        if followed and not self._choice.follows:
            self.follow_changed.emit(False)

    @property
    def _wanted(self) -> bool:
        return bool(self._wanting)

    def set_wanted(self, wanted: bool, by: str = "", *, often: bool = False) -> None:
        """Whether those of that name can see the episode; while nobody does, the thread sleeps. ``often`` where they
        look at each policy that comes, and not only at those that play."""
        with self._changed:
            self._wanting = self._wanting | {by} if wanted else self._wanting - {by}
            self._often = self._often | {by} if wanted and often else self._often - {by}
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget the policy and the episode; the next offered snapshot begins anew."""
        with self._changed:
            self._forget()
            self._changed.notify_all()

    def _forget(self) -> None:
        self._run += 1
        followed = self._choice.follows
        self._choice.forget()
        self._shown = self.picture = self.state = None
        self.visited.clear()
        self._failed = False
        if not followed:
            self.follow_changed.emit(True)

    def retry(self) -> None:
        """Begin a new episode after a failure."""
        with self._changed:
            self._failed = False
            self._changed.notify_all()

    def take(self) -> PlayedFrame | None:
        """The newest picture, or None where it has been taken already or belonged to an earlier run."""
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
        playback: Playback | None = None
        run = -1
        while (settings := self._next_settings()) is not None:
            try:
                with while_waiting(partial(self._meanwhile, settings)):
                    if playback is None or settings.run != run:
                        playback, run = self._replaced(playback, settings.snapshot), settings.run
                    else:
                        playback.use(settings.snapshot, at_once=settings.at_once)
                    if settings.beginning is not None:
                        playback.begin(settings.beginning)
                    self._play(playback, settings)
            except BaseException as error:
                _close(playback)
                playback = None
                self._fail(settings, error)
        _close(playback)

    def _replaced(self, playback: Playback | None, snapshot: PolicySnapshot) -> Playback:
        from engine.analysis.playback import Playback  # with torch, which is loaded by now, since there is a snapshot

        _close(playback)
        self._achieved = Achieved()
        return Playback(snapshot, snapshot.config.seed)

    def _meanwhile(self, settings: _Settings, wait: Wait) -> None:
        """While the environment does not answer: it is given up once nobody wants to see it any more."""
        with self._changed:
            gone = self._stopping or settings.run != self._run
            hidden = not self._wanted and wait.seconds >= HIDDEN_PATIENCE
        if gone or hidden:
            raise GivenUp
        self._tell_hold_up(wait)

    def _next_settings(self) -> _Settings | None:
        """Sleep until the next steps are due; None when the thread is to end."""
        with self._changed:
            while not self._stopping:
                paused = self._paused and not self._choice.jumps  # a policy that is looked at is seen at its start
                if self._choice.newest is None or paused or self._failed or not self._wanted:
                    self._changed.wait()
                    continue
                now = time.monotonic()
                early = self._pace.due - now
                if early <= 0 and (chosen := self._choice.next(now)) is not None:
                    most = MOST_PICTURES if self._choice.at_rest else MOST_WHILE_LEARNING
                    beginning = self._choice.take_beginning()
                    pictured = self._shown is None or chosen[1] or beginning is not None  # which nobody is to miss
                    return _Settings(*chosen, beginning, self._run, self._speed, self._greedy, pictured, most)
                self._changed.wait(early)
        return None

    def _play(self, playback: Playback, settings: _Settings) -> None:
        """Take the steps that are due, and hand over a picture of where they lead."""
        rate = min(max(playback.frames_per_second, SLOWEST), FASTEST) * settings.speed
        started = time.monotonic()
        steps = self._pace.steps(rate, started, settings.most)
        steps = 1 if self._paused else steps  # to where the episode begins
        for taken in range(1, steps + 1):
            last = taken == steps or time.monotonic() - started > LONGEST_BURST
            seen = last and settings.pictured
            frame = playback.advance(settings.greedy, render=seen, told=seen)
            self._note_visited(frame, settings)
            if last or frame.ended:
                break
        if frame.step < taken:  # an episode began, which takes time of its own
            self._note_begun(playback.playing, settings)
        else:
            self._achieved.took(taken, time.monotonic() - started)
        if frame.ended:
            self._pace.hold(max(SHORTEST_HOLD, HOLD / max(settings.speed, 1.0)), time.monotonic())
        if frame.image is not None:
            achieved = self._achieved.below(rate)
            slow = None if achieved is None else Slowness(achieved, rate)
            shown = PlayedFrame(replace(frame, image=None), picture_of(frame.image), playback.environment, slow)
            self._hand_over(shown, settings)

    def _note_visited(self, frame: Frame, settings: _Settings) -> None:
        if settings.run == self._run:
            self.visited.put(frame)

    def _note_begun(self, playing: PolicySnapshot, settings: _Settings) -> None:
        with self._changed:
            if settings.run == self._run:
                self._choice.began(playing, time.monotonic())

    def _hand_over(self, shown: PlayedFrame, settings: _Settings) -> None:
        with self._changed:
            newest, playing = self._choice.newest, self._choice.playing
            if settings.run != self._run or self._stopping or newest is None:
                return
            mean = playing.mean_return if playing is not None else None
            held = not self._choice.follows
            self._shown = replace(shown, newest=newest.iteration, training_mean=mean, held=held)
            self.picture, self.state = shown.picture, shown.frame.state
            announce, self._announced = not self._announced, True
        if announce:
            self.frame_ready.emit()

    def _fail(self, settings: _Settings, error: BaseException) -> None:
        if isinstance(error, GivenUp):
            return  # as wished
        with self._changed:
            if settings.run != self._run or self._stopping:
                return
            self._failed = True
        self.failed.emit(failure(error, "The episode cannot be shown"))


def _close(playback: Playback | None) -> None:
    """Close ``playback``, whatever its environment makes of it."""
    if playback is not None:
        try:
            playback.close()
        except BaseException as error:
            print_trace(error)


def picture_of(image: Image) -> QImage:
    """A copy that owns its bytes, in the format in which it is painted without another conversion."""
    from engine.environments.batches.picture_memory import pixels_of

    every = -(-max(image.shape) // MOST_PIXELS)
    pixels = pixels_of(image if every == 1 else image[::every, ::every])
    height, width, _ = pixels.shape
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32).copy()
