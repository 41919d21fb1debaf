"""What a person is told of a run."""

from __future__ import annotations

from collections.abc import Iterator

from app.models.runs import KeptRun, SeedGroup, difference_made
from engine.reports.events import Asked, Event, Failed, Heartbeat, Solved, Updated
from engine.runtime.waiting import LONG

Told = tuple[str, str]  # level and sentence

STEPPING = ("resetting", "collecting")  # in which the environment is at work
KEEPS = (
    "Seeds that have processes of their own keep what they began with, as long as they are to be seeds of one choice; "
    "stop them, and Start begins others with this."
)
STOP = "Stop ends the wait at once."


def silent_start(environment: str, *, stoppable: bool) -> str:
    """The sentence for a run that is only starting and takes long to; ``stoppable`` as for ``silence``."""
    until = "; the run starts or stops once it is, and closing the window ends it at once."
    return f"{environment} is not ready after {LONG:.0f} s{f'. {STOP}' if stoppable else until}"


def silence(environment: str, heartbeat: Heartbeat | None, *, stoppable: bool = False) -> str:
    """The sentence for a run that has told nothing for long; ``heartbeat`` is the last thing told, if that was one.

    Args:
        stoppable: whether a wish to stop would be heard all the same.
    """
    doing = f" while {heartbeat.doing}" if heartbeat else ""
    who = environment if heartbeat is None or heartbeat.doing in STEPPING else "The run"
    until = "; the run pauses or stops once it does, and closing the window ends it at once."
    return f"{who} has not answered for {LONG:.0f} s{doing}{f'. {STOP}' if stoppable else until}"


def told_of_run(event: Event, shown: KeptRun) -> Iterator[Told]:
    """What a person is told once the run that is shown has told this."""
    if isinstance(event, Updated):
        for change in event.changes:
            yield "info", f"{difference_made(change, shown.config).text}, from iteration {change.iteration:,} on."
        if event.note:
            yield "warning", event.note
    elif isinstance(event, Asked):
        yield "info", f"{len(event.questions):,} questions wait for you in Play/Record, Teach."
    elif isinstance(event, Solved) and shown.group is None:
        yield "info", event.sentence


def told_of_seed(event: Event, group: SeedGroup) -> Iterator[Told]:
    """The same of any of several seeds that were begun at once."""
    run = group.run(event.run)
    if run is not None and isinstance(event, Failed):
        yield "error", f"Seed {run.config.seed} failed: {event.reason} The others go on."
    elif run is not None and isinstance(event, Solved):
        yield "info", f"Seed {run.config.seed}: {event.sentence[0].lower()}{event.sentence[1:]}"
