"""What is said of an update beside its pictures."""

from __future__ import annotations

from app.models.watched_update import WatchedUpdate
from app.panels.episode.action_drawings import action_label
from app.style.environment_text import cells_in_short
from app.style.format import short_number
from engine.catalogue.methods.stops import Stop
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.mdp.state_names import state_names
from engine.reports.update_events import ComponentChange, Inspected, UpdateStep


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


def component_words(one: ComponentChange, environment: EnvironmentInfo | None, config: RunConfig) -> str:
    """A parameter by its place: "layer 1 W[3,12]", or in a table by state and action, "2, 4: right"."""
    seen = None if environment is None else environment.observation
    if environment is None or seen is None or one.layer != "θ" or seen.kind != "discrete" or len(one.index) != 2:
        return f"{one.layer}[{','.join(map(str, one.index))}]"
    state, action = one.index
    name = cells_in_short(state_names(config.environment, seen.size)[state])
    return f"{name}: {action_label(environment.action, action)}"


def numbers_of(batch: Inspected, row: int) -> str:
    """All that is known of a step of the batch, in one line."""
    told = {"r": batch.rewards, "Ψ": batch.credit, "b": batch.baseline, "Â": batch.advantages, "w": batch.weights}
    numbers = " · ".join(f"{name} {short_number(float(values[row]))}" for name, values in told.items())
    return f"step {int(batch.elapsed[row]):,} · a {batch.actions[row].tolist()} · {numbers} · click: look into it"
