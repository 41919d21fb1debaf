"""What a worker does with a job, whichever machine it is on: it trains its runs, records them in the library and obeys.

Torch is loaded when a job is begun, not with this module.
"""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config.validation import validated
from engine.reports.events import Solved, Updated
from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.executors.orders import Orders
from engine.runs.host import finish
from engine.runs.library import Library
from engine.runs.liveness import is_trained
from engine.runs.recorder import Recorder, await_endings
from engine.runs.records import ALIVE, TOGETHER, Reached, RunRecord, Status
from engine.runtime.cores import keep_to
from engine.runtime.errors import RequestError, RunError, describe
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.training.training import Training

Tell = Callable[[str], object]

SAVING = 5.0  # seconds for which an iteration that is under way may go on, so that a run that stops is saved whole
LET_GO = 30.0  # seconds in which whoever trained a run before, and is ending, lets go of it


def work(job: Job, orders: Orders, tell: Tell, given: Mapping[str, Any] | None = None) -> Ended:
    """Train the runs of ``job`` until they end or are ordered to stop; all of it is in the library by then.

    A run that is there already goes on from its last checkpoint, or from the start where it has none.

    Args:
        tell: is given sentences for a person.
        given: what runs that begin are given, as plain data; what the library has for them where it is None.
    """
    training: Training | None = None
    try:
        from engine.runtime.threads import compute_on

        compute_on(job.threads)
        keep_to(job.threads)  # processes that step environments are at work while this one waits for them
        with while_waiting(_watcher(orders)):
            with Library(job.library) as library:
                if is_over(library, job):
                    return Ended(job.id, Status.FINISHED)
                _wait_until_free(library, job, orders)
                if orders.end is not None:
                    raise GivenUp
                training, record = _begun(library, job, given)
            return _recorded(job, training, record, orders, tell)
    except GivenUp:  # before anything was recorded
        status = orders.end or Status.STOPPED
        rest(job, status)
        return Ended(job.id, status)
    except (RequestError, RunError) as error:
        return _failed(job, str(error), can_retry=isinstance(error, _BusyError))
    except Exception as error:
        traceback.print_exc()
        return _failed(
            job, f"The run failed unexpectedly: {describe(error)}.", can_retry=isinstance(error, MemoryError)
        )
    finally:
        keep_to(None)
        await_endings()
        if training is not None:
            with suppress(Exception, GivenUp):  # what it has learned is safe
                training.close()


class _BusyError(RequestError):
    """Somebody else trains the run."""


def _watcher(orders: Orders) -> Callable[[Wait], None]:
    """Gives up what is waited for once the job is to stop."""

    def watch(_: Wait) -> None:
        if orders.end is not None:
            raise GivenUp

    return watch


# --- how it begins ----------------------------------------------------------------------------------------------------


def is_over(library: Library, job: Job) -> bool:
    """Whether nothing is left to be done, as when who conducts was killed before it could hear of the end."""
    return all(record is not None and record.status is Status.FINISHED for record in _records(library, job))


def _records(library: Library, job: Job) -> list[RunRecord | None]:
    """What the library says of each run; None of those that are not there."""
    found: list[RunRecord | None] = []
    for run in job.runs:
        try:
            found.append(library.run(run))
        except RequestError:
            found.append(None)
    return found


def _wait_until_free(library: Library, job: Job, orders: Orders) -> None:
    """See to it that nobody else trains the runs; a worker whose conductor was killed may still be saving them.

    Raises:
        RequestError: somebody does, and goes on with it.
    """
    until = time.monotonic() + LET_GO
    while orders.end is None and any(is_trained(library, run) for run in job.runs):
        if time.monotonic() > until:
            raise _BusyError("This run is being trained by another window or command; stop it there first.")
        time.sleep(0.1)


def _begun(library: Library, job: Job, given: Mapping[str, Any] | None) -> tuple[Training, RunRecord | None]:
    """The training of the runs, going on where the library has a state of them; the record of one that is there."""
    from engine.runs.giving import given_in, require_answers
    from engine.runs.resuming import resume
    from engine.training import given as giving
    from engine.training.training import Training

    records = [record for record in _records(library, job) if record is not None]
    kept = {record.id: library.checkpoints(record.id) for record in records}
    states = [record for record in records if kept[record.id]]
    if states:  # of several, one that has failed has no part in the latest
        latest = max(states, key=lambda record: int(Path(kept[record.id][0].file).stem))
        return resume(library, latest, together=job.runs if len(job.runs) > 1 else ()), library.run(latest.id)
    config = require_answers(validated(job.configuration))
    several = len(job.runs) > 1
    seeds, names = (job.seeds, job.runs) if several else ((), ())
    found = given_in(config, job.library) if given is None else giving.given_in(given)
    training = Training(config, uuid.uuid4().hex if several else job.id, seeds, names, found)
    try:
        return training, _from_the_start(library, job, records)
    except BaseException:
        training.close()
        raise


