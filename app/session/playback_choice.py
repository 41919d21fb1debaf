"""Which policy is watched, and when a newer one takes over from it; a decision without a thread or a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # with torch
    from engine.analysis.beginnings import Beginning
    from engine.analysis.playback import PolicySnapshot

SHORTEST_SHOW = 1.5  # seconds for which a policy is shown at least before a much newer one takes over
SNAPSHOT_EVERY = 0.3  # seconds between policies that are looked at while training, each of which costs it a little
OFTEN = 0.08  # where somebody looks at each of them, and not only at those that play


def much_newer(iteration: int, than: int) -> bool:
    """Whether a policy of ``iteration`` updates has left one of ``than`` behind: after a first update at once, later
    after twice as many, since what one update adds becomes less."""
    return iteration >= 2 * than + 1


class PlaybackChoice:
    """Follows the newest policy, or holds one; all times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.follows = True
        self.newest: PolicySnapshot | None = None
        self.playing: PolicySnapshot | None = None  # in the episode that was begun last
        self._held: PolicySnapshot | None = None
        self._since = self._offered = 0.0  # when what plays was first played, and the newest offered
        self._unseen = False  # nothing has been played since the newest was offered
        self._at_once = False  # the newest is to be seen whatever plays
        self._held_at_once = False  # what is held is to be seen whatever plays
        self._beginning: Beginning | None = None  # of the next episode, which then is to be seen whatever plays
        self.at_rest = True  # no newer policy is to come soon

    def forget(self) -> None:
        """Begin without any policy, to follow the newest."""
        self.newest = self.playing = self._held = None
        self._unseen = self._at_once = self._held_at_once = False
        self._beginning = None
        self.follows = True

    def wants(self, iteration: int, now: float, every: float = SNAPSHOT_EVERY) -> bool:
        """Whether the policy of that iteration should be offered: at most so often, and not before the last was played,
        unless somebody looks at each."""
        if self.newest is None or much_newer(iteration, self.newest.iteration):
            return True
        return now - self._offered >= every and (not self._unseen or every < SNAPSHOT_EVERY)

    def offer(self, snapshot: PolicySnapshot, now: float, *, final: bool) -> None:
        """Know a newer policy; ``final`` where no newer one is to come soon, so that this is what is to be seen."""
        self.newest, self._offered, self._unseen = snapshot, now, True
        self.at_rest = final
        self._at_once |= final

    def hold(self) -> None:
        """Stay with what plays."""
        self.follows = False
        self._held = self.playing or self.newest

    def look_at(self, snapshot: PolicySnapshot) -> None:
        """Stay with this one, from now on and at once."""
        self.newest = self.newest or snapshot
        self.follows, self._held, self._held_at_once = False, snapshot, True

    def play_from(self, snapshot: PolicySnapshot, beginning: Beginning) -> None:
        """Play an episode that begins there, from now on and at once: of what is watched, or else stay with this
        one."""
        if snapshot is not self.watched:
            self.look_at(snapshot)
        self._beginning = beginning

    def follow(self) -> None:
        """Play the newest, from now on and at once."""
        self.follows, self._held, self._at_once = True, None, True
        self._held_at_once = False
        self._beginning = None

    @property
    def watched(self) -> PolicySnapshot | None:
        """What is to be seen: what is held, or else the newest."""
        return self.newest if self.follows else self._held or self.newest

    @property
    def jumps(self) -> bool:
        """Whether what is to be played has not been seen since it was asked for."""
        return self._held_at_once or self._beginning is not None

    def take_beginning(self) -> Beginning | None:
        """Where the next episode is to begin, told once; None where it begins as ever."""
        beginning, self._beginning = self._beginning, None
        return beginning

    def next(self, now: float) -> tuple[PolicySnapshot, bool] | None:
        """What is to be played now, and whether its episode begins even though another is under way; None where there
        is no policy."""
        if self.newest is None:
            return None
        self._unseen = False
        at_once, self._at_once = self._at_once, False
        if not self.follows:
            self._held = self._held or self.newest
            held_at_once, self._held_at_once = self._held_at_once, False
            return self._held, held_at_once
        if self.playing is None or self.playing.iteration == self.newest.iteration:
            return self.newest, False
        left_behind = much_newer(self.newest.iteration, self.playing.iteration)
        return self.newest, at_once or (left_behind and now - self._since >= SHORTEST_SHOW)

    def began(self, playing: PolicySnapshot, now: float) -> None:
        """An episode of ``playing`` has begun, its first or another one."""
        if self.playing is None or playing.iteration != self.playing.iteration:
            self._since = now
        self.playing = playing
