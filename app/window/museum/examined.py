"""A run of the library as the doctor reads it."""

from __future__ import annotations

from engine.analysis.doctor.reported import Reported
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.runs.library import Series

_OF_EPISODES = ("return", "end")


def examined(config: RunConfig, environment: EnvironmentInfo, iterations: Series, episodes: Series) -> Reported:
    """All that has been recorded of it so far."""
    if not len(iterations):
        return Reported(config, environment)
    columns = {name: iterations[name] for name in iterations.columns}
    steps, seconds = columns.pop("environment_steps"), columns.pop("seconds")
    if not len(episodes):
        return Reported(config, environment, steps, seconds, columns)
    returns, ends = (episodes[name] for name in _OF_EPISODES)
    return Reported(config, environment, steps, seconds, columns, returns, ends)
