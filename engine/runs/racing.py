"""Agents of several runs that play rounds side by side, a step of each for a step of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from engine.catalogue.spaces import EnvironmentInfo
from engine.reports.frames import Frame
from engine.runs.library import Library
from engine.runs.records import RunRecord
from engine.runs.snapshots import Snapshot, kept_at, last_kept

if TYPE_CHECKING:  # with torch
    from engine.analysis.landscape.episodes import Mean

Instant = int | Literal["last", "best"]
"""A policy of a run: the last one that was kept, the one of the best checkpoint, or that after so many environment
steps."""


def policy_at(library: Library, run: RunRecord, environment: EnvironmentInfo, instant: Instant) -> Snapshot | None:
    """The policy of a run that was kept of ``instant``; None where none was kept of the run at all.

    After so many environment steps it is the last one that was kept of no more steps, or else the first that there is;
    without a best one it is the last one.

    Raises:
        RequestError: it is damaged, or of a configuration that is not known here.
        RunError: the library cannot be read.
    """
    iteration = _iteration_of(library, run.id, instant)
    return last_kept(library, run, environment) if iteration is None else kept_at(library, run, environment, iteration)


def _iteration_of(library: Library, run: str, instant: Instant) -> int | None:
    """After how many iterations it was kept; None for the last."""
    checkpoints = library.checkpoints(run)
    if instant == "best":
        return next((each.iteration for each in checkpoints if "best" in each.kinds), None)
    if instant == "last":
        return None
    kept = {(steps, iteration) for iteration, steps, _ in library.snapshots(run)}
    kept |= {(each.environment_steps, each.iteration) for each in checkpoints}
    if not kept:
        return None
    return max((each for each in kept if each[0] <= instant), default=min(kept))[1]


def start_of(seed: int, round: int, lane: int) -> int:
    """The seed from which the episode of a ``round`` begins, counted from 1, of all who have the same ``lane``."""
    import numpy as np

    return int(np.random.SeedSequence((seed, round, lane)).generate_state(1, np.uint32)[0])


def ranks(returns: Sequence[float]) -> list[int]:
    """The place of each return among all, from 1 for the highest; those that are alike share one, and as many places
    are left out behind it: 1, 1, 3."""
    return [1 + sum(other > each for other in returns) for each in returns]


class Racer:
    """The agent of one run, which plays an episode in each round.

    Args:
        kept: its policy.
        seed: of what its actions are drawn with.

    Raises:
        As ``Playback``: on construction, from ``take`` and from ``advance``.
    """

    def __init__(self, kept: Snapshot, seed: int) -> None:
        from engine.analysis.playback import Playback

        self._player = Playback(kept.policy, seed)
        self.environment_steps = kept.environment_steps
        """Those after which the policy was kept that plays, or plays from the next round on."""
        self.frame: Frame | None = None
        self.returns: tuple[float, ...] = ()  # of the rounds that have ended for all
        self.mean: Mean | None = None  # of these, where there are two at least

    @property
    def waits(self) -> bool:
        """Whether its episode has ended, and it waits for the others'."""
        return self.frame is not None and self.frame.ended

    @property
    def iteration(self) -> int:
        return self._player.playing.iteration

    @property
    def frames_per_second(self) -> float:
        return self._player.frames_per_second

    def take(self, kept: Snapshot) -> None:
        """Play this policy of the same run from the next round on."""
        self._player.use(kept.policy)
        self.environment_steps = kept.environment_steps

    def begin(self, seed: int) -> None:
        """Have the next ``advance`` begin an episode from ``seed``."""
        import numpy as np

        from engine.analysis.beginnings import AfterActions

        self._player.begin(AfterActions(seed, np.empty(0)))
        self.frame = None

    def advance(self, greedy: bool, *, render: bool) -> None:
        """Take a step, unless it waits; a picture is made where it is to be rendered, and always of the last state."""
        if self.waits:
            return
        self.frame = self._player.advance(greedy, render, told=render)

    def note(self) -> None:
        """Count the round, which has ended for all."""
        if self.frame is not None:
            self.returns = (*self.returns, self.frame.reward_so_far)
            self.mean = _mean_of(self.returns)

    def forget(self) -> None:
        """Begin anew with the rounds."""
        self.returns, self.mean = (), None

    def close(self) -> None:
        """Free its environment."""
        self._player.close()


def _mean_of(returns: Sequence[float]) -> Mean | None:
    """The mean with its 95 % interval by Student's t; None of fewer than two."""
    import numpy as np

    from engine.analysis.landscape.episodes import mean_of

    return mean_of(np.array(returns)) if len(returns) > 1 else None
