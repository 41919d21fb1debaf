"""What a person is told of a run."""

from __future__ import annotations

from engine.reports.events import Heartbeat
from engine.runtime.waiting import LONG

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
