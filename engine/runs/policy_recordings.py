"""Episodes of a run's policy, as it was at any iteration that was kept, recorded into the library. Importable without
torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.catalogue.configured import changed
from engine.runs.library import Library
from engine.runs.recording_records import RecordingRecord, RecordingSource
from engine.runs.recordings import Recordings
from engine.runs.records import RunRecord
from engine.runs.snapshots import kept_at, last_kept
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch
    from engine.analysis.policy_recording import Progress, Wanted
    from engine.experience.demonstrations import Demonstrations

_NOTHING = "No policy was kept of run {}; train a run, and its policy can be recorded."


@dataclass(frozen=True)
class Kept:
    """What was recorded, and a sentence of it."""

    recording: RecordingRecord
    sentence: str


@dataclass(frozen=True)
class Unkept:
    """What was recorded and is in no library yet."""

    demonstrations: Demonstrations
    source: RecordingSource
    sentence: str

    def keep(self, library: Library) -> Kept:
        """Put it into ``library``.

        Raises:
            RunError: that cannot be written; nothing of it is there then, and it can be tried again.
        """
        return Kept(Recordings(library).add(self.demonstrations, self.source), self.sentence)


def record_run(
    library: Library,
    run: RunRecord,
    wanted: Wanted,
    *,
    iteration: int | None = None,
    seed: int = 0,
    going_on: Callable[[Progress], bool] = lambda progress: True,
) -> Unkept:
    """Record episodes of the policy that ``run`` had after ``iteration`` iterations, or has now.

    Raises:
        RequestError: no policy was kept of it, or nothing was recorded, as ``engine.analysis.policy_recording.record``.
        RunError: the environment or the policy fails, or the library cannot be read.
        GivenUp: as ``waited``, while a worker process is waited for.
    """
    from engine.analysis.policy_recording import record
    from engine.environments.making.lookup import inspect

    config = run.config_now.environment
    environment = changed(inspect(config.id, config.options, config.patience), config)
    found = last_kept(library, run, environment) if iteration is None else kept_at(library, run, environment, iteration)
    if found is None:
        raise RequestError(_NOTHING.format(run.number))
    recorded = record(found.policy, wanted, seed, going_on)
    source = RecordingSource("policy", run.id, run.number, found.iteration, wanted.greedy)
    return Unkept(recorded.demonstrations, source, recorded.sentence)
