"""Going on with runs of the library from their checkpoints: as they were, or forked with something changed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.config.parameters import with_values
from engine.runs.answers import with_answers
from engine.runs.autosave import RUNS
from engine.runs.giving import given_for
from engine.runs.library import ITERATIONS, Library
from engine.runs.liveness import hold
from engine.runs.records import CheckpointRecord, NotedEvent, Origin, Reached, RunRecord, Status
from engine.runtime.errors import RequestError, RunError
from engine.runtime.whole_file import write_whole

BUDGET = "budget.environment_steps"
POINTS = 48  # of a run's little curve

if TYPE_CHECKING:  # torch is loaded when a run is to go on
    from engine.training.training import Training


def checkpoint_at(library: Library, record: RunRecord, at: int | None = None) -> CheckpointRecord:
    """The last checkpoint of a run, or that after ``at`` iterations.

    Raises:
        RequestError: there is none.
    """
    kept = library.checkpoints(record.id)
    if not kept:
        raise RequestError(f"Run {record.number} has no checkpoint to go on from; start its configuration anew.")
    found = [checkpoint for checkpoint in kept if at is None or checkpoint.iteration == at]
    if not found:
        there = ", ".join(f"{checkpoint.iteration:,}" for checkpoint in reversed(kept))
        raise RequestError(f"Run {record.number} has no checkpoint after iteration {at:,}; it has them after {there}.")
    return found[0]


def resume(
    library: Library, record: RunRecord, at: int | None = None, *, together: bool | Collection[str] = False
) -> Training:
    """The run of ``record`` going on from its last checkpoint that can be read, or from that after ``at`` iterations;
    what was recorded of it beyond is forgotten, since it will be told again. ``inexact`` of what is returned says what
    does not go on exactly.

    One of several seeds that were trained together goes on by itself, or ``together`` with those of the others that
    have not gone on by themselves or been deleted, or with those of them that are named; they are called as the library
    calls them then.

    Raises:
        RequestError: there is no such checkpoint, or none that can be read, or what it is of cannot be trained here, or
            the run is being trained already.
        RunError: the environment fails, or the library cannot be written.
    """
    from engine.training.devices import is_there
    from engine.training.forking import forked
    from engine.training.many_seeds.alone import NOISE, alone
    from engine.training.training import resumed

    checkpoint = checkpoint_at(library, record, at)
    said: tuple[str, ...] = ()
    state: Mapping[str, Any]
    try:
        state = _read(library, checkpoint)
    except RequestError as error:
        if at is not None:
            raise
        checkpoint, state = _last_that_can_be_read(library, record, error)
        said = (f"The last checkpoint cannot be read, so the run goes on from iteration {checkpoint.iteration:,}.",)
    state, problem = with_answers(library, record.id, state)
    said = (*said, problem) if problem else said
    others = _with(library, state, checkpoint) if together else {}
    if not isinstance(together, bool):
        others = {id: each for id, each in others.items() if id in together}
    if len(others) > 1:
        return _resumed_together(library, state, others, said)
    if state["seeds"]:
        state, said = alone(state, record.seed), (*said, NOISE)
    device = state["choices"].get("device", "cpu")
    if is_there(device):
        training = resumed(state, record.id)
    else:  # where it was left open, another does, whose random numbers are others
        training, lost = forked(state, {}, record.id)
        said = (*said, f"There is no {device} here, so the run goes on elsewhere and not exactly.", *lost)
    training.inexact = tuple(dict.fromkeys((*said, *training.inexact)))
    try:
        with _held(library, record):
            go_back(library, record, checkpoint, training.inexact)
    except BaseException:
        training.close()
        raise
    return training


def _with(
    library: Library, state: Mapping[str, Any], checkpoint: CheckpointRecord
) -> dict[str, tuple[RunRecord, CheckpointRecord]]:
    """The runs that this ``checkpoint`` is of and that can go on from it, by their ids, with what the library says of
    it for each: those that are there and have no later states of their own."""
    found = {}
    for id in state.get(RUNS, ()):
        with suppress(RequestError):
            record = library.run(id)
            kept = library.checkpoints(id)
            own = [each for each in kept if each.file == checkpoint.file]
            apart = any(own and each.iteration > own[0].iteration and not each.file.startswith("0") for each in kept)
            if own and not apart and record.deleted is None:
                found[id] = record, own[0]
    return found


def _resumed_together(
    library: Library,
    state: Mapping[str, Any],
    runs: Mapping[str, tuple[RunRecord, CheckpointRecord]],
    said: tuple[str, ...],
) -> Training:
    """``runs`` going on from ``state``; where it is of more than those, they stay as they are in the library."""
    from engine.training.training import resumed

    each = zip(state[RUNS], state["totals"], strict=True)
    totals = [totals if id in runs else {**totals, "failed": True} for id, totals in each]
    training = resumed({**state, "totals": totals}, names=state[RUNS])
    training.inexact = tuple(dict.fromkeys((*said, *training.inexact)))
    try:
        with ExitStack() as held:
            for record, _ in runs.values():
                held.enter_context(_held(library, record))
            with library.transaction():
                for record, checkpoint in runs.values():
                    go_back(library, record, checkpoint, training.inexact)
    except BaseException:
        training.close()
        raise
    return training


def go_back(library: Library, record: RunRecord, checkpoint: CheckpointRecord, inexact: tuple[str, ...] = ()) -> None:
    """Let the library say of a run what it said when ``checkpoint`` was taken, and that it goes on from there, though
    ``inexact``.

    Raises:
        RunError: the library cannot be written.
    """
    later = [each for each in library.checkpoints(record.id) if each.iteration > checkpoint.iteration]
    with library.transaction():
        before = library.run(record.id).reached
        library.cut(record.id, checkpoint.iteration)
        for each in later:
            library.drop_checkpoint(record.id, each.iteration)
        if "last" not in checkpoint.kinds:  # as any that is left is now
            library.keep_checkpoint(replace(checkpoint, kinds=("last", *checkpoint.kinds)))
        reached, sparkline = reached_at(library, checkpoint, before)
        library.reach(record.id, reached, sparkline)
        changes = _changes(library, record)
        said = json.dumps(list(dict.fromkeys((*record.inexact, *inexact))), ensure_ascii=False)
        library.update(record.id, changes=json.dumps(changes, ensure_ascii=False), inexact=said)
        at = (reached.iteration, reached.environment_steps, reached.episodes, reached.seconds)
        data = {"from": "checkpoint", "forgotten": before.iteration - checkpoint.iteration}
        library.note(record.id, NotedEvent("gone on", *at, data=data))
    for each in later:
        with suppress(OSError):  # a file that nothing names any more is in nobody's way
            library.checkpoint_file(each).unlink(missing_ok=True)


@contextmanager
def _held(library: Library, record: RunRecord) -> Iterator[None]:
    """See to it that nobody trains the run meanwhile."""
    try:
        lock = hold(library, record.id)
    except OSError as error:
        raise RunError(f"Run {record.number} cannot go on in {library.folder}: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def fork(
    library: Library, record: RunRecord, at: int | None, values: Mapping[str, Any], id: str = ""
) -> tuple[Training, RunRecord, tuple[str, ...]]:
    """A run of its own that goes on from a checkpoint of ``record``, the last or that after ``at`` iterations, with
    ``values`` at dotted paths of its configuration; its record, which is in the library already, at rest; and in
    sentences what could not be carried over. A state that was kept with a snapshot serves as well as a checkpoint.

    Args:
        id: that of the new run; one of its own where it is empty.

    Raises:
        RequestError: there is no such checkpoint, or it cannot be read, or the changed configuration cannot work.
        RunError: the environment fails, or the library cannot be written.
    """
    kept = [each for each in library.checkpoints(record.id) if at is None or each.iteration == at]
    if kept:
        state, _ = with_answers(library, record.id, _read(library, kept[0]))
        found = branch(library, record, state, values, id)
        if "fork" not in kept[0].kinds:
            library.keep_checkpoint(replace(kept[0], kinds=(*kept[0].kinds, "fork")))
        return found
    on_the_way = _kept_on_the_way(library, record, at)
    if on_the_way is None:
        checkpoint_at(library, record, at)  # which says what there is instead
        raise AssertionError
    return branch(library, record, on_the_way, values, id)


def _kept_on_the_way(library: Library, record: RunRecord, at: int | None) -> dict[str, Any] | None:
    """The state that was kept of an iteration with its policy; None where there is none."""
    from engine.runs.snapshots import state_in
    from engine.training.checkpoint import from_bytes

    if at is None or at not in {iteration for iteration, _, _ in library.snapshots(record.id)}:
        return None
    data = state_in(library.snapshot(record.id, at))
    return None if data is None else from_bytes(data)


def branch(
    library: Library, record: RunRecord, state: Mapping[str, Any], values: Mapping[str, Any], id: str = ""
) -> tuple[Training, RunRecord, tuple[str, ...]]:
    """As ``fork``, from a ``state`` of the run, which may be that of this instant.

    What the parent has told up to there is told of the child as well, so that each is whole without the other.
    """
    from engine.runs.versions import versions
    from engine.training.checkpoint import to_bytes
    from engine.training.forking import forked, taught_alike
    from engine.training.many_seeds.alone import ALONE, NOISE, alone
    from engine.training.training import config_of

    id = id or uuid.uuid4().hex
    state = alone(state, record.seed) if state["seeds"] else state
    said = (NOISE,) if state.get(ALONE) else ()
    before = config_of(state)
    after = with_values(before, values)
    given = None if taught_alike(before, after) else given_for(after, library)
    training, lost = forked(state, values, id, given)
    lost = (*said, *lost)
    try:
        steps, budget = training.environment_steps, training.config.budget.environment_steps
        if steps >= budget:
            raise RequestError(
                f"Run {record.number} has taken {steps:,} steps by then, of {budget:,} in all; make it longer to go on."
            )
        at = (training.iteration, steps, training.episodes, training.seconds)
        child = RunRecord(
            id=id,
            number=0,
            configuration=training.config.model_dump(mode="json"),
            status=Status.STOPPED,
            created=time.time(),
            versions=versions(),
            device=training.learner.choices["device"],
            origin=Origin(record.id, training.iteration, steps),
            inexact=lost,
        )
        checkpoint = CheckpointRecord(
            id,
            training.iteration,
            steps,
            child.created,
            f"{training.iteration}.safetensors",
            0,
            ("last",),
            training.mean_return,
        )
        with library.transaction():
            child = library.begin(child)
            library.copy(record.id, id, training.iteration)
            reached, sparkline = reached_at(library, checkpoint, Reached(*at, training.mean_return))
            library.reach(id, reached, sparkline)
            data = {"from": f"run {record.number}", "changes": dict(values)}
            library.note(id, NotedEvent("forked", *at, data=data))
            _write(library, checkpoint, to_bytes(training.state()))
        return training, library.run(id), lost
    except BaseException:
        training.close()
        raise


def extend(training: Training, steps: int) -> tuple[str, ...]:
    """Let a run become ``steps`` environment steps long in all, from the next iteration on; what becomes of its
    schedules, in sentences.

    Raises:
        RequestError: it has taken as many already, or a run cannot be so long.
    """
    from engine.training.schedules import rescheduled

    going = [totals.environment_steps for totals in training.totals.values() if not totals.failed]
    taken = min(going, default=training.environment_steps)
    if steps <= taken:
        who = "These runs have each" if len(going) > 1 else "This run has"
        raise RequestError(f"{who} taken {taken:,} steps already; name more than that to go on.")
    before = training.next_config
    training.change(BUDGET, steps)
    return rescheduled(before, training.next_config, taken)


def _read(library: Library, checkpoint: CheckpointRecord) -> dict[str, Any]:
    from engine.training.checkpoint import from_bytes

    where = library.checkpoint_file(checkpoint)
    try:
        data = where.read_bytes()
    except OSError as error:
        raise RequestError(f"The checkpoint {where} cannot be read: {error.strerror}.") from None
    return from_bytes(data)


def _last_that_can_be_read(
    library: Library, record: RunRecord, broken: RequestError
) -> tuple[CheckpointRecord, dict[str, Any]]:
    """The one before those that are ``broken``, which is raised where there is none."""
    for checkpoint in library.checkpoints(record.id)[1:]:
        with suppress(RequestError):
            return checkpoint, _read(library, checkpoint)
    raise broken


def _write(library: Library, checkpoint: CheckpointRecord, data: bytes) -> None:
    where = library.checkpoint_file(checkpoint)
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        write_whole(where, data)
    except OSError as error:
        raise RunError(f"The checkpoint {where} cannot be written: {error.strerror}.") from None
    library.keep_checkpoint(replace(checkpoint, size=len(data)))


def reached_at(library: Library, checkpoint: CheckpointRecord, before: Reached) -> tuple[Reached, list[float]]:
    """How far a run had come at ``checkpoint``, as far as what it has told up to there shows it, and its little curve;
    ``before`` says what else is known."""
    import numpy as np

    series = library.series(checkpoint.run, ITERATIONS)
    told = next((event for event in library.events(checkpoint.run) if event.kind == "solved"), None)
    solved = (told.environment_steps, told.seconds) if told is not None else None
    at = Reached(checkpoint.iteration, checkpoint.environment_steps, before.episodes, before.seconds, solved=solved)
    if not len(series):
        return replace(at, mean_return=checkpoint.mean_return, best=checkpoint.mean_return), []
    means = series["mean_return"]
    defined = means[~np.isnan(means)]
    last = None if np.isnan(means[-1]) else float(means[-1])
    stride = 1
    while checkpoint.iteration > stride * POINTS:
        stride *= 2
    counted = replace(at, episodes=int(series["episodes"][-1]), seconds=float(series["seconds"][-1]))
    best = float(defined.max()) if len(defined) else None
    return replace(counted, mean_return=last, best=best), defined[::stride].tolist()


def _changes(library: Library, record: RunRecord) -> dict[str, Any]:
    """What has become of single parameters by what is told of it; a fork's are those since it was forked."""
    begun = record.origin.iteration if record.origin else 0
    changes = [event for event in library.events(record.id) if event.kind == "change" and event.iteration > begun]
    return {event.data["path"]: event.data["new"] for event in changes}
