"""What is said of an update beside its pictures."""

from __future__ import annotations

from app.models.watched_update import WatchedUpdate
from app.style.format import short_number
from engine.catalogue.methods.stops import Stop
from engine.reports.update_events import Inspected, UpdateStep


def counted(step: UpdateStep, update: WatchedUpdate) -> str:
    """ "epoch 2 of 10, minibatch 3 of 8", or "step 3 of 20"."""
    if step.epochs == 1:
        return f"step {step.step:,}" + (f" of {len(update.steps):,}" if update.over else "")
    of = update.in_epoch
    minibatch = f", minibatch {(step.step - 1) % of + 1:,} of {of:,}" if of > 1 else ""
    return f"epoch {step.epoch} of {step.epochs}{minibatch}"


def comment(update: WatchedUpdate, stop: Stop) -> str:
    """What is to be said of the update at a stop, beyond what the line of code means; mostly nothing."""
    steps, tries = update.steps, update.tries
    if stop != "step":
        return ""
    if update.over and steps and steps[-1].epoch < steps[-1].epochs:
        return f"The divergence went beyond its limit in epoch {steps[-1].epoch + 1} at the latest: no more steps."
    if update.over and tries and not tries[-1].accepted:
        return "No share of the step gained anything within the bound, so the policy stays as it was."
    if tries:
        return "✓ taken: the first share of s with a gain within the bound. ✗ refused."
    return ""


def numbers_of(batch: Inspected, row: int) -> str:
    """All that is known of a step of the batch, in one line."""
    told = {"r": batch.rewards, "Ψ": batch.credit, "b": batch.baseline, "Â": batch.advantages, "w": batch.weights}
    numbers = " · ".join(f"{name} {short_number(float(values[row]))}" for name, values in told.items())
    return f"step {int(batch.elapsed[row]):,} · a {batch.actions[row].tolist()} · {numbers} · click: look into it"
