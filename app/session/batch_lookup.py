"""Looking into iterations of the run library on a thread of its own, and making pictures of the states in them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QObject, Signal
from PySide6.QtGui import QImage

from app.models.inspection import EpisodeDot, Wanted
from app.session.file_work import FileWork
from engine.catalogue.spaces import EnvironmentInfo

if TYPE_CHECKING:  # with torch
    from engine.analysis.inspecting import Approach
    from engine.analysis.playback import Playback, PolicySnapshot
    from engine.analysis.samples import Samples
    from engine.runtime.waiting import Wait


@dataclass(frozen=True)
class Found:
    """The samples of what was ``wanted`` of a ``run``; ``place`` says which of the iteration's episodes was meant."""

    run: str
    wanted: Wanted
    samples: Samples
    place: int | None = None


@dataclass
class _Asked:
    run: str
    wanted: Wanted
    environment: EnvironmentInfo
    still: bool = True  # whether it is to go on
    approach: Approach | None = None


@dataclass(frozen=True)
class Pictured:
    """The ``picture`` of the state in ``row`` of what was found, or why there is none."""

    row: int
    picture: QImage | None
    why: str = ""


class BatchLookup(QObject):
    """One lookup at a time, the newest wins.

    Signals:
        found: what was looked for (``Found``).
        pictured: what was asked for last (``Pictured``).
        failed: why there is nothing to be seen, in a sentence.
    """

    found = Signal(object)
    pictured = Signal(object)
    failed = Signal(str)

    def __init__(self, folder: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._asked: _Asked | None = None
        self._row = -1  # of the picture that is wanted
        self._pictures = _StatePictures()
        self._work = FileWork(self, "samples", "The iteration could not be looked into")
        self._work.failed.connect(self._fail)

    # --- iterations ---------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self._asked is not None

    def is_after(self, run: str, iteration: int) -> bool:
        """Whether that iteration is being looked into, whatever of it is meant."""
        asked = self._asked
        return asked is not None and (asked.run, asked.wanted.iteration) == (run, iteration)

    @property
    def approach(self) -> Approach | None:
        """How far what is being made again has come, where that is known."""
        return None if self._asked is None else self._asked.approach

    def look(self, run: str, environment: EnvironmentInfo, wanted: Wanted) -> None:
        """Look into what is wanted of a run, and no more into anything else."""
        self.drop()
        if self._folder is None:
            self.failed.emit("There is no run library, out of which a batch could be made again.")
            return
        self._asked = asked = _Asked(run, wanted, environment)
        self._work.ask(partial(_looked, self._folder, asked), partial(self._take, asked))

    def drop(self) -> None:
        """Look for nothing any more."""
        if self._asked is not None:
            self._asked.still = False
        self._asked = None

    def _take(self, asked: _Asked, found: Found | str | None) -> None:
        if asked is not self._asked:
            return
        self._asked = None
        if isinstance(found, str):
            self.failed.emit(found)
        elif found is not None:
            self.found.emit(found)

    def _fail(self, sentence: str) -> None:
        if self._asked is not None:
            self._asked = None
            self.failed.emit(sentence)

    # --- pictures -----------------------------------------------------------------------------------------------------

    def picture(self, samples: Samples, row: int) -> None:
        """Make a picture of the state in that row, unless another is asked for meanwhile."""
        from engine.runtime.waiting import GivenUp, while_waiting

        self._row = row

        def meanwhile(_wait: Wait) -> None:
            if row != self._row:
                raise GivenUp

        def work() -> Pictured | None:
            if row != self._row:
                return None
            try:
                with while_waiting(meanwhile):
                    return self._pictures.of(samples, row)
            except GivenUp:
                self._pictures.close()
                return None

        self._work.ask(work, self._show)

    def _show(self, pictured: Pictured | None) -> None:
        if pictured is not None and pictured.row == self._row:
            self.pictured.emit(pictured)

    def leave(self) -> None:
        """Free what pictures are made with, since nobody looks any more."""
        self._row = -1
        if self._pictures.holds:
            self._work.ask(self._pictures.close, lambda _nothing: None)

    # --- its end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        self.drop()
        self._row = -1
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        over = self._work.wait(deadline)
        if over:
            self._pictures.close()
        return over


def _looked(folder: Path, asked: _Asked) -> Found | str | None:
    """What there is to be seen, or why nothing; None where it is not wanted any more."""
    from engine.analysis.samples import samples_of
    from engine.runs.library import Library
    from engine.runs.looking_into import episode_at, look_into
    from engine.runtime.errors import RequestError, RunError
    from engine.runtime.threads import compute_on_one_thread
    from engine.runtime.waiting import GivenUp, while_waiting

    def going_on(approach: Approach) -> bool:
        asked.approach = approach
        return asked.still

    def meanwhile(_wait: Wait) -> None:
        if not asked.still:
            raise GivenUp

    if not asked.still:
        return None
    compute_on_one_thread()  # as the run that is made again did
    wanted, place = asked.wanted, None
    try:
        with while_waiting(meanwhile), Library(folder) as library:
            record = library.run(asked.run)
            iteration = wanted.iteration
            if isinstance(wanted.chosen, EpisodeDot):
                iteration, place = episode_at(library, record, wanted.chosen.index)
            assert iteration is not None
            looked = look_into(library, record, asked.environment, iteration, going_on)
        return None if looked is None else Found(asked.run, wanted, samples_of(looked), place)
    except GivenUp:
        return None
    except (RequestError, RunError) as error:
        return str(error) if asked.still else None


class _StatePictures:
    """Sets an environment of its own to states and has it drawn; for one thread at a time."""

    def __init__(self) -> None:
        self._playback: Playback | None = None
        self._of: PolicySnapshot | None = None

    @property
    def holds(self) -> bool:
        return self._playback is not None

    def of(self, samples: Samples, row: int) -> Pictured:
        """The picture of the state in that row, or why there is none."""
        from app.session.playback_thread import picture_of
        from engine.analysis.beginnings import begins_at
        from engine.analysis.playback import Playback
        from engine.runtime.errors import RequestError, RunError

        policy = samples.looked.policy
        observation = samples.looked.batch.observations[row]
        if policy.environment.observation.image:
            return Pictured(row, _as_seen(observation, policy.environment))
        try:
            beginning = begins_at(observation, policy.config.environment, policy.environment)
            if self._playback is None or self._of is not policy:
                self.close()
                self._playback, self._of = Playback(policy, policy.config.seed), policy
            self._playback.begin(beginning)
            image = self._playback.advance(greedy=True, told=False).image
            return Pictured(row, None if image is None else picture_of(image))
        except (RequestError, RunError) as error:
            self.close()
            return Pictured(row, None, str(error))

    def close(self) -> None:
        playback, self._playback, self._of = self._playback, None, None
        if playback is not None:
            with suppress(Exception):
                playback.close()


def _as_seen(observation: Any, environment: EnvironmentInfo) -> QImage | None:
    """What is seen, where that is an image itself: its last frame in shades of grey, or its colours."""
    import numpy as np

    shape = environment.observation.shape
    if len(shape) not in (2, 3):
        return None
    seen = np.asarray(observation, np.float32).reshape(shape)
    if len(shape) == 3:
        last = shape[2] if shape[2] <= 4 or shape[2] < shape[0] else 0  # channels behind, or before
        planes = seen if last else np.moveaxis(seen, 0, -1)
        seen = planes if planes.shape[2] == 3 else planes[..., -1]
    greatest = 255.0 if float(seen.max(initial=0.0)) > 1.0 else 1.0
    pixels = np.ascontiguousarray(np.clip(seen / greatest * 255.0, 0, 255).astype(np.uint8))
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGB888 if pixels.ndim == 3 else QImage.Format.Format_Grayscale8
    return QImage(pixels.data, width, height, pixels.strides[0], form).copy()
