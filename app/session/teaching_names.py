"""Who there is to learn from in the run library: datasets, and the runs of an environment."""

from __future__ import annotations

from app.models.form_rules import Legend
from app.session.run_library import RunLibrary

_MOST = 20  # of each; any other can be typed


def teaching_names(library: RunLibrary, environment: str) -> dict[str, Legend]:
    """By the path of the parameter that names one: the names of those in the environment of that id, the newest first,
    each with what it is."""
    runs = [record for record in library.records() if record.environment == environment][:_MOST]
    teachers = ((str(record.number), f"run {record.number}: {library.name(record)}") for record in runs)
    datasets = [each for each in library.recordings.datasets if each.environment == environment][:_MOST]
    shown = ((each.name, f"{each.episodes:,} episodes of the library") for each in datasets)
    return {"imitation.teacher": tuple(teachers), "imitation.dataset": tuple(shown)}
