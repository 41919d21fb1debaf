"""What an iteration of any learner that estimates advantages reports of its batch."""

from __future__ import annotations

from torch import Tensor

from engine.experience.batch import Batch, LearnedValue
from engine.maths.losses import explained_variance, normalized
from engine.reports.events import Collected, Estimated


def summary(collected: Collected, batch: Batch) -> dict[str, float | None]:
    """The metrics of what was collected and of the advantages before normalisation."""
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    return {
        "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
        "advantage_mean": batch.advantages.mean().item(),
        "advantage_std": batch.advantages.std(correction=0).item(),
        "explained_variance": explained_variance(learned.values, learned.targets) if learned else None,
    }


def estimated(iteration: int, advantages: Tensor, scaled: Tensor | None = None) -> Estimated:
    """The event of an iteration's advantages, [steps]; ``scaled`` are they normalised, where that has been done."""
    scaled = normalized(advantages) if scaled is None else scaled
    return Estimated(iteration, advantages.cpu().numpy(), scaled.cpu().numpy())
