"""What becomes of the numbers that change over a run when the run becomes longer or shorter."""

from __future__ import annotations

from engine.algorithms.outcome import scheduled
from engine.algorithms.value_based.exploration import epsilon_at
from engine.config import ActorCriticConfig, RunConfig, ValueBasedConfig
from engine.config.parameters import parameters_of

_SUFFIX = "_schedule"


def values_at(config: RunConfig, taken: int) -> dict[str, float]:
    """Every number that a schedule sets, by its title, in force after ``taken`` environment steps."""
    progress = min(taken / config.budget.environment_steps, 1.0)
    parameters = {parameter.path: parameter for parameter in parameters_of(config)}
    found = {}
    for path, schedule in parameters.items():
        base = parameters.get(path.removesuffix(_SUFFIX))
        if path.endswith(_SUFFIX) and base is not None and schedule.value != "constant":
            found[base.title] = scheduled(base.value, schedule.value, progress)
    if isinstance(config, ValueBasedConfig):
        if config.exploration.epsilon_start != config.exploration.epsilon_end:
            found["Share of random actions"] = epsilon_at(config.exploration, progress)
        return found
    if isinstance(config, ActorCriticConfig):
        return found
    start, end = config.exploration.greedy_start, config.exploration.greedy_end
    if start != end:
        found["Share of greedy actions"] = start + (end - start) * progress
    return found


def rescheduled(before: RunConfig, after: RunConfig, taken: int) -> tuple[str, ...]:
    """In a sentence each, the numbers that follow the run's length and so are others after ``taken`` steps, since it
    is to be as long as in ``after`` and no longer as in ``before``."""
    if before.budget == after.budget:
        return ()
    old, new = values_at(before, taken), values_at(after, taken)
    length = f"{after.budget.environment_steps:,}"
    return tuple(
        f"{title}: its schedule now spans {length} steps, so that it goes on at {value:.3g}, after {old[title]:.3g}."
        for title, value in new.items()
        if title in old and value != old[title]
    )
