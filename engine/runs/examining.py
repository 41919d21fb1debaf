"""A recorded run as the doctor reads it."""

from __future__ import annotations

from engine.analysis.doctor.reported import NONE, Reported
from engine.catalogue.configured import changed, described
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import RunRecord


def reported_of(library: Library, record: RunRecord) -> Reported | None:
    """What a run has told; None of one in an environment that has to be looked at to be known, or that told nothing.

    Raises:
        RequestError: its configuration is not known here.
        RunError: the library cannot be read.
    """
    config = record.config_now
    plain = described(config.environment)
    told, played = library.series(record.id, ITERATIONS), library.series(record.id, EPISODES)
    if plain is None or not len(told):
        return None
    metrics = {name: told[name] for name in METRICS if name in told.columns}
    returns, ends = (played["return"], played["end"]) if len(played) else (NONE, NONE)
    seen = changed(plain, config.environment)
    return Reported(config, seen, told["environment_steps"], told["seconds"], metrics, returns, ends)
