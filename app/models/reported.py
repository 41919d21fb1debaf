"""What a run of this window has told, as the doctor reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.models.history import FINE
from app.models.runs import Run
from engine.analysis.doctor.reported import Other, Reported
from engine.config import RunConfig
from engine.reports.metrics import METRICS


def reported(run: Run, config: RunConfig, steps: int | None = None, others: Sequence[Run] = ()) -> Reported:
    """All that ``run`` has told, or had once it had taken so many steps.

    Args:
        config: what it has now, with all that was changed in it since it began.
        others: runs that are drawn beside it.
    """
    beside = [other for other in others if other.compares_with(run)]
    told = replace(_told(run, config), others=tuple(Other(each.config, _told(each).recent) for each in beside))
    return told if steps is None else told.until(steps)


def _told(run: Run, config: RunConfig | None = None) -> Reported:
    history = run.history
    return Reported(
        config or run.config,
        run.environment,
        history.steps.values,
        history.seconds.values,
        {name: history.metrics[name].values for name in METRICS},
        history.episode_returns.values,
        history.episode_steps.values,
        fine=FINE,
    )
