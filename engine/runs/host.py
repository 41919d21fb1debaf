"""What whoever trains does around a training that is recorded, with a window or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.runs.recorder import Recorder
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RunError

if TYPE_CHECKING:
    from engine.training.training import Training


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
        recorder.end(Status.INTERRUPTED)
        raise
    recorder.save(training)
    recorder.end(Status.FINISHED)
