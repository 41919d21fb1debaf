"""What hosting a run is made of: what is held of it, how it comes to an end, what is asked of it, and who is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.models.run_state import RunState
from app.session.failures import failure, print_trace
from app.session.mailbox import EventReader
from app.session.requests import Requests
from engine.reports.events import Event
from engine.runs.records import Status
from engine.runtime.errors import RequestError, describe
from engine.runtime.waiting import GivenUp, Wait

if TYPE_CHECKING:
    from engine.analysis.playback import PolicySnapshot
    from engine.config import RunConfig
    from engine.runs.recorder import Recorder
    from engine.runs.records import RunRecord
    from engine.training.training import Training

STATUS = {
    RunState.STOPPED: Status.STOPPED,
    RunState.FINISHED: Status.FINISHED,
    RunState.FAILED: Status.FAILED,
}
AT_REST = {status: state for state, status in STATUS.items()}
UNBEGUN = "Stopped before it began."
BROKEN_OFF = "; it cannot go on, since what it was waiting for was broken off."


@dataclass(frozen=True)
class Hosted:
    """A run that is trained here, or could go on."""

    run: str
    training: Training
    record: RunRecord | None  # what the library says of it
    status: Status

    @property
    def is_whole(self) -> bool:
        """Whether no iteration of it is under way."""
        return self.training.whole


_WAIT_HOLDS = 0.5  # seconds for which a wait goes on for all that is known, once it has been told of


class Waiting:
    """What a run is held up by, while a process does not answer; ``requests`` may ask for the end of the run then."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._told: tuple[Wait, float] | None = None  # what was last waited for, and when that was told

    @property
    def now(self) -> Wait | None:
        """To be asked by any thread."""
        told = self._told
        return told[0] if told is not None and time.monotonic() - told[1] < _WAIT_HOLDS else None

    def tell(self, wait: Wait) -> None:
        """While a process does not answer: nothing but the end of the run can be had.

        Raises:
            GivenUp: that is asked for.
        """
        self._told = wait, time.monotonic()
        if self._requests.asks_for_the_end():
            self._requests.drop_to_the_end()
            raise GivenUp

    def over(self) -> None:
        """The run has ended."""
        self._told = None


_HEED = 0.05  # seconds from one look at what is asked to the next
_T = TypeVar("_T")


def heeding_pauses(work: Callable[[], _T], requests: Requests, say: Callable[[], object]) -> tuple[_T, bool]:
    """What ``work`` returns, which takes long where it waits for others, on a thread of its own; and whether the run is
    to pause meanwhile, which is said at once."""
    paused = False
    with ThreadPoolExecutor(1, "beginning") as pool:
        begun = pool.submit(work)
        while not wait([begun], _HEED).done:
            if requests.take_pause():
                paused = True
                say()
    return begun.result(), paused


class StopRun(Exception):  # noqa: N818 - a wish, not an error
    """The run is to end here."""


class NotNow(Exception):  # noqa: N818 - a reason
    """The run cannot go on now, and is still held."""


def status_of(end: RunState, quits: bool) -> Status:
    """What the library says of a run that came to this ``end``, maybe since the window ``quits``."""
    return Status.INTERRUPTED if quits and end is RunState.STOPPED else STATUS[end]


def kept(training: Training | None) -> str:
    """What a failure leaves: the policy of a run that has learned is still watched, and its curves stay."""
    return " What was learned before is kept." if training is not None and training.iteration > 1 else ""


def saved(record: RunRecord | None, steps: int | None, others: int = 0) -> str:
    """What to say of a run that ends with the window, kept after so many steps, with so many others that are trained
    together with it; empty where it is not."""
    if record is None or steps is None:
        return ""
    if others:
        return (
            f"Run {record.number} and {others} trained with it are saved after {steps:,} steps in all, from where they "
            "can go on."
        )
    return f"Run {record.number} is saved after {steps:,} steps, from where it can go on."


def new_training(config: RunConfig, run: str, seeds: Mapping[str, int], library: Path) -> Training:
    """A new run, with what the library has for it to learn from; or one for each of ``seeds``, by their names, trained
    together."""
    from engine.runs.giving import training_for
    from engine.training.training import Training

    if len(seeds) > 1:
        return Training(config, run, tuple(seeds.values()), tuple(seeds))
    return training_for(config, run, library)


def shown(training: Training, run: str) -> PolicySnapshot:
    """The policy of ``run`` as it is, for whoever watches."""
    from engine.analysis.playback import frozen

    return frozen(training, run)


def explain(training: Training, device: Callable[[str], object], log: Callable[[str, str], object]) -> None:
    """Say where networks are computed, and how environments are stepped."""
    device(training.device_reason)
    if training.stepping_reason:
        log("info", f"{training.stepping_reason}.")


def change(training: Training, log: Callable[[str, str], object], path: str, value: Any) -> None:
    """Change a live parameter from the next iteration on, and say what follows from it, or why that cannot be."""
    from engine.training.schedules import rescheduled

    before = training.next_config
    try:
        training.change(path, value)
    except RequestError as error:
        log("error", str(error))
        return
    for sentence in rescheduled(before, training.next_config, training.environment_steps):
        log("info", sentence)


def answer(
    training: Training, recorder: Recorder | None, log: Callable[[str, str], object], number: int, action: Any
) -> None:
    """Answer a question that the run asks and keep that, or say why it is no answer."""
    try:
        training.answer(number, action)
    except RequestError as error:
        log("error", str(error))
        return
    if recorder is not None:
        recorder.answered(training)


def close(hosted: Hosted, log: Callable[[str, str], object]) -> None:
    """Free what the run holds; whatever goes wrong in it is only told."""
    try:
        hosted.training.close()
    except BaseException as error:
        environment = hosted.training.config.environment.id
        log("warning", failure(error, f"{environment} could not be closed"))


def tell(readers: list[EventReader], event: Event, log: Callable[[str, str], object]) -> None:
    """Tell all ``readers``; one that fails is told no more of this run, which goes on without it."""
    for reader in tuple(readers):
        try:
            reader.put(event)
        except BaseException as error:
            print_trace(error)
            readers.remove(reader)
            log("error", f"The plots no longer follow this run, which goes on: {describe(error)}.")
