"""What runs have returned, as a table: every episode, and every mean."""

from __future__ import annotations

import numpy as np

from app.models.history import History
from app.panels import timeline
from app.plotting.export import Column, Table, below

RETURN = "return (reward)"


def returns_table(run: str, history: History) -> Table:
    count = len(history.episode_returns)
    episodes: dict[str, Column] = {
        "run": [run] * count,
        "environment steps": history.episode_steps.values,
        "episodes": np.arange(1, count + 1),
        "training time (s)": history.episode_seconds.values,
        "what": ["episode"] * count,
        RETURN: history.episode_returns.values,
    }
    means: dict[str, Column] = {
        **timeline.iterations_table(run, history),
        "what": ["mean of the last 100 episodes"] * len(history.steps),
        RETURN: history.metrics["mean_return"].values,
    }
    return below([Table(episodes), Table(means)])
