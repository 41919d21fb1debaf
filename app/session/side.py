"""One of the agents that play side by side: its policy, its episode, and what is seen of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from app.session.failures import failure
from app.session.playback_thread import picture_of
from engine.reports.frames import Frame
from engine.runs.racing import Racer
from engine.runtime.waiting import GivenUp

if TYPE_CHECKING:
    from engine.analysis.landscape.episodes import Mean
    from engine.runs.snapshots import Snapshot


@dataclass(frozen=True)
class SideFrame:
    """What is seen of one of them: a frame without its picture, the picture, and the environment steps after which its
    policy was kept; or else in a sentence what the ``trouble`` with it is, and before anything is seen, nothing.

    ``returns`` are those of the rounds that have ended for all, of which ``mean`` is the mean.
    """

    frame: Frame | None = None
    picture: QImage | None = None
    returns: tuple[float, ...] = ()
    mean: Mean | None = None
    environment_steps: int = 0
    trouble: str = ""


class Side:
    """One of them, who may not be able to play."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.kept: Snapshot | None = None  # what it plays
        self.racer: Racer | None = None
        self.trouble = ""
        self.seconds = 0.0  # of work on it that this process did

    @property
    def plays(self) -> bool:
        """Whether its episode goes on."""
        return self.racer is not None and not self.racer.waits

    def attempt(self, do: Callable[[], None]) -> None:
        """Do something with it; where that fails, it is out, and the others go on.

        Raises:
            GivenUp: its environment is not waited for any more.
        """
        began = time.thread_time()
        try:
            do()
        except GivenUp:
            self.close()
            raise
        except BaseException as error:
            self.trouble = failure(error, "The agent cannot be shown")
            self.close()
        self.seconds += time.thread_time() - began

    def shown(self) -> SideFrame:
        racer = self.racer
        if racer is None or racer.frame is None:
            return SideFrame(trouble=self.trouble)
        frame = racer.frame
        picture = None if frame.image is None else picture_of(frame.image)
        return SideFrame(replace(frame, image=None), picture, racer.returns, racer.mean, racer.environment_steps)

    def close(self) -> None:
        racer, self.racer = self.racer, None
        if racer is not None:
            with suppress(Exception):
                racer.close()
