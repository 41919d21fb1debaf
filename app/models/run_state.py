"""The states of a run, and which actions each allows."""

from __future__ import annotations

from enum import Enum, auto


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

LOCKED = "Stop the run to change this."
STOP_AND_CHANGE = "Stop and change"
