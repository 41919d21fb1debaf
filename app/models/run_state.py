"""The states of a run, and which actions each allows."""

from __future__ import annotations

from enum import Enum, auto


class RunState(Enum):
    IDLE = auto()
    STARTING = auto()
    RUNNING = auto()
    PAUSING = auto()
    PAUSED = auto()
    STOPPING = auto()
    FINISHED = auto()
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
    RunState.FINISHED: frozenset({RunAction.START, RunAction.STEP, RunAction.RESET}),
    RunState.FAILED: frozenset({RunAction.START, RunAction.STEP, RunAction.RESET}),
}

# While a run exists that goes on or could go on, what defines it is fixed.
ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSING, RunState.PAUSED, RunState.STOPPING})

WORDS: dict[RunState, str] = {
    RunState.IDLE: "Ready",
    RunState.STARTING: "Starting…",
    RunState.RUNNING: "Training",
    RunState.PAUSING: "Pausing…",
    RunState.PAUSED: "Paused",
    RunState.STOPPING: "Stopping…",
    RunState.FINISHED: "Finished",
    RunState.FAILED: "Failed",
}

LOCKED = "Stop the run to change this."
