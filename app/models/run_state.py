"""The states of a run, and which actions each allows."""

from __future__ import annotations

from enum import Enum, auto

from engine.runs.records import Status


class RunState(Enum):
    """``PAUSED`` and ``STOPPED`` can both go on; what defines a stopped run may be chosen anew for another one."""

    IDLE = auto()
    STARTING = auto()
    RUNNING = auto()
    PAUSING = auto()
    PAUSED = auto()
    STOPPING = auto()
    STOPPED = auto()
    FINISHED = auto()  # its budget is used
    FAILED = auto()


class RunAction(Enum):
    START = auto()  # or go on
    PAUSE = auto()
    STEP = auto()
    STOP = auto()
    RESET = auto()


ALLOWED: dict[RunState, frozenset[RunAction]] = {
    RunState.IDLE: frozenset({RunAction.START, RunAction.STEP}),
    RunState.STARTING: frozenset({RunAction.STOP}),
    RunState.RUNNING: frozenset({RunAction.PAUSE, RunAction.STOP, RunAction.RESET}),
    RunState.PAUSING: frozenset({RunAction.STOP}),
    RunState.PAUSED: frozenset({RunAction.START, RunAction.STEP, RunAction.STOP, RunAction.RESET}),
    RunState.STOPPING: frozenset(),
    RunState.STOPPED: frozenset({RunAction.START, RunAction.STEP, RunAction.RESET}),
    RunState.FINISHED: frozenset({RunAction.START, RunAction.STEP, RunAction.RESET}),
    RunState.FAILED: frozenset({RunAction.START, RunAction.STEP, RunAction.RESET}),
}

ENDED = frozenset({RunState.STOPPED, RunState.FINISHED, RunState.FAILED})

# Meanwhile what defines the run is fixed.
ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSING, RunState.PAUSED, RunState.STOPPING})
ANSWERING = ACTIVE - {RunState.PAUSED}  # it is at work, or about to obey

WORDS: dict[RunState, str] = {
    RunState.IDLE: "Ready",
    RunState.STARTING: "Starting…",
    RunState.RUNNING: "Training",
    RunState.PAUSING: "Pausing…",
    RunState.PAUSED: "Paused",
    RunState.STOPPING: "Stopping…",
    RunState.STOPPED: "Stopped",
    RunState.FINISHED: "Finished",
    RunState.FAILED: "Failed",
}

STATUS_WORDS: dict[Status, str] = {
    Status.RUNNING: "training",
    Status.PAUSED: "paused",
    Status.STOPPED: "stopped",
    Status.FINISHED: "finished",
    Status.FAILED: "failed",
    Status.INTERRUPTED: "interrupted",
}


def state_words(state: RunState | Status, solved: bool, activity: str = "") -> str:
    """What a run is at or has come to, as it is said everywhere: "training", "finished, solved", "updating, epoch 3 of
    10"."""
    word = activity or (STATUS_WORDS[state] if isinstance(state, Status) else WORDS[state].lower())
    return f"{word}, solved" if solved else word


MORE = 100_000  # environment steps that a run at its end goes on for at once


def longer(budget: int, done: int) -> tuple[int, int]:
    """By how many environment steps a run that is at its end becomes longer at once, by no more than it was to have,
    and how many those are in all. One that is not at its end goes on to it."""
    more = min(MORE, budget)
    return more, max(budget, done) + more


LOCKED = "Stop the run to change this."
STOP_AND_CHANGE = "Stop and change"
