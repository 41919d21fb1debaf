"""One iteration of a run of the library, looked into: made again from what was kept of the run before it. Importable
without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig
from engine.reports.events import Change, Updated
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import ALIVE, RunRecord
from engine.runs.series import Series
from engine.runs.snapshots import is_whole, kept_at, state_in
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch
    from engine.analysis.inspecting import GoingOn, LookedInto

LONGEST = 120.0  # seconds of training, as it took them, that are made again to come to an iteration
_NO_STATE = "No state from which the run could go on was kept before it."
_FAR = (
    "The last state before it from which the run could go on is {count:,} iterations earlier, which took {seconds:.0f} "
    "s of training; only {most:.0f} s are made again."
)
_ELSEWHERE = "The run was trained on {device}, which is not here."
_OTHER = (
    "Going on from what was kept does not come to the numbers that were recorded, as on another machine, or with "
    "another version of what is beneath."
)
_PLAYED = "It was played by the policy that was kept after iteration {at:,}."
_NOT_YET = "Nothing of run {run} is written down yet, by which its batches are made again; it is in a moment."
_NOTHING = "Nothing was kept of run {run} by which one of its batches could be made again; train it on, and it will be."


def look_into(
    library: Library,
    run: RunRecord,
    environment: EnvironmentInfo,
    iteration: int,
    going_on: GoingOn = lambda _: True,
) -> LookedInto | None:
    """That ``iteration`` of a run, counted from 1: its own batch where a state was kept not too far before and the
    environments go on from it exactly, checked by the numbers that the run has told; else another like it. Which of the
    two it is, it says. None where it is not to go on any more; the run itself is not touched, be it trained or not.

    Args:
        environment: that of the run, as learning sees it.

    Raises:
        RequestError: the run learns otherwise than from batches, has not come so far, or nothing was kept of it.
        RunError: the library cannot be read, or the environment fails.
    """
    from engine.analysis.inspecting import require_batches, sampled

    require_batches(run.config_now)
    reached = run.reached.iteration
    if iteration < 1 or (iteration > reached and run.status not in ALIVE):  # one at work has come further than it says
        raise RequestError(f"Run {run.number} has the iterations 1 to {reached:,}, and {iteration:,} is none of them.")
    told = library.series(run.id, ITERATIONS)
    found = _remade(library, run, told, iteration, going_on)
    if not isinstance(found, str):
        return found
    there = sorted({at for at, _, _ in library.snapshots(run.id)} | {c.iteration for c in library.checkpoints(run.id)})
    if not there:
        raise RequestError((_NOT_YET if run.status in ALIVE else _NOTHING).format(run=run.number))
    at = max((each for each in there if each < iteration), default=there[0])
    kept = kept_at(library, run, environment, at)
    progress = min(kept.environment_steps / max(run.budget, 1), 1.0)
    why = f"{found} {_PLAYED.format(at=at)}"
    return sampled(kept.policy, iteration, why, going_on, progress=progress)


def episode_at(library: Library, run: RunRecord, index: int) -> tuple[int, int]:
    """In which iteration an episode of the run ended, and as the how manieth in it, both by their numbers: iterations
    count from 1, the rest from 0.

    Raises:
        RequestError: it is not written down.
        RunError: the library cannot be read.
    """
    told = library.series(run.id, EPISODES)
    if not 0 <= index < len(told):
        raise RequestError(f"Episode {index + 1:,} of run {run.number} is not written down yet; try again in a moment.")
    iterations = told["iteration"]
    iteration = int(iterations[index])
    return iteration, int((iterations[:index] == iteration).sum())


def _remade(
    library: Library, run: RunRecord, told: Series, iteration: int, going_on: GoingOn
) -> LookedInto | str | None:
    """The batch made again by going on, or why that cannot be, in a sentence to follow others."""
    from engine.analysis.inspecting import like, remade
    from engine.runtime.state import inexact
    from engine.training.devices import is_there
    from engine.training.many_seeds.alone import NOISE, alone

    at, state = next(_states(library, run, iteration), (0, None))
    if state is None:
        return _NO_STATE
    seconds = _seconds(told, iteration) - _seconds(told, at)
    if seconds > LONGEST and at < iteration - 1:
        return _FAR.format(count=iteration - at, seconds=seconds, most=LONGEST)
    device = state["choices"].get("device", "cpu")
    if not is_there(device):
        return _ELSEWHERE.format(device=device)
    said = inexact(state["learner"])
    if state["seeds"]:
        state, said = alone(state, run.seed), (NOISE,)
    replays = not isinstance(run.config_now, PolicyGradientConfig)
    if said and (replays or at < iteration - 1):  # the policy would become another on the way
        return " ".join(said)
    found = remade(state, iteration, _changes(library, run), going_on)
    if found is None or not found.exact:
        return found
    if said:
        return replace(found, exact=False, how=like(iteration, " ".join(said)))
    if found.updated is not None and not _as_told(told, found.updated):
        return replace(found, exact=False, how=like(iteration, _OTHER))
    return found


def _states(library: Library, run: RunRecord, iteration: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """From which the run can go on to that iteration, the nearest first. What a run has from where it was forked is of
    the other one's configuration; its own begins with its first checkpoint."""
    from engine.training.checkpoint import from_bytes

    forked = run.origin.iteration if run.origin is not None and iteration > run.origin.iteration else -1
    saved = {each.iteration: each for each in library.checkpoints(run.id) if each.iteration >= forked}
    on_the_way = {at for at, _, _ in library.snapshots(run.id) if at > forked}
    for at in sorted(saved.keys() | on_the_way, reverse=True):
        if at >= iteration:
            continue
        try:
            if at in on_the_way and is_whole(library, run.id, at):
                data = state_in(library.snapshot(run.id, at))
            elif at in saved:
                data = library.checkpoint_file(saved[at]).read_bytes()
            else:
                continue
            if data is not None:
                yield at, from_bytes(data)
        except (OSError, RequestError):  # let go meanwhile, or damaged: there may be another before it
            continue


def _changes(library: Library, run: RunRecord) -> list[Change]:
    """What was changed in the run while it was trained."""
    return [
        Change(
            path=event.data["path"],
            old=event.data.get("old"),
            new=event.data["new"],
            iteration=event.iteration,
            environment_steps=event.environment_steps,
            episodes=event.episodes,
            seconds=event.seconds,
        )
        for event in library.events(run.id)
        if event.kind == "change"
    ]


def _seconds(told: Series, iteration: int) -> float:
    """After how many seconds of training an iteration was over."""
    if iteration < 1 or not len(told):
        return 0.0
    return float(told["seconds"][min(iteration, len(told)) - 1])


def _as_told(told: Series, updated: Updated) -> bool:
    """Whether an iteration has come to all that was recorded of it; of one that is not written yet, it has."""
    if not 1 <= updated.iteration <= len(told):
        return True
    row = updated.iteration - 1
    if int(told["iteration"][row]) != updated.iteration:
        return True
    now = {"environment_steps": updated.environment_steps, "episodes": updated.episodes, **updated.metrics}
    for name in set(told.columns) & now.keys() - _TIMED:
        then, value = float(told[name][row]), now[name]
        if isnan(then) is not (value is None) or (value is not None and then != value):
            return False
    return True


_TIMED = {"steps_per_second"}