def _from_the_start(library: Library, job: Job, records: Sequence[RunRecord]) -> RunRecord | None:
    """Let the library forget what runs have told of which it has no state, since all of it will be told again; one of
    them, or None where they are not there and are to be begun."""
    with library.transaction():
        if len(records) < len(job.runs):  # it ended as they were being written
            for record in records:
                library.forget(record.id)
            return None
        for record in records:
            library.cut(record.id, -1)
            library.reach(record.id, Reached(), ())
            library.update(record.id, changes="{}")
    return library.run(records[0].id)


# --- how it goes on, and ends -----------------------------------------------------------------------------------------


def _recorded(job: Job, training: Training, record: RunRecord | None, orders: Orders, tell: Tell) -> Ended:
    """Train to the end, recording all that is told."""
    problems: list[str] = []

    def listen(sentence: str) -> None:
        problems.append(sentence)
        tell(sentence)

    recorder = Recorder(job.library, listen)
    if recorder.begin(training, record) is None:  # who watches would see nothing of it
        raise RunError(problems[-1] if problems else "This run cannot be recorded.")
    try:
        status = _train(training, recorder, orders)
    except GivenUp:
        status = orders.end or Status.STOPPED
    except RunError as error:
        recorder.end(Status.FAILED, str(error))
        return Ended(job.id, Status.FAILED, str(error))
    except Exception as error:
        recorder.end(Status.FAILED, f"The run failed unexpectedly: {describe(error)}.")
        raise
    if status is Status.FINISHED and all(totals.failed for totals in training.totals.values()):
        reason = "All of its seeds have failed." if len(job.runs) > 1 else "The run has failed."
        recorder.end(Status.FAILED, reason)
        return Ended(job.id, Status.FAILED, reason)
    recorder.save(training)
    recorder.end(status)
    return Ended(job.id, status)


def _train(training: Training, recorder: Recorder, orders: Orders) -> Status:
    """Train until the budget is used or the job is to stop, waiting whenever that is ordered; what it has come to.

    Raises:
        RunError: the run failed.
        GivenUp: what was waited for when it was to stop was given up, and cannot go on.
    """
    order: Order | None = Order.GO_ON
    while True:
        order = _until_ordered(training, recorder, orders, steps=order is Order.STEP)
        if order is None:
            return Status.FINISHED
        finish(training, recorder.put, SAVING)
        recorder.between(training)
        if order is Order.STOP:
            return orders.end or Status.STOPPED
        recorder.save(training)
        recorder.set_status(Status.PAUSED)
        while (order := orders.next()) is Order.PAUSE:
            pass
        if order is Order.STOP:
            return orders.end or Status.STOPPED
        recorder.set_status(Status.RUNNING)


def _until_ordered(training: Training, recorder: Recorder, orders: Orders, *, steps: bool) -> Order | None:
    """Train on until it is to wait or to stop, where it ``steps`` after an iteration; None where nothing is left."""
    for event in training:
        recorder.put(event)
        over = isinstance(event, Updated | Solved) and not training.solving
        if over:
            recorder.between(training)
        order = orders.given()
        if order in (Order.PAUSE, Order.STOP):
            return order
        steps = (steps or order is Order.STEP) and order is not Order.GO_ON
        if steps and over and training.updates == training.iteration:
            return Order.PAUSE
    return None


def _failed(job: Job, reason: str, *, can_retry: bool) -> Ended:
    """The end of a job that was not even recorded, or no longer; said in the library where its runs are there."""
    rest(job, Status.FAILED, reason)
    return Ended(job.id, Status.FAILED, reason, can_retry)


def rest(job: Job, status: Status, reason: str = "") -> None:
    """Say in the library what has become of those runs of ``job`` that say they are trained, and are not; where they
    have failed, of those that were at rest, too."""
    with suppress(RequestError, RunError), Library(job.library) as library:
        for record in _records(library, job):
            concerned = ALIVE if status is not Status.FAILED else ALIVE | {Status.STOPPED, Status.INTERRUPTED}
            if record is None or record.status not in concerned or is_trained(library, record.id):
                continue
            only_waited = TOGETHER in record.inexact and record.reached.environment_steps >= record.budget
            library.end(record.id, *((Status.FINISHED,) if only_waited else (status, reason)))
