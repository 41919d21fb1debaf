"""What an iteration of any learner that estimates advantages reports of its batch."""

from __future__ import annotations

from engine.experience.batch import Batch, LearnedValue
from engine.maths.losses import explained_variance
from engine.reports.events import Collected


def summary(collected: Collected, batch: Batch) -> dict[str, float | None]:
    """The metrics of what was collected and of the advantages before normalisation."""
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    return {
        "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
        "advantage_mean": batch.advantages.mean().item(),
        "advantage_std": batch.advantages.std(correction=0).item(),
        "explained_variance": explained_variance(learned.values, learned.targets) if learned else None,
    }
