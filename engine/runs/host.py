"""What whoever trains does around a training that is recorded, with a window or without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.reports.events import Event
from engine.runs.recorder import Recorder
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RunError

if TYPE_CHECKING:
    from engine.training.training import Training


FINISH = 0.8  # seconds for which an iteration that is under way may go on, so that nothing of it is lost


def finish(training: Training, tell: Callable[[Event], object], seconds: float = FINISH) -> None:
    """Go on to the end of the iteration that is under way, where it comes within so many seconds: between two
    iterations a run can be saved.

    Raises:
        RunError: the run failed on the way.
    """
    by = time.monotonic() + seconds
    if training.whole:
        return
    for event in training:
        tell(event)
        if training.asking:  # nobody answers any more, and the state holds what was answered
            return
        if _is_over(training) or time.monotonic() > by:
            return


def _is_over(training: Training) -> bool:
    return training.whole and not training.ending


@contextmanager
def recorded(
    training: Training, folder: Path, tell: Callable[[str], object], record: RunRecord | None = None
) -> Iterator[Recorder]:
    """Record ``training`` while the block lasts, in the library in ``folder``: as a new run, or as the one of
    ``record`` that goes on.

    Args:
        tell: is given sentences for a person.

    Raises:
        RequestError: the run is being trained elsewhere.
    """
    recorder = Recorder(folder, tell)
    recorder.begin(training, record)
    try:
        yield recorder
    except RunError as error:
        recorder.end(Status.FAILED, str(error))
        raise
    except BaseException:
        recorder.save(training)
        recorder.end(Status.INTERRUPTED)
        raise
    recorder.save(training)
    recorder.end(Status.FINISHED)
