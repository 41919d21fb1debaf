"""What is to be said of a run whose length does not suit what it does."""

from __future__ import annotations

from engine.config import RunConfig
from engine.config.replay import ReplayConfig
from engine.training.learners.interaction import collection_of

EXCESS = 1.5  # times as many steps as asked for, from which on that is told


def told_of_length(config: RunConfig, iteration: int, taken: int) -> str:
    """The sentence after ``iteration`` iterations and ``taken`` environment steps; empty, as a rule.

    A run that has become much longer than asked for is over, and one that would be over before it begins to learn is
    told so after its first iteration: either is said once.
    """
    return _excess(config, taken) or (_unlearned(config) if iteration == 1 else "")


def _excess(config: RunConfig, taken: int) -> str:
    asked = config.budget.environment_steps
    if taken < EXCESS * asked:
        return ""
    collection = collection_of(config)
    why = (
        f"the {collection.episodes_per_update} episodes of an update are played to their end"
        if collection.kind == "episodes"
        else f"an update takes {collection.steps} steps in each of {collection.environments} environments"
    )
    return f"{taken:,} steps were taken where {asked:,} were asked for, since {why}."


def _unlearned(config: RunConfig) -> str:
    replay = getattr(config.update, "replay", None)
    asked = config.budget.environment_steps
    if not isinstance(replay, ReplayConfig) or replay.learning_starts < asked:
        return ""
    return (
        f"Nothing will be learned: the first {replay.learning_starts:,} steps are only collected, and the run is "
        f"over after {asked:,}; train for longer, or lower “Steps before learning”."
    )
